#include "weir/query/question.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/base/time_text.h"

namespace weir::query {
namespace {

using ::testing::HasSubstr;

constexpr UnixMillis kNow = 1'795'946'400'000;  // 2026-11-29T10:00:00Z

Context context() {
  Context context;
  context.project = ProjectId{7};
  context.project_name = "website";
  context.time_zone = "Europe/Berlin";
  context.goals = {{"Signed up", "signup", "", {}, ""}, {"Thanks", "", "/thanks*", {}, "EUR"}};
  context.segments = {{"s1", R"({"filters":[["is","visit:source",["news"]]]})"},
                      {"s2", R"({"filters":[["is","segment",["s1"]]]})"}};
  context.now = kNow;
  context.first_event = [] { return std::optional<UnixMillis>(kNow - 10 * kMillisPerDay); };
  return context;
}

// The question, or what is wrong about it.
std::string wrong(std::string_view json) {
  auto question = parse_question(json, context());
  return question ? "" : question.error().message;
}

// What is wrong about an otherwise right question with these members besides.
std::string wrong_with(std::string_view members) {
  return wrong(fmt::format(R"({{"site_id":"website","metrics":["visitors"],"date_range":"day",{}}})", members));
}

Range range_of(std::string_view date_range, std::string_view more = "") {
  auto question = parse_question(
      fmt::format(R"({{"site_id":"website","metrics":["visitors"],"date_range":{}{}}})", date_range, more), context());
  EXPECT_TRUE(question) << date_range << ": " << question.error().message;
  return question ? question->range : Range{};
}

Range days(std::string_view first, std::string_view last) {
  int64_t a = 0;
  int64_t b = 0;
  EXPECT_TRUE(parse_day(first, a) && parse_day(last, b));
  return range_of_days(*Zone::load("Europe/Berlin"), a, b);
}

TEST(Question, KnowsRangesByName) {
  EXPECT_EQ(range_of(R"("day")"), days("2026-11-29", "2026-11-29"));
  EXPECT_EQ(range_of(R"("7d")"), days("2026-11-22", "2026-11-28"));
  EXPECT_EQ(range_of(R"("month")"), days("2026-11-01", "2026-11-30"));
  EXPECT_EQ(range_of(R"("6mo")"), days("2026-05-01", "2026-10-31"));
  EXPECT_EQ(range_of(R"("year")"), days("2026-01-01", "2026-12-31"));
  EXPECT_EQ(range_of(R"("all")"), days("2026-11-19", "2026-11-29"));
  EXPECT_EQ(range_of(R"("day")", R"(,"relative_date":"2026-02-28")"), days("2026-02-28", "2026-02-28"));
  EXPECT_EQ(range_of(R"("24h")"), (Range{kNow / 1000 - 86'400, kNow / 1000 + 1}));
  EXPECT_EQ(range_of(R"("realtime")"), (Range{kNow / 1000 - 1'800, kNow / 1000 + 1}));
  EXPECT_EQ(range_of(R"(["2026-11-01","2026-11-03"])"), days("2026-11-01", "2026-11-03"));
  EXPECT_EQ(range_of(R"(["2026-11-29T10:00:00+01:00","2026-11-29T09:30:00.500Z"])"),
            (Range{kNow / 1000 - 3'600, kNow / 1000 - 1'799}));
}

TEST(Question, ChoosesABucketByTheRange) {
  auto bucket = [&](std::string_view range) {
    auto question = parse_question(
        fmt::format(R"({{"metrics":["visitors"],"dimensions":["time"],"date_range":{}}})", range), context());
    return question ? question->dimensions.at(0).bucket : Bucket::none;
  };
  EXPECT_EQ(bucket(R"("day")"), Bucket::hour);
  EXPECT_EQ(bucket(R"("30d")"), Bucket::day);
  EXPECT_EQ(bucket(R"("6mo")"), Bucket::week);
  EXPECT_EQ(bucket(R"(["2024-01-01","2026-01-01"])"), Bucket::month);
}

TEST(Question, OrdersByTimeElseByTheFirstMetric) {
  auto question = parse_question(
      R"({"metrics":["pageviews","visitors"],"dimensions":["event:page"],"date_range":"day"})", context());
  ASSERT_TRUE(question);
  ASSERT_EQ(question->order.size(), 1u);
  EXPECT_TRUE(question->order[0].by_metric && question->order[0].descending && question->order[0].index == 0);
  question = parse_question(R"({"metrics":["pageviews"],"dimensions":["event:page","time:day"],"date_range":"day"})",
                            context());
  ASSERT_TRUE(question);
  EXPECT_TRUE(!question->order[0].by_metric && question->order[0].index == 1);
}

TEST(Question, SaysWhatIsWrongAndWhere) {
  EXPECT_THAT(wrong("["), HasSubstr("not JSON"));
  EXPECT_THAT(wrong("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors"]})"), HasSubstr("date_range: it is missing"));
  EXPECT_THAT(wrong(R"({"metrics":[],"date_range":"day"})"), HasSubstr("metrics:"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors","x"],"date_range":"day"})"), HasSubstr("metrics[1]: no such metric: x"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors","visitors"],"date_range":"day"})"), HasSubstr("metrics[1]:"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors"],"date_range":"eon"})"), HasSubstr("date_range: no such range: eon"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors"],"date_range":["2026-02-30","2026-03-01"]})"),
              HasSubstr("date_range[0]"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors"],"date_range":["2026-11-01","2026-11-31"]})"),
              HasSubstr("date_range[1]: neither a day nor a moment of RFC 3339: 2026-11-31"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors"],"date_range":["2026-11-01","2026-11-02T00:00:00Z"]})"),
              HasSubstr("date_range: a day and a moment"));
  EXPECT_THAT(wrong(R"({"metrics":["visitors"],"date_range":["2026-03-02","2026-03-01"]})"), HasSubstr("is before"));
  for (const char* day : {"1969-12-31", "2201-01-01", "2026-13-01", "2026-1-1", ""}) {
    EXPECT_THAT(wrong(fmt::format(R"({{"metrics":["visitors"],"date_range":["{0}","{0}"]}})", day)),
                HasSubstr("date_range[0]: neither a day nor a moment"))
        << day;
  }
  EXPECT_EQ(wrong(R"({"metrics":["visitors"],"date_range":["2024-02-29","2024-02-29"]})"), "");
  EXPECT_EQ(wrong(R"({"metrics":["visitors"],"date_range":["2200-12-31","2200-12-31"]})"), "");
  EXPECT_THAT(wrong(R"({"metrics":["conversion_rate"],"date_range":"day"})"), HasSubstr("event:goal"));
  EXPECT_THAT(wrong_with(R"("dimension":["x"])"), HasSubstr("no such member: dimension"));
  EXPECT_THAT(wrong_with(R"("dimensions":["visit:shoe_size"])"), HasSubstr("dimensions[0]"));
  EXPECT_THAT(wrong_with(R"("dimensions":["event:props:"])"), HasSubstr("dimensions[0]"));
  EXPECT_THAT(wrong_with(R"("dimensions":["time:day","time:hour"])"), HasSubstr("dimensions[1]"));
  EXPECT_THAT(wrong_with(R"("timezone":"Mars/Olympus_Mons")"), HasSubstr("timezone"));
  EXPECT_THAT(wrong_with(R"("order_by":[["pageviews","desc"]])"), HasSubstr("order_by[0]"));
  EXPECT_THAT(wrong_with(R"("order_by":[["visitors","down"]])"), HasSubstr("order_by[0]"));
  EXPECT_THAT(wrong_with(R"("pagination":{"limit":0})"), HasSubstr("pagination.limit"));
  EXPECT_THAT(wrong_with(R"("pagination":{"limit":10001})"), HasSubstr("pagination.limit"));
  EXPECT_THAT(wrong_with(R"("pagination":{"offset":-1})"), HasSubstr("pagination.offset"));
  EXPECT_THAT(wrong_with(R"("include":{"time_labels":true})"), HasSubstr("include.time_labels"));
  EXPECT_THAT(wrong_with(R"("include":{"comparisons":{"mode":"last_year"}})"), HasSubstr("comparisons.mode"));
  EXPECT_THAT(wrong_with(R"("include":{"comparisons":{"mode":"custom"}})"), HasSubstr("comparisons.date_range"));
  EXPECT_THAT(wrong_with(R"("traffic":["robots"])"), HasSubstr("traffic: no such label: robots"));
  EXPECT_THAT(wrong_with(R"("accuracy":"about")"), HasSubstr("accuracy"));
}

TEST(Question, SaysWhatIsWrongAboutFilters) {
  auto wrong_filter = [](std::string_view filter) {
    return wrong_with(fmt::format(R"("filters":[["is","event:page",["/"]],{}])", filter));
  };
  EXPECT_THAT(wrong_filter(R"(["resembles","event:page",["/"]])"),
              HasSubstr("filters[1]: no such operator: resembles"));
  EXPECT_THAT(wrong_filter(R"(["is","time:day",["2026-01-01"]])"), HasSubstr("filters[1]: no such dimension"));
  EXPECT_THAT(wrong_filter(R"(["is","event:page",[]])"), HasSubstr("at least one value"));
  EXPECT_THAT(wrong_filter(R"(["is","event:page",[{}]])"), HasSubstr("value 0"));
  EXPECT_THAT(wrong_filter(R"(["matches","event:page",["("]])"), HasSubstr("not a regular expression"));
  EXPECT_THAT(wrong_filter(R"(["greater","event:page",[1]])"), HasSubstr("numbers only"));
  EXPECT_THAT(wrong_filter(R"(["greater","event:revenue",["much"]])"), HasSubstr("expected a number"));
  EXPECT_THAT(wrong_filter(R"(["is","event:revenue",[1]])"), HasSubstr("event:revenue is a number"));
  EXPECT_THAT(wrong_filter(R"(["is","event:goal",["No such goal"]])"), HasSubstr("no goal"));
  EXPECT_THAT(wrong_filter(R"(["or",[]])"), HasSubstr("at least one filter"));
  EXPECT_THAT(wrong_filter(R"(["and",[["or",[["is","event:page",[null]]]]]])"), HasSubstr("filters[1][0][0]: value 0"));
  EXPECT_THAT(wrong_filter(R"(["has_done",["not",["has_done",["is","event:page",["/"]]]]])"),
              HasSubstr("within another"));
  EXPECT_THAT(wrong_filter(R"(["is","segment",["s3"]])"), HasSubstr("no segment s3"));
  EXPECT_THAT(wrong_filter(R"(["is","segment",["s2"]])"), HasSubstr("segment within a segment"));
  EXPECT_THAT(wrong_filter(R"(["is","event:page",["/"],{"case":false}])"), HasSubstr("case_sensitive"));
  EXPECT_EQ(wrong_filter(R"(["is","segment",["s1"]])"), "");
}

TEST(Question, HasLimits) {
  std::string deep = R"(["is","event:page",["/"]])";
  for (int i = 0; i < 10; ++i) deep = R"(["not",)" + deep + "]";
  EXPECT_THAT(wrong_with(R"("filters":[)" + deep + "]"), HasSubstr("within each other"));
  std::string many;
  for (size_t i = 0; i <= kFiltersMax; ++i) many += R"(["is","event:page",["/"]],)";
  many.pop_back();
  EXPECT_THAT(wrong_with(R"("filters":[)" + many + "]"), HasSubstr("more than 100 filters"));
  std::string values;
  for (size_t i = 0; i <= kFilterValuesMax; ++i) values += R"("x",)";
  values.pop_back();
  EXPECT_THAT(wrong_with(R"("filters":[["is","event:page",[)" + values + "]]]"), HasSubstr("more than 500 values"));
  EXPECT_THAT(wrong_with(R"("filters":[["is","event:page",[")" + std::string(2'001, 'x') + R"("]]])"),
              HasSubstr("2001 bytes"));
  EXPECT_THAT(wrong(std::string(kQuestionBytesMax + 1, ' ')), HasSubstr("more than"));
}

TEST(Question, KeepsALockWhateverIsAsked) {
  Context locked = context();
  locked.lock = R"([["is","event:props:plan",["pro"]]])";
  auto question =
      parse_question(R"({"metrics":["visitors"],"date_range":"day","filters":[["is","event:page",["/"]]]})", locked);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->filter.parts.size(), 2u);
  EXPECT_EQ(question->asked, 1u);
  EXPECT_EQ(question->filters, R"([["is","event:page",["/"]]])");
}

TEST(Question, ReadsWildcards) {
  EXPECT_EQ(wildcard_regex("/blog/*"), R"((?s)^\/blog\/[^/]*$)");
  EXPECT_EQ(wildcard_regex("**.html"), R"((?s)^.*\.html$)");
  EXPECT_EQ(wildcard_regex(""), "(?s)^$");
}

}  // namespace
}  // namespace weir::query
