#include "weir/store/coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace weir::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr ProjectId kSite{7};
constexpr ProjectId kOther{8};
constexpr int64_t kDay = 86'400;

Coverage::Span day(int64_t n, uint32_t version) { return {n * kDay, (n + 1) * kDay, version, false}; }
Coverage::Touched touch(ProjectId project, int64_t from, int64_t to) { return {project, from, to}; }

// Sums of day `n` are made and count.
void build(Coverage& coverage, int64_t n, uint32_t version) {
  uint64_t since = 0;
  ASSERT_TRUE(coverage.may_build(kSite, n * kDay, (n + 1) * kDay, since));
  ASSERT_TRUE(coverage.publish(kSite, day(n, version), since));
}

Coverage::Change begin(Coverage& coverage, Coverage::Touched touched) {
  return coverage.begins(std::span(&touched, 1));
}

TEST(Coverage, NothingIsBelievedBeforeItWasCompared) {
  Coverage coverage;
  coverage.replace({{kSite, day(1, 5)}});
  EXPECT_THAT(coverage.spans(kSite), IsEmpty());
  coverage.trust();
  EXPECT_THAT(coverage.spans(kSite), ElementsAre(day(1, 5)));
  coverage.replace({{kSite, day(2, 6)}});
  EXPECT_FALSE(coverage.trusted());
  EXPECT_THAT(coverage.spans(kSite), IsEmpty());
}

TEST(Coverage, WhoNeedsTheSumsWaitsForThem) {
  Coverage coverage;
  coverage.replace({{kSite, day(1, 5)}});
  std::atomic<bool> waited = false;
  auto wait = [&](ProjectId project, int64_t from, int64_t to, bool go_away) {
    waited = false;
    coverage.await_trust(project, from, to, Coverage::kTrustPatience, [&] {
      waited = true;
      return go_away;
    });
    return waited.load();
  };
  EXPECT_FALSE(wait(kOther, 0, 9 * kDay, true)) << "it has none";
  EXPECT_FALSE(wait(kSite, 3 * kDay, 9 * kDay, true)) << "none there";
  EXPECT_TRUE(wait(kSite, 0, 9 * kDay, true));
  coverage.await_trust(kSite, 0, 9 * kDay, std::chrono::milliseconds(1), {});
  EXPECT_FALSE(coverage.trusted());
  waited = false;
  std::thread later([&] {
    while (!waited) std::this_thread::yield();
    coverage.trust();
  });
  EXPECT_TRUE(wait(kSite, 0, 9 * kDay, false));
  EXPECT_THAT(coverage.spans(kSite), ElementsAre(day(1, 5)));
  later.join();
}

TEST(Coverage, AChangeUncoversWhatItTouchesAndNothingElse) {
  Coverage coverage;
  coverage.trust();
  for (uint32_t n : {1, 2, 3}) build(coverage, n, n);
  auto change = begin(coverage, touch(kSite, 2 * kDay, 2 * kDay + 1));
  ASSERT_EQ(change.uncovered.size(), 1u);
  EXPECT_EQ(change.uncovered.front().span, day(2, 2));
  EXPECT_THAT(coverage.spans(kSite), ElementsAre(day(1, 1), day(3, 3)));
  EXPECT_THAT(begin(coverage, touch(kOther, 0, 9 * kDay)).uncovered.size(), 1u) << "still not noted";
  EXPECT_THAT(coverage.spans(kSite), ElementsAre(day(1, 1), day(3, 3)));
}

TEST(Coverage, WhatIsNotNotedDurablyIsToldToTheNextChange) {
  Coverage coverage;
  coverage.trust();
  build(coverage, 1, 1);
  auto first = begin(coverage, touch(kSite, kDay, kDay + 1));
  coverage.ended(first.number, true);  // its note failed, and it did not happen
  auto second = begin(coverage, touch(kSite, kDay, kDay + 1));
  EXPECT_EQ(second.uncovered.size(), 1u);
  coverage.noted(second.uncovered);
  EXPECT_THAT(begin(coverage, touch(kSite, kDay, kDay + 1)).uncovered, IsEmpty());
}

TEST(Coverage, SumsMadeWhileRowsChangeAreThrownAway) {
  Coverage coverage;
  coverage.trust();
  uint64_t since = 0;
  ASSERT_TRUE(coverage.may_build(kSite, kDay, 2 * kDay, since));
  auto change = begin(coverage, touch(kSite, kDay + 100, kDay + 101));
  coverage.ended(change.number, true);
  EXPECT_FALSE(coverage.publish(kSite, day(1, 1), since));
  build(coverage, 1, 2);
  EXPECT_THAT(coverage.spans(kSite), ElementsAre(day(1, 2)));
}

TEST(Coverage, NothingIsBuiltWhileRowsAreOnTheirWay) {
  Coverage coverage;
  coverage.trust();
  uint64_t since = 0;
  auto change = begin(coverage, touch(kSite, kDay - 10, kDay + 1));
  EXPECT_FALSE(coverage.may_build(kSite, 0, kDay, since));
  EXPECT_FALSE(coverage.may_build(kSite, kDay, 2 * kDay, since));
  EXPECT_TRUE(coverage.may_build(kSite, 2 * kDay, 3 * kDay, since));
  EXPECT_TRUE(coverage.may_build(kOther, kDay, 2 * kDay, since));
  coverage.ended(change.number, true);
  EXPECT_TRUE(coverage.may_build(kSite, kDay, 2 * kDay, since));
}

TEST(Coverage, AChangeOfUnknownEndIsWaitedFor) {
  Coverage coverage;
  coverage.trust();
  uint64_t since = 0;
  Coverage::Moment latest;
  auto change = begin(coverage, touch(kSite, kDay, kDay + 1));
  EXPECT_FALSE(coverage.in_doubt(latest));
  coverage.ended(change.number, false);
  EXPECT_FALSE(coverage.may_build(kSite, kDay, 2 * kDay, since));
  ASSERT_TRUE(coverage.in_doubt(latest));
  coverage.nothing_under_way(latest - std::chrono::nanoseconds(1));
  EXPECT_FALSE(coverage.may_build(kSite, kDay, 2 * kDay, since));
  coverage.nothing_under_way(latest);
  EXPECT_FALSE(coverage.in_doubt(latest));
  EXPECT_TRUE(coverage.may_build(kSite, kDay, 2 * kDay, since));
}

TEST(Coverage, TouchesBeforeNineteenSeventyAndOfManyDaysAreRemembered) {
  Coverage coverage;
  auto change = begin(coverage, touch(kSite, -kDay - 1, -kDay));
  coverage.ended(change.number, true);
  EXPECT_EQ(coverage.touched(kSite, -2 * kDay, -kDay), change.number);
  EXPECT_EQ(coverage.touched(kSite, 0, kDay), 0u);
  for (int64_t n = 0; n < 25'000; ++n)
    coverage.ended(begin(coverage, touch(kSite, n * kDay, n * kDay + 1)).number, true);
  EXPECT_EQ(coverage.touched(kSite, 24'999 * kDay, 25'000 * kDay), change.number + 25'000);
}

}  // namespace
}  // namespace weir::store
