#include "weir/transfer/log_follower.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "weir/transfer/access_log.h"

namespace weir::transfer {
namespace {

namespace fs = std::filesystem;

class LogFollowerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "weir-follow-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    log_ = root_ + "/access.log";
  }
  void TearDown() override { fs::remove_all(root_); }

  static void append(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::app | std::ios::binary) << text;
  }
  void open(size_t chunk_bytes = 1000) {
    auto opened = LogFollower::open(log_, chunk_bytes);
    ASSERT_TRUE(opened) << opened.error().message;
    follower_ = *std::move(opened);
  }
  // Everything that has come.
  std::string came() {
    std::string all;
    while (true) {
      auto piece = follower_->next(now_);
      EXPECT_TRUE(piece) << piece.error().message;
      if (!piece || piece->traced.chunk.count == 0) return all;
      repeats_ += piece->traced.repeats;
      fields_ = piece->traced.fields;
      all += piece->traced.chunk.lines;
    }
  }
  void pass(std::chrono::seconds time) { now_ += time; }

  std::string root_;
  std::string log_;
  LogFollower::Moment now_{std::chrono::hours(1)};
  std::unique_ptr<LogFollower> follower_;
  std::string repeats_;
  std::string fields_;
};

TEST_F(LogFollowerTest, GivesWholeLinesAsTheyCome) {
  append(log_, "a\nb\nc");
  open();
  EXPECT_EQ(came(), "a\nb\n");
  EXPECT_EQ(came(), "");
  append(log_, "c");
  EXPECT_EQ(came(), "");
  append(log_, "\nd\n");
  EXPECT_EQ(came(), "cc\nd\n");
}

TEST_F(LogFollowerTest, RepeatsAreCountedOverTheWholeFile) {
  append(log_, "a\na\n");
  open();
  came();
  append(log_, "b\na\n");
  came();
  EXPECT_EQ(repeats_, "1:2");
}

TEST_F(LogFollowerTest, FieldsOfAW3cLogAreRemembered) {
  append(log_, "#Fields: date time\nx\n");
  open();
  came();
  EXPECT_EQ(fields_, "");
  append(log_, "y\n");
  came();
  EXPECT_EQ(fields_, " date time");
}

TEST_F(LogFollowerTest, AfterARenameBothFilesAreReadUntilTheOldOneRests) {
  append(log_, "1\n");
  open();
  EXPECT_EQ(came(), "1\n");
  append(log_, "2\n");
  fs::rename(log_, log_ + ".1");
  EXPECT_EQ(came(), "2\n");  // the name is gone
  append(log_, "3\n");
  append(log_ + ".1", "2b\nlast");  // its server had it open still
  EXPECT_EQ(came(), "2b\n3\n");
  append(log_ + ".1", " one");
  append(log_, "4\n");
  EXPECT_EQ(came(), "4\n");
  pass(LogFollower::kRest);
  EXPECT_EQ(came(), "last one");  // nobody will end that line
  append(log_ + ".1", "too late\n");
  append(log_, "5\n");
  EXPECT_EQ(came(), "5\n");
}

TEST_F(LogFollowerTest, AFileThatGrowsAfterItsRotationDoesNotRest) {
  append(log_, "1\n");
  open();
  came();
  fs::rename(log_, log_ + ".1");
  append(log_, "new\n");
  came();
  for (int i = 0; i < 5; ++i) {
    pass(LogFollower::kRest / 2);
    append(log_ + ".1", "old\n");
    EXPECT_EQ(came(), "old\n");
  }
}

TEST_F(LogFollowerTest, EqualLinesOfTheNextFileAreCountedAnew) {
  append(log_, "a\n");
  open();
  came();
  fs::rename(log_, log_ + ".1");
  append(log_, "a\n");
  EXPECT_EQ(came(), "a\n");
  EXPECT_EQ(repeats_, "");
}

TEST_F(LogFollowerTest, SeveralRotationsAtOnce) {
  append(log_, "1\n");
  open();
  came();
  for (int i = 2; i < 5; ++i) {
    fs::rename(log_, log_ + "." + std::to_string(i));
    append(log_, std::to_string(i) + "\n");
    EXPECT_EQ(came(), std::to_string(i) + "\n");
  }
}

// As logrotate's copytruncate does it: what came since the last look stands in the copy alone.
TEST_F(LogFollowerTest, ATruncatedFileIsANewOneAndItsCopyIsRead) {
  append(log_, "1\n2\n");
  open();
  EXPECT_EQ(came(), "1\n2\n");
  append(log_, "unseen\n");
  append(log_ + ".json", "another log\n");
  fs::copy_file(log_, log_ + ".1");
  fs::resize_file(log_, 0);
  append(log_, "3\n");
  EXPECT_EQ(came(), "1\n2\nunseen\n3\n");  // the first two are known by their ledger
  append(log_, "4\n");
  EXPECT_EQ(came(), "4\n");
}

TEST_F(LogFollowerTest, AFileThatWasCutAndGrewBeyondIsNoticed) {
  append(log_, "1\n2\n");
  open();
  came();
  fs::resize_file(log_, 0);
  append(log_, "another line\nthat is longer\n");
  EXPECT_EQ(came(), "another line\nthat is longer\n");
}

TEST_F(LogFollowerTest, LongLinesAreCountedAndCostNothingElse) {
  append(log_, "1\n" + std::string(kLineBytesMax + 100, 'x'));
  open();
  EXPECT_EQ(came(), "1\n");
  append(log_, std::string(1000, 'x'));
  EXPECT_EQ(came(), "");
  append(log_, "x\n2\n");
  EXPECT_EQ(came(), "2\n");
  EXPECT_EQ(follower_->too_long(), 1u);
}

TEST_F(LogFollowerTest, RefusesWhatDoesNotGrow) {
  EXPECT_EQ(LogFollower::open(log_, 100).error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(LogFollower::open(root_, 100));
  append(log_, std::string("\x1f\x8b\x08\x00", 4) + "rest");
  auto packed = LogFollower::open(log_, 100);
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace weir::transfer
