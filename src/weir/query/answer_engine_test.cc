#include "weir/query/answer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/base/time_text.h"
#include "weir/query/sql.h"
#include "weir/store/testing/private_engine.h"

// Questions over a few rows made by hand. That the numbers are those of the definitions, whatever is asked, is
// tests/queries' business; here it is what the room does with the store.
namespace weir::query {
namespace {

using store::testing::PrivateEngine;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr ProjectId kSite{0x8000'0000'0000'0011};
constexpr ProjectId kOther{0x8000'0000'0000'0012};
constexpr ProjectId kLarge{0x8000'0000'0000'0013};
constexpr size_t kLargePages = 1'500;

UnixMillis at(std::string_view text) {
  UnixMillis moment = 0;
  EXPECT_TRUE(parse_time(text, moment)) << text;
  return moment;
}

class Answers : public store::testing::EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    if (IsSkipped()) return;
    static bool filled = fill();
    ASSERT_TRUE(filled);
  }

  // A visit: pageviews of these paths, a minute apart.
  static void visit(store::Block& block, ProjectId project, uint64_t visitor, std::string_view begin,
                    const std::vector<std::string_view>& paths, std::string_view source,
                    event::Traffic traffic = event::Traffic::human) {
    static uint64_t position = 0;
    const UnixMillis start = at(begin);
    for (size_t i = 0; i < paths.size(); ++i) {
      event::Row row;
      row.project_id = project;
      row.name = "pageview";
      row.kind = event::Kind::pageview;
      row.visitor_id = visitor;
      row.path = paths[i];
      row.country = visitor % 2 == 0 ? "DE" : "FR";
      row.time = row.received_at = start + static_cast<int64_t>(i) * 60'000;
      row.traffic = traffic;
      row.visit.session_id = static_cast<uint64_t>(start / 1000) << 32 | visitor;
      row.visit.seq = static_cast<uint16_t>(i);
      row.visit.gap_ms = i == 0 ? 0 : 60'000;
      row.visit.bounce = static_cast<int8_t>(i == 0 ? 1 : i == 1 ? -1 : 0);
      row.visit.entry_path = paths[0];
      row.visit.previous_path = i == 0 ? std::string_view() : paths[i - 1];
      row.visit.source = source;
      row.p = 9;
      row.o = position++;
      block.add(row);
    }
  }

  static bool fill() {
    store::Block block;
    visit(block, kSite, 1, "2026-03-02T10:00:00Z", {"/", "/a", "/b"}, "news");
    visit(block, kSite, 2, "2026-03-02T11:00:00Z", {"/"}, "news");
    visit(block, kSite, 3, "2026-03-03T23:59:30Z", {"/=1+1", "/a"}, "");  // over midnight
    visit(block, kSite, 4, "2026-03-03T12:00:00Z", {"/bot"}, "", event::Traffic::bot);
    visit(block, kOther, 5, "2026-03-02T10:00:00Z", {"/secret"}, "secret");
    for (size_t i = 0; i < kLargePages; ++i) {
      const std::string page = fmt::format("/p,{}", i);
      visit(block, kLarge, 10 + i, "2026-03-02T10:00:00Z", {page}, "news");
      visit(block, kLarge, 10 + i, "2026-03-03T10:00:00Z", {page}, i % 2 == 0 ? "" : "news");
    }
    return PrivateEngine::shared().store().insert(block, "answers").has_value();
  }

  std::string ask(const std::string& members, AnswerForm form = AnswerForm::json, AskLimits limits = {},
                  ProjectId project = kSite) {
    Context context;
    context.project = project;
    context.project_name = "site";
    context.now = at("2026-03-10T00:00:00Z");
    auto answer = answer_question(PrivateEngine::shared().store(), R"({"site_id":"site",)" + members + "}", context,
                                  form, limits);
    return answer ? *answer : std::string(name_of(answer.error().code)) + ": " + answer.error().message;
  }
};

constexpr char kMarch[] = R"("date_range":["2026-03-02","2026-03-03"])";

TEST_F(Answers, CountsWholeVisits) {
  EXPECT_THAT(
      ask(std::string(R"("metrics":["visitors","visits","pageviews","bounce_rate","visit_duration"],)") + kMarch),
      HasSubstr(R"("metrics":[3,3,5,33,60])"));
  // The visit over midnight belongs to its first day, as a whole; by what began before the range, to the range's first.
  EXPECT_THAT(
      ask(std::string(R"("metrics":["visits","visit_duration"],"dimensions":["time:day"],)") + kMarch),
      HasSubstr(R"([{"dimensions":["2026-03-02"],"metrics":[2,60]},{"dimensions":["2026-03-03"],"metrics":[1,60]}])"));
  EXPECT_THAT(ask(R"("metrics":["visits","pageviews","bounce_rate"],"date_range":["2026-03-04","2026-03-04"])"),
              HasSubstr(R"("metrics":[1,1,0])"));
}

TEST_F(Answers, AreEstimatedWhereManyRowsWouldBeLookedThroughAndAnEstimateWillDo) {
  const std::string members =
      std::string(R"("metrics":["pageviews"],"filters":[["contains","event:page",["/p"]]],)") + kMarch;
  const std::string sampled = members + R"(,"accuracy":"sampled")";
  AskLimits limits;
  limits.sample_rows = 1;
  EXPECT_THAT(ask(sampled, AnswerForm::json, limits, kLarge),
              AllOf(HasSubstr(R"("exact":false)"), HasSubstr(R"("sampled":0.015625)"), HasSubstr("error_bounds")));
  const auto is_exact = AllOf(HasSubstr(R"("metrics":[3000])"), HasSubstr(R"("exact":true)"),
                              HasSubstr(R"("sampled":null)"), Not(HasSubstr("error_bounds")));
  EXPECT_THAT(ask(members, AnswerForm::json, limits, kLarge), is_exact);
  EXPECT_EQ(ask(sampled, AnswerForm::csv, limits, kLarge), "pageviews\r\n3000\r\n") << "a file";
  limits.sample_rows = 1'000'000;
  EXPECT_THAT(ask(sampled, AnswerForm::json, limits, kLarge), is_exact) << "so few rows";
  limits.sample_rows = 0;
  EXPECT_THAT(ask(sampled, AnswerForm::json, limits, kLarge), is_exact) << "never";
}

TEST_F(Answers, GroupsOrdersAndPages) {
  const std::string pages =
      std::string(R"("metrics":["pageviews"],"dimensions":["event:page"],"include":{"total_rows":true},)") + kMarch;
  EXPECT_THAT(ask(pages), HasSubstr(R"([{"dimensions":["/"],"metrics":[2]},{"dimensions":["/=1+1"],"metrics":[1]})"));
  std::string beyond = ask(pages + R"(,"pagination":{"limit":10,"offset":100})");
  EXPECT_THAT(beyond, HasSubstr(R"("results":[])"));
  EXPECT_THAT(beyond, HasSubstr(R"("total_rows":4)"));
  EXPECT_THAT(
      ask(std::string(R"("metrics":["visits"],"dimensions":["visit:exit_page"],)") + kMarch),
      HasSubstr(R"([{"dimensions":["/"],"metrics":[1]},{"dimensions":["/a"],"metrics":[1]},{"dimensions":["/b"])"));
}

TEST_F(Answers, CountriesHaveTheirNames) {
  const std::string countries =
      std::string(R"("metrics":["visitors"],"dimensions":["visit:country","visit:country_name"],)") + kMarch;
  EXPECT_THAT(ask(countries), HasSubstr(R"([{"dimensions":["FR","France"],"metrics":[2]},)"
                                        R"({"dimensions":["DE","Germany"],"metrics":[1]}])"));
  EXPECT_THAT(ask(countries + R"(,"order_by":[["visit:country_name","desc"]])"),
              HasSubstr(R"("results":[{"dimensions":["DE","Germany"])"));
  const std::string visitors = std::string(R"("metrics":["visitors"],)") + kMarch;
  for (const char* filter :
       {R"(["is","visit:country_name",["Germany"]])", R"(["contains","visit:country_name",["rman"]])",
        R"(["is","visit:country_name",["germany"],{"case_sensitive":false}])",
        R"(["is_not","visit:country_name",["France"]])", R"(["matches","visit:country_name",["^G"]])"})
    EXPECT_THAT(ask(visitors + R"(,"filters":[)" + filter + "]"), HasSubstr(R"("metrics":[1])")) << filter;
  EXPECT_THAT(ask(visitors + R"(,"filters":[["is","visit:country_name",["DE"]]])"), HasSubstr(R"("metrics":[0])"));
  EXPECT_THAT(ask(visitors + R"(,"dimensions":["visit:region_name","visit:city_name"])"),
              HasSubstr(R"x({"dimensions":["(not set)","(not set)"],"metrics":[3]})x"));
}

TEST_F(Answers, KeepsToTheProjectAndTheLabels) {
  std::string all = ask(R"("metrics":["visitors"],"dimensions":["visit:source"],"date_range":"all",)"
                        R"("traffic":["human","bot"],"include":{"coverage":true})");
  EXPECT_THAT(all, Not(HasSubstr("secret")));
  EXPECT_THAT(all,
              HasSubstr(R"([{"dimensions":["Direct / None"],"metrics":[2]},{"dimensions":["news"],"metrics":[2]}])"));
  EXPECT_THAT(all, HasSubstr(R"("coverage":{"bot":1,"human":6})"));
}

TEST_F(Answers, ComparesMoreRowsThanTheStoreTakesParameters) {
  const std::string compared =
      R"("metrics":["pageviews"],"date_range":["2026-03-03","2026-03-03"],"include":{"comparisons":{"mode":"previous_period"}},)";
  auto changes = [](const std::string& answer, std::string_view what) {
    size_t count = 0;
    for (size_t at = answer.find(what); at != std::string::npos; at = answer.find(what, at + 1)) ++count;
    return count;
  };
  std::string pages = ask(compared + R"("dimensions":["event:page"])", AnswerForm::json, {}, kLarge);
  EXPECT_EQ(changes(pages, R"("change":[0])"), kLargePages) << pages.substr(0, 300);
  std::string sources = ask(compared + R"("dimensions":["event:page","visit:source"])", AnswerForm::json, {}, kLarge);
  EXPECT_EQ(changes(sources, R"("change":[0])"), kLargePages / 2) << sources.substr(0, 300);
  EXPECT_EQ(changes(sources, R"("change":[100])"), kLargePages / 2) << sources.substr(0, 300);
}

TEST_F(Answers, BindsWhatIsAsked) {
  for (auto value :
       {R"(it's)", R"(\\')", R"(\\)", R"({t0:String})", R"('; DROP TABLE weir_data.events; --)", R"(\n\t)"}) {
    std::string answer = ask(std::string(R"("metrics":["pageviews"],"filters":[["is","event:page",["/",")") + value +
                             R"("]],["contains_not","event:page",[")" + value + R"("]]],)" + kMarch);
    EXPECT_THAT(answer, HasSubstr(R"("metrics":[2])")) << value;
  }
}

TEST_F(Answers, WritesFiles) {
  const std::string pages = std::string(R"("metrics":["pageviews"],"dimensions":["event:page","visit:source"],)"
                                        R"("filters":[["contains","event:page",["=","b"]]],)") +
                            kMarch;
  EXPECT_EQ(ask(pages, AnswerForm::csv), "event:page,visit:source,pageviews\r\n/=1+1,Direct / None,1\r\n/b,news,1\r\n");
  EXPECT_EQ(ask(pages, AnswerForm::json_lines),
            "{\"event:page\":\"/=1+1\",\"visit:source\":\"Direct / None\",\"pageviews\":1}\n"
            "{\"event:page\":\"/b\",\"visit:source\":\"news\",\"pageviews\":1}\n");
  EXPECT_TRUE(ask(pages, AnswerForm::parquet).starts_with("PAR1"));
  EXPECT_THAT(ask(pages, AnswerForm::arrow), HasSubstr("event:page"));
}

TEST_F(Answers, CanBeAskedAgainAsSql) {
  auto& store = PrivateEngine::shared().store();
  std::vector<std::pair<ProjectId, std::string>> names = {{kSite, "site"}, {kOther, "other"}};
  ASSERT_TRUE(store.set_project_names(names));
  Context context;
  context.project = kSite;
  context.project_name = "site";
  context.now = at("2026-03-10T00:00:00Z");
  auto question = parse_question(
      R"({"metrics":["visitors","bounce_rate"],"dimensions":["visit:source"],"filters":)"
      R"([["is_not","event:page",["it's"]],["is_not","visit:country_name",["Peru"]]],"include":{"sql":true},"date_range":"month"})",
      context);
  ASSERT_TRUE(question);
  auto answer = query::ask(store, *question, {});
  ASSERT_TRUE(answer) << answer.error().message;
  ASSERT_EQ(answer->sql.size(), 1u);
  // As a person who may see the project.
  std::vector<ProjectId> projects = {kSite};
  SqlRequest request{.format = "TSV", .projects = &projects};
  std::string rows;
  auto ran = run_sql(store, answer->sql[0], request, [&](std::string_view piece) {
    rows += piece;
    return true;
  });
  ASSERT_TRUE(ran) << ran.error().message << ": " << answer->sql[0];
  EXPECT_THAT(rows, HasSubstr("news\t2\t50"));
}

TEST_F(Answers, EndsWhatNobodyWaitsFor) {
  AskLimits limits;
  limits.rows_read_max = 1;
  std::string refused = ask(std::string(R"("metrics":["visitors"],)") + kMarch, AnswerForm::json, limits);
  EXPECT_THAT(refused, HasSubstr("too_large: query: the answer takes more rows"));

  std::atomic<int> asked{0};
  auto answer =
      PrivateEngine::shared().store().query("SELECT count() FROM numbers(1000000000000) WHERE cityHash64(number) = 1",
                                            {.format = "TSV", .abandoned = [&] { return ++asked > 0; }});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace weir::query
