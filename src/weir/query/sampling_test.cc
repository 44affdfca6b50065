#include "weir/query/sampling.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::query {
namespace {

using Groups = std::vector<std::optional<double>>;

TEST(Sampling, TheMoreRowsTheFewerAreLookedAt) {
  EXPECT_EQ(sample_one_in(5'000'000, 5'000'000), 8u);
  EXPECT_EQ(sample_one_in(8'300'000, 5'000'000), 16u);
  EXPECT_EQ(sample_one_in(1'000'000'000, 5'000'000), 64u);
  EXPECT_EQ(sample_one_in(0, 0), 8u);
}

TEST(Sampling, GroupsThatLieApartSayHowFarTheirMeanMayBeOff) {
  // Eight groups say 900, eight 1,100: a standard deviation of 103.3, a quarter of it for their mean, less what was
  // seen.
  Groups groups(8, 900.0);
  groups.resize(16, 1'100.0);
  const auto error = sampling_error(Metric::visitors, 1'000, groups, 100, 16);
  ASSERT_TRUE(error);
  EXPECT_NEAR(*error, 3.5 * 103.28 / 4 * 0.968, 0.1);
  EXPECT_LT(*sampling_error(Metric::visitors, 1'000, groups, 100, 2), *error);
}

TEST(Sampling, AGroupWithoutVisitorsAddsNothingToACountAndSaysNothingOfARate) {
  Groups groups(8, 32.0);  // the other eight have none
  EXPECT_NEAR(sampling_error(Metric::pageviews, 16, groups, 32, 16).value_or(0), 3.5 * 16.52 / 4 * 0.968, 0.1);
  EXPECT_FALSE(sampling_error(Metric::scroll_depth, 32, groups, 32, 16)) << "all alike";
  groups.back() = 40.0;
  EXPECT_NEAR(sampling_error(Metric::scroll_depth, 33, groups, 32, 16).value_or(0), 1 + 3.5 * 0.968, 0.1);
  groups.resize(7);
  EXPECT_FALSE(sampling_error(Metric::scroll_depth, 33, groups, 32, 16)) << "too few of them";
}

TEST(Sampling, WhatIsNotKnownHasNoBound) {
  Groups groups(8, 900.0);
  groups.resize(16, 1'100.0);
  EXPECT_FALSE(sampling_error(Metric::visitors, 1'000, groups, kSampleVisitorsMin - 1, 16)) << "too few visitors";
  EXPECT_FALSE(sampling_error(Metric::bounce_rate, std::nullopt, groups, 100, 16)) << "no such number";
  EXPECT_FALSE(sampling_error(Metric::entries, 0, Groups(16, 0.0), 100, 16)) << "nothing seen is not nothing";
}

TEST(Sampling, WhatIsRoundedMayBeOffByThat) {
  Groups groups(8, 49.0);
  groups.resize(16, 51.0);
  const double alone = *sampling_error(Metric::visitors, 50, groups, 100, 16);
  EXPECT_DOUBLE_EQ(*sampling_error(Metric::bounce_rate, 50, groups, 100, 16), alone + 1);
  EXPECT_DOUBLE_EQ(*sampling_error(Metric::exit_rate, 50, groups, 100, 16), alone + 0.1);
  EXPECT_DOUBLE_EQ(*sampling_error(Metric::percentage, 50, groups, 100, 16), alone + 0.01);
}

}  // namespace
}  // namespace weir::query
