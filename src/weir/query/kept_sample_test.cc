#include "weir/query/kept_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "weir/query/names.h"
#include "weir/store/schema.h"

namespace weir::query {
namespace {

using store::Coverage;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr ProjectId kSite{7};
constexpr Seconds kDay = 86'400;
constexpr Seconds kStart = 20'454 * kDay;  // 2026-01-01

std::vector<Coverage::Span> days(uint32_t count) {
  std::vector<Coverage::Span> spans = {{0, kStart, 1, true}};
  for (uint32_t i = 0; i < count; ++i) spans.push_back({kStart + i * kDay, kStart + (i + 1) * kDay, 10 + i, false});
  return spans;
}

TEST(KeptSample, HasAllThatQuestionsLookAt) {
  const auto columns = store::sampled_columns();
  for (auto name :
       {"event:page",     "event:hostname",        "event:title",      "event:name",       "event:app_version",
        "event:traffic",  "event:traffic_reason",  "event:revenue",    "event:currency",   "visit:channel",
        "visit:source",   "visit:referrer",        "visit:utm_source", "visit:utm_medium", "visit:utm_campaign",
        "visit:utm_term", "visit:utm_content",     "visit:country",    "visit:region",     "visit:city",
        "visit:browser",  "visit:browser_version", "visit:os",         "visit:os_version", "visit:device",
        "visit:screen",   "visit:locale"}) {
    Dimension dimension;
    ASSERT_TRUE(parse_dimension(name, dimension)) << name;
    EXPECT_NE(std::find(columns.begin(), columns.end(), column_of(dimension.attribute)), columns.end()) << name;
  }
}

TEST(KeptSample, IsOfTheVersionsOfTheDays) {
  const auto source = kept_sample(kSite, kStart - kDay, kStart + 2 * kDay, days(3));
  ASSERT_TRUE(source);
  EXPECT_THAT(*source, AllOf(HasSubstr("version IN (10, 11)"), HasSubstr("part IN (202512, 202601)"),
                             Not(HasSubstr("weir_data.events"))));
}

TEST(KeptSample, MonthsHaveNone) {
  auto spans = days(31);
  spans.insert(spans.begin() + 1, {kStart, kStart + 31 * kDay, 99, false});
  const auto source = kept_sample(kSite, kStart, kStart + 31 * kDay, spans);
  ASSERT_TRUE(source);
  EXPECT_THAT(*source, AllOf(HasSubstr("version IN (10, "), Not(HasSubstr("99")), Not(HasSubstr("weir_data.events"))));
}

TEST(KeptSample, WhatIsNotKeptComesFromTheTable) {
  auto spans = days(10);
  spans.erase(spans.begin() + 4);
  const auto source = kept_sample(kSite, kStart, kStart + 11 * kDay, spans);
  ASSERT_TRUE(source);
  const std::string gap = "timestamp >= fromUnixTimestamp64Milli(";
  EXPECT_THAT(*source, AllOf(HasSubstr(" FROM weir_data.events WHERE project_id = 7 AND ((" + gap +
                                       std::to_string((kStart + 3 * kDay) * 1'000)),
                             HasSubstr(" OR (" + gap + std::to_string((kStart + 10 * kDay) * 1'000))));
}

TEST(KeptSample, ADayByTwoClocksIsReadOnce) {
  auto spans = days(3);
  spans.push_back({kStart + 3'600, kStart + 3'600 + kDay, 77, false});
  std::sort(spans.begin(), spans.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  const auto source = kept_sample(kSite, kStart, kStart + 3 * kDay, spans);
  ASSERT_TRUE(source);
  EXPECT_THAT(*source, AllOf(HasSubstr("version IN (10, 11, 12)"), Not(HasSubstr("weir_data.events"))));
}

TEST(KeptSample, IsNothingWhereMostOfTheTimeHasNone) {
  EXPECT_TRUE(kept_sample(kSite, kStart, kStart + 6 * kDay, days(3)));
  EXPECT_FALSE(kept_sample(kSite, kStart, kStart + 7 * kDay, days(3)));
  EXPECT_FALSE(kept_sample(kSite, 0, kStart, days(0))) << "nothing ever happened";
}

}  // namespace
}  // namespace weir::query
