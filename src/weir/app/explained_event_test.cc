#include "weir/app/explained_event.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

namespace weir::app {
namespace {

boost::json::object explained(const event::Row& row, const enrich::Findings& why = {}, std::string_view project = "") {
  std::string out;
  append_explained_event(project, row, why, out);
  return boost::json::parse(out).as_object();
}

std::string text(const boost::json::object& object, std::string_view key) {
  return std::string(object.at(key).as_string());
}

TEST(ExplainedEvent, IsNamedAndWrittenAsTheView) {
  event::Row row;
  row.name = "pageview";
  row.kind = event::Kind::pageview;
  row.time = 1'700'000'000'007;
  row.path = "/a\"b\\\n";
  row.properties = {{"plan", "pro"}, {"n", "1.50"}};
  row.numbers = {{"n", 1.5}};
  row.country = "GB";
  auto object = explained(row);
  EXPECT_EQ(text(object, "timestamp"), "2023-11-14 22:13:20.007");
  EXPECT_EQ(text(object, "path"), "/a\"b\\\n");
  EXPECT_EQ(text(object, "kind"), "pageview");
  EXPECT_EQ(text(object, "country"), "GB");
  EXPECT_EQ(text(object.at("properties").as_object(), "n"), "1.50");
  EXPECT_EQ(object.at("numbers").as_object().at("n").as_double(), 1.5);
  EXPECT_TRUE(object.at("revenue_amount").is_null());
  EXPECT_FALSE(object.contains("event_id") || object.contains("project"));
}

TEST(ExplainedEvent, ProjectAndIdAreThereWhenTheyAreKnown) {
  event::Row row;
  row.id = "e1";
  auto object = explained(row, {}, "shop");
  EXPECT_EQ(text(object, "event_id"), "e1");
  EXPECT_EQ(text(object, "project"), "shop");
}

TEST(ExplainedEvent, RevenueIsADecimalNumber) {
  event::Row row;
  row.has_revenue = true;
  auto amount = [&](int64_t micros) {
    row.revenue_micros = micros;
    std::string out;
    append_explained_event("", row, {}, out);
    size_t begin = out.find("\"revenue_amount\":") + 17;
    return out.substr(begin, out.find(',', begin) - begin);
  };
  EXPECT_EQ(amount(0), "0");
  EXPECT_EQ(amount(12'500'000), "12.5");
  EXPECT_EQ(amount(-1), "-0.000001");
  EXPECT_EQ(amount(-30'000'000), "-30");
  EXPECT_EQ(amount(INT64_MIN), "-9223372036854.775808");
}

TEST(ExplainedEvent, GivesAReasonForEachDecision) {
  event::Row row;
  enrich::Findings why;
  why.source_reason = "referrer";
  why.browser_reason = "rule 1";
  why.os_reason = "rule 2";
  why.device_reason = "rule 3";
  why.place_reason = "no address";
  auto reasons = explained(row, why).at("reasons").as_object();
  EXPECT_EQ(text(reasons, "source"), "referrer");
  EXPECT_EQ(text(reasons, "browser"), "rule 1");
  EXPECT_EQ(text(reasons, "os"), "rule 2");
  EXPECT_EQ(text(reasons, "device"), "rule 3");
  EXPECT_EQ(text(reasons, "place"), "no address");
  EXPECT_EQ(text(reasons, "traffic"), "no list and no rule says otherwise");
  row.traffic = event::Traffic::internal;
  row.traffic_reason = "rule: office";
  EXPECT_EQ(text(explained(row, why).at("reasons").as_object(), "traffic"), "rule: office");
}

}  // namespace
}  // namespace weir::app
