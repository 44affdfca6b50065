#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "weir/settings/encoding.h"
#include "weir/settings/open.h"
#include "weir/settings/sqlite/repository.h"
#include "weir/settings/state.h"
#include "weir/settings/testing/memory_repository.h"
#include "weir/settings/testing/people_contract.h"
#include "weir/settings/testing/repository_contract.h"
#include "weir/settings/testing/temporary_directory.h"

namespace weir::settings {
namespace testing {
namespace {
OpenRepository make_sqlite_place() {
  auto directory = std::make_shared<TemporaryDirectory>();
  return [directory](Clock& clock) -> std::unique_ptr<Repository> {
    auto opened = open(directory->path(), clock, Options());
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  };
}
OpenRepository make_memory_place() {
  auto state = std::make_shared<MemoryRepository::Kept>();
  return [state](Clock& clock) { return std::make_unique<MemoryRepository>(clock, state); };
}
INSTANTIATE_TEST_SUITE_P(Sqlite, RepositoryContract, ::testing::Values(&make_sqlite_place));
INSTANTIATE_TEST_SUITE_P(Memory, RepositoryContract, ::testing::Values(&make_memory_place));
}  // namespace
}  // namespace testing

namespace {
using ::testing::HasSubstr;
using ::testing::Not;

class Sqlite : public ::testing::Test {
 protected:
  std::unique_ptr<Repository> open_repository(bool rebuild = false) {
    auto opened = sqlite::open(real_files(), directory_.path(), clock_,
                               {.rebuild = rebuild, .busy_timeout = std::chrono::milliseconds(50)});
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  // A repository with a project `a`, its key and its outside name, closed again.
  void fill() {
    auto repository = open_repository();
    auto project = repository->create_project("a");
    ASSERT_TRUE(project);
    project_ = project->id;
    auto key = repository->create_key("k", Scope::capture, project_, 0);
    ASSERT_TRUE(key);
    secret_ = key->secret;
    ASSERT_TRUE(repository->add_outside_name("a.example", project_));
    ASSERT_TRUE(repository->add_traffic_rule({.project = project_, .kind = RuleKind::path, .value = "/admin"}));
    auto user = repository->create_user({.email = "a@example.com",
                                         .name = "A",
                                         .password = "$argon2id$x",
                                         .grants = {{project_, Role::admin}},
                                         .totp_secret = std::string("\0\xff", 2),
                                         .recovery = {"\x01\x02"}});
    ASSERT_TRUE(user);
    user_ = user->id;
    ASSERT_TRUE(repository->invite("b@example.com", {project_, Role::viewer}));
    ASSERT_TRUE(repository->change_policy({.second_factor = true}));
    auto share = repository->create_share({.project = project_, .name = "s", .origins = {"https://a.example"}});
    ASSERT_TRUE(share);
    share_ = share->token;
    auto gone = repository->create_project("gone");
    ASSERT_TRUE(gone);
    retired_ = gone->id;
    ASSERT_TRUE(repository->delete_project(retired_));
  }
  void expect_filled(const Repository& repository) {
    auto snapshot = repository.snapshot();
    ASSERT_NE(snapshot->project("a"), nullptr);
    EXPECT_EQ(snapshot->project("a")->id, project_);
    EXPECT_NE(snapshot->key_of_secret(secret_, clock_.now()), nullptr);
    EXPECT_NE(snapshot->project_of_outside_name("a.example"), nullptr);
    EXPECT_EQ(snapshot->projects().size(), 1u);
  }
  void expect_people(const Repository& repository) {
    auto snapshot = repository.snapshot();
    ASSERT_NE(snapshot->user(user_), nullptr);
    EXPECT_EQ(snapshot->user(user_)->grants, (std::vector<Grant>{{project_, Role::admin}}));
    EXPECT_EQ(snapshot->user(user_)->totp_secret, std::string("\0\xff", 2));
    EXPECT_EQ(snapshot->user(user_)->recovery, std::vector<std::string>{"\x01\x02"});
    EXPECT_EQ(snapshot->invitations().size(), 1u);
    ASSERT_NE(snapshot->share_of_token(share_, clock_.now()), nullptr);
    EXPECT_EQ(snapshot->share_of_token(share_, clock_.now())->origins, std::vector<std::string>{"https://a.example"});
    EXPECT_TRUE(snapshot->policy().second_factor);
  }
  std::string contents(const std::string& name) {
    std::ifstream file(directory_.path(name), std::ios::binary);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }
  void write(const std::string& name, const std::string& content) {
    std::ofstream(directory_.path(name), std::ios::binary) << content;
  }
  // Make of the database one from before there was that.
  void drop_signals() {
    ask("ALTER TABLE projects DROP COLUMN privacy_signals");
    ask("PRAGMA user_version = 5");
  }
  void drop_sites() {
    drop_signals();
    ask("ALTER TABLE projects DROP COLUMN hostnames");
    ask("ALTER TABLE projects DROP COLUMN foreign_hostnames");
    ask("PRAGMA user_version = 4");
  }
  void drop_people() {
    drop_sites();
    for (const char* table : {"audit", "sessions", "policy", "shares", "invitations", "grants", "users"})
      ask(("DROP TABLE " + std::string(table)).c_str());
  }
  int64_t ask(const char* sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(directory_.path("settings.db").c_str(), &db), SQLITE_OK);
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    int64_t answer = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
  }

  testing::TemporaryDirectory directory_;
  ManualClock clock_{1'790'000'000'000};
  ProjectId project_{};
  ProjectId retired_{};
  std::string secret_;
  UserId user_{};
  std::string share_;
};

// What the first version of the database knew stays as it was.
TEST_F(Sqlite, ADatabaseWithoutRulesGetsThem) {
  fill();
  drop_people();
  ask("DROP TABLE items");
  ask("DROP TABLE traffic_rules");
  ask("PRAGMA user_version = 1");
  auto repository = open_repository();
  expect_filled(*repository);
  EXPECT_TRUE(repository->add_traffic_rule({.project = project_, .kind = RuleKind::path, .value = "/a"}));
  EXPECT_EQ(ask("SELECT count(*) FROM traffic_rules"), 1);
}

TEST_F(Sqlite, ADatabaseWithoutItemsGetsThem) {
  fill();
  drop_people();
  ask("DROP TABLE items");
  ask("PRAGMA user_version = 2");
  auto repository = open_repository();
  expect_filled(*repository);
  EXPECT_TRUE(repository->add_item(
      {.project = project_, .kind = ItemKind::property, .name = "Plan", .body = R"({"key":"plan"})"}));
  EXPECT_EQ(ask("SELECT count(*) FROM items"), 1);
}

TEST_F(Sqlite, ADatabaseWithoutPeopleGetsThem) {
  fill();
  drop_people();
  ask("PRAGMA user_version = 3");
  auto repository = open_repository();
  expect_filled(*repository);
  EXPECT_TRUE(repository->create_first_user({.email = "a@example.com", .grants = {{std::nullopt, Role::owner}}}));
  EXPECT_EQ(ask("SELECT count(*) FROM users"), 1);
  EXPECT_EQ(ask("SELECT count(*) FROM audit"), 1);
}

TEST_F(Sqlite, ADatabaseWithoutSitesGetsThem) {
  fill();
  drop_sites();
  auto repository = open_repository();
  expect_filled(*repository);
  expect_people(*repository);
  Project project = *repository->snapshot()->project(project_);
  EXPECT_TRUE(project.hostnames.empty());
  EXPECT_EQ(project.foreign_hostnames, ForeignHostnames::keep);
  project.hostnames = {"a.example"};
  EXPECT_TRUE(repository->change_project(project));
}

TEST_F(Sqlite, ADatabaseWithoutPrivacySignalsGetsThem) {
  fill();
  drop_signals();
  Project project = *open_repository()->snapshot()->project(project_);
  EXPECT_EQ(project.privacy_signals, PrivacySignals::ignore);
}

TEST_F(Sqlite, ASnapshotOfAVersionWithoutSitesIsRead) {
  fill();
  std::string text = contents("settings.snapshot");
  text = text.substr(text.find('\n') + 1);
  for (std::string_view gone :
       {R"(,"hostnames":[])", R"(,"foreign_hostnames":"keep")", R"(,"privacy_signals":"ignore")"}) {
    ASSERT_NE(text.find(gone), std::string::npos) << gone;
    text.erase(text.find(gone), gone.size());
  }
  State state = decode(text);
  ASSERT_EQ(state.projects.size(), 1u);
  EXPECT_TRUE(state.projects[0].hostnames.empty());
  EXPECT_EQ(state.projects[0].foreign_hostnames, ForeignHostnames::keep);
  EXPECT_EQ(state.projects[0].privacy_signals, PrivacySignals::ignore);
}

TEST_F(Sqlite, FilesArePrivate) {
  fill();
  auto repository = open_repository();
  for (const char* name : {"settings.db", "settings.db-wal", "settings.snapshot"}) {
    struct stat info {};
    ASSERT_EQ(::stat(directory_.path(name).c_str(), &info), 0) << name;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(Sqlite, NeitherDatabaseNorSnapshotHoldsASecret) {
  fill();
  for (const char* name : {"settings.db", "settings.snapshot"}) {
    EXPECT_EQ(contents(name).find(secret_), std::string::npos);
    EXPECT_EQ(contents(name).find(share_), std::string::npos);
    EXPECT_FALSE(contents(name).empty());
  }
}

TEST_F(Sqlite, GoesOnFromTheSnapshotWhenTheDatabaseIsMissing) {
  fill();
  std::filesystem::remove(directory_.path("settings.db"));
  auto repository = open_repository();
  expect_filled(*repository);
  EXPECT_THAT(repository->degraded(), HasSubstr("is missing"));
  EXPECT_THAT(repository->degraded(), HasSubstr("--settings.rebuild"));
  auto refused = repository->create_project("b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().message, Repository::kRefused);
  EXPECT_FALSE(std::filesystem::exists(directory_.path("settings.db")));
}

TEST_F(Sqlite, GoesOnFromTheSnapshotWhenTheDatabaseWasEmptied) {
  fill();
  write("settings.db", "");
  auto repository = open_repository();
  expect_filled(*repository);
  EXPECT_THAT(repository->degraded(), HasSubstr("is empty"));
  EXPECT_FALSE(repository->create_project("b"));
  EXPECT_EQ(contents("settings.db"), "");
}

TEST_F(Sqlite, GoesOnFromTheSnapshotAtEveryDamagedPageAndLeavesTheFileAlone) {
  fill();
  std::string whole = contents("settings.db");
  ASSERT_GT(whole.size(), 4096u * 4);
  int refused = 0;
  for (size_t page = 0; page < whole.size() / 4096; ++page) {
    std::string damaged = whole;
    for (size_t i = 0; i < 64; ++i) damaged[page * 4096 + i] = static_cast<char>(~damaged[page * 4096 + i]);
    write("settings.db", damaged);
    auto repository = open_repository();
    expect_filled(*repository);
    if (repository->degraded().empty()) continue;  // a page without content
    ++refused;
    EXPECT_FALSE(repository->create_project("b"));
    ASSERT_TRUE(repository->close());
    EXPECT_TRUE(contents("settings.db") == damaged) << "page " << page;
  }
  EXPECT_GE(refused, 4);
}

TEST_F(Sqlite, WithoutASnapshotADamagedDatabaseIsAnError) {
  fill();
  write("settings.db", "this is no database, and it is long enough to be looked at" + std::string(4096, 'x'));
  std::filesystem::remove(directory_.path("settings.snapshot"));
  auto opened = sqlite::open(real_files(), directory_.path(), clock_, {});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(contents("settings.db"), HasSubstr("this is no database"));
}

TEST_F(Sqlite, ADamagedSnapshotIsNotBelieved) {
  fill();
  std::string snapshot = contents("settings.snapshot");
  std::filesystem::remove(directory_.path("settings.db"));
  for (size_t at : {size_t{30}, snapshot.size() / 2, snapshot.size() - 2}) {
    std::string damaged = snapshot;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write("settings.snapshot", damaged);
    EXPECT_FALSE(sqlite::open(real_files(), directory_.path(), clock_, {})) << at;
  }
  write("settings.snapshot", snapshot.substr(0, snapshot.size() / 2));
  EXPECT_FALSE(sqlite::open(real_files(), directory_.path(), clock_, {}));
  write("settings.snapshot", "");
  EXPECT_FALSE(sqlite::open(real_files(), directory_.path(), clock_, {}));
}

TEST_F(Sqlite, ALostSnapshotIsWrittenAgain) {
  fill();
  std::filesystem::remove(directory_.path("settings.snapshot"));
  { auto repository = open_repository(); }
  std::filesystem::remove(directory_.path("settings.db"));
  expect_filled(*open_repository());
}

TEST_F(Sqlite, AnUnwritableSnapshotDoesNotFailAChange) {
  fill();
  std::filesystem::remove(directory_.path("settings.snapshot"));
  std::filesystem::create_directory(directory_.path("settings.snapshot"));
  auto repository = open_repository();
  ASSERT_NE(repository, nullptr);
  EXPECT_TRUE(repository->create_project("b"));
}

TEST_F(Sqlite, RebuildsAMissingDatabaseFromTheSnapshotWithEverythingInIt) {
  fill();
  std::filesystem::remove(directory_.path("settings.db"));
  {
    auto repository = open_repository(true);
    expect_filled(*repository);
    expect_people(*repository);
    EXPECT_EQ(repository->degraded(), "");
    EXPECT_TRUE(repository->create_project("b"));
  }
  EXPECT_EQ(ask("SELECT count(*) FROM project_ids WHERE deleted_at IS NOT NULL"), 1);
  EXPECT_EQ(ask(("SELECT count(*) FROM project_ids WHERE id = " + to_string(retired_)).c_str()), 1);
  auto repository = open_repository();
  EXPECT_NE(repository->snapshot()->project("b"), nullptr);
}

TEST_F(Sqlite, RebuildKeepsADamagedDatabaseAside) {
  fill();
  std::string damaged = "not a database at all" + std::string(8192, 'x');
  write("settings.db", damaged);
  auto repository = open_repository(true);
  expect_filled(*repository);
  EXPECT_EQ(repository->degraded(), "");
  EXPECT_EQ(contents("settings.db.damaged-1790000000000"), damaged);
}

TEST_F(Sqlite, RebuildLeavesAGoodDatabaseAlone) {
  fill();
  { ASSERT_TRUE(open_repository()->create_project("b")); }
  auto repository = open_repository(true);
  EXPECT_NE(repository->snapshot()->project("b"), nullptr);
  for (const auto& entry : std::filesystem::directory_iterator(directory_.path())) {
    EXPECT_EQ(entry.path().filename().string().find("damaged"), std::string::npos);
  }
}

TEST_F(Sqlite, TheDatabaseOfALaterVersionIsNotTouched) {
  fill();
  ask("PRAGMA user_version = 99");
  auto repository = open_repository(true);
  expect_filled(*repository);
  EXPECT_THAT(repository->degraded(), HasSubstr("later version"));
  EXPECT_FALSE(repository->create_project("b"));
  EXPECT_EQ(ask("PRAGMA user_version"), 99);
}

TEST_F(Sqlite, TheDatabaseOfAnotherProgramIsNotTouched) {
  ask("CREATE TABLE recipes (name TEXT)");
  ask("INSERT INTO recipes VALUES ('soup')");
  auto opened = sqlite::open(real_files(), directory_.path(), clock_, {});
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("not a database of weir"));
  EXPECT_EQ(ask("SELECT count(*) FROM recipes"), 1);
  EXPECT_EQ(ask("SELECT count(*) FROM sqlite_master"), 1);
}

// Holds a lock on the database from another connection.
class Locker {
 public:
  Locker(const std::string& path, const char* sql) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db_);
  }
  ~Locker() { sqlite3_close(db_); }

 private:
  sqlite3* db_ = nullptr;
};

TEST_F(Sqlite, ALockedDatabaseRefusesChangesAndTakesThemLater) {
  fill();
  auto repository = open_repository();
  {
    Locker locker(directory_.path("settings.db"), "BEGIN IMMEDIATE");
    auto refused = repository->create_project("b");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_THAT(refused.error().message, HasSubstr("locked"));
    EXPECT_THAT(refused.error().message, Not(HasSubstr(directory_.path())));
    expect_filled(*repository);
  }
  EXPECT_TRUE(repository->create_project("b"));
  EXPECT_EQ(repository->degraded(), "");
}

TEST_F(Sqlite, StartsOverALockedDatabaseFromTheSnapshotAndRecovers) {
  fill();
  std::unique_ptr<Repository> repository;
  {
    // The sort of lock that keeps readers out, too.
    Locker locker(directory_.path("settings.db"),
                  "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE t (a); DROP TABLE t; COMMIT;");
    repository = open_repository();
    expect_filled(*repository);
    EXPECT_THAT(repository->degraded(), HasSubstr("locked"));
    auto refused = repository->create_project("b");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, Repository::kRefused);
  }
  EXPECT_TRUE(repository->create_project("b"));
  EXPECT_EQ(repository->degraded(), "");
  EXPECT_EQ(repository->snapshot()->projects().size(), 2u);
}

// Killed in the midst of changes, again and again: what was answered is there, and the database is whole.
TEST_F(Sqlite, AnsweredChangesSurviveAKill) {
  int acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto opened = sqlite::open(real_files(), directory_.path(), clock_, {});
      if (!opened) ::_exit(3);
      for (int i = 0;; ++i) {
        char name[32];
        int length = std::snprintf(name, sizeof name, "r%d.%d", round, i);
        if (!(*opened)->create_project({name, static_cast<size_t>(length)})) ::_exit(4);
        if (::write(pipe[1], "x", 1) != 1) ::_exit(5);
      }
    }
    ::close(pipe[1]);
    // Killed while the next change is under way.
    char acks[8];
    int want = 3 + round;
    for (int got = 0; got < want;) {
      ssize_t n = ::read(pipe[0], acks, 1);
      ASSERT_EQ(n, 1);
      got += 1;
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    acknowledged += want;
    ssize_t n = 0;
    while ((n = ::read(pipe[0], acks, sizeof acks)) > 0) acknowledged += static_cast<int>(n);
    ::close(pipe[0]);

    auto repository = open_repository();
    EXPECT_EQ(repository->degraded(), "");
    for (int i = 0; i < want; ++i) {
      EXPECT_NE(repository->snapshot()->project("r" + std::to_string(round) + "." + std::to_string(i)), nullptr);
    }
    EXPECT_GE(repository->snapshot()->projects().size(), static_cast<size_t>(acknowledged));
    EXPECT_LE(repository->snapshot()->projects().size(), static_cast<size_t>(acknowledged + round + 1));
  }
}

// A full disk, by the limit of file size: writes fail, reads go on, and once there is room again changes work.
TEST_F(Sqlite, WithoutSpaceChangesAreRefusedAndNothingIsLost) {
  fill();
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // In a process of its own, since the limit is the process's.
    ::signal(SIGXFSZ, SIG_IGN);
    auto opened = sqlite::open(real_files(), directory_.path(), clock_, {});
    if (!opened) ::_exit(3);
    rlimit before{};
    ::getrlimit(RLIMIT_FSIZE, &before);
    for (rlim_t room : {rlim_t{0}, rlim_t{4'200}, rlim_t{9'000}, rlim_t{20'000}}) {
      rlimit full = before;
      full.rlim_cur = room;
      ::setrlimit(RLIMIT_FSIZE, &full);
      int refused = 0;
      for (int i = 0; i < 20; ++i) {
        auto made = (*opened)->create_project("r" + std::to_string(room) + "." + std::to_string(i));
        if (!made && made.error().code != ErrorCode::kUnavailable) ::_exit(5);
        refused += made ? 0 : 1;
        if ((*opened)->snapshot()->project("a") == nullptr) ::_exit(4);
      }
      if (refused == 0) ::_exit(9);
      ::setrlimit(RLIMIT_FSIZE, &before);
      if (!(*opened)->create_project("after-" + std::to_string(room))) ::_exit(6);
      if (!(*opened)->degraded().empty()) ::_exit(7);
    }
    size_t projects = (*opened)->snapshot()->projects().size();
    opened->reset();
    auto again = sqlite::open(real_files(), directory_.path(), clock_, {});
    ::_exit(again && (*again)->snapshot()->projects().size() == projects ? 0 : 8);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(open_repository()->degraded(), "");
}

TEST(OpenSettings, PostgresIsRefusedClearly) {
  testing::TemporaryDirectory directory;
  ManualClock clock(0);
  Options options;
  options.kind = "postgres";
  auto opened = open(directory.path(), clock, options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(opened.error().message, HasSubstr("not built in this version"));
}

TEST(OpenSettings, WithoutADirectoryItFails) {
  ManualClock clock(0);
  EXPECT_FALSE(open("/nonexistent/weir", clock, Options()));
}

TEST(SnapshotFile, BringsBackAllFields) {
  testing::TemporaryDirectory directory;
  State state;
  Project project;
  project.id = ProjectId{(uint64_t{1} << 63) - 1};
  project.name = "a";
  project.time_zone = "Asia/Kathmandu";
  project.retention_days = 30;
  project.ip_policy = IpPolicy::whole;
  project.created_at = -5;
  state.projects = {project};
  Key key;
  key.id = "0a";
  key.name = "Ä \"quoted\"";
  key.scope = Scope::admin;
  key.hash = std::string("\0\xff", 2);
  key.created_at = 7;
  key.expires_at = 9;
  state.keys = {key, key};
  state.keys[1].project = project.id;
  state.names = {{"n\\", project.id}};
  TrafficRule rule;
  rule.id = "0b";
  rule.project = project.id;
  rule.kind = RuleKind::user_agent;
  rule.value = "Uptime \"x\"";
  rule.label = RuleLabel::bot;
  rule.note = "ours";
  rule.created_at = 11;
  state.rules = {rule, rule};
  state.rules[1].project.reset();
  state.retired = {ProjectId{3}};
  Item item;
  item.id = "0c";
  item.kind = ItemKind::query;
  item.owner = UserId{(uint64_t{1} << 63) - 1};
  item.name = "weekly";
  item.body = R"({"sql":"SELECT \"1\""})";
  item.created_at = 12;
  item.updated_at = 13;
  state.items = {item, item};
  state.items[1].project = project.id;
  state.items[1].owner.reset();
  User user;
  user.id = *item.owner;
  user.email = "a@example.com";
  user.name = "Ä";
  user.password = "$argon2id$x";
  user.grants = {{std::nullopt, Role::owner}, {project.id, Role::viewer}};
  user.totp_secret = std::string("\0\xff", 2);
  user.totp_step = 14;
  user.recovery = {std::string("\0\1", 2), "\xfe"};
  user.created_at = 15;
  state.users = {user};
  state.invitations = {{"0d", "b@example.com", {project.id, Role::editor}, std::string("\0t", 2), 16, 17}};
  state.shares = {{"0e",
                   project.id,
                   "link",
                   std::string("\0u", 2),
                   "$argon2id$y",
                   std::string("\0k", 2),
                   "[]",
                   {"https://a.example"},
                   18,
                   19}};
  state.policy.second_factor = true;
  ASSERT_TRUE(write_snapshot_file(real_files(), directory.path("s"), state));
  auto read = read_snapshot_file(real_files(), directory.path("s"));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->projects, state.projects);
  EXPECT_EQ(read->keys, state.keys);
  EXPECT_EQ(read->names, state.names);
  EXPECT_EQ(read->rules, state.rules);
  EXPECT_EQ(read->items, state.items);
  EXPECT_EQ(read->users, state.users);
  EXPECT_EQ(read->invitations, state.invitations);
  EXPECT_EQ(read->shares, state.shares);
  EXPECT_EQ(read->policy, state.policy);
  EXPECT_EQ(read->retired, state.retired);
}

}  // namespace
}  // namespace weir::settings
