#include "weir/app/data_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "weir/base/bytes.h"
#include "weir/base/random.h"

namespace weir::app {
namespace {

namespace fs = std::filesystem;

class DataDirectoryTest : public testing::Test {
 protected:
  ~DataDirectoryTest() override { fs::remove_all(path_); }
  Result<DataDirectory> open(bool new_journal = false) { return DataDirectory::open(real_files(), path_, new_journal); }
  void write(const std::string& name, const std::string& content) { std::ofstream(path_ + "/" + name) << content; }
  void expect_refused(ErrorCode code, std::string_view part, bool new_journal = false) {
    auto opened = open(new_journal);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, code) << opened.error().message;
    EXPECT_NE(opened.error().message.find(part), std::string::npos) << opened.error().message;
  }
  std::string path_ = testing::TempDir() + "/weir_data_" + to_hex(random_bytes(6));
};

TEST_F(DataDirectoryTest, IsMadePrivateWithItsVersion) {
  auto opened = open();
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE(opened->created());
  EXPECT_EQ(*read_file(real_files(), path_ + "/VERSION"), "1\n");
  EXPECT_EQ(fs::status(path_).permissions() & fs::perms::mask, fs::perms::owner_all);
  EXPECT_TRUE(fs::is_directory(opened->secrets()));
}

TEST_F(DataDirectoryTest, OpensAgainAfterTheFirstTime) {
  { ASSERT_TRUE(open()); }
  auto again = open();
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->created());
}

TEST_F(DataDirectoryTest, AFirstStartCutShortIsNoObstacle) {
  fs::create_directory(path_);
  write("LOCK", "");
  write("VERSION.new", "1");
  EXPECT_TRUE(open());
}

TEST_F(DataDirectoryTest, ASecondOneNamesTheHolder) {
  auto first = open();
  ASSERT_TRUE(first);
  expect_refused(ErrorCode::kConflict, std::to_string(getpid()));
}

TEST_F(DataDirectoryTest, SomebodyElsesDirectoryIsLeftAsItWas) {
  fs::create_directory(path_);
  fs::permissions(path_, fs::perms(0755));
  write("thesis.txt", "x");
  expect_refused(ErrorCode::kConflict, "thesis.txt");
  EXPECT_EQ(fs::status(path_).permissions() & fs::perms::mask, fs::perms(0755));
  EXPECT_FALSE(fs::exists(path_ + "/LOCK"));
}

TEST_F(DataDirectoryTest, APartialCopyIsRefused) {
  fs::create_directory(path_);
  fs::create_directory(path_ + "/journal");
  expect_refused(ErrorCode::kConflict, "VERSION");
}

TEST_F(DataDirectoryTest, ALaterVersionIsRefusedAndADamagedOneNamed) {
  { ASSERT_TRUE(open()); }
  write("VERSION", "2\n");
  expect_refused(ErrorCode::kUnsupported, "data format 2");
  write("VERSION", "one\n");
  expect_refused(ErrorCode::kCorrupt, "VERSION");
}

TEST_F(DataDirectoryTest, AStoreWithoutItsJournalNeedsAWord) {
  { ASSERT_TRUE(open()); }
  fs::create_directory(path_ + "/clickhouse");
  expect_refused(ErrorCode::kConflict, "--serve.new_journal");
  EXPECT_TRUE(open(true));
}

TEST_F(DataDirectoryTest, AnotherUsersDirectoryIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a directory away";
  fs::create_directory(path_);
  ASSERT_EQ(::chown(path_.c_str(), 12345, 12345), 0);
  expect_refused(ErrorCode::kForbidden, "12345");
}

TEST_F(DataDirectoryTest, AFileInItsPlaceIsNamed) {
  std::ofstream(path_) << "x";
  auto opened = open();
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find(path_), std::string::npos);
}

}  // namespace
}  // namespace weir::app
