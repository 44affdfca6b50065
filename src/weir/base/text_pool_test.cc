#include "weir/base/text_pool.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace weir {
namespace {

TEST(TextPool, KeepsEachTextOnceAsLongAsSomebodyHoldsIt) {
  TextPool pool;
  TextPool::Held one, other;
  EXPECT_EQ(one.text(), "");
  one.set(pool, "a");
  other.set(pool, "a");
  EXPECT_EQ(pool.size(), 1u);
  EXPECT_EQ(one.text().data(), other.text().data());
  one.set(pool, "b");
  EXPECT_EQ(pool.size(), 2u);
  other.set(pool, "");
  EXPECT_EQ(other.text(), "");
  EXPECT_EQ(pool.size(), 1u);
  one.set(pool, one.text());
  EXPECT_EQ(one.text(), "b");
  {
    const TextPool::Held last = std::move(one);
    EXPECT_EQ(last.text(), "b");
    EXPECT_EQ(one.text(), "");  // NOLINT(bugprone-use-after-move): that is what is asked
  }
  EXPECT_EQ(pool.size(), 0u);
}

TEST(TextPool, TextsStayWhereTheyAreWhileOthersCome) {
  TextPool pool;
  std::vector<TextPool::Held> held(10'000);
  held[0].set(pool, "the first");
  const char* there = held[0].text().data();
  for (size_t i = 1; i < held.size(); ++i) held[i].set(pool, std::to_string(i));
  EXPECT_EQ(held[0].text().data(), there);
  EXPECT_EQ(held[0].text(), "the first");
  EXPECT_EQ(held[9'999].text(), "9999");
  held.clear();
  EXPECT_EQ(pool.size(), 0u);
}

}  // namespace
}  // namespace weir
