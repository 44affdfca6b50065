#include <gtest/gtest.h>

#include "weir/enrich/enricher.h"
#include "weir/enrich/visits.h"

namespace weir::enrich {
namespace {

constexpr UnixMillis kNoon = 1'700'000'000'000;
class EnricherTest : public testing::Test {
 protected:
  Enricher enricher_;
  settings::Secrets::Opened personal_;
  event::Event event_;
  const event::Row& run(std::string_view ip = {}, settings::IpPolicy policy = settings::IpPolicy::none) {
    event_.project_id = ProjectId{1};
    event_.name = "pageview";
    event_.kind = event::Kind::pageview;
    event_.time = kNoon;
    enricher_.use(nullptr, nullptr);
    personal_.ip = ip;
    return enricher_.enrich(event_, {3, 99}, policy, ip.empty() ? nullptr : &personal_);
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
