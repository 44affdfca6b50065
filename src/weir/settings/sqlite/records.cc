#include "weir/settings/sqlite/records.h"

#include <limits>

namespace weir::settings::sqlite {

Result<std::vector<Session>> load_sessions(const Database& db) {
  Statement statement(db, "SELECT id, token, user, created_at, seen_at, address, agent FROM sessions");
  std::vector<Session> sessions;
  while (true) {
    auto more = statement.step();
    if (!more) return std::move(more).error();
    if (!*more) return sessions;
    Session s;
    s.id = statement.text(0);
    s.token = statement.text(1);
    s.user = UserId{static_cast<uint64_t>(statement.number(2))};
    s.created_at = statement.number(3);
    s.seen_at = statement.number(4);
    s.address = statement.text(5);
    s.agent = statement.text(6);
    sessions.push_back(std::move(s));
  }
}

Result<> add(const Database& db, const Session& session) {
  return Statement(db,
                   "INSERT INTO sessions (id, token, user, created_at, seen_at, address, agent)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(session.id)
      .bind_blob(session.token)
      .bind(static_cast<int64_t>(number(session.user)))
      .bind(session.created_at)
      .bind(session.seen_at)
      .bind(session.address)
      .bind(session.agent)
      .finish();
}

Result<> note_seen(const Database& db, const std::vector<Session>& sessions) {
  for (const Session& session : sessions) {
    auto done = Statement(db, "UPDATE sessions SET seen_at = ?, address = ? WHERE id = ?")
                    .bind(session.seen_at)
                    .bind(session.address)
                    .bind(session.id)
                    .finish();
    if (!done) return done;
  }
  return {};
}

Result<> drop_sessions(const Database& db, const std::vector<std::string>& ids) {
  for (const std::string& id : ids) {
    if (auto done = Statement(db, "DELETE FROM sessions WHERE id = ?").bind(id).finish(); !done) return done;
  }
  return {};
}

Result<> append(const Database& db, const std::vector<AuditEntry>& entries, size_t kept_max) {
  if (entries.empty()) return {};
  for (const AuditEntry& entry : entries) {
    Statement statement(db,
                        "INSERT INTO audit (at, who, address, project, action, subject, detail)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?)");
    statement.bind(entry.at).bind(entry.actor.who).bind(entry.actor.address);
    if (entry.project) {
      statement.bind(static_cast<int64_t>(number(*entry.project)));
    } else {
      statement.bind_null();
    }
    auto done = statement.bind(entry.action).bind(entry.subject).bind(entry.detail).finish();
    if (!done) return done;
  }
  return Statement(db, "DELETE FROM audit WHERE number <= (SELECT max(number) FROM audit) - ?")
      .bind(static_cast<int64_t>(kept_max))
      .finish();
}

Result<std::vector<AuditEntry>> load_audit(const Database& db, int64_t before, size_t limit,
                                           std::optional<ProjectId> project) {
  Statement statement(db,
                      "SELECT number, at, who, address, project, action, subject, detail FROM audit"
                      " WHERE number < ? AND (? = 0 OR project = ?) ORDER BY number DESC LIMIT ?");
  int64_t id = project ? static_cast<int64_t>(number(*project)) : 0;
  statement.bind(before == 0 ? std::numeric_limits<int64_t>::max() : before)
      .bind(id)
      .bind(id)
      .bind(static_cast<int64_t>(limit));
  std::vector<AuditEntry> entries;
  while (true) {
    auto more = statement.step();
    if (!more) return std::move(more).error();
    if (!*more) return entries;
    AuditEntry entry;
    entry.number = statement.number(0);
    entry.at = statement.number(1);
    entry.actor.who = statement.text(2);
    entry.actor.address = statement.text(3);
    if (!statement.is_null(4)) entry.project = ProjectId{static_cast<uint64_t>(statement.number(4))};
    entry.action = statement.text(5);
    entry.subject = statement.text(6);
    entry.detail = statement.text(7);
    entries.push_back(std::move(entry));
  }
}

}  // namespace weir::settings::sqlite
