#include "weir/query/range.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/base/clock.h"
#include "weir/base/time_text.h"

namespace weir::query {
namespace {

using ::testing::ElementsAre;

Seconds at(std::string_view text) {
  UnixMillis moment = 0;
  EXPECT_TRUE(parse_time(text, moment)) << text;
  return moment / 1000;
}

int64_t day(std::string_view text) {
  int64_t day = 0;
  EXPECT_TRUE(parse_day(text, day)) << text;
  return day;
}

Zone zone(std::string_view name) {
  auto loaded = Zone::load(name);
  EXPECT_TRUE(loaded) << name;
  return loaded ? *loaded : Zone::utc();
}

std::vector<std::string> labels(const Zone& zone, const Range& range, Bucket bucket) {
  auto slots = slots_of(zone, range, bucket);
  EXPECT_TRUE(slots);
  std::vector<std::string> labels;
  if (slots)
    for (const Slot& slot : *slots) labels.push_back(slot.label);
  return labels;
}

TEST(Zone, RefusesWhatIsNone) {
  for (auto name : {"", "Mars/Olympus_Mons", "../etc/passwd", "/etc/localtime", "localtime", "Fixed/UTC+01:00:00",
                    "Europe/Berlin; DROP TABLE", "posix/UTC", "Europe", "Europe/", "Europe//Berlin", "zone.tab"})
    EXPECT_FALSE(Zone::load(name)) << name;
  EXPECT_TRUE(Zone::load("Etc/GMT+12"));
}

TEST(Zone, KnowsDaysOfOtherLengths) {
  const Zone berlin = zone("Europe/Berlin");
  auto length = [&](std::string_view text) {
    return (berlin.start_of_day(day(text) + 1) - berlin.start_of_day(day(text))) / 3600;
  };
  EXPECT_EQ(length("2026-03-28"), 24);
  EXPECT_EQ(length("2026-03-29"), 23);
  EXPECT_EQ(length("2026-10-25"), 25);
  EXPECT_EQ(berlin.start_of_day(day("2026-03-29")), at("2026-03-28T23:00:00Z"));
}

TEST(Zone, BeginsADayWithoutMidnightAtOne) {
  // Where summer time began at midnight.
  EXPECT_EQ(zone("America/Sao_Paulo").start_of_day(day("2018-11-04")), at("2018-11-04T03:00:00Z"));
  // The day that Samoa left out begins where the next does.
  const Zone apia = zone("Pacific/Apia");
  EXPECT_EQ(apia.start_of_day(day("2011-12-30")), apia.start_of_day(day("2011-12-31")));
}

TEST(Zone, TellsItsEras) {
  const Zone berlin = zone("Europe/Berlin");
  auto eras = berlin.eras(at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"));
  ASSERT_EQ(eras.size(), 3u);
  EXPECT_EQ(eras[0].offset, 3600);
  EXPECT_EQ(eras[1].since, at("2026-03-29T01:00:00Z"));
  EXPECT_EQ(eras[1].offset, 7200);
  EXPECT_EQ(eras[2].since, at("2026-10-25T01:00:00Z"));
  EXPECT_EQ(Zone::utc().eras(0, at("2027-01-01T00:00:00Z")).size(), 1u);
}

TEST(Zone, WritesMoments) {
  EXPECT_EQ(rfc3339_text(zone("Asia/Kathmandu"), at("2026-01-01T00:00:00Z")), "2026-01-01T05:45:00+05:45");
  EXPECT_EQ(rfc3339_text(zone("America/St_Johns"), at("2026-01-01T00:00:00Z")), "2025-12-31T20:30:00-03:30");
  EXPECT_EQ(rfc3339_text(Zone::utc(), at("2026-01-01T00:00:00Z")), "2026-01-01T00:00:00Z");
}

TEST(Calendar, AddsMonths) {
  EXPECT_EQ(add_months(day("2026-03-31"), -1), day("2026-02-28"));
  EXPECT_EQ(add_months(day("2024-02-29"), -12), day("2023-02-28"));
  EXPECT_EQ(add_months(day("2026-01-15"), -13), day("2024-12-15"));
  EXPECT_EQ(start_of_week(day("2026-11-29")), day("2026-11-23"));
  EXPECT_EQ(start_of_quarter(day("2026-11-29")), day("2026-10-01"));
  EXPECT_EQ(weekday_of(day("2026-11-29")), 7);
}

TEST(Slots, AreHoursOfTheClock) {
  const Zone berlin = zone("Europe/Berlin");
  auto day_of = [&](std::string_view text) { return range_of_days(berlin, day(text), day(text)); };
  EXPECT_EQ(labels(berlin, day_of("2026-03-29"), Bucket::hour).size(), 23u);
  auto autumn = labels(berlin, day_of("2026-10-25"), Bucket::hour);
  ASSERT_EQ(autumn.size(), 25u);
  EXPECT_EQ(autumn[1], "2026-10-25 01:00:00");
  EXPECT_EQ(autumn[2], "2026-10-25 02:00:00+02:00");
  EXPECT_EQ(autumn[3], "2026-10-25 02:00:00+01:00");
  EXPECT_EQ(autumn[4], "2026-10-25 03:00:00");
}

TEST(Slots, TellHoursApartThatBeginTogether) {
  // 03:45 became 02:45 again.
  const Zone chatham = zone("Pacific/Chatham");
  auto hours = labels(chatham, range_of_days(chatham, day("2025-04-06"), day("2025-04-06")), Bucket::hour);
  ASSERT_EQ(hours.size(), 26u);
  EXPECT_THAT(std::vector<std::string>(hours.begin() + 2, hours.begin() + 6),
              ElementsAre("2025-04-06 02:00:00+13:45", "2025-04-06 03:00:00+13:45", "2025-04-06 02:00:00+12:45",
                          "2025-04-06 03:00:00+12:45"));
}

TEST(Slots, AreDaysWeeksAndMonths) {
  const Range range = range_of_days(Zone::utc(), day("2026-01-01"), day("2026-02-03"));
  EXPECT_EQ(labels(Zone::utc(), range, Bucket::day).size(), 34u);
  EXPECT_THAT(labels(Zone::utc(), range, Bucket::week),
              ElementsAre("2026-01-01", "2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02"));
  EXPECT_THAT(labels(Zone::utc(), range, Bucket::month), ElementsAre("2026-01-01", "2026-02-01"));
  EXPECT_THAT(labels(Zone::utc(), range, Bucket::year), ElementsAre("2026-01-01"));
}

TEST(Slots, AreLimited) {
  const Range year = range_of_days(Zone::utc(), day("2026-01-01"), day("2026-12-31"));
  auto minutes = slots_of(Zone::utc(), year, Bucket::minute);
  ASSERT_FALSE(minutes);
  EXPECT_EQ(minutes.error().code, ErrorCode::kTooLarge);
}

TEST(Compared, IsTheTimeBefore) {
  const Zone berlin = zone("Europe/Berlin");
  const Range week = range_of_days(berlin, day("2026-03-23"), day("2026-03-29"));
  const Seconds later = at("2026-05-01T00:00:00Z");
  EXPECT_EQ(compared_range(berlin, week, true, Comparing::previous_period, false, later),
            range_of_days(berlin, day("2026-03-16"), day("2026-03-22")));
  // Cut at today.
  EXPECT_EQ(compared_range(berlin, week, true, Comparing::previous_period, false, at("2026-03-24T12:00:00Z")),
            range_of_days(berlin, day("2026-03-21"), day("2026-03-22")));
  EXPECT_EQ(compared_range(berlin, week, true, Comparing::year_over_year, false, later),
            range_of_days(berlin, day("2025-03-23"), day("2025-03-29")));
  EXPECT_EQ(compared_range(berlin, week, true, Comparing::year_over_year, true, later),
            range_of_days(berlin, day("2025-03-24"), day("2025-03-30")));
  const Range hours{at("2026-03-23T10:00:00Z"), at("2026-03-23T12:00:00Z")};
  EXPECT_EQ(compared_range(berlin, hours, false, Comparing::previous_period, false, later),
            (Range{at("2026-03-23T08:00:00Z"), at("2026-03-23T10:00:00Z")}));
}

}  // namespace
}  // namespace weir::query
