#include <gtest/gtest.h>

#include "weir/enrich/enricher.h"
#include "weir/enrich/visits.h"

namespace weir::enrich {
namespace {

constexpr UnixMillis kNoon = 1'700'000'000'000;
constexpr UnixMillis kMinute = 60'000;

VisitEvent at(UnixMillis time, uint64_t visitor = 7, std::string_view path = "/a", std::string_view client = {}) {
  VisitEvent e;
  e.project = ProjectId{1};
  e.visitor = visitor;
  e.time = time;
  e.client_session = client;
  e.event_hash = static_cast<uint64_t>(time);
  e.is_pageview = !path.empty();
  e.pageview_path = path;
  return e;
}

TEST(Visits, HalfAnHourOfSilenceEndsAVisit) {
  Visits visits;
  uint64_t first = visits.assign(at(kNoon)).session;
  EXPECT_EQ(visits.assign(at(kNoon + 30 * kMinute)).session, first);
  EXPECT_NE(visits.assign(at(kNoon + 60 * kMinute + 1)).session, first);
}

TEST(Visits, ADayEndsAVisitWithoutSilence) {
  Visits visits;
  uint64_t first = visits.assign(at(kNoon)).session;
  UnixMillis t = kNoon;
  for (int i = 1; i < 72; ++i) EXPECT_EQ(visits.assign(at(t += 20 * kMinute)).session, first) << i;
  EXPECT_NE(visits.assign(at(kNoon + kVisitLength)).session, first);
}

TEST(Visits, ClientSessionsAreKeptApart) {
  Visits visits;
  uint64_t a = visits.assign(at(kNoon, 7, "/a", "one")).session;
  uint64_t b = visits.assign(at(kNoon + 1, 7, "/a", "two")).session;
  EXPECT_NE(a, b);
  EXPECT_EQ(visits.assign(at(kNoon + 2, 7, "/a", "one")).session, a);
}

TEST(Visits, FactsAddUp) {
  Visits visits;
  VisitFacts facts = visits.assign(at(kNoon, 7, "/entry"));
  EXPECT_EQ(facts.seq, 0);
  EXPECT_EQ(facts.gap_ms, 0u);
  EXPECT_EQ(facts.entry_path, "/entry");
  EXPECT_EQ(facts.previous_path, "");
  EXPECT_EQ(facts.session >> 32, static_cast<uint64_t>(kNoon / 1000));
  facts = visits.assign(at(kNoon + 1500, 7, ""));
  EXPECT_EQ(facts.seq, 1);
  EXPECT_EQ(facts.gap_ms, 1500u);
  facts = visits.assign(at(kNoon + 2000, 7, "/next"));
  EXPECT_EQ(facts.entry_path, "/entry");
  EXPECT_EQ(facts.previous_path, "/entry");
  facts = visits.assign(at(kNoon + 3000, 7, "/last"));
  EXPECT_EQ(facts.previous_path, "/next");
  EXPECT_EQ(facts.seq, 3);
}

TEST(Visits, SameEventsGiveTheSameIds) {
  Visits a;
  Visits b;
  EXPECT_EQ(a.assign(at(kNoon)).session, b.assign(at(kNoon)).session);
  EXPECT_NE(a.assign(at(kNoon, 8)).session, a.assign(at(kNoon, 9)).session);
}

TEST(Visits, RestoredVisitGoesOn) {
  Visits visits;
  visits.restore(ProjectId{1}, 7, "", 42, kNoon - kMinute, kNoon, 3, "/entry", "/last");
  VisitFacts facts = visits.assign(at(kNoon + kMinute));
  EXPECT_EQ(facts.session, 42u);
  EXPECT_EQ(facts.seq, 3);
  EXPECT_EQ(facts.previous_path, "/last");
}

TEST(Visits, MemoryStaysBounded) {
  Visits visits(1000);
  for (uint64_t v = 1; v < 20'000; ++v) visits.assign(at(kNoon + static_cast<UnixMillis>(v), v));
  EXPECT_LE(visits.size(), 1000u);
}

class EnricherTest : public testing::Test {
 protected:
  Visits visits_;
  Enricher enricher_{visits_};
  event::Event event_;
  const event::Row& run(std::string_view ip = {}, settings::IpPolicy policy = settings::IpPolicy::none) {
    event_.project_id = ProjectId{1};
    event_.name = "pageview";
    event_.kind = event::Kind::pageview;
    event_.time = kNoon;
    return enricher_.enrich(event_, {3, 99}, policy, ip);
  }
};

TEST_F(EnricherTest, ReadsCampaignAndClickIdFromTheUrl) {
  event_.url =
      "https://WWW.Shop.example/"
      "a?utm_source=news%20letter&utm_medium=email&utm_campaign=x&utm_term=t&utm_content=c&gclid=AbC%2B1";
  const event::Row& row = run();
  EXPECT_EQ(row.hostname, "www.shop.example");
  EXPECT_EQ(row.path, "/a");
  EXPECT_EQ(row.utm_source, "news letter");
  EXPECT_EQ(row.utm_medium, "email");
  EXPECT_EQ(row.utm_campaign, "x");
  EXPECT_EQ(row.utm_term, "t");
  EXPECT_EQ(row.utm_content, "c");
  EXPECT_EQ(row.click_id, "gclid:AbC+1");
  EXPECT_EQ(row.p, 3u);
  EXPECT_EQ(row.o, 99u);
}

TEST_F(EnricherTest, AGivenPathWinsOverTheUrls) {
  event_.url = "https://shop.example/a";
  event_.path = "/given";
  EXPECT_EQ(run().path, "/given");
}

TEST_F(EnricherTest, PropertiesBecomeTextAndNumbers) {
  event_.properties =
      R"({"s":"a\"b","i":12,"f":1.50,"b":true,"n":null,"o":{"x":[1,"y"]},"big":123456789012345678901234567890})";
  const event::Row& row = run();
  ASSERT_EQ(row.properties.size(), 6u);
  EXPECT_EQ(row.properties[0].second, "a\"b");
  EXPECT_EQ(row.properties[1].second, "12");
  EXPECT_EQ(row.properties[2].second, "1.50");
  EXPECT_EQ(row.properties[3].second, "true");
  EXPECT_EQ(row.properties[4].second, R"({"x":[1,"y"]})");
  EXPECT_EQ(row.properties[5].second, "123456789012345678901234567890");
  ASSERT_EQ(row.numbers.size(), 3u);
  EXPECT_EQ(row.numbers[1].second, 1.5);
  EXPECT_EQ(row.numbers[2].first, "big");
}

TEST_F(EnricherTest, RevenueIsExactToTheMillionth) {
  event_.revenue_amount = "12.5";
  event_.revenue_currency = "EUR";
  EXPECT_EQ(run().revenue_micros, 12'500'000);
  event_.revenue_amount = "-0.0000019";
  EXPECT_EQ(run().revenue_micros, -1);
  event_.revenue_amount = "99999999999999999999";
  EXPECT_FALSE(run().has_revenue);
}

TEST_F(EnricherTest, AddressFollowsThePolicy) {
  EXPECT_EQ(run("203.0.113.77", settings::IpPolicy::none).ip, "");
  EXPECT_EQ(run("203.0.113.77", settings::IpPolicy::masked).ip, "203.0.113.0");
  EXPECT_EQ(run("203.0.113.77", settings::IpPolicy::whole).ip, "203.0.113.77");
  EXPECT_EQ(run("2001:db8:1:2:3::4", settings::IpPolicy::masked).ip, "2001:db8:1::");
  EXPECT_EQ(run("nonsense", settings::IpPolicy::whole).ip, "");
}

TEST_F(EnricherTest, VisitorComesFromTheBestIdGiven) {
  event_.visitor = 5;
  EXPECT_EQ(run().visitor_id, 5u);
  event_.anonymous_id = "x";
  uint64_t anonymous = run().visitor_id;
  EXPECT_NE(anonymous, 5u);
  event_.user_id = "x";
  EXPECT_NE(run().visitor_id, anonymous);
}

}  // namespace
}  // namespace weir::enrich
