#include "weir/settings/sqlite/tables.h"

#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "weir/base/bytes.h"
#include "weir/settings/encoding.h"
#include "weir/settings/state.h"

namespace weir::settings::sqlite {

namespace {
// Each entry brings the schema from its index to the next version. Entries are never edited, only added.
constexpr std::array kMigrations = {
    // 1. project_ids holds every id ever given out, so that none is given out twice.
    "CREATE TABLE project_ids (id INTEGER PRIMARY KEY, deleted_at INTEGER) STRICT;"
    "CREATE TABLE projects (id INTEGER PRIMARY KEY REFERENCES project_ids (id), name TEXT NOT NULL UNIQUE,"
    " time_zone TEXT NOT NULL, retention_days INTEGER NOT NULL, ip_policy TEXT NOT NULL,"
    " created_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, scope TEXT NOT NULL,"
    " project INTEGER REFERENCES projects (id) ON DELETE CASCADE, hash BLOB NOT NULL UNIQUE,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX keys_by_project ON keys (project);"
    "CREATE TABLE outside_names (value TEXT PRIMARY KEY,"
    " project INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE) STRICT;"
    "CREATE INDEX outside_names_by_project ON outside_names (project);",
    // 2. `number` keeps the order in which they were made.
    "CREATE TABLE traffic_rules (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " project INTEGER REFERENCES projects (id) ON DELETE CASCADE, kind TEXT NOT NULL, value TEXT NOT NULL,"
    " label TEXT NOT NULL, note TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX traffic_rules_by_project ON traffic_rules (project);",
    // 3. The owner is the id of a person.
    "CREATE TABLE items (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
    " project INTEGER REFERENCES projects (id) ON DELETE CASCADE, kind TEXT NOT NULL, owner INTEGER,"
    " name TEXT NOT NULL, body TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX items_by_project ON items (project);",
    // 4. People. `audit` holds what was done, sessions who is signed in.
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
    " password TEXT NOT NULL, totp_secret BLOB NOT NULL, totp_step INTEGER NOT NULL, recovery TEXT NOT NULL,"
    " created_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE grants (user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,"
    " project INTEGER REFERENCES projects (id) ON DELETE CASCADE, role TEXT NOT NULL) STRICT;"
    "CREATE INDEX grants_by_user ON grants (user);"
    "CREATE INDEX grants_by_project ON grants (project);"
    "CREATE TABLE invitations (id TEXT PRIMARY KEY, email TEXT NOT NULL,"
    " project INTEGER REFERENCES projects (id) ON DELETE CASCADE, role TEXT NOT NULL, token BLOB NOT NULL UNIQUE,"
    " created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE shares (id TEXT PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects (id) ON DELETE CASCADE,"
    " name TEXT NOT NULL, token BLOB NOT NULL UNIQUE, password TEXT NOT NULL, key BLOB NOT NULL,"
    " segment TEXT NOT NULL, origins TEXT NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE policy (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;"
    "CREATE TABLE sessions (id TEXT PRIMARY KEY, token BLOB NOT NULL UNIQUE,"
    " user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, created_at INTEGER NOT NULL,"
    " seen_at INTEGER NOT NULL, address TEXT NOT NULL, agent TEXT NOT NULL) STRICT;"
    "CREATE INDEX sessions_by_user ON sessions (user);"
    "CREATE TABLE audit (number INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, address TEXT NOT NULL,"
    " project INTEGER, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX audit_by_project ON audit (project);",
    // 5. The projects' own sites: `hostnames` is a JSON list.
    "ALTER TABLE projects ADD COLUMN hostnames TEXT NOT NULL DEFAULT '[]';"
    "ALTER TABLE projects ADD COLUMN foreign_hostnames TEXT NOT NULL DEFAULT 'keep';",
    // 6. What becomes of events whose browser asks not to be counted.
    "ALTER TABLE projects ADD COLUMN privacy_signals TEXT NOT NULL DEFAULT 'ignore';",
};

int64_t column(ProjectId id) { return static_cast<int64_t>(number(id)); }
int64_t column(UserId id) { return static_cast<int64_t>(number(id)); }
ProjectId project_id(int64_t column) { return ProjectId{static_cast<uint64_t>(column)}; }

template <class Id>
void bind_or_null(Statement& statement, std::optional<Id> id) {
  if (id) {
    statement.bind(column(*id));
  } else {
    statement.bind_null();
  }
}

// put(): a row that is new or has changed. drop(): one that is gone; what it took with it may be gone already.

Result<> put(const Database& db, const Project& p) {
  return Statement(db,
                   "INSERT INTO projects (id, name, time_zone, retention_days, ip_policy, created_at, hostnames,"
                   " foreign_hostnames, privacy_signals) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"
                   " SET name = excluded.name, time_zone = excluded.time_zone,"
                   " retention_days = excluded.retention_days, ip_policy = excluded.ip_policy,"
                   " hostnames = excluded.hostnames, foreign_hostnames = excluded.foreign_hostnames,"
                   " privacy_signals = excluded.privacy_signals")
      .bind(column(p.id))
      .bind(p.name)
      .bind(p.time_zone)
      .bind(int64_t{p.retention_days})
      .bind(name_of(p.ip_policy))
      .bind(p.created_at)
      .bind(to_json(p.hostnames))
      .bind(name_of(p.foreign_hostnames))
      .bind(name_of(p.privacy_signals))
      .finish();
}
Result<> drop(const Database& db, const Project& p) {
  return Statement(db, "DELETE FROM projects WHERE id = ?").bind(column(p.id)).finish();
}

Result<> put(const Database& db, const Key& k) {
  Statement statement(db,
                      "INSERT INTO keys (id, name, scope, project, hash, created_at, expires_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name,"
                      " expires_at = excluded.expires_at");
  statement.bind(k.id).bind(k.name).bind(name_of(k.scope));
  bind_or_null(statement, k.project);
  return statement.bind_blob(k.hash).bind(k.created_at).bind(k.expires_at).finish();
}
Result<> drop(const Database& db, const Key& k) {
  return Statement(db, "DELETE FROM keys WHERE id = ?").bind(k.id).finish();
}

Result<> put(const Database& db, const OutsideName& name) {
  return Statement(db,
                   "INSERT INTO outside_names (value, project) VALUES (?, ?)"
                   " ON CONFLICT (value) DO UPDATE SET project = excluded.project")
      .bind(name.value)
      .bind(column(name.project))
      .finish();
}
Result<> drop(const Database& db, const OutsideName& name) {
  return Statement(db, "DELETE FROM outside_names WHERE value = ?").bind(name.value).finish();
}

Result<> put(const Database& db, const TrafficRule& rule) {
  Statement statement(db,
                      "INSERT INTO traffic_rules (id, project, kind, value, label, note, created_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET note = excluded.note");
  statement.bind(rule.id);
  bind_or_null(statement, rule.project);
  return statement.bind(name_of(rule.kind))
      .bind(rule.value)
      .bind(name_of(rule.label))
      .bind(rule.note)
      .bind(rule.created_at)
      .finish();
}
Result<> drop(const Database& db, const TrafficRule& rule) {
  return Statement(db, "DELETE FROM traffic_rules WHERE id = ?").bind(rule.id).finish();
}

Result<> put(const Database& db, const Item& item) {
  Statement statement(db,
                      "INSERT INTO items (id, project, kind, owner, name, body, created_at, updated_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner,"
                      " name = excluded.name, body = excluded.body, updated_at = excluded.updated_at");
  statement.bind(item.id);
  bind_or_null(statement, item.project);
  statement.bind(name_of(item.kind));
  bind_or_null(statement, item.owner);
  return statement.bind(item.name).bind(item.body).bind(item.created_at).bind(item.updated_at).finish();
}
Result<> drop(const Database& db, const Item& item) {
  return Statement(db, "DELETE FROM items WHERE id = ?").bind(item.id).finish();
}

Result<> put(const Database& db, const User& user) {
  std::vector<std::string> recovery;
  for (const std::string& hash : user.recovery) recovery.push_back(to_hex(hash));
  auto done = Statement(db,
                        "INSERT INTO users (id, email, name, password, totp_secret, totp_step, recovery, created_at)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET email = excluded.email,"
                        " name = excluded.name, password = excluded.password, totp_secret = excluded.totp_secret,"
                        " totp_step = excluded.totp_step, recovery = excluded.recovery")
                  .bind(column(user.id))
                  .bind(user.email)
                  .bind(user.name)
                  .bind(user.password)
                  .bind_blob(user.totp_secret)
                  .bind(user.totp_step)
                  .bind(to_json(recovery))
                  .bind(user.created_at)
                  .finish();
  if (!done) return done;
  done = Statement(db, "DELETE FROM grants WHERE user = ?").bind(column(user.id)).finish();
  if (!done) return done;
  for (const Grant& grant : user.grants) {
    Statement statement(db, "INSERT INTO grants (user, project, role) VALUES (?, ?, ?)");
    statement.bind(column(user.id));
    bind_or_null(statement, grant.project);
    if (done = statement.bind(name_of(grant.role)).finish(); !done) return done;
  }
  return {};
}
Result<> drop(const Database& db, const User& user) {
  return Statement(db, "DELETE FROM users WHERE id = ?").bind(column(user.id)).finish();
}

Result<> put(const Database& db, const Invitation& invitation) {
  Statement statement(db,
                      "INSERT INTO invitations (id, email, project, role, token, created_at, expires_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at");
  statement.bind(invitation.id).bind(invitation.email);
  bind_or_null(statement, invitation.grant.project);
  return statement.bind(name_of(invitation.grant.role))
      .bind_blob(invitation.token)
      .bind(invitation.created_at)
      .bind(invitation.expires_at)
      .finish();
}
Result<> drop(const Database& db, const Invitation& invitation) {
  return Statement(db, "DELETE FROM invitations WHERE id = ?").bind(invitation.id).finish();
}

Result<> put(const Database& db, const Share& share) {
  return Statement(db,
                   "INSERT INTO shares (id, project, name, token, password, key, segment, origins, created_at,"
                   " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
                   " name = excluded.name, password = excluded.password, segment = excluded.segment,"
                   " origins = excluded.origins, expires_at = excluded.expires_at")
      .bind(share.id)
      .bind(column(share.project))
      .bind(share.name)
      .bind_blob(share.token)
      .bind(share.password)
      .bind_blob(share.key)
      .bind(share.segment)
      .bind(to_json(share.origins))
      .bind(share.created_at)
      .bind(share.expires_at)
      .finish();
}
Result<> drop(const Database& db, const Share& share) {
  return Statement(db, "DELETE FROM shares WHERE id = ?").bind(share.id).finish();
}

Result<> put(const Database& db, const Policy& policy) {
  return Statement(db,
                   "INSERT INTO policy (name, value) VALUES ('second_factor', ?)"
                   " ON CONFLICT (name) DO UPDATE SET value = excluded.value")
      .bind(int64_t{policy.second_factor})
      .finish();
}

// One list of the state, before and after.
template <class T>
class Difference {
 public:
  Difference(const std::vector<T>& before, const std::vector<T>& after) : before_(before), after_(after) {
    for (const T& one : before) was_.emplace(key_of(one), &one);
    for (const T& one : after) is_.emplace(key_of(one), &one);
  }
  Result<> drop_gone(const Database& db) const {
    for (const T& one : before_) {
      if (is_.count(key_of(one)) != 0) continue;
      if (auto done = drop(db, one); !done) return done;
    }
    return {};
  }
  Result<> put_changed(const Database& db) const {
    for (const T& one : after_) {
      if (auto was = was_.find(key_of(one)); was != was_.end() && *was->second == one) continue;
      if (auto done = put(db, one); !done) return done;
    }
    return {};
  }
  // Calls `visit` with each that was not there before.
  template <class Visit>
  Result<> for_each_new(Visit&& visit) const {
    for (const T& one : after_) {
      if (was_.count(key_of(one)) != 0) continue;
      if (auto done = visit(one); !done) return done;
    }
    return {};
  }

 private:
  const std::vector<T>& before_;
  const std::vector<T>& after_;
  std::unordered_map<std::string, const T*> was_;
  std::unordered_map<std::string, const T*> is_;
};

// What is done in turn, until something fails.
template <class... Steps>
Result<> in_turn(Steps&&... steps) {
  Result<> done;
  (void)(... && (done = steps()).has_value());
  return done;
}

// Calls `row` for each row; it answers false for one that no version of weir writes.
template <class Row>
Result<> each(const Database& db, std::string_view sql, Row&& row) {
  Statement statement(db, sql);
  while (true) {
    auto more = statement.step();
    if (!more) return std::move(more).error();
    if (!*more) return {};
    if (!row(statement))
      return Error{ErrorCode::kCorrupt, "settings: settings.db holds a value that weir does not know"};
  }
}

Result<> load_people(const Database& db, State& state) {
  std::unordered_map<int64_t, size_t> places;
  auto users = each(db,
                    "SELECT id, email, name, password, totp_secret, totp_step, recovery, created_at FROM users"
                    " ORDER BY created_at, id",
                    [&](const Statement& s) {
                      User u;
                      u.id = UserId{static_cast<uint64_t>(s.number(0))};
                      u.email = s.text(1);
                      u.name = s.text(2);
                      u.password = s.text(3);
                      u.totp_secret = s.text(4);
                      u.totp_step = s.number(5);
                      std::vector<std::string> recovery;
                      if (!texts_from_json(s.text(6), recovery)) return false;
                      for (const std::string& hash : recovery) {
                        if (!from_hex(hash, u.recovery.emplace_back())) return false;
                      }
                      u.created_at = s.number(7);
                      places.emplace(s.number(0), state.users.size());
                      state.users.push_back(std::move(u));
                      return true;
                    });
  if (!users) return users;
  auto grants = each(db, "SELECT user, project, role FROM grants ORDER BY rowid", [&](const Statement& s) {
    Grant grant;
    if (!s.is_null(1)) grant.project = project_id(s.number(1));
    auto place = places.find(s.number(0));
    if (place == places.end() || !parse_role(s.text(2), grant.role)) return false;
    state.users[place->second].grants.push_back(grant);
    return true;
  });
  if (!grants) return grants;
  auto invitations = each(
      db, "SELECT id, email, project, role, token, created_at, expires_at FROM invitations ORDER BY created_at, id",
      [&](const Statement& s) {
        Invitation i;
        i.id = s.text(0);
        i.email = s.text(1);
        if (!s.is_null(2)) i.grant.project = project_id(s.number(2));
        i.token = s.text(4);
        i.created_at = s.number(5);
        i.expires_at = s.number(6);
        bool known = parse_role(s.text(3), i.grant.role);
        state.invitations.push_back(std::move(i));
        return known;
      });
  if (!invitations) return invitations;
  auto shares = each(db,
                     "SELECT id, project, name, token, password, key, segment, origins, created_at, expires_at"
                     " FROM shares ORDER BY created_at, id",
                     [&](const Statement& s) {
                       Share share;
                       share.id = s.text(0);
                       share.project = project_id(s.number(1));
                       share.name = s.text(2);
                       share.token = s.text(3);
                       share.password = s.text(4);
                       share.key = s.text(5);
                       share.segment = s.text(6);
                       share.created_at = s.number(8);
                       share.expires_at = s.number(9);
                       bool known = texts_from_json(s.text(7), share.origins);
                       state.shares.push_back(std::move(share));
                       return known;
                     });
  if (!shares) return shares;
  return each(db, "SELECT value FROM policy WHERE name = 'second_factor'", [&](const Statement& s) {
    state.policy.second_factor = s.number(0) != 0;
    return true;
  });
}
}  // namespace

int64_t schema_version() { return static_cast<int64_t>(kMigrations.size()); }
Result<> migrate_step(Database& db, int64_t from) { return db.run(kMigrations[static_cast<size_t>(from)]); }

Result<State> load(const Database& db) {
  State state;
  auto projects =
      each(db,
           "SELECT id, name, time_zone, retention_days, ip_policy, created_at, hostnames, foreign_hostnames,"
           " privacy_signals FROM projects ORDER BY name",
           [&](const Statement& s) {
             Project p;
             p.id = project_id(s.number(0));
             p.name = s.text(1);
             p.time_zone = s.text(2);
             p.retention_days = static_cast<uint32_t>(s.number(3));
             p.created_at = s.number(5);
             bool known = parse_ip_policy(s.text(4), p.ip_policy) && texts_from_json(s.text(6), p.hostnames) &&
                          parse_foreign_hostnames(s.text(7), p.foreign_hostnames) &&
                          parse_privacy_signals(s.text(8), p.privacy_signals);
             state.projects.push_back(std::move(p));
             return known;
           });
  if (!projects) return std::move(projects).error();
  auto keys =
      each(db, "SELECT id, name, scope, project, hash, created_at, expires_at FROM keys ORDER BY created_at, id",
           [&](const Statement& s) {
             Key k;
             k.id = s.text(0);
             k.name = s.text(1);
             if (!s.is_null(3)) k.project = project_id(s.number(3));
             k.hash = s.text(4);
             k.created_at = s.number(5);
             k.expires_at = s.number(6);
             bool known = parse_scope(s.text(2), k.scope);
             state.keys.push_back(std::move(k));
             return known;
           });
  if (!keys) return std::move(keys).error();
  auto names = each(db, "SELECT value, project FROM outside_names ORDER BY value", [&](const Statement& s) {
    state.names.push_back({s.text(0), project_id(s.number(1))});
    return true;
  });
  if (!names) return std::move(names).error();
  auto rules = each(db, "SELECT id, project, kind, value, label, note, created_at FROM traffic_rules ORDER BY number",
                    [&](const Statement& s) {
                      TrafficRule r;
                      r.id = s.text(0);
                      if (!s.is_null(1)) r.project = project_id(s.number(1));
                      r.value = s.text(3);
                      r.note = s.text(5);
                      r.created_at = s.number(6);
                      bool known = parse_rule_kind(s.text(2), r.kind) && parse_rule_label(s.text(4), r.label);
                      state.rules.push_back(std::move(r));
                      return known;
                    });
  if (!rules) return std::move(rules).error();
  auto items =
      each(db, "SELECT id, project, kind, owner, name, body, created_at, updated_at FROM items ORDER BY number",
           [&](const Statement& s) {
             Item i;
             i.id = s.text(0);
             if (!s.is_null(1)) i.project = project_id(s.number(1));
             if (!s.is_null(3)) i.owner = UserId{static_cast<uint64_t>(s.number(3))};
             i.name = s.text(4);
             i.body = s.text(5);
             i.created_at = s.number(6);
             i.updated_at = s.number(7);
             bool known = parse_item_kind(s.text(2), i.kind);
             state.items.push_back(std::move(i));
             return known;
           });
  if (!items) return std::move(items).error();
  if (auto people = load_people(db, state); !people) return std::move(people).error();
  auto retired =
      each(db, "SELECT id FROM project_ids WHERE deleted_at IS NOT NULL ORDER BY id", [&](const Statement& s) {
        state.retired.push_back(project_id(s.number(0)));
        return true;
      });
  if (!retired) return std::move(retired).error();
  return state;
}

Result<> store(const Database& db, const State& before, const State& after, UnixMillis now) {
  Difference<Project> projects(before.projects, after.projects);
  Difference<Key> keys(before.keys, after.keys);
  Difference<OutsideName> names(before.names, after.names);
  Difference<TrafficRule> rules(before.rules, after.rules);
  Difference<Item> items(before.items, after.items);
  Difference<User> users(before.users, after.users);
  Difference<Invitation> invitations(before.invitations, after.invitations);
  Difference<Share> shares(before.shares, after.shares);
  return in_turn(
      // What belongs to a project goes before it and comes after it.
      [&] { return shares.drop_gone(db); }, [&] { return invitations.drop_gone(db); },
      [&] { return users.drop_gone(db); }, [&] { return items.drop_gone(db); }, [&] { return rules.drop_gone(db); },
      [&] { return names.drop_gone(db); }, [&] { return keys.drop_gone(db); }, [&] { return projects.drop_gone(db); },
      // An id that was given out before fails here, whatever became of it.
      [&] {
        return projects.for_each_new([&](const Project& p) {
          return Statement(db, "INSERT INTO project_ids (id) VALUES (?)").bind(column(p.id)).finish();
        });
      },
      [&]() -> Result<> {
        // Ids are only added to the end.
        for (size_t i = before.retired.size(); i < after.retired.size(); ++i) {
          auto done = Statement(db,
                                "INSERT INTO project_ids (id, deleted_at) VALUES (?, ?)"
                                " ON CONFLICT (id) DO UPDATE SET deleted_at = excluded.deleted_at")
                          .bind(column(after.retired[i]))
                          .bind(now)
                          .finish();
          if (!done) return done;
        }
        return {};
      },
      [&] { return projects.put_changed(db); }, [&] { return keys.put_changed(db); },
      [&] { return names.put_changed(db); }, [&] { return rules.put_changed(db); },
      [&] { return items.put_changed(db); }, [&] { return users.put_changed(db); },
      [&] { return invitations.put_changed(db); }, [&] { return shares.put_changed(db); },
      [&] { return before.policy == after.policy ? Result<>() : put(db, after.policy); });
}

}  // namespace weir::settings::sqlite
