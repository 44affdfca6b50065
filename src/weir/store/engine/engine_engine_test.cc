#include "weir/store/engine/engine.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <thread>

#include "weir/base/bytes.h"
#include "weir/base/http_client.h"
#include "weir/base/testing/eventually.h"
#include "weir/store/engine/config.h"
#include "weir/store/engine/landlock.h"
#include "weir/store/engine/process.h"
#include "weir/store/testing/private_engine.h"

namespace weir::store::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::PrivateEngine;
using testing::TemporaryDirectory;
using weir::testing::eventually;

class EngineProcess : public testing::EngineTest {
 protected:
  PrivateEngine& shared() { return PrivateEngine::shared(); }
};

TEST_F(EngineProcess, AnswersNobodyWithoutTheToken) {
  auto endpoint = shared().engine().endpoint().value();
  HttpClient client;
  OutgoingRequest request;
  for (const std::string& path : {std::string("/?query=SELECT+1"), std::string("/ping"), std::string(kPingPath),
                                  std::string("/play"), std::string("/"), std::string("/replicas_status")}) {
    request.url = endpoint.url + path;
    for (std::string token : {"", "wrong"}) {
      request.headers = {{"X-Weir-Token", token}, {"X-ClickHouse-User", "default"}};
      auto answer = client.send(request);
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer->status, 404) << path;
      EXPECT_EQ(answer->header("x-weir-proof"), "") << path;
    }
  }
  request.url = endpoint.url + "/?query=SELECT+1";
  request.headers = endpoint.headers;
  EXPECT_EQ(client.send(request).value().body, "1\n");
}

TEST_F(EngineProcess, LeavesNoSecretOnDisk) {
  auto endpoint = shared().engine().endpoint().value();
  std::string token = endpoint.headers.front().second;
  size_t read = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared().directory())) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(in), {}};
    ++read;
    for (const std::string& secret : {token, endpoint.proof, endpoint.reader_password})
      EXPECT_EQ(content.find(secret), std::string::npos) << entry.path();
  }
  EXPECT_GT(read, 10u);
  EXPECT_FALSE(std::filesystem::exists(shared().directory() + "/config.xml"));
  EXPECT_FALSE(std::filesystem::exists(shared().directory() + "/users.xml"));
}

// As the engine's own all-powerful user: what the process itself cannot do.
TEST_F(EngineProcess, CannotTouchForeignFiles) {
  if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  EXPECT_EQ(shared().engine().unconfined(), "");
  TemporaryDirectory elsewhere;
  std::ofstream(elsewhere.path() + "/secret") << "secret";
  std::string weir = std::to_string(getpid());
  for (const std::string& path :
       {std::string("/etc/passwd"), std::string("/etc/hostname"), elsewhere.path() + "/secret",
        std::string("/proc/self/environ"), "/proc/" + weir + "/environ", "/proc/" + weir + "/cmdline",
        "/proc/" + weir + "/maps", std::string("/proc/self/root/etc/passwd"), std::string("/proc/1/environ")}) {
    std::string answer = shared().text("SELECT file('" + path + "')");
    EXPECT_NE(answer.find("Permission denied"), std::string::npos) << path << ": " << answer;
  }
  std::string answer =
      shared().text("INSERT INTO FUNCTION file('" + elsewhere.path() + "/new', 'TSV', 'a String') SELECT 'x'");
  EXPECT_NE(answer, "");
  EXPECT_FALSE(std::filesystem::exists(elsewhere.path() + "/new"));
}

TEST_F(EngineProcess, HasNoEnvironmentAndNoForeignDescriptors) {
  int pid = shared().engine().pid();
  std::ifstream environment("/proc/" + std::to_string(pid) + "/environ");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(environment), {}), "");
  std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
  std::string text{std::istreambuf_iterator<char>(limits), {}};
  EXPECT_NE(text.find("Max core file size        0 "), std::string::npos);
  // Of its pipes only the three we gave it: a fourth would be the end that keeps itself, or another child, alive.
  std::set<std::string> pipes;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    std::error_code ignored;
    std::string target = std::filesystem::read_symlink(entry.path(), ignored).string();
    if (target.starts_with("pipe:") && std::stoi(entry.path().filename().string()) < 3) pipes.insert(target);
  }
  EXPECT_EQ(pipes.size(), 2u);
}

TEST_F(EngineProcess, IsSmallWhenIdle) {
  std::ifstream status("/proc/" + std::to_string(shared().engine().pid()) + "/status");
  uint64_t resident_kib = 0;
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) resident_kib = std::stoull(line.substr(6));
  RecordProperty("resident_kib", std::to_string(resident_kib));
  EXPECT_GT(resident_kib, 0u);
  EXPECT_LT(resident_kib, 200u * 1024);
}

TEST_F(EngineProcess, GivesBackTheMemoryOfAQuestion) {
  const ProcessId process = process_with(shared().engine().pid()).value();
  uint64_t most = 0;
  std::thread question([&] { EXPECT_EQ(shared().text("SELECT uniqExact(number) FROM numbers(4000000)"), "4000000"); });
  EXPECT_TRUE(eventually([&] { return (most = std::max(most, own_memory(process))) > 150 * MiB; })) << most;
  question.join();
  EXPECT_TRUE(eventually([&] { return own_memory(process) < 100 * MiB; })) << own_memory(process);
}

TEST_F(EngineProcess, IsRefusedASecondTimeOnOneDirectory) {
  EngineOptions options{shared().directory(), find_library("").value()};
  int first = shared().engine().pid();
  auto second = Engine::start(options).value();
  auto up = second->wait_until_up(1s);
  ASSERT_FALSE(up);
  EXPECT_NE(up.error().message.find("runs one"), std::string::npos) << up.error().message;
  second->stop();
  EXPECT_EQ(shared().engine().pid(), first);
  EXPECT_EQ(shared().text("SELECT 1"), "1");
}

// The same without our own note of who runs there: ClickHouse's lock of the directory.
TEST_F(EngineProcess, CannotOpenADirectoryThatIsOpen) {
  PrivateEngine first;
  std::string pid_file = first.directory() + "/pid";
  std::filesystem::rename(pid_file, pid_file + ".hidden");
  auto second = Engine::start({first.directory(), find_library("").value()}).value();
  EXPECT_TRUE(eventually(
      [&] {
        auto endpoint = second->endpoint();
        return !endpoint && endpoint.error().message.find("ended while starting") != std::string::npos;
      },
      10s))
      << second->endpoint().error().message;
  second->stop();
  EXPECT_EQ(first.text("SELECT 1"), "1");
}

TEST_F(EngineProcess, ComesBackWhenKilledAndLosesNothing) {
  PrivateEngine killed;
  constexpr uint64_t kBatch = 2'000;
  std::atomic<uint64_t> acknowledged{0};
  std::atomic<bool> stop{false};
  auto block_at = [](uint64_t first) {
    Block block;
    for (uint64_t o = first; o < first + kBatch; ++o) {
      event::Row row;
      row.name = "click";
      row.time = row.received_at = 1'760'000'000'000;
      row.p = 1;
      row.o = o;
      block.add(row);
    }
    return block;
  };
  uint64_t life = killed.store().life().value();
  std::thread writer([&] {
    for (uint64_t first = 0; !stop; first += kBatch) {
      Block block = block_at(first);
      while (!killed.store().insert(block, std::to_string(first)) && !stop) std::this_thread::sleep_for(5ms);
      if (!stop) acknowledged = first + kBatch;
    }
  });
  for (int round = 0; round < 3; ++round) {
    uint64_t before = acknowledged;
    EXPECT_TRUE(eventually([&] { return acknowledged > before + 3 * kBatch; }, 10s));
    int pid = killed.engine().pid();
    kill(pid, SIGKILL);
    EXPECT_TRUE(
        eventually([&] { return killed.engine().pid() != pid && killed.engine().endpoint().has_value(); }, 10s));
  }
  stop = true;
  writer.join();
  EXPECT_NE(killed.store().life().value(), life);

  // A token repeated over a restart may count twice or, worse, not at all; so positions decide. What is acknowledged in
  // one life is there; whatever else is there is a whole part of a batch and can be seen by its positions.
  auto present = killed.store().positions(1, 0, acknowledged).value();
  std::set<uint64_t> have(present.begin(), present.end());
  Block missing;
  for (uint64_t first = 0; first < acknowledged; first += kBatch) {
    if (have.contains(first)) continue;
    Block block = block_at(first);
    ASSERT_TRUE(killed.store().insert(block, "again " + std::to_string(first)));
  }
  EXPECT_EQ(killed.store().positions(1, 0, acknowledged).value().size(), acknowledged);
  EXPECT_EQ(killed.store().health().value().detached_parts, 0u);
}

TEST_F(EngineProcess, IsStartedAgainWhenItHangs) {
  TemporaryDirectory directory;
  EngineOptions options{directory.path() + "/clickhouse", find_library("").value()};
  options.ping_timeout = 200ms;
  auto engine = Engine::start(options).value();
  ASSERT_TRUE(engine->wait_until_up(60s));
  int pid = engine->pid();
  auto before = engine->endpoint().value();
  kill(pid, SIGSTOP);
  EXPECT_TRUE(eventually([&] { return engine->pid() != pid && engine->endpoint().has_value(); }, 20s));
  auto after = engine->endpoint().value();
  EXPECT_NE(before.headers, after.headers);
  EXPECT_NE(before.proof, after.proof);
  EXPECT_GT(after.start, before.start);
}

TEST_F(EngineProcess, EndsInOrder) {
  PrivateEngine engine;
  ASSERT_EQ(engine.text("CREATE TABLE weir_data.t (a UInt8) ENGINE = MergeTree ORDER BY a"), "");
  ASSERT_EQ(engine.text("INSERT INTO weir_data.t VALUES (1)"), "");
  int pid = engine.engine().pid();
  auto began = steady_clock::now();
  engine.stop();
  EXPECT_LT(steady_clock::now() - began, 5s);
  EXPECT_FALSE(process_with(pid));
  EXPECT_FALSE(engine.engine().endpoint());
  EXPECT_FALSE(std::filesystem::exists(engine.directory() + "/pid"));
  engine.start();
  EXPECT_EQ(engine.text("SELECT count() FROM weir_data.t"), "1");
}

// A process that starts an engine as weir does, and can be killed.
class Holder {
 public:
  explicit Holder(const std::string& directory) : directory_(directory) {
    std::string arguments[] = {"holder", testing::kHoldEngineArgument, directory};
    char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/proc/self/exe", nullptr, nullptr, argv, environ), 0);
    EXPECT_TRUE(eventually([&] { return std::filesystem::exists(directory_ + "/held"); }, 60s));
    std::ifstream in(directory_ + "/clickhouse/pid");
    engine_ = parse_pid_file(std::string(std::istreambuf_iterator<char>(in), {})).value().engine;
  }
  ~Holder() { end(); }
  void end() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  const ProcessId& engine() const { return engine_; }

 private:
  std::string directory_;
  int pid_ = 0;
  ProcessId engine_;
};

TEST_F(EngineProcess, EndsWhenWeirIsKilled) {
  TemporaryDirectory directory;
  Holder holder(directory.path());
  ASSERT_TRUE(is_alive(holder.engine()));
  holder.end();
  EXPECT_TRUE(eventually([&] { return !is_alive(holder.engine()); }, 10s));
  auto next = Engine::start({directory.path() + "/clickhouse", find_library("").value()}).value();
  EXPECT_TRUE(next->wait_until_up(30s));
}

// A process of ours in the engine's process group. With it the group has a parent in this session and is not orphaned
// when the engine's own parent ends; the kernel would continue a stopped one then.
class GroupMember {
 public:
  explicit GroupMember(int group) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, group);
    char name[] = "sleep";
    char time[] = "infinity";
    char* argv[] = {name, time, nullptr};
    EXPECT_EQ(posix_spawnp(&pid_, name, nullptr, &attributes, argv, environ), 0);
    posix_spawnattr_destroy(&attributes);
  }
  ~GroupMember() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

 private:
  int pid_ = 0;
};

// An orphan that cannot end by itself is given five seconds, and then ended.
TEST_F(EngineProcess, EndsAnOrphanThatHangs) {
  TemporaryDirectory directory;
  Holder holder(directory.path());
  GroupMember member(holder.engine().pid);
  kill(holder.engine().pid, SIGSTOP);
  holder.end();
  ASSERT_TRUE(is_alive(holder.engine()));
  auto began = steady_clock::now();
  auto next = Engine::start({directory.path() + "/clickhouse", find_library("").value()}).value();
  EXPECT_TRUE(next->wait_until_up(30s));
  EXPECT_GT(steady_clock::now() - began, 4s);
  EXPECT_FALSE(is_alive(holder.engine()));
}

// Who takes the port of an engine that died learns nothing by answering: his answers are not believed.
TEST_F(EngineProcess, IsNotTakenForAnother) {
  struct Impostor final : Endpoints {
    Endpoint real;
    Result<Endpoint> endpoint() const override {
      Endpoint other = real;
      other.proof = std::string(64, '0');
      return other;
    }
    std::string unconfined() const override { return {}; }
  } impostor;
  impostor.real = shared().engine().endpoint().value();
  metrics::Registry registry;
  ClickHouse store({}, impostor, registry);
  auto answer = store.query("SELECT 1", {.format = "TSV"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(store.up());
}

TEST(EngineWords, TellBrokenFilesFromAnUnkindWorld) {
  for (const char* broken :
       {"it ended while starting: Cannot parse definition from metadata file a.sql. (SYNTAX_ERROR)",
        "it ended while starting: Suspiciously many broken parts. (TOO_MANY_UNEXPECTED_DATA_PARTS)"})
    EXPECT_TRUE(speaks_of_broken_files(broken)) << broken;
  for (const char* other : {"it ended while starting: it said nothing", "it ended while starting: Segmentation fault",
                            "it ended while starting: Cannot reserve 1.00 MiB. (NOT_ENOUGH_SPACE)",
                            "it ended while starting: Cannot lock file /data/status. (CANNOT_OPEN_FILE)",
                            "it ended while starting: errno: 13, strerror: Permission denied. (CANNOT_OPEN_FILE)",
                            "it ended while starting: Setting x is neither a builtin setting. (UNKNOWN_SETTING)",
                            "it ended while starting: Syntax error in --query. (SYNTAX_ERROR)",
                            "it did not start in time", "cannot load libchdb.so: no such file (or directory)"})
    EXPECT_FALSE(speaks_of_broken_files(other)) << other;
}

TEST_F(EngineProcess, MigratesOverAnyInterruption) {
  PrivateEngine engine;  // migrated once
  ASSERT_EQ(engine.text("TRUNCATE TABLE weir_data.migrations"), "");
  EXPECT_TRUE(engine.store().migrate());
  ASSERT_EQ(engine.text("DROP VIEW weir.events"), "");
  ASSERT_EQ(engine.text("DROP TABLE weir_data.projects SYNC"), "");
  ASSERT_EQ(engine.text("TRUNCATE TABLE weir_data.migrations"), "");
  EXPECT_TRUE(engine.store().migrate());
  EXPECT_EQ(engine.text("SELECT count() FROM weir.events"), "0");
  EXPECT_EQ(engine.text("SELECT max(version), count() FROM weir_data.migrations"), "3\t3");

  ASSERT_EQ(engine.text("INSERT INTO weir_data.migrations (version, name) VALUES (4000000000, 'later')"), "");
  auto later = engine.store().migrate();
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, ErrorCode::kConflict);
}

TEST_F(EngineProcess, KnowsNoTokenAfterARestartThatItShouldNotTrust) {
  PrivateEngine engine;
  uint64_t life = engine.store().life().value();
  EXPECT_EQ(engine.store().life().value(), life);
  engine.stop();
  engine.start();
  EXPECT_NE(engine.store().life().value(), life);
}

}  // namespace
}  // namespace weir::store::engine
