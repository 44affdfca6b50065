#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/query/answer.h"
#include "weir/query/rollup_maker.h"
#include "weir/query/rollup_tables.h"
#include "weir/store/testing/private_engine.h"

// The books and the making of roll-ups, where a mistake would show rarely. That answers are the same with and without
// them is the business of tests/queries/rolled_test.py.
namespace weir::query {
namespace {

using store::testing::PrivateEngine;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr ProjectId kSite{0x8000'0000'0000'0021};
constexpr Seconds kDaySeconds = 86'400;
constexpr int64_t kFirst = 20'000;  // a day of 2024

class Rollups : public store::testing::EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    if (IsSkipped()) return;
    empty();
    ASSERT_TRUE(PrivateEngine::shared().store().migrate());  // reads what counts anew: nothing
    ASSERT_TRUE(tables().verify());
  }
  void TearDown() override {
    if (!IsSkipped()) empty();
  }
  static void empty() {
    for (const char* table :
         {"events", "rollups", "rollup_times", "rollup_sample", "rollup_spans", "visitor_numbers", "visitor_days"})
      ASSERT_TRUE(PrivateEngine::shared().store().query(std::string("TRUNCATE TABLE weir_data.") + table, {}));
  }

  RollupTables& tables() {
    if (!tables_) tables_.emplace(PrivateEngine::shared().store(), registry_, [] { return false; });
    return *tables_;
  }

  // A question about all of the three days after kFirst - 1, with the filter that its page is "/".
  static Question of_page(const std::string& metrics, const std::string& more) {
    Context context;
    context.project = kSite;
    context.project_name = "site";
    context.now = (kFirst + 5) * kDaySeconds * 1000;
    auto question = parse_question(
        fmt::format(
            R"({{"site_id":"site","metrics":[{}],"date_range":["{}","{}"],"filters":[["is","event:page",["/"]],)"
            R"(["is_not","visit:country",["DE"]]],{}}})",
            metrics, format_day(kFirst), format_day(kFirst + 2), more),
        context);
    EXPECT_TRUE(question) << question.error().message;
    return question.value();
  }
  // Sums of the three days, and of the nothing before and after.
  void sum_up() {
    ASSERT_TRUE(tables().publish_empty(kSite, 0, kFirst * kDaySeconds));
    ASSERT_TRUE(tables().publish_empty(kSite, (kFirst + 3) * kDaySeconds, RollupTables::kEver));
    RollupMaker maker(tables());
    ASSERT_TRUE(maker.make_days(kSite, Zone::utc(), kFirst, kFirst + 3));
  }
  static Result<Answer> asked(FoundVisits& found, const Question& question) {
    AskLimits limits;
    limits.found = &found;
    return query::ask(PrivateEngine::shared().store(), question, limits);
  }
  std::string found_tables() {
    return one("SELECT count() FROM system.tables WHERE database = 'weir_data' AND name LIKE 'found\\_%'");
  }

  // A pageview of each of these visitors on the day, of one page or of one each.
  void visits(int64_t day, const std::vector<uint64_t>& visitors, bool own_pages = false) {
    for (uint64_t visitor : visitors) {
      event::Row row;
      row.project_id = kSite;
      row.name = "pageview";
      row.kind = event::Kind::pageview;
      row.visitor_id = visitor;
      const std::string path = own_pages ? "/" + std::to_string(visitor) : "/";
      row.path = path;
      row.time = row.received_at = (day * kDaySeconds + 3'600) * 1000;
      row.traffic = event::Traffic::human;
      row.visit.session_id = static_cast<uint64_t>(day * kDaySeconds + 3'600) << 32 | visitor;
      row.visit.bounce = 1;
      row.visit.entry_path = row.path;
      row.p = 9;
      row.o = position_++;
      block_.add(row);
    }
  }
  void insert() {
    ASSERT_TRUE(PrivateEngine::shared().store().insert(block_, ""));
    block_.clear();
  }
  std::string one(const std::string& sql) { return tables().ask(sql).value(); }

 private:
  metrics::Registry registry_;
  std::optional<RollupTables> tables_;
  store::Block block_;
  uint64_t position_ = 0;
};

TEST_F(Rollups, OnlyWhereNoRowsAreIsSaidToBeNothing) {
  visits(kFirst, {1});
  visits(kFirst + 10, {2});
  insert();
  ASSERT_TRUE(tables().publish_empty(kSite, (kFirst + 1) * kDaySeconds, RollupTables::kEver));
  EXPECT_THAT(tables().coverage().spans(kSite), IsEmpty());
  ASSERT_TRUE(tables().publish_empty(kSite, (kFirst + 11) * kDaySeconds, RollupTables::kEver));
  ASSERT_TRUE(tables().publish_empty(kSite, 0, kFirst * kDaySeconds));
  ASSERT_EQ(tables().coverage().spans(kSite).size(), 2u);
  visits(kFirst + 12, {3});
  insert();
  EXPECT_EQ(tables().coverage().spans(kSite).size(), 1u);
  EXPECT_EQ(one("SELECT count() FROM weir_data.rollup_spans WHERE covered = 0"), "1\n");
}

TEST_F(Rollups, TheVisitorsOfALongerTimeAreNumberedToo) {
  visits(kFirst, {1, 2});
  visits(kFirst + 1, {2, 3, 4});
  insert();
  RollupMaker maker(tables());
  // As when the first day alone could not be summed up, and nothing has changed since.
  ASSERT_TRUE(maker.number_visitors(kSite, {kFirst * kDaySeconds, (kFirst + 1) * kDaySeconds}));
  ASSERT_TRUE(maker.make_days(kSite, Zone::utc(), kFirst, kFirst + 2));
  ASSERT_EQ(tables().coverage().spans(kSite).size(), 2u);
  EXPECT_EQ(
      one("SELECT groupBitmapMerge(visitors), sum(visitor_count), sum(visits) FROM weir_data.rollups WHERE cut = 0"),
      "4\t5\t5\n");
  EXPECT_EQ(one("SELECT arraySort(groupArray(number)) FROM weir_data.visitor_numbers"), "[1,2,3,4]\n");
  EXPECT_EQ(one("SELECT count() FROM weir_data.visitor_days"), "0\n");
}

TEST_F(Rollups, TheirBytesAreToldApartFromThoseOfTheEvents) {
  visits(kFirst, {1, 2});
  insert();
  RollupMaker maker(tables());
  ASSERT_TRUE(maker.number_visitors(kSite, {kFirst * kDaySeconds, (kFirst + 1) * kDaySeconds}));
  ASSERT_TRUE(maker.make_days(kSite, Zone::utc(), kFirst, kFirst + 1));
  auto bytes = [&](const std::string& of) {
    return one("SELECT sum(bytes_on_disk) FROM system.parts WHERE database = 'weir_data' AND active AND table " + of);
  };
  auto health = PrivateEngine::shared().store().health();
  ASSERT_TRUE(health);
  EXPECT_GT(health->bytes_on_disk, 0u);
  EXPECT_GT(health->rollup_bytes, 0u);
  EXPECT_EQ(std::to_string(health->bytes_on_disk) + "\n", bytes("= 'events'"));
  EXPECT_EQ(
      std::to_string(health->rollup_bytes) + "\n",
      bytes("IN ('rollups', 'rollup_times', 'rollup_spans', 'rollup_sample', 'visitor_numbers', 'visitor_days')"));
}

TEST_F(Rollups, SumsOfADayThatChangesMeanwhileDoNotCountAndAreSweptAway) {
  visits(kFirst, {1, 2});
  insert();
  RollupMaker maker(tables());
  uint64_t since = 0;
  const Range day{kFirst * kDaySeconds, (kFirst + 1) * kDaySeconds};
  ASSERT_TRUE(tables().coverage().may_build(kSite, day.from, day.to, since));
  ASSERT_TRUE(maker.make_days(kSite, Zone::utc(), kFirst, kFirst + 1));
  visits(kFirst, {3});
  insert();
  EXPECT_THAT(tables().coverage().spans(kSite), IsEmpty());
  const RollupTables::Made late{{day.from, day.to, tables().new_version().value(), false}, since, 2, 1};
  ASSERT_TRUE(tables().publish(kSite, std::span(&late, 1)));
  EXPECT_THAT(tables().coverage().spans(kSite), IsEmpty());
  ASSERT_TRUE(maker.make_days(kSite, Zone::utc(), kFirst, kFirst + 1));
  ASSERT_EQ(tables().coverage().spans(kSite).size(), 1u);
  const std::string counts = std::to_string(tables().coverage().spans(kSite).front().version);
  // What was void for half an hour goes; what counts stays.
  one("INSERT INTO weir_data.rollup_spans SELECT * REPLACE (noted_at - INTERVAL 1 HOUR AS noted_at) FROM "
      "weir_data.rollup_spans");
  one("ALTER TABLE weir_data.rollup_spans DELETE WHERE noted_at > now() - INTERVAL 30 MINUTE SETTINGS mutations_sync = "
      "2");
  ASSERT_TRUE(tables().sweep());
  EXPECT_EQ(one("SELECT groupUniqArray(version) FROM weir_data.rollups WHERE version NOT IN (SELECT version FROM "
                "weir_data.rollup_spans GROUP BY version HAVING min(covered) = 0)"),
            "[" + counts + "]\n");
}

TEST_F(Rollups, AComparisonOfManyRowsIsMadeOfSums) {
  constexpr uint64_t kPages = 1'500;  // more than a statement should have parameters
  std::vector<uint64_t> visitors;
  for (uint64_t i = 1; i <= kPages; ++i) visitors.push_back(i);
  visits(kFirst, visitors, true);
  visits(kFirst + 1, visitors, true);
  insert();
  RollupMaker maker(tables());
  ASSERT_TRUE(maker.make_days(kSite, Zone::utc(), kFirst, kFirst + 2));
  Context context;
  context.project = kSite;
  context.project_name = "site";
  context.now = (kFirst + 3) * kDaySeconds * 1000;
  const std::string day = format_day(kFirst + 1);
  auto question = parse_question(
      fmt::format(R"({{"site_id":"site","metrics":["visitors"],"dimensions":["event:page"],"date_range":["{0}","{0}"],)"
                  R"("filters":[["is","event:name",["pageview","engagement"]]],)"
                  R"("include":{{"comparisons":{{"mode":"previous_period"}}}}}})",
                  day),
      context);
  ASSERT_TRUE(question) << question.error().message;
  auto answer = query::ask(PrivateEngine::shared().store(), *question, {});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_TRUE(answer->rolled_up);
  ASSERT_EQ(answer->rows.size(), kPages);
  for (const AnswerRow& row : answer->rows) ASSERT_EQ(std::get<int64_t>(row.compared->metrics.front()), 1);
}

TEST_F(Rollups, SumsThatDoNotFitTheirRowsCountNoMore) {
  visits(kFirst, {1, 2});
  visits(kFirst + 1, {1});
  insert();
  RollupMaker maker(tables());
  ASSERT_TRUE(maker.make_days(kSite, Zone::utc(), kFirst, kFirst + 2));
  const auto spans = tables().coverage().spans(kSite);
  ASSERT_EQ(spans.size(), 2u);
  ASSERT_TRUE(tables().verify());
  EXPECT_EQ(tables().coverage().spans(kSite), spans);
  one("ALTER TABLE weir_data.rollups DELETE WHERE version = " + std::to_string(spans[0].version) +
      " AND cut = 3 SETTINGS mutations_sync = 2");
  ASSERT_TRUE(tables().verify());
  EXPECT_THAT(tables().coverage().spans(kSite), ElementsAre(spans[1]));
  one("ALTER TABLE weir_data.visitor_numbers DELETE WHERE number = 1 SETTINGS mutations_sync = 2");
  ASSERT_TRUE(tables().verify());
  EXPECT_THAT(tables().coverage().spans(kSite), IsEmpty());
  EXPECT_EQ(one("SELECT count() FROM weir_data.visitor_numbers"), "0\n");
}

int64_t number_in(const Answer& answer) { return std::get<int64_t>(answer.rows.at(0).metrics.at(0)); }

TEST_F(Rollups, RowsAreSetAsideForQuestionsThatFollow) {
  visits(kFirst, {1, 2});
  visits(kFirst + 1, {2, 3}, true);
  visits(kFirst + 2, {2, 4});
  insert();
  sum_up();
  one("CREATE TABLE weir_data.found_7 (a UInt8) ENGINE = MergeTree ORDER BY a");  // of an earlier process
  FoundVisits found(PrivateEngine::shared().store());
  auto alone = asked(found, of_page(R"("visitors")", R"("more_follow":false)"));
  ASSERT_TRUE(alone) << alone.error().message;
  EXPECT_FALSE(alone->set_aside);
  EXPECT_EQ(number_in(*alone), 3);
  auto first = asked(found, of_page(R"("visitors")", R"("more_follow":true)"));
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE(first->set_aside);
  EXPECT_EQ(number_in(*first), 3);
  EXPECT_EQ(found_tables(), "1\n");
  auto second = asked(found, of_page(R"("visits")", R"("dimensions":["visit:browser"])"));
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE(second->set_aside);
  EXPECT_EQ(number_in(*second), 4);
  EXPECT_EQ(found_tables(), "1\n");

  // What was set aside is not believed once anything of it changes.
  visits(kFirst + 1, {9});
  insert();
  auto later = asked(found, of_page(R"("visitors")", R"("more_follow":true)"));
  ASSERT_TRUE(later) << later.error().message;
  EXPECT_EQ(number_in(*later), 4);
}

TEST_F(Rollups, AnAnswerOfSumsAloneIsGivenAgainUntilSomethingOfItChanges) {
  visits(kFirst, {1, 2});
  visits(kFirst + 1, {2, 3});
  insert();
  sum_up();
  KeptAnswers kept;
  AskLimits limits;
  limits.kept = &kept;
  auto asked = [&](std::string_view timezone) {
    Context context;
    context.project = kSite;
    context.project_name = "site";
    context.now = (kFirst + 3) * kDaySeconds * 1000;
    auto question = parse_question(
        fmt::format(R"({{"site_id":"site","metrics":["visitors"],"date_range":["{}","{}"],"timezone":"{}"}})",
                    format_day(kFirst), format_day(kFirst + 2), timezone),
        context);
    EXPECT_TRUE(question) << question.error().message;
    auto answer = query::ask(PrivateEngine::shared().store(), *question, limits);
    EXPECT_TRUE(answer) << answer.error().message;
    return *answer;
  };
  EXPECT_GT(asked("UTC").rows_read, 0u);
  const Answer again = asked("UTC");
  EXPECT_EQ(again.rows_read, 0u);
  EXPECT_EQ(number_in(again), 3);
  for (int i = 0; i < 2; ++i) EXPECT_GT(asked("Asia/Tokyo").rows_read, 0u) << "of rows, which may change";

  visits(kFirst + 1, {9});
  insert();
  EXPECT_EQ(number_in(asked("UTC")), 4);
  EXPECT_GT(asked("UTC").rows_read, 0u) << "a day of it is open";
  sum_up();
  EXPECT_EQ(number_in(asked("UTC")), 4);
  EXPECT_EQ(asked("UTC").rows_read, 0u);
}

TEST_F(Rollups, AStoreThatLostWhatWasSetAsideIsAskedForAllRows) {
  visits(kFirst, {1, 2});
  visits(kFirst + 2, {2, 4});
  insert();
  sum_up();
  FoundVisits found(PrivateEngine::shared().store());
  ASSERT_TRUE(asked(found, of_page(R"("visitors")", R"("more_follow":true)"))->set_aside);
  one("DROP TABLE weir_data.found_1 SYNC");
  auto answer = asked(found, of_page(R"("visits")", R"("more_follow":true)"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_FALSE(answer->set_aside);
  EXPECT_EQ(number_in(*answer), 4);
}

TEST_F(Rollups, TooManyRowsAreNotSetAside) {
  visits(kFirst, {1, 2, 3});
  visits(kFirst + 2, {2, 4});
  insert();
  sum_up();
  FoundVisits found(PrivateEngine::shared().store(), 4);
  auto answer = asked(found, of_page(R"("visits")", R"("more_follow":true)"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_FALSE(answer->set_aside);
  EXPECT_EQ(number_in(*answer), 5);
  EXPECT_EQ(found_tables(), "0\n");
}

TEST_F(Rollups, ThoseThatNobodyAskedForLongestGo) {
  visits(kFirst, {1, 2, 3});
  insert();
  sum_up();
  FoundVisits found(PrivateEngine::shared().store());
  for (int i = 0; i < 12; ++i) {
    Question question = of_page(R"("visits")", R"("more_follow":true)");
    question.filter.parts.back().values = {std::to_string(i)};
    auto answer = asked(found, question);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_TRUE(answer->set_aside);
    EXPECT_EQ(number_in(*answer), 3);
  }
  ASSERT_TRUE(found.sweep());
  EXPECT_EQ(found_tables(), "8\n");
}

}  // namespace
}  // namespace weir::query
