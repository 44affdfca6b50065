#include "load_driver/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <vector>

namespace weir::bench {
namespace {

TEST(Histogram, EmptyAnswersZero) {
  const auto h = std::make_unique<Histogram>();
  EXPECT_EQ(h->quantile(0.5), 0u);
  EXPECT_EQ(h->mean(), 0);
}

TEST(Histogram, SmallValuesAreExact) {
  const auto h = std::make_unique<Histogram>();
  for (uint64_t v = 0; v < 256; ++v) h->record(v);
  EXPECT_EQ(h->quantile(1.0 / 256), 0u);
  EXPECT_EQ(h->quantile(0.5), 127u);
  EXPECT_EQ(h->quantile(1), 255u);
}

TEST(Histogram, EveryOctaveStaysWithinOnePercent) {
  for (unsigned bit = 0; bit < 64; ++bit) {
    for (const uint64_t v : {uint64_t{1} << bit, (uint64_t{1} << bit) + (uint64_t{1} << bit) / 3,
                             (uint64_t{1} << bit) + ((uint64_t{1} << bit) - 1)}) {
      const auto h = std::make_unique<Histogram>();
      h->record(v);
      h->record(std::numeric_limits<uint64_t>::max());  // keeps max() from capping the answer
      const uint64_t answer = h->quantile(0.5);
      EXPECT_GE(answer, v);
      EXPECT_LE(static_cast<double>(answer - v), static_cast<double>(v) * 0.008) << v;
    }
  }
}

TEST(Histogram, QuantilesAgreeWithSorting) {
  std::mt19937_64 random(7);
  std::lognormal_distribution<double> values(11, 1.3);
  std::vector<uint64_t> all;
  const auto h = std::make_unique<Histogram>();
  for (int i = 0; i < 100'000; ++i) {
    all.push_back(static_cast<uint64_t>(values(random)));
    h->record(all.back());
  }
  std::sort(all.begin(), all.end());
  for (const double share : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double expected = static_cast<double>(all[static_cast<size_t>(share * 100'000) - 1]);
    EXPECT_NEAR(static_cast<double>(h->quantile(share)), expected, expected * 0.01) << share;
  }
}

TEST(Histogram, AddingTwoEqualsRecordingAll) {
  const auto a = std::make_unique<Histogram>();
  const auto b = std::make_unique<Histogram>();
  const auto both = std::make_unique<Histogram>();
  for (uint64_t v = 1; v < 1'000'000; v = v * 3 + 1) {
    a->record(v);
    b->record(v * 2);
    both->record(v);
    both->record(v * 2);
  }
  a->add(*b);
  EXPECT_EQ(a->count(), both->count());
  EXPECT_EQ(a->max(), both->max());
  for (const double share : {0.1, 0.5, 0.9, 1.0}) EXPECT_EQ(a->quantile(share), both->quantile(share));
}

}  // namespace
}  // namespace weir::bench
