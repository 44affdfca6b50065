#include "weir/query/sql.h"

#include <gtest/gtest.h>

#include "weir/query/sql_guard.h"
#include "weir/store/testing/private_engine.h"

int main(int argc, char** argv) { return weir::store::testing::engine_test_main(argc, argv); }

namespace weir::query {
namespace {

using store::testing::PrivateEngine;

constexpr ProjectId kApp{0x8000'0000'0000'0001};
constexpr ProjectId kOther{0x8000'0000'0000'0002};

class Sql : public store::testing::EngineTest {
 protected:
  void SetUp() override {
    EngineTest::SetUp();
    if (IsSkipped()) return;
    static bool filled = fill();
    ASSERT_TRUE(filled);
  }

  static bool fill() {
    auto& store = PrivateEngine::shared().store();
    std::vector<std::pair<ProjectId, std::string>> names = {{kApp, "app"}, {kOther, "hidden-project"}};
    if (!store.set_project_names(names)) return false;
    store::Block block;
    for (uint64_t o = 0; o < 3000; ++o) {
      event::Row row;
      row.project_id = o % 3 == 0 ? kApp : kOther;
      row.name = o % 3 == 0 ? "click" : "hidden-event";
      row.user_id = "1";
      row.path = "/getting-started";
      row.app_version = "0.0.1";
      row.properties = {{"meta_a", "meta_a"}, {"n", "12.50"}};
      row.numbers = {{"n", 12.5}};
      row.time = row.received_at = 1'760'000'000'000 + static_cast<int64_t>(o);
      row.p = 1;
      row.o = o;
      block.add(row);
    }
    return store.insert(block, "fill").has_value();
  }

  // The answer as text, or the error's.
  std::string run(std::string_view sql, const std::vector<ProjectId>* projects,
                  SqlRequest request = {.format = "TSV"}) {
    std::string body;
    request.projects = projects;
    auto answer = run_sql(PrivateEngine::shared().store(), sql, request, [&](std::string_view piece) {
      body += piece;
      return true;
    });
    if (!answer) return std::string(name_of(answer.error().code)) + ": " + answer.error().message;
    while (body.ends_with('\n')) body.pop_back();
    return body;
  }
  bool succeeds(std::string_view sql) {
    SqlRequest request{.format = "TSV"};
    request.projects = &app_;
    return run_sql(PrivateEngine::shared().store(), sql, request, [](std::string_view) { return true; }).has_value();
  }
  const std::vector<ProjectId> app_{kApp};
};

TEST_F(Sql, AnswersTheFirstQuestion) {
  EXPECT_EQ(run("select name, user_id, path, app_version, properties['meta_a'] from events limit 1", &app_),
            "click\t1\t/getting-started\t0.0.1\tmeta_a");
  EXPECT_EQ(run("select count(), sum(numbers['n']) from events", &app_), "1000\t12500");
  EXPECT_EQ(run("SELECT count() FROM weir.events", nullptr), "3000");
}

TEST_F(Sql, TakesParametersAndFormats) {
  EXPECT_EQ(run("select {x:String}", &app_, {.format = "TSV", .parameters = {{"x", "it's \\ a\ttab"}}}),
            "it\\'s \\\\ a\\ttab");
  EXPECT_EQ(run("select count() as n from events", &app_, {.format = "JSONEachRow"}), "{\"n\":1000}");
  EXPECT_EQ(run("select count() as n from events format CSV", &app_), "1000");
}

TEST_F(Sql, AnswersWhatPeopleAsk) {
  for (auto sql :
       {"with a as (select name, timestamp from events) select name, count() from a group by name",
        "select * from events limit 1", "select * except(ip) from events limit 1",
        "select name, row_number() over (partition by name order by timestamp) from events limit 2",
        "select toStartOfDay(timestamp) d, uniq(visitor_id) from events group by d order by d with fill",
        "select arrayJoin(mapKeys(properties)) k, count() from events group by k",
        "select name from events union all select kind from events",
        "select e.name from events e join (select name from events) f on e.name = f.name limit 1",
        "select count() from events where project in (select project from events)", "explain select 1",
        "describe events", "describe table weir.events", "show tables", "select number from numbers(3)",
        "select arrayMap(x -> x + 1, [1, 2])", "select case when kind = 'event' then 1 else 2 end from events limit 1",
        "select quantile(0.9)(numbers['n']) from events", "select cast(1 as String), 1::Float64, [1, 2][1]",
        "select windowFunnel(10)(toDateTime(timestamp), name = 'a', name = 'b') from events"})
    EXPECT_TRUE(succeeds(sql)) << sql << ": " << run(sql, &app_);
}

TEST_F(Sql, AnswersForEveryColumn) {
  std::string columns =
      PrivateEngine::shared().text("SELECT name FROM system.columns WHERE database = 'weir' AND table = 'events'");
  size_t count = 0;
  for (size_t at = 0; at < columns.size(); ++count) {
    std::string name = columns.substr(at, columns.find('\n', at) - at);
    at += name.size() + 1;
    EXPECT_TRUE(succeeds("select " + name + ", count() from events group by " + name)) << name;
  }
  EXPECT_GT(count, 40u);
}

// Every way to another project's events or name that we know of. The names must not appear in any answer, whether it is
// an error or not.
TEST_F(Sql, ShowsNoOtherProject) {
  for (auto sql : {"select distinct project, name from events", "select * from events where project != 'app'",
                   "select distinct project from weir.events where name = 'hidden-event'",
                   "select name from events union all select name from weir.events",
                   "select * from (select project, name from events) where name like 'hid%'",
                   "select a.name from events a join events b on a._o + 1 = b._o",
                   "select count() from events where not (project = 'app')", "explain select * from events",
                   "explain query tree select * from events", "explain syntax select * from events", "show tables",
                   "describe events", "show create view events", "select (select groupArray(project) from events)",
                   "select groupUniqArray(name) from events sample 1", "select min(name), max(name) from events"}) {
    std::string answer = run(sql, &app_);
    EXPECT_EQ(answer.find("hidden"), std::string::npos) << sql << ": " << answer;
    EXPECT_EQ(answer.find("9223372036854775810"), std::string::npos) << sql << ": " << answer;
  }
  EXPECT_EQ(run("select count() from events where name = 'hidden-event'", &app_), "0");
  std::vector<ProjectId> none;
  EXPECT_EQ(run("select count() from events", &none), "0");
  std::vector<ProjectId> both = {kOther, kApp};
  EXPECT_EQ(run("select count() from events", &both), "3000");
}

TEST_F(Sql, RefusesWhatReachesOutside) {
  for (auto sql : {"select file('/etc/passwd')",
                   "select `file`('/etc/passwd')",
                   "select /* x */ FILE ('/etc/passwd')",
                   "select arrayMap(file, ['/etc/passwd'])",
                   "select * apply(file) from (select '/etc/passwd')",
                   "select * apply(x -> file(x)) from (select '/etc/passwd')",
                   "with x -> file(x) as f select f('/etc/passwd')",
                   "select * from file('/etc/passwd', 'LineAsString')",
                   "select * from '/etc/passwd'",
                   "select * from url('http://127.0.0.1/', 'LineAsString')",
                   "select * from remote('127.0.0.1', system.one)",
                   "select * from cluster('default', system.one)",
                   "select * from s3('http://127.0.0.1/a')",
                   "select * from merge('weir_data', '.*')",
                   "select * from mergeTreeIndex('weir_data', 'events')",
                   "select * from viewExplain('EXPLAIN', '', (select 1))",
                   "select * from view(select file('/etc/passwd'))",
                   "select * from system.tables",
                   "select * from system.parts",
                   "select * from system.query_log",
                   "select * from system.users",
                   "select * from system.processes",
                   "select * from system.dictionaries",
                   "select * from weir_data.events",
                   "select * from weir_data.projects",
                   "select * from information_schema.tables",
                   "select dictGet('weir_data.names', 'name', toUInt64(2))",
                   "select hostName()",
                   "select currentUser()",
                   "select getClientHTTPHeader('X-Weir-Token')",
                   "select sleep(3)",
                   "select getSetting('max_threads')",
                   "insert into events (name) values ('x')",
                   "insert into function file('/tmp/x') select 1",
                   "set max_threads = 1",
                   "kill query where 1",
                   "drop table weir.events",
                   "create table x (a UInt8) engine = Memory",
                   "alter table weir_data.events delete where 1",
                   "system flush logs",
                   "use system",
                   "grant select on *.* to x",
                   "select 1 into outfile '/tmp/x'",
                   "select 1; select 2",
                   "select 1; drop view weir.events",
                   "select * from events settings max_execution_time = 0",
                   "select 1 settings readonly = 0",
                   "explain estimate select * from events",
                   "explain indexes = 1 select * from events",
                   "show grants",
                   "show processlist",
                   "",
                   "select {x:String}",
                   "truncate table weir_data.events",
                   "optimize table weir_data.events",
                   "backup table weir_data.events to File('x')",
                   "attach table weir.x",
                   "exchange tables a and b",
                   "update weir_data.events set name = 'x' where 1",
                   "delete from weir_data.events where 1"}) {
    SqlRequest request{.format = "TSV"};
    request.projects = &app_;
    auto answer = run_sql(PrivateEngine::shared().store(), sql, request, [](std::string_view) { return true; });
    EXPECT_FALSE(answer) << sql;
    if (answer) continue;
    EXPECT_TRUE(answer.error().code == ErrorCode::kForbidden || answer.error().code == ErrorCode::kBadInput)
        << sql << ": " << answer.error().message;
  }
  EXPECT_EQ(PrivateEngine::shared().text("select count() from weir.events"), "3000");
}

TEST_F(Sql, SpreadsheetsFindNoFormulasInCsv) {
  const std::string statement =
      "select '=1+1' as a, -5 as b, '-5' as `@c`, ['=x'] as d, '' as e, null as f, '\"=y' as g, 'x\\n=z' as h";
  const std::string row = R"("'=1+1",-5,"'-5","['=x']","",\N,"""=y","x)"
                          "\n"
                          R"(=z")";
  EXPECT_EQ(run(statement, &app_, {.format = "CSV"}), row);
  EXPECT_EQ(run(statement, &app_, {.format = "CSVWithNames"}), R"("a","b","'@c","d","e","f","g","h")"
                                                               "\n" +
                                                                   row);
  // The statement's own word counts, as it does for ClickHouse.
  EXPECT_EQ(run(statement + " format CSV", &app_), row);
  EXPECT_EQ(
      run("select * from (" + statement + " union all select 'a', 1, '@', [], '', null, '', '') order by b format csv",
          &app_),
      row + "\n" + R"("a",1,"'@","[]","",\N,"","")");
  EXPECT_EQ(run("describe weir.events format CSV", &app_).substr(0, 10), R"("project",)");
  EXPECT_EQ(run("select '=1+1' as CSV", &app_), "=1+1");
  EXPECT_EQ(run("select '=1+1' format TSV", &app_, {.format = "CSV"}), "=1+1");
  EXPECT_EQ(run("select repeat('=', 3) from numbers(100000)", &app_, {.format = "CSV"}).find("\"="), std::string::npos);
}

TEST_F(Sql, LimitsTheStatement) {
  EXPECT_TRUE(run("select 1 -- " + std::string(kSqlBytesMax, 'x'), &app_).starts_with("too_large"));
  EXPECT_TRUE(run(std::string_view("select 1\0", 9), &app_).starts_with("bad_input"));
  EXPECT_TRUE(run("select 1", &app_, {.format = "TSV&readonly=0"}).starts_with("bad_input"));
  std::string deep = "select " + std::string(2000, '(') + "1" + std::string(2000, ')');
  EXPECT_TRUE(run(deep, &app_).starts_with("bad_input")) << run(deep, &app_).substr(0, 200);
}

TEST_F(Sql, EndsAStatementThatTakesTooLong) {
  auto began = std::chrono::steady_clock::now();
  std::string answer = run("select count() from numbers(1000000000000) where cityHash64(number) = 1", &app_,
                           {.format = "TSV", .timeout = std::chrono::milliseconds(300)});
  EXPECT_TRUE(answer.starts_with("timeout")) << answer;
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(5));
}

TEST_F(Sql, EndsAStatementNobodyReads) {
  size_t pieces = 0;
  SqlRequest request{.format = "TSV"};
  request.projects = &app_;
  auto answer = run_sql(PrivateEngine::shared().store(), "select number, toString(number) from numbers(900000)",
                        request, [&](std::string_view) { return ++pieces < 2; });
  EXPECT_FALSE(answer);
  EXPECT_EQ(pieces, 2u);
}

TEST_F(Sql, EndsAStatementWithoutOutputThatNobodyWaitsFor) {
  SqlRequest request{.format = "TSV"};
  request.projects = &app_;
  request.abandoned = [] { return true; };
  auto answer = run_sql(PrivateEngine::shared().store(),
                        "select count() from numbers(1000000000000) where cityHash64(number) = 1", request,
                        [](std::string_view) { return true; });
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "store: nobody waits for the answer any more");
}

// The status was sent long ago when this fails.
TEST_F(Sql, NoticesAnErrorInTheMiddleOfAnAnswer) {
  std::string body;
  SqlRequest request{.format = "TSV"};
  request.projects = &app_;
  auto answer =
      run_sql(PrivateEngine::shared().store(), "select number, throwIf(number = 700000, 'enough') from numbers(800000)",
              request, [&](std::string_view piece) {
                body += piece;
                return true;
              });
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("enough"), std::string::npos) << answer.error().message;
  EXPECT_EQ(body.find("__exception__"), std::string::npos);
}

TEST_F(Sql, ShowsARenameAtOnce) {
  auto& store = PrivateEngine::shared().store();
  std::vector<std::pair<ProjectId, std::string>> renamed = {{kApp, "renamed"}};
  ASSERT_TRUE(store.set_project_names(renamed));
  EXPECT_EQ(run("select distinct project from events", &app_), "renamed");
  std::vector<std::pair<ProjectId, std::string>> again = {{kApp, "app"}};
  ASSERT_TRUE(store.set_project_names(again));
  EXPECT_EQ(run("select distinct project from events", &app_), "app");
}

}  // namespace
}  // namespace weir::query
