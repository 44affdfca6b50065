#include "weir/store/readers.h"

#include <gtest/gtest.h>

#include <optional>

namespace weir::store {
namespace {

class ReadersTest : public ::testing::Test {
 protected:
  Result<Readers::Lease> lend(uint64_t start, std::vector<uint64_t> projects) {
    return readers_.lend(start, projects, [&](int reader) -> Result<> {
      filled_.push_back(reader);
      if (fail_) return Error{ErrorCode::kUnavailable, "away"};
      return {};
    });
  }
  Readers readers_{2};
  std::vector<int> filled_;
  bool fail_ = false;
};

TEST_F(ReadersTest, LendsOneReaderToAllWhoMaySeeTheSame) {
  auto first = lend(1, {7});
  auto second = lend(1, {7});
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->reader(), second->reader());
  EXPECT_EQ(filled_.size(), 1u);
}

TEST_F(ReadersTest, NeverLendsOneReaderForTwoSets) {
  auto first = lend(1, {7});
  auto second = lend(1, {8});
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->reader(), second->reader());
  auto third = lend(1, {9});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, ErrorCode::kOverloaded);
}

TEST_F(ReadersTest, ReusesTheOneLongestUnused) {
  { auto lease = lend(1, {7}); }
  { auto lease = lend(1, {8}); }
  { auto lease = lend(1, {7}); }
  EXPECT_EQ(filled_, (std::vector<int>{0, 1}));
  { auto lease = lend(1, {9}); }
  EXPECT_EQ(filled_, (std::vector<int>{0, 1, 1}));
}

TEST_F(ReadersTest, FillsAgainAfterARestart) {
  { auto lease = lend(1, {7}); }
  { auto lease = lend(2, {7}); }
  EXPECT_EQ(filled_.size(), 2u);
}

TEST_F(ReadersTest, TrustsNothingAfterAFailure) {
  fail_ = true;
  EXPECT_FALSE(lend(1, {7}));
  fail_ = false;
  EXPECT_TRUE(lend(1, {7}));
  EXPECT_EQ(filled_.size(), 2u);
}

TEST_F(ReadersTest, TellsAnEmptySetFromNoSet) {
  { auto lease = lend(1, {}); }
  EXPECT_EQ(filled_.size(), 1u);
}

}  // namespace
}  // namespace weir::store
