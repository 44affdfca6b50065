#include "weir/operate/doctor.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "weir/base/bytes.h"
#include "weir/base/random.h"

namespace weir::operate {
namespace {

const Finding* about(const std::vector<Finding>& findings, std::string_view beginning) {
  auto at =
      std::find_if(findings.begin(), findings.end(), [&](const Finding& f) { return f.what.starts_with(beginning); });
  return at == findings.end() ? nullptr : &*at;
}

TEST(Doctor, LeavesNothingBehindAndSaysWhatToDoAboutEachTrouble) {
  std::string directory = testing::TempDir() + "/weir_doctor_" + to_hex(random_bytes(6));
  std::filesystem::create_directory(directory);
  auto findings = examine({directory, {}, "", "", false});
  EXPECT_TRUE(std::filesystem::is_empty(directory));
  for (const Finding& f : findings) EXPECT_EQ(f.advice.empty(), f.verdict == Verdict::good) << f.what;
  ASSERT_NE(about(findings, "store:"), nullptr);
  EXPECT_EQ(about(findings, "store:")->verdict, Verdict::bad);
  EXPECT_NE(about(findings, "fsync: median"), nullptr);
  std::filesystem::remove_all(directory);
}

TEST(Doctor, NamesAStoreThatWasSetAside) {
  Patient patient;
  patient.data_directory = testing::TempDir() + "/weir_doctor_aside";
  std::filesystem::create_directories(patient.data_directory + "/clickhouse.aside-20261120T160000Z");
  bool named = false;
  for (const Finding& finding : examine(patient))
    named = named || (finding.verdict == Verdict::warning && finding.what.find("aside-20261120") != std::string::npos);
  EXPECT_TRUE(named);
  std::filesystem::remove_all(patient.data_directory);
}

TEST(Doctor, NamesAPortThatIsTaken) {
  int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  std::string text = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  auto findings = examine({testing::TempDir(), {{"http.listen", text}, {"metrics.listen", "nonsense"}}, "", "", false});
  const Finding* taken = about(findings, "port: " + text);
  ASSERT_NE(taken, nullptr);
  EXPECT_EQ(taken->verdict, Verdict::bad);
  EXPECT_NE(taken->advice.find("--http.listen"), std::string::npos);
  EXPECT_EQ(about(findings, "port: nonsense")->verdict, Verdict::bad);
  ::close(fd);
}

}  // namespace
}  // namespace weir::operate
