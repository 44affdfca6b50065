#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/store/engine/config.h"
#include "weir/store/engine/landlock.h"
#include "weir/store/engine/process.h"

namespace weir::store::engine {
namespace {

TEST(EngineConfig, EscapesPaths) {
  Config config;
  config.data_directory = "/a&b<c>\"d";
  config.memory_bytes = 500 * MiB;
  std::string xml = config_xml(config, "/x&y");
  EXPECT_NE(xml.find("<path>/a&amp;b&lt;c&gt;&quot;d/</path>"), std::string::npos);
  EXPECT_NE(xml.find("<users_config>/x&amp;y</users_config>"), std::string::npos);
}

TEST(EngineConfig, ListensToNobodyWithoutTheToken) {
  Config config;
  config.token = "tok";
  config.memory_bytes = 500 * MiB;
  std::string xml = config_xml(config, "u");
  EXPECT_EQ(xml.find("tcp_port"), std::string::npos);
  EXPECT_NE(xml.find("<listen_host>127.0.0.1</listen_host>"), std::string::npos);
  size_t rules = 0, tokens = 0;
  for (size_t at = 0; (at = xml.find("<rule>", at)) != std::string::npos; ++at) ++rules;
  for (size_t at = 0; (at = xml.find("<X-Weir-Token>tok</X-Weir-Token>", at)) != std::string::npos; ++at) ++tokens;
  EXPECT_EQ(rules, 2u);
  EXPECT_EQ(tokens, rules);
}

TEST(EngineConfig, KeepsEachReaderToItsTable) {
  Config config;
  config.reader_password = "secret";
  config.memory_bytes = 500 * MiB;
  std::string xml = users_xml(config);
  EXPECT_EQ(xml.find("secret"), std::string::npos);
  for (int i = 0; i < kReaders; ++i) {
    size_t begin = xml.find("<" + reader_name(i) + ">");
    size_t end = xml.find("</" + reader_name(i) + ">");
    ASSERT_NE(begin, std::string::npos);
    std::string user = xml.substr(begin, end - begin);
    EXPECT_NE(user.find("<filter>project_id IN (SELECT project_id FROM weir_data." + reader_table(i) + ")</filter>"),
              std::string::npos);
  }
}

TEST(EngineConfig, SharesTheMemory) {
  EXPECT_EQ(default_memory_bytes(256 * MiB), 400 * MiB);
  EXPECT_EQ(default_memory_bytes(4 * GiB), 1 * GiB);
  EXPECT_EQ(default_memory_bytes(256 * GiB), 4 * GiB);
  EXPECT_GT(machine_memory_bytes(), 64 * MiB);
}

TEST(ProcessId, KnowsOneProcessFromTheNext) {
  auto self = process_with(getpid());
  ASSERT_TRUE(self);
  EXPECT_TRUE(is_alive(*self));
  EXPECT_FALSE(is_alive({self->pid, self->start_time + 1}));
  EXPECT_FALSE(process_with(0));
  pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_FALSE(process_with(child)) << "a zombie is over";
  waitpid(child, nullptr, 0);
}

TEST(ProcessId, TellsItsOwnMemory) {
  const ProcessId self = process_with(getpid()).value();
  const uint64_t before = own_memory(self);
  EXPECT_GT(before, 0u);
  const std::vector<char> more(64 * MiB, 'x');
  EXPECT_GE(own_memory(self), before + more.size() * 3 / 4);
  EXPECT_EQ(own_memory({0, 0}), 0u);
}

TEST(PidFile, ComesBackAsItWasWritten) {
  PidFile file{{12, 345}, {6, 78}};
  auto parsed = parse_pid_file(format_pid_file(file));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->engine, file.engine);
  EXPECT_EQ(parsed->weir, file.weir);
  for (auto text : {"", "12", "12 345 6", "x y z w"}) EXPECT_FALSE(parse_pid_file(text)) << text;
}

// In a child, because it cannot be undone.
TEST(Landlock, TakesEverythingButWhatIsNamed) {
  if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
  std::string pattern = (std::filesystem::temp_directory_path() / "weir-landlock-XXXXXX").string();
  std::string root = mkdtemp(pattern.data());
  for (auto name : {"/writable", "/readable", "/foreign"}) std::filesystem::create_directory(root + name);
  for (auto name : {"/writable/file", "/readable/file", "/foreign/file"}) std::ofstream(root + name) << "x";
  std::filesystem::create_symlink(root + "/foreign/file", root + "/writable/link");
  pid_t child = fork();
  if (child == 0) {
    auto opens = [&](const std::string& path, int flags) {
      int fd = ::open((root + path).c_str(), flags | O_CLOEXEC, 0600);
      if (fd >= 0) ::close(fd);
      return fd >= 0;
    };
    if (!restrict_to({{root + "/writable", Allowed::Use::write},
                      {root + "/readable", Allowed::Use::read},
                      {root + "/absent", Allowed::Use::read}}))
      _exit(1);
    if (!opens("/writable/file", O_RDWR | O_TRUNC)) _exit(2);
    if (!opens("/writable/new", O_RDWR | O_CREAT)) _exit(3);
    if (rename((root + "/writable/new").c_str(), (root + "/writable/newer").c_str()) != 0) _exit(4);
    if (!opens("/readable/file", O_RDONLY)) _exit(5);
    if (opens("/readable/file", O_RDWR)) _exit(6);
    if (opens("/readable/new", O_RDWR | O_CREAT)) _exit(7);
    if (opens("/foreign/file", O_RDONLY)) _exit(8);
    if (opens("/writable/link", O_RDONLY)) _exit(9);
    if (opens("/writable/../foreign/file", O_RDONLY)) _exit(10);
    if (::open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0) _exit(11);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace weir::store::engine
