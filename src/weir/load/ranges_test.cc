#include "weir/load/ranges.h"

#include <gtest/gtest.h>

namespace weir::load {
namespace {

TEST(Ranges, WhatIsMissingBetweenPresentOffsets) {
  std::vector<uint64_t> present = {3, 4, 7};
  EXPECT_EQ(missing_from({3, 10}, present), (std::vector<Range>{{5, 7}, {8, 10}}));
  EXPECT_EQ(missing_from({0, 3}, {}), (std::vector<Range>{{0, 3}}));
  EXPECT_EQ(missing_from({3, 5}, present), (std::vector<Range>{}));
}

TEST(Ranges, AreJoinedAndOverlap) {
  EXPECT_EQ(joined({{5, 7}, {1, 3}, {3, 4}, {6, 9}, {8, 8}}), (std::vector<Range>{{1, 4}, {5, 9}}));
  const std::vector<Range> ranges = {{1, 4}, {5, 9}, {20, 30}};
  EXPECT_EQ(overlap({0, 100}, ranges), 17U);
  EXPECT_EQ(overlap({3, 6}, ranges), 2U);
  EXPECT_EQ(overlap({9, 20}, ranges), 0U);
  EXPECT_EQ(overlap({25, 26}, ranges), 1U);
}

TEST(Ranges, HolesAreLeftOut) {
  std::vector<Range> ranges = {{0, 10}, {20, 30}};
  std::vector<Range> holes = {{2, 3}, {8, 22}, {29, 40}};
  EXPECT_EQ(without(ranges, holes), (std::vector<Range>{{0, 2}, {3, 8}, {22, 29}}));
  EXPECT_EQ(without(ranges, {}), ranges);
  EXPECT_EQ(without(std::vector<Range>{{0, 4}, {4, 8}}, std::vector<Range>{{1, 6}}),
            (std::vector<Range>{{0, 1}, {6, 8}}));
}

}  // namespace
}  // namespace weir::load
