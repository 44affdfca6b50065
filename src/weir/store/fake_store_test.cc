#include <gtest/gtest.h>

#include "weir/store/testing/fake_store.h"
#include "weir/store/testing/store_contract.h"

namespace weir::store::testing {
namespace {

Store& fake() {
  static FakeStore store;
  return store;
}
INSTANTIATE_TEST_SUITE_P(Fake, StoreContract, ::testing::Values(Implementation{"fake", fake}));

Block one_row(uint64_t o) {
  event::Row row;
  row.p = 1;
  row.o = o;
  row.name = "click";
  Block block;
  block.add(row);
  return block;
}

TEST(FakeStore, FailsAsOftenAsAsked) {
  FakeStore store;
  store.fail_inserts(2, {ErrorCode::kTimeout, "slow"}, FakeStore::Left::everything);
  EXPECT_EQ(store.insert(one_row(0), "a").error().code, ErrorCode::kTimeout);
  EXPECT_EQ(store.insert(one_row(0), "a").error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(store.insert(one_row(0), "a"));
  EXPECT_EQ(store.row_count(), 1u);
  EXPECT_EQ(store.insert_count(), 3u);
}

TEST(FakeStore, ForgetsTokensWhenItRestarts) {
  FakeStore store;
  uint64_t life = store.life().value();
  ASSERT_TRUE(store.insert(one_row(0), "a"));
  store.restart();
  EXPECT_NE(store.life().value(), life);
  ASSERT_TRUE(store.insert(one_row(0), "a"));
  EXPECT_EQ(store.row_count(), 2u);
}

TEST(FakeStore, RefusesABlockForOneRow) {
  FakeStore store;
  store.refuse_rows([](const StoredRow& row) { return row.o == 3; });
  EXPECT_EQ(store.insert(one_row(3), "a").error().code, ErrorCode::kBadInput);
  EXPECT_TRUE(store.insert(one_row(4), "b"));
  store.set_away(true);
  EXPECT_FALSE(store.up());
  EXPECT_EQ(store.insert(one_row(5), "c").error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace weir::store::testing
