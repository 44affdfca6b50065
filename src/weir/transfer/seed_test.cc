#include "weir/transfer/seed.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "weir/event/record.h"

namespace weir::transfer {
namespace {

using seed::Visitors;

const int64_t kEnd = days_from_civil({2026, 11, 29});
constexpr uint64_t kMillion = 1'000'000;

std::string record_of(const SeededEvent& seeded) {
  std::string record;
  event::Event event = seeded.event;
  std::string id = seeded.identity.id();
  event.id = id;
  event::append_record(event, record);
  return record.append(" ").append(seeded.address).append(" ").append(seeded.user_agent);
}

std::vector<std::string> records_of(const SeedPlan& plan) {
  std::vector<std::string> records;
  SeedHistory history(plan);
  while (const SeededEvent* event = history.next()) records.push_back(record_of(*event));
  return records;
}

std::string fault_of(const SeedPlan& plan) {
  auto checked = plan.check(kEnd);
  return checked ? "" : checked.error().message;
}

TEST(SeedPlan, SaysWhatIsWrong) {
  EXPECT_EQ(fault_of({1, 1, 0, kEnd}), "");
  EXPECT_EQ(fault_of({1, 1, 0, kEnd + 1}), "");
  EXPECT_EQ(fault_of({0, 90, 1, kEnd}), "seed: --events 0: expected 1 to 1000000000");
  EXPECT_EQ(fault_of({SeedPlan::kEventsMax + 1, 90, 1, kEnd}), "seed: --events 1000000001: expected 1 to 1000000000");
  EXPECT_EQ(fault_of({10, 0, 1, kEnd}), "seed: --days 0: expected 1 to 3650");
  EXPECT_EQ(fault_of({10, 3651, 1, kEnd}), "seed: --days 3651: expected 1 to 3650");
  EXPECT_EQ(fault_of({20'000'001, 1, 1, kEnd}), "seed: --events 20000001 in --days 1: at most 20000000 a day");
  EXPECT_EQ(fault_of({10, 1, 1, kEnd + 2}), "seed: --end 2026-12-01: more than a day after today, 2026-11-29");
  EXPECT_EQ(fault_of({10, 30, 1, days_from_civil({1990, 1, 30})}),
            "seed: --end 1990-01-30 with --days 30: begins before 1990");
}

TEST(SeedPlan, ReadsDays) {
  EXPECT_EQ(*parse_day("2026-11-29"), kEnd);
  EXPECT_EQ(*parse_day("2024-02-29"), days_from_civil({2024, 2, 29}));
  for (std::string_view wrong : {"", "2026-11-9", "2026-02-29", "2026-13-01", "2026-00-10", "2026-11-31", "2026/11/29",
                                 "2026-11-29T", "-026-11-29", "today"})
    EXPECT_FALSE(parse_day(wrong)) << wrong;
}

TEST(SeedHistory, GivesTheSameBytesTwice) {
  SeedPlan plan{50'000, 30, 7, kEnd};
  EXPECT_EQ(records_of(plan), records_of(plan));
}

// Histories that were seeded by an earlier weir must be known again: who changes the model raises kModel (seed.cc), and
// this number after it.
TEST(SeedHistory, TheModelIsTheOneThatItsNumberSays) {
  uint64_t hash = 0;
  for (const std::string& record : records_of({20'000, 60, 7, kEnd}))
    hash = XXH3_64bits_withSeed(record.data(), record.size(), hash);
  EXPECT_EQ(hash, 12339224996932090728u);
}

TEST(SeedHistory, IsAnotherForAnotherSeedEndOrLength) {
  SeedPlan plan{500, 30, 7, kEnd};
  auto id_of_first = [](SeedPlan p) { return SeedHistory(p).next()->identity.id(); };
  std::set<std::string> ids = {id_of_first(plan)};
  for (SeedPlan other : {SeedPlan{501, 30, 7, kEnd}, SeedPlan{500, 31, 7, kEnd}, SeedPlan{500, 30, 8, kEnd},
                         SeedPlan{500, 30, 7, kEnd - 1}})
    EXPECT_TRUE(ids.insert(id_of_first(other)).second);
}

TEST(SeedHistory, WholeWeeksLaterItIsTheSameButForVersionsAndIds) {
  SeedHistory now({20'000, 30, 7, kEnd});
  SeedHistory later({20'000, 30, 7, kEnd + 14});
  while (const SeededEvent* a = now.next()) {
    const SeededEvent* b = later.next();
    ASSERT_NE(b, nullptr);
    ASSERT_EQ(a->event.time + 14 * kMillisPerDay, b->event.time);
    ASSERT_EQ(a->event.name, b->event.name);
    ASSERT_EQ(a->event.url, b->event.url);
    ASSERT_EQ(a->event.user_id, b->event.user_id);
    ASSERT_EQ(a->event.anonymous_id, b->event.anonymous_id);
    ASSERT_EQ(a->event.properties, b->event.properties);
    ASSERT_EQ(a->event.revenue_amount, b->event.revenue_amount);
    ASSERT_EQ(a->person, b->person);
  }
  EXPECT_EQ(later.next(), nullptr);
}

TEST(SeedHistory, HasExactlyItsEventsInOrderAndWithinItsDays) {
  for (SeedPlan plan : {SeedPlan{1, 1, 1, kEnd}, SeedPlan{3, 3650, 2, kEnd}, SeedPlan{20'000, 1, 3, kEnd},
                        SeedPlan{20'000, 365, 4, kEnd}}) {
    SeedHistory history(plan);
    std::set<std::string> ids;
    UnixMillis last = plan.begin();
    uint64_t count = 0;
    while (const SeededEvent* e = history.next()) {
      ASSERT_EQ(e->index, count++);
      ASSERT_GE(e->event.time, last) << "event " << count;
      ASSERT_LT(e->event.time, plan.end());
      ASSERT_EQ(e->identity.hour, hour_of(e->event.time));
      ASSERT_TRUE(ids.insert(e->identity.id()).second);
      last = e->event.time;
    }
    EXPECT_EQ(count, plan.events);
    EXPECT_EQ(history.position(), plan.events);
    EXPECT_EQ(history.next(), nullptr);
  }
}

TEST(SeedHistory, EveryEventIsARecordThatReadsBack) {
  SeedHistory history({30'000, 30, 5, kEnd});
  event::RecordParser parser;
  std::string record;
  while (const SeededEvent* e = history.next()) {
    record.clear();
    event::append_record(e->event, record);
    auto read = parser.parse(record);
    ASSERT_TRUE(read) << read.error().message << " " << record;
    ASSERT_EQ(read->properties, e->event.properties);
    ASSERT_EQ(read->protocol, kSeedProtocol);
    ASSERT_EQ(read->client_time, std::to_string(e->event.time));
    ASSERT_EQ(read->user_id.empty() && read->anonymous_id.empty(), read->visitor != 0);
    unsigned char bytes[16];
    std::string address(e->address);
    ASSERT_TRUE(inet_pton(AF_INET, address.c_str(), bytes) == 1 || inet_pton(AF_INET6, address.c_str(), bytes) == 1)
        << address;
    ASSERT_FALSE(e->user_agent.empty());
    ASSERT_EQ(e->user_agent.find('{'), std::string_view::npos);
  }
}

// What a million events look like, against docs/seed.md.
class SeedModel : public ::testing::Test {
 protected:
  struct VisitFacts {
    uint32_t events = 0;
    uint32_t pages = 0;
    UnixMillis last = 0;
  };
  struct Counted {
    uint64_t events = 0;
    std::map<Visitors, uint64_t> visits;
    std::map<std::string, uint64_t> names;
    std::map<int64_t, uint64_t> by_day;
    std::array<uint64_t, 7> by_weekday{};
    std::array<uint64_t, 24> german_hours{};
    std::map<seed::Channel, uint64_t> newcomers;
    std::map<uint64_t, VisitFacts> people;    // by visit
    std::map<std::string, uint64_t> devices;  // of new people
    std::map<std::string, uint64_t> currencies;
    std::map<std::string, uint64_t> posts;  // pageviews of people by path
    std::map<std::string, std::set<uint64_t>> funnel;
    std::set<uint64_t> persons;
    uint64_t new_people = 0;
    uint64_t returning = 0;
    uint64_t persistent = 0;
    uint64_t own_language = 0;
    uint64_t known_events = 0;
    uint64_t longest_gap = 0;
  };

  static void SetUpTestSuite() {
    counted_ = new Counted;
    SeedHistory history(plan());
    std::set<uint64_t> visits;
    while (const SeededEvent* e = history.next()) count(*counted_, visits, *e);
  }
  static void TearDownTestSuite() {
    delete counted_;
    counted_ = nullptr;
  }
  static SeedPlan plan() { return {kMillion, 84, 1, kEnd}; }

  static std::string device_of(std::string_view user_agent) {
    if (user_agent.find("iPad") != std::string_view::npos) return "tablet";
    if (user_agent.find("Mobile") != std::string_view::npos) return "phone";
    if (user_agent.find("Android") != std::string_view::npos) return "tablet";
    return "desktop";
  }

  static void count(Counted& c, std::set<uint64_t>& visits, const SeededEvent& e) {
    ++c.events;
    ++c.names[std::string(e.event.name)];
    ++c.by_day[day_of(e.event.time)];
    ++c.by_weekday[static_cast<size_t>((day_of(e.event.time) + 3) % 7)];
    bool first = visits.insert(e.visit).second;
    if (first) ++c.visits[e.visitors];
    if (e.visitors != Visitors::people) {
      EXPECT_EQ(e.event.kind, event::Kind::pageview);
      return;
    }
    VisitFacts& visit = c.people[e.visit];
    if (visit.events > 0) c.longest_gap = std::max(c.longest_gap, static_cast<uint64_t>(e.event.time - visit.last));
    visit.last = e.event.time;
    ++visit.events;
    if (e.event.kind == event::Kind::pageview) {
      ++visit.pages;
      if (e.event.path.starts_with("/blog/")) ++c.posts[std::string(e.event.path)];
    } else {
      c.funnel[std::string(e.event.name)].insert(e.visit);
    }
    if (!e.event.user_id.empty()) ++c.known_events;
    if (!e.event.revenue_amount.empty()) ++c.currencies[std::string(e.event.revenue_currency)];
    if (!first) return;
    c.persons.insert(e.person);
    if (e.returns) {
      ++c.returning;
      return;
    }
    ++c.new_people;
    ++c.devices[device_of(e.user_agent)];
    ++c.newcomers[e.channel];
    if (!e.event.anonymous_id.empty()) ++c.persistent;
    if (e.event.locale == "de-DE") ++c.german_hours[static_cast<size_t>((e.event.time / 3'600'000 + 1) % 24)];
  }

  // A share is as stated, within five standard deviations and a little for what the history's ends cut.
  static void expect_share(uint64_t count, uint64_t of, double share, std::string_view what) {
    double n = static_cast<double>(of);
    double found = static_cast<double>(count) / n;
    EXPECT_NEAR(found, share, 5 * std::sqrt(share * (1 - share) / n) + 0.0005) << what;
  }

  static Counted* counted_;
};
SeedModel::Counted* SeedModel::counted_ = nullptr;

TEST_F(SeedModel, VisitsAreOfPeopleAndProgramsAsStated) {
  uint64_t all = 0;
  for (const auto& [kind, count] : counted_->visits) all += count;
  for (size_t i = 0; i < seed::kVisitorKinds; ++i) {
    auto kind = static_cast<Visitors>(i);
    expect_share(counted_->visits[kind], all, seed::kVisitorShares[i] / 1000.0, name_of(kind));
  }
}

TEST_F(SeedModel, NewcomersComeAsStated) {
  for (size_t i = 0; i < seed::kChannels; ++i)
    expect_share(counted_->newcomers[static_cast<seed::Channel>(i)], counted_->new_people, seed::kNewcomers[i] / 1000.0,
                 std::to_string(i));
}

TEST_F(SeedModel, DevicesAreAsStated) {
  expect_share(counted_->devices["phone"], counted_->new_people, 0.55, "phones");
  expect_share(counted_->devices["desktop"], counted_->new_people, 0.41, "desktops");
  expect_share(counted_->devices["tablet"], counted_->new_people, 0.04, "tablets");
  expect_share(counted_->persistent, counted_->new_people, seed::kPersistent / 1000.0, "lasting ids");
}

TEST_F(SeedModel, ManyComeBack) {
  // A little below what is stated: candidates that are on the site at the moment do not begin another visit.
  double share = static_cast<double>(counted_->returning) / static_cast<double>(counted_->people.size());
  EXPECT_GT(share, 0.36);
  EXPECT_LT(share, seed::kReturns / 1000.0 + 0.005);
  EXPECT_EQ(counted_->new_people, counted_->persons.size());
}

TEST_F(SeedModel, VisitsHaveSeveralPagesAndEndWithinHalfAnHourOfSilence) {
  std::map<uint32_t, uint64_t> by_pages;
  for (const auto& [number, visit] : counted_->people) ++by_pages[visit.pages];
  EXPECT_EQ(by_pages.count(0), 0u);
  double bounces = static_cast<double>(by_pages[1]) / static_cast<double>(counted_->people.size());
  EXPECT_NEAR(bounces, 0.37, 0.03);
  EXPECT_LE(by_pages.rbegin()->first, 17u);  // 16, and the app after a sign-up
  EXPECT_LT(counted_->longest_gap, 30u * 60'000);
  // Pages of people whose end was reported.
  uint64_t pages = 0;
  for (const auto& [number, visit] : counted_->people) pages += visit.pages;
  expect_share(counted_->names["engagement"], pages, seed::kEngagement / 1000.0, "engagement");
}

TEST_F(SeedModel, TheFunnelNarrowsAsStated) {
  auto& funnel = counted_->funnel;
  for (const char* name : {"add_to_cart", "checkout", "purchase"})
    for (uint64_t visit : funnel[name]) ASSERT_TRUE(funnel["view_product"].count(visit)) << name;
  expect_share(funnel["add_to_cart"].size(), funnel["view_product"].size(), seed::kAddsToCart / 1000.0, "cart");
  expect_share(funnel["checkout"].size(), funnel["add_to_cart"].size(), seed::kChecksOut / 1000.0, "checkout");
  expect_share(funnel["purchase"].size(), funnel["checkout"].size(), seed::kBuys / 1000.0, "purchase");
  EXPECT_EQ(funnel["signup"], funnel["identify"]);
  EXPECT_GT(counted_->known_events, funnel["signup"].size());
  EXPECT_GT(counted_->currencies.size(), 5u);
  EXPECT_GT(counted_->names["download"], 1000u);
  EXPECT_GT(counted_->names["outbound_link"], 1000u);
}

TEST_F(SeedModel, PostsAreReadByZipfsLaw) {
  std::vector<uint64_t> views;
  for (const auto& [path, count] : counted_->posts) views.push_back(count);
  std::sort(views.rbegin(), views.rend());
  ASSERT_GT(views.size(), 35u);
  EXPECT_NEAR(static_cast<double>(views[0]) / static_cast<double>(views[1]), 2.0, 0.1);
  EXPECT_NEAR(static_cast<double>(views[0]) / static_cast<double>(views[9]), 10.0, 1.0);
}

TEST_F(SeedModel, DaysAndHoursHaveTheirRhythm) {
  EXPECT_EQ(counted_->by_day.size(), plan().days);
  // Saturday to Tuesday, by UTC: places east and west of it blur the edges.
  double weekend = static_cast<double>(counted_->by_weekday[5]) / static_cast<double>(counted_->by_weekday[1]);
  EXPECT_NEAR(weekend, 0.68, 0.06);
  // Local time of Germans: four in the morning against nine in the evening.
  double night = static_cast<double>(counted_->german_hours[3]) / static_cast<double>(counted_->german_hours[21]);
  EXPECT_NEAR(night, seed::kHours[3] / 100.0, 0.03);
  // The last four weeks against the first four.
  uint64_t early = 0;
  uint64_t late = 0;
  for (const auto& [day, count] : counted_->by_day) {
    if (day < kEnd - 84 + 28) early += count;
    if (day >= kEnd - 28) late += count;
  }
  EXPECT_NEAR(static_cast<double>(late) / static_cast<double>(early), 1.5, 0.12);
}

}  // namespace
}  // namespace weir::transfer
