#include "weir/settings/sqlite/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <unordered_set>

#include "weir/base/logging.h"
#include "weir/settings/limits.h"
#include "weir/settings/rules.h"
#include "weir/settings/sqlite/database.h"
#include "weir/settings/state.h"

namespace weir::settings::sqlite {

namespace {
constexpr int64_t kApplicationId = 0x77656972;  // "weir"

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
};
constexpr auto kVersion = static_cast<int64_t>(kMigrations.size());

int64_t column(ProjectId id) { return static_cast<int64_t>(number(id)); }
ProjectId project_id(int64_t column) { return ProjectId{static_cast<uint64_t>(column)}; }

Error not_found(std::string_view what, std::string_view value) {
  return {ErrorCode::kNotFound, fmt::format("settings: {}: `{}`: no such {}", what, value, what)};
}
Error taken(std::string_view what, std::string_view value) {
  return {ErrorCode::kConflict, fmt::format("settings: {}: `{}`: exists already", what, value)};
}
Error too_many(std::string_view what, size_t most) {
  return {ErrorCode::kTooLarge, fmt::format("settings: more than {} {}", most, what)};
}

Result<> insert(const Database& db, const Project& p) {
  if (auto id = Statement(db, "INSERT INTO project_ids (id) VALUES (?)").bind(column(p.id)).finish(); !id) return id;
  return Statement(db,
                   "INSERT INTO projects (id, name, time_zone, retention_days, ip_policy, created_at)"
                   " VALUES (?, ?, ?, ?, ?, ?)")
      .bind(column(p.id))
      .bind(p.name)
      .bind(p.time_zone)
      .bind(int64_t{p.retention_days})
      .bind(name_of(p.ip_policy))
      .bind(p.created_at)
      .finish();
}

Result<> insert(const Database& db, const Key& k) {
  Statement statement(db,
                      "INSERT INTO keys (id, name, scope, project, hash, created_at, expires_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?)");
  statement.bind(k.id).bind(k.name).bind(name_of(k.scope));
  if (k.project) {
    statement.bind(column(*k.project));
  } else {
    statement.bind_null();
  }
  return statement.bind_blob(k.hash).bind(k.created_at).bind(k.expires_at).finish();
}

Result<> insert(const Database& db, const OutsideName& name) {
  return Statement(db, "INSERT INTO outside_names (value, project) VALUES (?, ?)")
      .bind(name.value)
      .bind(column(name.project))
      .finish();
}

Result<> insert(const Database& db, const TrafficRule& rule) {
  Statement statement(db,
                      "INSERT INTO traffic_rules (id, project, kind, value, label, note, created_at)"
                      " VALUES (?, ?, ?, ?, ?, ?, ?)");
  statement.bind(rule.id);
  if (rule.project) {
    statement.bind(column(*rule.project));
  } else {
    statement.bind_null();
  }
  return statement.bind(name_of(rule.kind))
      .bind(rule.value)
      .bind(name_of(rule.label))
      .bind(rule.note)
      .bind(rule.created_at)
      .finish();
}

Result<> insert(const Database& db, const State& state) {
  for (ProjectId id : state.retired) {
    auto done = Statement(db, "INSERT INTO project_ids (id, deleted_at) VALUES (?, 0)").bind(column(id)).finish();
    if (!done) return done;
  }
  for (const Project& p : state.projects) {
    if (auto done = insert(db, p); !done) return done;
  }
  for (const Key& k : state.keys) {
    if (auto done = insert(db, k); !done) return done;
  }
  for (const OutsideName& n : state.names) {
    if (auto done = insert(db, n); !done) return done;
  }
  for (const TrafficRule& r : state.rules) {
    if (auto done = insert(db, r); !done) return done;
  }
  return {};
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

Result<State> load(const Database& db) {
  State state;
  auto projects =
      each(db, "SELECT id, name, time_zone, retention_days, ip_policy, created_at FROM projects ORDER BY name",
           [&](const Statement& s) {
             Project p;
             p.id = project_id(s.number(0));
             p.name = s.text(1);
             p.time_zone = s.text(2);
             p.retention_days = static_cast<uint32_t>(s.number(3));
             p.created_at = s.number(5);
             bool known = parse_ip_policy(s.text(4), p.ip_policy);
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
  auto retired =
      each(db, "SELECT id FROM project_ids WHERE deleted_at IS NOT NULL ORDER BY id", [&](const Statement& s) {
        state.retired.push_back(project_id(s.number(0)));
        return true;
      });
  if (!retired) return std::move(retired).error();
  return state;
}

// Runs `work` in one transaction; rolled back when it fails.
template <class Work>
Result<> transaction(Database& db, Work&& work) {
  if (auto begun = db.run("BEGIN IMMEDIATE"); !begun) return begun;
  Result<> done = work();
  if (done) done = db.run("COMMIT");
  // A failed COMMIT may have ended the transaction already; then this fails, harmlessly.
  if (!done) (void)db.run("ROLLBACK").has_value();
  return done;
}

class SqliteRepository final : public Repository {
 public:
  SqliteRepository(FileSystem& files, const std::string& directory, Clock& clock, const OpenOptions& options)
      : files_(files),
        clock_(clock),
        options_(options),
        database_path_(directory + "/settings.db"),
        snapshot_path_(directory + "/settings.snapshot"),
        snapshot_(snapshot_of(State{})) {}

  Result<> start();

  std::shared_ptr<const Snapshot> snapshot() const override {
    std::lock_guard lock(snapshot_mutex_);
    return snapshot_;
  }
  std::string degraded() const override {
    std::lock_guard lock(snapshot_mutex_);
    return degraded_;
  }
  void on_change(std::function<void()> listener) override { listener_ = std::move(listener); }

  Result<Project> create_project(std::string_view name) override;
  Result<> change_project(const Project& project) override;
  Result<> delete_project(ProjectId id) override;
  Result<NewKey> create_key(std::string_view name, Scope scope, std::optional<ProjectId> project,
                            UnixMillis expires_at) override;
  Result<> delete_key(std::string_view id) override;
  Result<> add_outside_name(std::string_view value, ProjectId project) override;
  Result<> delete_outside_name(std::string_view value) override;
  Result<TrafficRule> add_traffic_rule(const TrafficRule& rule) override;
  Result<> delete_traffic_rule(std::string_view id) override;
  Result<> close() override;

 private:
  Result<> connect();
  Result<> migrate(Database& db, const State* contents);
  Result<> rebuild_from_snapshot();
  void publish(const State& state, std::string degraded);
  void write_snapshot(const State& state);
  template <class Apply>
  Result<> change(Apply&& apply);

  FileSystem& files_;
  Clock& clock_;
  const OpenOptions options_;
  const std::string database_path_;
  const std::string snapshot_path_;
  std::function<void()> listener_;

  // Held during database calls, against the rule of memory only: a change is rare, callers may block, and one
  // connection is what SQLite wants of a single writer.
  std::mutex mutex_;
  std::optional<Database> database_;  // none: degraded
  bool closed_ = false;

  // std::atomic<std::shared_ptr> of GCC 12 releases its reader's lock relaxed, which is a race.
  mutable std::mutex snapshot_mutex_;  // guards snapshot_, degraded_
  std::shared_ptr<const Snapshot> snapshot_;
  std::string degraded_;
};

// Opens, checks and migrates the database and publishes what it holds; `database_` is set only on success.
Result<> SqliteRepository::connect() {
  bool snapshot_exists = files_.exists(snapshot_path_);
  if (!files_.exists(database_path_)) {
    if (snapshot_exists) {
      return Error{ErrorCode::kNotFound,
                   fmt::format("settings: {} is missing though {} exists", database_path_, snapshot_path_)};
    }
    // Created here, not by SQLite, for its mode of 0600. An empty file is an empty database.
    auto created = files_.open(database_path_, FileSystem::Mode::create);
    if (!created) return std::move(created).error();
    if (auto synced = files_.sync_directory(parent_directory(database_path_)); !synced) return synced;
  }
  auto opened = Database::open(database_path_, options_.busy_timeout);
  if (!opened) return std::move(opened).error();
  Database db = std::move(*opened);
  auto check = db.text("PRAGMA quick_check(1)");
  if (!check) return std::move(check).error();
  std::replace(check->begin(), check->end(), '\n', ' ');
  if (*check != "ok") return Error{ErrorCode::kCorrupt, fmt::format("settings: {}: {}", database_path_, *check)};
  auto version = db.number("PRAGMA user_version");
  if (!version) return std::move(version).error();
  auto application = db.number("PRAGMA application_id");
  if (!application) return std::move(application).error();
  auto tables = db.number("SELECT count(*) FROM sqlite_master");
  if (!tables) return std::move(tables).error();
  if (*tables > 0 && *application != kApplicationId) {
    return Error{ErrorCode::kConflict, fmt::format("settings: {} is not a database of weir", database_path_)};
  }
  if (*tables == 0 && snapshot_exists) {
    return Error{ErrorCode::kNotFound,
                 fmt::format("settings: {} is empty though {} exists", database_path_, snapshot_path_)};
  }
  if (*version > kVersion) {
    return Error{ErrorCode::kConflict,
                 fmt::format("settings: {} has schema {}, made by a later version of weir; this one knows {}",
                             database_path_, *version, kVersion)};
  }
  if (auto migrated = migrate(db, nullptr); !migrated) return migrated;
  auto state = load(db);
  if (!state) return std::move(state).error();
  database_.emplace(std::move(db));
  if (auto last = read_snapshot_file(files_, snapshot_path_); last) {
    std::unordered_set<ProjectId> known(state->retired.begin(), state->retired.end());
    for (const Project& p : state->projects) known.insert(p.id);
    for (const Project& p : last->projects) {
      if (known.count(p.id) == 0) {
        log::error(
            "settings: project {} (id {}) is in settings.snapshot but not in settings.db: is this an old backup?",
            p.name, to_string(p.id));
      }
    }
  }
  publish(*state, "");
  write_snapshot(*state);
  return {};
}

// Brings the schema to this version, step by step, each with its number in one transaction. `contents`, when given,
// is stored in the transaction of the last step.
Result<> SqliteRepository::migrate(Database& db, const State* contents) {
  // WAL is a property of the file, the rest of the connection.
  auto mode = db.text("PRAGMA journal_mode = WAL");
  if (!mode) return std::move(mode).error();
  if (*mode != "wal") return Error{ErrorCode::kUnavailable, "settings: this file system does not support SQLite's WAL"};
  if (auto set = db.run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"); !set) {
    return set;
  }
  auto version = db.number("PRAGMA user_version");
  if (!version) return std::move(version).error();
  for (int64_t step = *version; step < kVersion; ++step) {
    auto done = transaction(db, [&]() -> Result<> {
      if (auto made = db.run(kMigrations[static_cast<size_t>(step)]); !made) return made;
      std::string mark = fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", step + 1, kApplicationId);
      if (auto marked = db.run(mark.c_str()); !marked) return marked;
      if (contents != nullptr && step + 1 == kVersion) return insert(db, *contents);
      return {};
    });
    if (!done) return done;
  }
  return {};
}

Result<> SqliteRepository::rebuild_from_snapshot() {
  auto state = read_snapshot_file(files_, snapshot_path_);
  if (!state) return std::move(state).error();
  // Made whole under another name first, so that a kill in between leaves no empty settings.db.
  std::string fresh = database_path_ + ".rebuilt";
  for (std::string_view tail : {"", "-wal", "-shm"}) {
    if (auto removed = files_.remove(fresh + std::string(tail)); !removed) return removed;
  }
  {
    auto created = files_.open(fresh, FileSystem::Mode::create);
    if (!created) return std::move(created).error();
    auto db = Database::open(fresh, options_.busy_timeout);
    if (!db) return std::move(db).error();
    if (auto filled = migrate(*db, &*state); !filled) return filled;
    // All of it into the one file that is renamed.
    auto busy = db->number("PRAGMA wal_checkpoint(TRUNCATE)");
    if (!busy) return std::move(busy).error();
    if (*busy != 0) return Error{ErrorCode::kUnavailable, fmt::format("settings: {}: in use", fresh)};
  }
  std::string aside = fmt::format("{}.damaged-{}", database_path_, clock_.now());
  // The database first: killed in between, the next start finds it missing and goes on here.
  for (std::string_view tail : {"", "-wal", "-shm"}) {
    std::string from = database_path_ + std::string(tail);
    if (!files_.exists(from)) continue;
    if (auto moved = files_.rename(from, aside + std::string(tail)); !moved) return moved;
    log::warning("settings: {} kept as {}{}", from, aside, tail);
  }
  if (auto moved = files_.rename(fresh, database_path_); !moved) return moved;
  if (auto synced = files_.sync_directory(parent_directory(database_path_)); !synced) return synced;
  log::warning("settings: {} made again from {}", database_path_, snapshot_path_);
  return {};
}

Result<> SqliteRepository::start() {
  std::lock_guard lock(mutex_);
  Result<> connected = connect();
  if (connected) return {};
  bool lost = connected.error().code == ErrorCode::kCorrupt || connected.error().code == ErrorCode::kNotFound;
  if (options_.rebuild && lost) {
    connected = rebuild_from_snapshot();
    if (connected) connected = connect();
    if (connected) return {};
  }
  auto last = read_snapshot_file(files_, snapshot_path_);
  if (!last) return Error{ErrorCode::kUnavailable, connected.error().message};
  std::string why = connected.error().message;
  if (lost) {
    why += "; put a backup of it back, or start once with --settings.rebuild to make it again from settings.snapshot";
  }
  why += "; going on with settings.snapshot";
  log::error("{}; until then changes are refused", why);
  publish(*last, std::move(why));
  return {};
}

void SqliteRepository::publish(const State& state, std::string degraded) {
  auto next = snapshot_of(state);
  std::lock_guard lock(snapshot_mutex_);
  snapshot_ = std::move(next);
  degraded_ = std::move(degraded);
}

void SqliteRepository::write_snapshot(const State& state) {
  auto written = write_snapshot_file(files_, snapshot_path_, state);
  if (!written) log::warning("settings: {}: not written: {}", snapshot_path_, written.error().message);
}

template <class Apply>
Result<> SqliteRepository::change(Apply&& apply) {
  {
    std::lock_guard lock(mutex_);
    if (closed_) return Error{ErrorCode::kUnavailable, "settings: closed"};
    if (!database_) {
      // What kept it from opening may be gone: a lock, a missing mount.
      if (auto connected = connect(); !connected) {
        return Error{ErrorCode::kUnavailable, degraded()};
      }
    }
    State state;
    Result<> done = transaction(*database_, [&]() -> Result<> {
      if (Result<> applied = apply(*database_); !applied) return applied;
      auto loaded = load(*database_);
      if (!loaded) return std::move(loaded).error();
      state = std::move(*loaded);
      return {};
    });
    if (!done) {
      ErrorCode code = done.error().code;
      if (code == ErrorCode::kTimeout || code == ErrorCode::kOverloaded) {
        return Error{ErrorCode::kUnavailable, done.error().message};
      }
      if (code != ErrorCode::kUnavailable && code != ErrorCode::kCorrupt) return done;
      // Start afresh, with the check of a fresh start: after a failed sync this connection's view may not be the
      // disk's.
      log::error("{}", done.error().message);
      database_.reset();
      std::lock_guard state_lock(snapshot_mutex_);
      degraded_ = done.error().message;
      return Error{ErrorCode::kUnavailable, done.error().message};
    }
    publish(state, "");
    write_snapshot(state);
  }
  if (listener_) listener_();
  return {};
}

Result<Project> SqliteRepository::create_project(std::string_view name) {
  if (auto fine = check_project_name(name); !fine) return std::move(fine).error();
  Project project;
  project.id = new_project_id();
  project.name = name;
  project.created_at = clock_.now();
  auto done = change([&](Database& db) -> Result<> {
    auto now = snapshot();
    if (now->project(name) != nullptr) return taken("project name", name);
    if (now->projects().size() >= kProjectsMax) return too_many("projects", kProjectsMax);
    return insert(db, project);
  });
  if (!done) return std::move(done).error();
  return project;
}

Result<> SqliteRepository::change_project(const Project& project) {
  if (auto fine = check_project(project); !fine) return fine;
  return change([&](Database& db) -> Result<> {
    auto now = snapshot();
    if (now->project(project.id) == nullptr) return not_found("project", to_string(project.id));
    const Project* same_name = now->project(project.name);
    if (same_name != nullptr && same_name->id != project.id) return taken("project name", project.name);
    return Statement(db, "UPDATE projects SET name = ?, time_zone = ?, retention_days = ?, ip_policy = ? WHERE id = ?")
        .bind(project.name)
        .bind(project.time_zone)
        .bind(int64_t{project.retention_days})
        .bind(name_of(project.ip_policy))
        .bind(column(project.id))
        .finish();
  });
}

Result<> SqliteRepository::delete_project(ProjectId id) {
  return change([&](Database& db) -> Result<> {
    if (snapshot()->project(id) == nullptr) return not_found("project", to_string(id));
    auto deleted = Statement(db, "DELETE FROM projects WHERE id = ?").bind(column(id)).finish();
    if (!deleted) return deleted;
    return Statement(db, "UPDATE project_ids SET deleted_at = ? WHERE id = ?")
        .bind(clock_.now())
        .bind(column(id))
        .finish();
  });
}

Result<NewKey> SqliteRepository::create_key(std::string_view name, Scope scope, std::optional<ProjectId> project,
                                            UnixMillis expires_at) {
  UnixMillis now = clock_.now();
  if (auto fine = check_key(name, expires_at, now); !fine) return std::move(fine).error();
  NewKey made = new_key(name, scope, project, expires_at, now);
  auto done = change([&](Database& db) -> Result<> {
    auto current = snapshot();
    if (project && current->project(*project) == nullptr) return not_found("project", to_string(*project));
    if (current->keys().size() >= kKeysMax) return too_many("keys", kKeysMax);
    return insert(db, made.key);
  });
  if (!done) return std::move(done).error();
  return made;
}

Result<> SqliteRepository::delete_key(std::string_view id) {
  return change([&](Database& db) -> Result<> {
    auto now = snapshot();
    bool known = std::any_of(now->keys().begin(), now->keys().end(), [&](const Key& key) { return key.id == id; });
    if (!known) return not_found("key", id);
    return Statement(db, "DELETE FROM keys WHERE id = ?").bind(id).finish();
  });
}

Result<> SqliteRepository::add_outside_name(std::string_view value, ProjectId project) {
  if (auto fine = check_outside_name(value); !fine) return fine;
  return change([&](Database& db) -> Result<> {
    auto now = snapshot();
    if (now->project(project) == nullptr) return not_found("project", to_string(project));
    if (const Project* owner = now->project_of_outside_name(value); owner != nullptr) {
      return Error{ErrorCode::kConflict,
                   fmt::format("settings: outside name: `{}`: means project {} already", value, owner->name)};
    }
    if (now->outside_names().size() >= kOutsideNamesMax) return too_many("outside names", kOutsideNamesMax);
    return insert(db, OutsideName{std::string(value), project});
  });
}

Result<> SqliteRepository::delete_outside_name(std::string_view value) {
  return change([&](Database& db) -> Result<> {
    if (snapshot()->project_of_outside_name(value) == nullptr) return not_found("outside name", value);
    return Statement(db, "DELETE FROM outside_names WHERE value = ?").bind(value).finish();
  });
}

Result<TrafficRule> SqliteRepository::add_traffic_rule(const TrafficRule& wanted) {
  auto rule = new_traffic_rule(wanted, clock_.now());
  if (!rule) return rule;
  auto done = change([&](Database& db) -> Result<> {
    auto now = snapshot();
    if (rule->project && now->project(*rule->project) == nullptr)
      return not_found("project", to_string(*rule->project));
    const auto& rules = now->traffic_rules();
    bool known = std::any_of(rules.begin(), rules.end(), [&](const TrafficRule& other) {
      return other.project == rule->project && other.kind == rule->kind && other.value == rule->value;
    });
    if (known) return taken(fmt::format("rule: {}", name_of(rule->kind)), rule->value);
    if (rules.size() >= kTrafficRulesMax) return too_many("rules", kTrafficRulesMax);
    return insert(db, *rule);
  });
  if (!done) return std::move(done).error();
  return rule;
}

Result<> SqliteRepository::delete_traffic_rule(std::string_view id) {
  return change([&](Database& db) -> Result<> {
    auto now = snapshot();
    const auto& rules = now->traffic_rules();
    bool known = std::any_of(rules.begin(), rules.end(), [&](const TrafficRule& rule) { return rule.id == id; });
    if (!known) return not_found("rule", id);
    return Statement(db, "DELETE FROM traffic_rules WHERE id = ?").bind(id).finish();
  });
}

Result<> SqliteRepository::close() {
  std::lock_guard lock(mutex_);
  closed_ = true;
  database_.reset();
  return {};
}
}  // namespace

Result<std::unique_ptr<Repository>> open(FileSystem& files, const std::string& directory, Clock& clock,
                                         const OpenOptions& options) {
  auto repository = std::make_unique<SqliteRepository>(files, directory, clock, options);
  if (auto started = repository->start(); !started) return std::move(started).error();
  return std::unique_ptr<Repository>(std::move(repository));
}

}  // namespace weir::settings::sqlite
