#include "weir/transfer/repeats.h"

#include <gtest/gtest.h>

namespace weir::transfer {
namespace {

TEST(Repeats, TextThereAndBack) {
  std::vector<Repeat> repeats = {{0, 1}, {12, 3}, {4'000'000'000u, 4'294'967'295u}};
  EXPECT_EQ(write_repeats(repeats), "0:1,12:3,4000000000:4294967295");
  auto read = parse_repeats(write_repeats(repeats));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)[2].before, 4'294'967'295u);
  EXPECT_TRUE(parse_repeats("")->empty());
}

TEST(Repeats, RefusesOtherText) {
  for (std::string_view text : {"1", "1:", ":1", "1:1,", ",1:1", "1:1;2:2", "2:1,1:1", "1:1,1:1", "1:0", "-1:1",
                                "4294967296:1", "1:4294967296", " 1:1", "1:1 "})
    EXPECT_FALSE(parse_repeats(text)) << text;
}

TEST(RepeatWindow, TellsOnceAChunkHowOftenALineStoodBefore) {
  RepeatWindow window(1);
  window.begin_chunk();
  EXPECT_EQ(window.add("a"), 0u);
  EXPECT_EQ(window.add("a"), 0u);
  EXPECT_EQ(window.add("b"), 0u);
  window.begin_chunk();
  EXPECT_EQ(window.add("a"), 2u);
  EXPECT_EQ(window.add("a"), 0u);
  EXPECT_EQ(window.add("c"), 0u);
  window.begin_chunk();
  EXPECT_EQ(window.add("c"), 1u);
  EXPECT_EQ(window.add("a"), 4u);
  EXPECT_EQ(window.add("b"), 1u);
}

TEST(RepeatWindow, RemembersAcrossHalfAMillionLines) {
  RepeatWindow window(1);
  window.begin_chunk();
  window.add("first");
  for (int i = 0; i < 400'000; ++i) window.add(std::to_string(i));
  window.begin_chunk();
  EXPECT_EQ(window.add("first"), 1u);
  for (int i = 400'000; i < 800'000; ++i) window.add(std::to_string(i));
  window.begin_chunk();
  EXPECT_EQ(window.add("first"), 2u);
}

TEST(LineCounts, KeepsEntriesThroughGrowth) {
  LineCounts counts;
  for (uint64_t h = 0; h < 10'000; ++h) counts.entry(h * 0x9e3779b97f4a7c15u).count = static_cast<uint32_t>(h + 1);
  EXPECT_EQ(counts.size(), 10'000u);
  for (uint64_t h = 0; h < 10'000; ++h) EXPECT_EQ(counts.find(h * 0x9e3779b97f4a7c15u)->count, h + 1);
  counts.clear();
  EXPECT_EQ(counts.size(), 0u);
  EXPECT_EQ(counts.find(0), nullptr);
}

}  // namespace
}  // namespace weir::transfer
