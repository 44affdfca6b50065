#include "weir/store/exception.h"

#include <gtest/gtest.h>

namespace weir::store {
namespace {

TEST(Exception, BlamesTheRowsOnlyForWhatRowsCanDo) {
  for (int code : {6, 27, 33, 53, 70, 117, 321, 407})
    EXPECT_EQ(error_code_of(code, Doing::insert), ErrorCode::kBadInput);
  // Full disk, memory, too many parts, failed fsync, a table that is missing or of another shape, unknown codes.
  for (int code : {0, 16, 49, 60, 204, 236, 241, 243, 252, 394, 425, 999, 12345})
    EXPECT_EQ(error_code_of(code, Doing::insert), ErrorCode::kUnavailable) << code;
  EXPECT_EQ(error_code_of(159, Doing::insert), ErrorCode::kTimeout);
  EXPECT_EQ(error_code_of(202, Doing::insert), ErrorCode::kOverloaded);
}

TEST(Exception, BlamesTheStatementForTheRest) {
  for (int code : {43, 46, 47, 60, 62}) EXPECT_EQ(error_code_of(code, Doing::statement), ErrorCode::kBadInput) << code;
  for (int code : {164, 497}) EXPECT_EQ(error_code_of(code, Doing::statement), ErrorCode::kForbidden) << code;
  for (int code : {158, 241, 396}) EXPECT_EQ(error_code_of(code, Doing::statement), ErrorCode::kTooLarge) << code;
  for (int code : {0, 76, 243, 516}) EXPECT_EQ(error_code_of(code, Doing::statement), ErrorCode::kUnavailable) << code;
}

TEST(Exception, TakesTheFrameOffAMessage) {
  EXPECT_EQ(plain_message("Code: 62. DB::Exception: Syntax error: failed (at 3). (SYNTAX_ERROR) (version 26.7.2.1)\n"),
            "Syntax error: failed (at 3).");
  EXPECT_EQ(plain_message("nothing of the kind (really)\n"), "nothing of the kind (really)");
  EXPECT_EQ(plain_message(std::string(5000, 'x')).size(), 2000u);
  EXPECT_EQ(code_in("Code: 241. DB::Exception"), 241);
  EXPECT_EQ(code_in("none"), 0);
}

class Stream : public ::testing::Test {
 protected:
  std::string passed_;
  size_t most_ = SIZE_MAX;
  std::function<bool(std::string_view)> sink_ = [this](std::string_view piece) {
    passed_ += piece;
    return passed_.size() <= most_;
  };
  static std::string exception(std::string_view text) {
    return "\r\n__exception__\r\nabcdefghijklmnop\r\n" + std::string(text) + "\n" + std::to_string(text.size()) +
           " abcdefghijklmnop\r\n__exception__\r\n";
  }
};

TEST_F(Stream, PassesEverythingOn) {
  GuardedStream stream(sink_);
  std::string sent;
  for (int i = 0; i < 50'000; ++i) {
    std::string piece = std::to_string(i) + ",";
    sent += piece;
    ASSERT_TRUE(stream.add(piece));
  }
  EXPECT_LT(passed_.size(), sent.size());
  EXPECT_EQ(stream.finish("abcdefghijklmnop"), "");
  EXPECT_EQ(passed_, sent);
}

TEST_F(Stream, KeepsAnExceptionBack) {
  GuardedStream stream(sink_);
  std::string rows(300'000, 'r');
  std::string whole = rows + exception("Code: 241. DB::Exception: Memory");
  for (size_t at = 0; at < whole.size(); at += 7) stream.add(std::string_view(whole).substr(at, 7));
  EXPECT_EQ(stream.last_words(), "Code: 241. DB::Exception: Memory");
  EXPECT_EQ(stream.finish("abcdefghijklmnop"), "Code: 241. DB::Exception: Memory");
  EXPECT_EQ(rows.substr(0, passed_.size()), passed_);
}

// Rows may hold the mark; only the answer's own tag makes it one.
TEST_F(Stream, IsNotDeceivedByRows) {
  GuardedStream stream(sink_);
  std::string rows = exception("Code: 1. DB::Exception: told by a row");
  stream.add(rows);
  EXPECT_EQ(stream.finish("ponmlkjihgfedcba"), "");
  EXPECT_EQ(passed_, rows);
}

TEST_F(Stream, StopsWhenNobodyReads) {
  most_ = 0;
  GuardedStream stream(sink_);
  EXPECT_TRUE(stream.add("small"));
  EXPECT_FALSE(stream.add(std::string(100'000, 'x')));
  EXPECT_TRUE(stream.cancelled());
  EXPECT_FALSE(stream.add("more"));
}

TEST(Exception, PlacesOfASyntaxErrorAreThoseOfTheStatementAsItWasWritten) {
  EXPECT_EQ(without_prefix("Syntax error: failed at position 19 (1) (line 1, col 19): 1. Expected", 12),
            "Syntax error: failed at position 7 (1) (line 1, col 7): 1. Expected");
  EXPECT_EQ(without_prefix("failed at position 23 (from) (line 2, col 2): from", 12),
            "failed at position 11 (from) (line 2, col 2): from");
  EXPECT_EQ(without_prefix("Unknown identifier 19", 12), "Unknown identifier 19");
  EXPECT_EQ(without_prefix("failed at position ", 12), "failed at position ");
}

}  // namespace
}  // namespace weir::store
