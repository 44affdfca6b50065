#include "weir/settings/sqlite/repository.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_set>

#include "weir/base/logging.h"
#include "weir/settings/audit.h"
#include "weir/settings/limits.h"
#include "weir/settings/sqlite/database.h"
#include "weir/settings/sqlite/records.h"
#include "weir/settings/sqlite/tables.h"
#include "weir/settings/state.h"

namespace weir::settings::sqlite {

namespace {
constexpr int64_t kApplicationId = 0x77656972;  // "weir"

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
      : Repository(clock),
        files_(files),
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

  Result<> close() override;
  Result<std::vector<Session>> sessions() override;
  Result<> keep_session(const Session& session) override;
  Result<> note_seen(const std::vector<Session>& sessions) override;
  Result<> drop_sessions(const std::vector<std::string>& ids) override;
  Result<> note(const AuditEntry& entry) override;
  Result<std::vector<AuditEntry>> audit(int64_t before, size_t limit, std::optional<ProjectId> project) override;

 private:
  Result<> connect();
  Result<> migrate(Database& db, const State* contents);
  Result<> rebuild_from_snapshot();
  void publish(const State& state, std::string degraded);
  void write_snapshot(const State& state);
  Result<> change(const Actor& actor, const Edit& edit) override;
  Result<> connected();
  Result<> work(const std::function<Result<>(Database&)>& work);

  FileSystem& files_;
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
  if (*version > schema_version()) {
    return Error{ErrorCode::kConflict,
                 fmt::format("settings: {} has schema {}, made by a later version of weir; this one knows {}",
                             database_path_, *version, schema_version())};
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
  if (auto set = db.run("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON;"
                        // What is deleted or replaced, a secret among it, does not stay in the file.
                        " PRAGMA secure_delete = ON;");
      !set) {
    return set;
  }
  auto version = db.number("PRAGMA user_version");
  if (!version) return std::move(version).error();
  for (int64_t step = *version; step < schema_version(); ++step) {
    auto done = transaction(db, [&]() -> Result<> {
      if (auto made = migrate_step(db, step); !made) return made;
      std::string mark = fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", step + 1, kApplicationId);
      if (auto marked = db.run(mark.c_str()); !marked) return marked;
      if (contents != nullptr && step + 1 == schema_version()) return store(db, State(), *contents, clock_.now());
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

// Opens the database when it is not.
Result<> SqliteRepository::connected() {
  if (closed_) return Error{ErrorCode::kUnavailable, "settings: closed"};
  if (database_) return {};
  // What kept it from opening may be gone: a lock, a missing mount.
  auto opened = connect();
  if (opened) return {};
  log::error("{}", opened.error().message);
  return Error{ErrorCode::kUnavailable, std::string(kRefused)};
}

// `work` in one transaction, and what is to be done when the database fails. The caller holds the mutex.
Result<> SqliteRepository::work(const std::function<Result<>(Database&)>& work) {
  if (auto open = connected(); !open) return open;
  Result<> done = transaction(*database_, [&] { return work(*database_); });
  if (done) return done;
  ErrorCode code = done.error().code;
  if (code == ErrorCode::kTimeout || code == ErrorCode::kOverloaded)
    return Error{ErrorCode::kUnavailable, done.error().message};
  if (code != ErrorCode::kUnavailable && code != ErrorCode::kCorrupt) return done;
  // Start afresh, with the check of a fresh start: after a failed sync this connection's view may not be the disk's.
  log::error("{}", done.error().message);
  database_.reset();
  std::lock_guard state_lock(snapshot_mutex_);
  degraded_ = done.error().message;
  return Error{ErrorCode::kUnavailable, done.error().message};
}

Result<> SqliteRepository::change(const Actor& actor, const Edit& edit) {
  {
    std::lock_guard lock(mutex_);
    State state;
    Result<> done = work([&](Database& db) -> Result<> {
      auto kept = load(db);
      if (!kept) return std::move(kept).error();
      state = *kept;
      if (auto edited = edit(state); !edited) return edited;
      sort(state);
      UnixMillis now = clock_.now();
      if (auto stored = store(db, *kept, state, now); !stored) return stored;
      return append(db, audit_entries(*kept, state, actor, now), kAuditEntriesMax);
    });
    if (!done) return done;
    publish(state, "");
    write_snapshot(state);
  }
  if (listener_) listener_();
  return {};
}

Result<std::vector<Session>> SqliteRepository::sessions() {
  std::lock_guard lock(mutex_);
  if (auto open = connected(); !open) return std::move(open).error();
  return load_sessions(*database_);
}

Result<> SqliteRepository::keep_session(const Session& session) {
  std::lock_guard lock(mutex_);
  return work([&](Database& db) { return add(db, session); });
}

Result<> SqliteRepository::note_seen(const std::vector<Session>& sessions) {
  std::lock_guard lock(mutex_);
  return work([&](Database& db) { return sqlite::note_seen(db, sessions); });
}

Result<> SqliteRepository::drop_sessions(const std::vector<std::string>& ids) {
  std::lock_guard lock(mutex_);
  return work([&](Database& db) { return sqlite::drop_sessions(db, ids); });
}

Result<> SqliteRepository::note(const AuditEntry& entry) {
  std::lock_guard lock(mutex_);
  return work([&](Database& db) { return append(db, {entry}, kAuditEntriesMax); });
}

Result<std::vector<AuditEntry>> SqliteRepository::audit(int64_t before, size_t limit,
                                                        std::optional<ProjectId> project) {
  std::lock_guard lock(mutex_);
  if (auto open = connected(); !open) return std::move(open).error();
  return load_audit(*database_, before, limit, project);
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
