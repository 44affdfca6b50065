#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "weir/base/testing/eventually.h"
#include "weir/store/testing/private_engine.h"
#include "weir/store/testing/store_contract.h"

int main(int argc, char** argv) {
  using namespace weir::store::testing;
  if (argc == 3 && std::string_view(argv[1]) == kHoldEngineArgument) return hold_engine(argv[2]);
  return engine_test_main(argc, argv);
}

namespace weir::store::testing {
namespace {

Store& private_store() { return PrivateEngine::shared().store(); }
INSTANTIATE_TEST_SUITE_P(Private, StoreContract,
                         ::testing::Values(Implementation{"private", private_store, engine_missing}));

// The same server as somebody else's would look: without proof and readers.
struct Outside final : Endpoints {
  Result<Endpoint> endpoint() const override {
    auto endpoint = PrivateEngine::shared().engine().endpoint();
    if (!endpoint) return endpoint;
    endpoint->proof.clear();
    endpoint->reader_password.clear();
    return endpoint;
  }
  std::string unconfined() const override { return {}; }
};
ClickHouse& outside_store() {
  static Outside outside;
  static metrics::Registry registry;
  static ClickHouse store = [] {
    Options options;
    options.url = "http://outside";
    return ClickHouse(options, outside, registry);
  }();
  return store;
}
Store& outside() { return outside_store(); }
INSTANTIATE_TEST_SUITE_P(Outside, StoreContract, ::testing::Values(Implementation{"outside", outside, engine_missing}));

using weir::testing::eventually;

constexpr UnixMillis kTime = 1'760'000'000'000;  // 2025-10-09

event::Row row_of(uint32_t p, uint64_t o) {
  event::Row row;
  row.project_id = ProjectId{77};
  row.name = "click";
  row.time = row.received_at = kTime;
  row.p = p;
  row.o = o;
  return row;
}

class StoreEngine : public EngineTest {
 protected:
  PrivateEngine& engine() { return PrivateEngine::shared(); }
  std::string text(std::string_view sql) { return engine().text(sql); }
  void insert(const Block& block, std::string_view token) {
    auto inserted = engine().store().insert(block, token);
    ASSERT_TRUE(inserted) << inserted.error().message;
  }
};

// The contract with everybody who writes SQL: columns may be added, never renamed.
TEST_F(StoreEngine, HasTheColumnsOfThePublicView) {
  EXPECT_EQ(
      text("SELECT name, type FROM system.columns WHERE database = 'weir' AND table = 'events' ORDER BY position"),
      "project\tString\n"
      "event_id\tString\n"
      "name\tLowCardinality(String)\n"
      "timestamp\tDateTime64(3, \\'UTC\\')\n"
      "received_at\tDateTime64(3, \\'UTC\\')\n"
      "time_rule\tLowCardinality(String)\n"
      "kind\tLowCardinality(String)\n"
      "user_id\tString\n"
      "anonymous_id\tString\n"
      "visitor_id\tUInt64\n"
      "session_id\tUInt64\n"
      "client_session_id\tString\n"
      "visit_seq\tUInt16\n"
      "visit_gap_ms\tUInt32\n"
      "visit_bounce\tInt8\n"
      "visit_source\tLowCardinality(String)\n"
      "visit_channel\tLowCardinality(String)\n"
      "visit_campaign\tLowCardinality(String)\n"
      "entry_path\tLowCardinality(String)\n"
      "previous_path\tLowCardinality(String)\n"
      "hostname\tLowCardinality(String)\n"
      "path\tLowCardinality(String)\n"
      "title\tLowCardinality(String)\n"
      "referrer\tLowCardinality(String)\n"
      "source\tLowCardinality(String)\n"
      "medium\tLowCardinality(String)\n"
      "channel\tLowCardinality(String)\n"
      "utm_source\tString\n"
      "utm_medium\tString\n"
      "utm_campaign\tString\n"
      "utm_term\tString\n"
      "utm_content\tString\n"
      "click_id\tString\n"
      "country\tLowCardinality(String)\n"
      "region\tLowCardinality(String)\n"
      "city\tLowCardinality(String)\n"
      "browser\tLowCardinality(String)\n"
      "browser_version\tLowCardinality(String)\n"
      "os\tLowCardinality(String)\n"
      "os_version\tLowCardinality(String)\n"
      "device\tLowCardinality(String)\n"
      "screen\tLowCardinality(String)\n"
      "locale\tLowCardinality(String)\n"
      "app_version\tLowCardinality(String)\n"
      "properties\tMap(String, String)\n"
      "numbers\tMap(String, Float64)\n"
      "revenue_amount\tNullable(Decimal(18, 6))\n"
      "revenue_currency\tString\n"
      "traffic\tLowCardinality(String)\n"
      "traffic_reason\tString\n"
      "sdk\tString\n"
      "ip\tString\n"
      "_p\tUInt32\n"
      "_o\tUInt64");
}

TEST_F(StoreEngine, ShowsARowAsItWasGiven) {
  std::vector<std::pair<ProjectId, std::string>> names = {{ProjectId{77}, "it's \\ a\ttest"}};
  ASSERT_TRUE(engine().store().set_project_names(names));
  event::Row row = row_of(1'000, 1);
  row.received_at = kTime + 1500;
  row.time_rule = event::TimeRule::client;
  row.kind = event::Kind::pageview;
  row.user_id = "9223372036854775807";
  row.visitor_id = UINT64_MAX;
  row.visit.session_id = 1ull << 63;
  row.title =
      "\xc3\x9c"
      "ber \xf0\x9f\x98\x80";
  row.city = "K\xc3\xb6ln";
  row.traffic = event::Traffic::monitor;
  row.has_revenue = true;
  row.revenue_micros = 12'500'000;
  row.revenue_currency = "EUR";
  row.properties = {{"text", "a"}, {"exact", "12345678901234567890.10"}, {"flag", "true"}, {"n", "-1.5e3"}};
  row.numbers = {{"exact", 1.2345678901234567e19}, {"n", -1500}};
  Block block;
  block.add(row);
  insert(block, "whole row");
  EXPECT_EQ(
      text("SELECT project, event_id, name, timestamp, received_at, time_rule, kind, user_id, visitor_id, session_id, "
           "title, city, traffic, revenue_amount, revenue_currency FROM weir.events WHERE _p = 1000"),
      "it\\'s \\\\ a\\ttest\tw1000-1\tclick\t2025-10-09 08:53:20.000\t2025-10-09 08:53:21.500\tclient\tpageview\t"
      "9223372036854775807\t18446744073709551615\t9223372036854775808\t"
      "\xc3\x9c"
      "ber \xf0\x9f\x98\x80\tK\xc3\xb6ln\tmonitor\t12.5\tEUR");
  EXPECT_EQ(
      text("SELECT properties['text'], properties['exact'], properties['flag'], properties['n'], properties['none'], "
           "numbers['n'], numbers['exact'] > 1e19, length(properties), mapKeys(numbers) FROM weir.events "
           "WHERE _p = 1000"),
      "a\t12345678901234567890.10\ttrue\t-1.5e3\t\t-1500\t1\t4\t['exact','n']");
  EXPECT_EQ(text("SELECT revenue_amount IS NULL, client_session_id = '', ip = '' FROM weir.events WHERE _p = 1000"),
            "0\t1\t1");
}

TEST_F(StoreEngine, KeepsAClientsEventId) {
  Block block;
  const std::string ids[] = {"client-1", "01890a5d-ac96-774b-bcce-b302099a8057", "01890A5D-AC96-774B-BCCE-B302099A8057",
                             "00000000-0000-0000-0000-000000000000", ""};
  for (size_t i = 0; i < std::size(ids); ++i) {
    event::Row row = row_of(1'001, i);
    row.id = ids[i];
    block.add(row);
  }
  insert(block, "client id");
  EXPECT_EQ(text("SELECT event_id, revenue_amount, length(properties), length(numbers) FROM weir.events "
                 "WHERE _p = 1001 AND _o = 0"),
            "client-1\t\\N\t0\t0");
  EXPECT_EQ(text("SELECT arrayStringConcat(groupArray(event_id), ' ') FROM (SELECT event_id FROM weir.events WHERE "
                 "_p = 1001 ORDER BY _o)"),
            "client-1 01890a5d-ac96-774b-bcce-b302099a8057 01890A5D-AC96-774B-BCCE-B302099A8057 "
            "00000000-0000-0000-0000-000000000000 w1001-4");
}

// A month of rows is read for each question about a day where the table's key is not used.
TEST_F(StoreEngine, FindsADayByTheTablesKey) {
  Block block;
  block.add(row_of(1'024, 0));
  insert(block, "day");
  for (std::string_view table :
       {"weir_data.events WHERE project_id = 77 AND", "weir.events WHERE project = 'website' AND"})
    EXPECT_EQ(text(fmt::format("SELECT count() FROM (EXPLAIN indexes = 1 SELECT count() FROM {} timestamp >= "
                               "fromUnixTimestamp64Milli({}, 'UTC') AND timestamp < '2025-10-10 00:00:00') WHERE "
                               "trim(explain) = 'toDate(timestamp)'",
                               table, kTime)),
              "1")
        << table;
}

// Goes on until somebody ends it.
constexpr std::string_view kEndless = "SELECT count() FROM system.numbers SETTINGS max_threads = 1";

TEST_F(StoreEngine, WhatNobodyWaitsForGivesWayToWhatSomebodyDoes) {
  std::atomic<bool> enough{false};
  auto endless = [&](Urgency urgency) {
    return std::thread([&, urgency] {
      auto answer = engine().store().query(
          kEndless,
          {.timeout = std::chrono::minutes(5), .urgency = urgency, .abandoned = [&] { return enough.load(); }});
      EXPECT_FALSE(answer);
    });
  };
  std::thread awaited = endless(Urgency::awaited);
  std::thread background = endless(Urgency::background);
  // Both run until then.
  EXPECT_TRUE(
      eventually([&] { return text("SELECT value FROM system.metrics WHERE metric = 'QueryPreempted'") == "1"; }));
  enough = true;
  awaited.join();
  background.join();
}

TEST_F(StoreEngine, EndsWhatNobodyWaitsFor) {
  Options options;
  options.url = "http://outside";
  Outside endpoints;
  metrics::Registry registry;
  ClickHouse store(options, endpoints, registry);
  auto ask = [&](std::string_view sql) {
    return store.query(sql, {.timeout = std::chrono::minutes(5), .urgency = Urgency::background});
  };
  std::thread waiting([&] {
    auto answer = ask(kEndless);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  });
  const std::string running = fmt::format("SELECT count() FROM system.processes WHERE query = '{}'", kEndless);
  EXPECT_TRUE(eventually([&] { return text(running) == "1"; }));
  store.end_background();
  waiting.join();
  EXPECT_TRUE(eventually([&] { return text(running) == "0"; }));
  EXPECT_FALSE(ask(kEndless));
}

TEST_F(StoreEngine, StoresWideDictionariesAndLongTexts) {
  Block block;
  std::string long_text(300'000, 'x');
  for (uint64_t o = 0; o < 70'000; ++o) {
    std::string path = "/" + std::to_string(o);
    event::Row row = row_of(1'002, o);
    row.path = path;
    if (o == 5) row.referrer = long_text;
    if (o % 2 == 0) row.properties = {{path, path}};
    block.add(row);
  }
  insert(block, "wide");
  EXPECT_EQ(text("SELECT count(), uniqExact(path), max(length(referrer)), countIf(properties[path] = path), "
                 "countIf(path = concat('/', toString(_o))) FROM weir.events WHERE _p = 1002"),
            "70000\t70000\t300000\t35000\t70000");
}

TEST_F(StoreEngine, AnswersOnlyTheOwnersSqlOnAServerWithoutReaders) {
  std::vector<ProjectId> some = {ProjectId{1}};
  auto nothing = [](std::string_view) { return true; };
  auto run = [&](std::string_view sql, const std::vector<ProjectId>* projects) {
    return outside_store().user_query(sql, {}, projects, nothing);
  };
  EXPECT_TRUE(run("SELECT count() FROM events", nullptr));
  EXPECT_EQ(run("TRUNCATE TABLE weir_data.life", nullptr).error().code, ErrorCode::kForbidden);
  EXPECT_EQ(run("SELECT 1 SETTINGS readonly = 0", nullptr).error().code, ErrorCode::kForbidden);
  EXPECT_EQ(run("SELECT 1", &some).error().code, ErrorCode::kForbidden);
}

TEST_F(StoreEngine, RefusesPersonsSqlWhereTheServerIsNotConfined) {
  struct Unconfined final : Endpoints {
    Result<Endpoint> endpoint() const override { return PrivateEngine::shared().engine().endpoint(); }
    std::string unconfined() const override { return "no Landlock"; }
  } server;
  metrics::Registry registry;
  auto nothing = [](std::string_view) { return true; };
  ClickHouse store({}, server, registry);
  EXPECT_EQ(store.user_sql_refused(), "no Landlock");
  EXPECT_EQ(store.user_query("SELECT 1", {}, nullptr, nothing).error().code, ErrorCode::kForbidden);
  Options options;
  options.allow_unconfined_sql = true;
  ClickHouse allowed(options, server, registry);
  EXPECT_TRUE(allowed.user_query("SELECT 1", {}, nullptr, nothing));
}

// A number that was given out and then lost with its row by a crash must not be asked for in vain for ever.
TEST_F(StoreEngine, GoesOnWhenAJournalsNumberIsTaken) {
  JournalKey key;
  key.uuid = std::string(16, '\x77');
  auto taken = text("SELECT max(p) + 1 FROM weir_data.journals");
  ASSERT_EQ(text("INSERT INTO weir_data.journals (p, topic) SETTINGS insert_deduplication_token = 'journal " + taken +
                 "' VALUES (" + taken + ", 'taken')"),
            "");
  ASSERT_EQ(text("DELETE FROM weir_data.journals WHERE topic = 'taken'"), "");
  auto p = engine().store().journal_number(key);
  ASSERT_TRUE(p) << p.error().message;
  EXPECT_EQ(std::to_string(*p - 1), taken);
  EXPECT_EQ(engine().store().journal_number(key).value(), *p);
}

TEST_F(StoreEngine, ReachesNoOtherLife) {
  Block block;
  block.add(row_of(1'004, 0));
  uint64_t life = engine().store().life().value();
  EXPECT_TRUE(engine().store().insert(block, "this life", life));
  auto other = engine().store().insert(block, "other life", life + 1);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, ErrorCode::kConflict);
  EXPECT_EQ(text("SELECT count() FROM weir.events WHERE _p = 1004"), "1");
}

TEST_F(StoreEngine, TakesTheGoodPartsOfABlockWhoseRowIsRefused) {
  ASSERT_EQ(text("ALTER TABLE weir_data.events ADD CONSTRAINT no_poison CHECK name != 'poison'"), "");
  Block block;
  for (uint64_t o = 0; o < 9; ++o) {
    const std::string long_id = std::string(200, 'i') + std::to_string(o);
    event::Row row = row_of(1'005, o);
    row.id = long_id;
    const std::string number = std::to_string(o);
    row.properties = {{"n", number}, {"t", long_id}};
    if (o == 4) row.name = "poison";
    block.add(row);
  }
  auto whole = engine().store().insert(block, "poisoned");
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().code, ErrorCode::kBadInput) << whole.error().message;
  EXPECT_TRUE(engine().store().insert(block.slice(0, 0), "poisoned, no rows"));
  EXPECT_TRUE(engine().store().insert(block.slice(0, 4), "poisoned, first"));
  EXPECT_FALSE(engine().store().insert(block.slice(4, 1), "poisoned, the one"));
  EXPECT_TRUE(engine().store().insert(block.slice(5, 4), "poisoned, last"));
  ASSERT_EQ(text("ALTER TABLE weir_data.events DROP CONSTRAINT no_poison"), "");
  EXPECT_EQ(text("SELECT count(), uniqExact(_o), sum(_o), countIf(properties['n'] = toString(_o) AND "
                 "endsWith(event_id, toString(_o)) AND properties['t'] = event_id) FROM weir.events WHERE _p = 1005"),
            "8\t8\t32\t8");
}

TEST_F(StoreEngine, SaysWithoutARowThatItsTableDoesNotTakeOurColumns) {
  auto change = [&](std::string_view type) {
    ASSERT_EQ(text("ALTER TABLE weir_data.events DROP COLUMN visit_gap_ms"), "");
    ASSERT_EQ(text(fmt::format("ALTER TABLE weir_data.events ADD COLUMN visit_gap_ms {} AFTER visit_seq", type)), "");
  };
  change("Array(UInt32)");
  auto refused = engine().store().insert(Block(), "no rows");
  change("UInt32 CODEC(ZSTD(1))");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput) << refused.error().message;
  EXPECT_TRUE(engine().store().insert(Block(), "no rows again"));
}

TEST_F(StoreEngine, RewrittenVisitsOutliveMerges) {
  Block block;
  std::vector<VisitRow> changes;
  for (uint64_t o = 0; o < 20'000; ++o) {
    event::Row row = row_of(1'003, o);
    row.visitor_id = o % 997;
    row.visit.session_id = 1;
    row.visit.entry_path = "/old";
    block.add(row);
    if (o % 100 != 0) continue;
    VisitRow change;
    change.visitor_id = row.visitor_id;
    change.time = row.time;
    change.p = row.p;
    change.o = row.o;
    change.session_id = 2;
    change.visit_seq = 9;
    change.entry_path = "/new";
    changes.push_back(change);
  }
  insert(block, "to be rewritten");
  auto rewritten = engine().store().rewrite_visits(ProjectId{77}, changes);
  ASSERT_TRUE(rewritten) << rewritten.error().message;
  auto counts = [&] {
    return text(
        "SELECT count(), uniqExact(_o), countIf(session_id = 2 AND entry_path = '/new' AND visit_seq = 9), "
        "countIf(session_id = 1 AND entry_path = '/old') FROM weir_data.events WHERE _p = 1003");
  };
  EXPECT_EQ(counts(), "20000\t20000\t200\t19800");
  EXPECT_EQ(text("OPTIMIZE TABLE weir_data.events FINAL"), "");
  EXPECT_EQ(counts(), "20000\t20000\t200\t19800");
}

// Statements of persons straight at the store, without the guard of query: what ClickHouse itself enforces.
class Readers : public StoreEngine {
 protected:
  void SetUp() override {
    StoreEngine::SetUp();
    if (IsSkipped()) return;
    static bool filled = fill();
    ASSERT_TRUE(filled);
  }
  static bool fill() {
    auto& store = PrivateEngine::shared().store();
    std::vector<std::pair<ProjectId, std::string>> names = {{kOwn, "own"}, {kForeign, "foreign-name"}};
    Block block;
    for (uint64_t o = 0; o < 1000; ++o) {
      event::Row row = row_of(2'000, o);
      row.project_id = o % 4 == 0 ? kOwn : kForeign;
      row.name = o % 4 == 0 ? "mine" : "foreign-event";
      block.add(row);
    }
    return store.set_project_names(names).has_value() && store.insert(block, "readers").has_value();
  }
  Result<std::string> run(std::string_view sql) {
    std::string body;
    auto answer = engine().store().user_query(sql, {.format = "TSV"}, &own_, [&](std::string_view piece) {
      body += piece;
      return true;
    });
    if (!answer) return std::move(answer).error();
    while (body.ends_with('\n')) body.pop_back();
    return body;
  }
  static constexpr ProjectId kOwn{101};
  static constexpr ProjectId kForeign{102};
  const std::vector<ProjectId> own_{kOwn};
};

TEST_F(Readers, SeeTheirOwnProjectsByEveryWay) {
  for (auto from : {"events", "weir.events", "weir_data.events", "(SELECT * FROM events)",
                    "(SELECT * FROM weir_data.events)", "merge('weir_data', '^events$')",
                    "(WITH e AS (SELECT * FROM events) SELECT * FROM e)", "view(SELECT * FROM weir_data.events)"}) {
    auto answer = run(std::string("SELECT count(), uniqExact(name), max(name) FROM ") + from);
    EXPECT_TRUE(!answer || *answer == "250\t1\tmine") << from << ": " << *answer;
  }
  EXPECT_EQ(run("SELECT count() FROM events").value(), "250");
  EXPECT_EQ(run("SELECT count() FROM weir_data.events").value(), "250");
  EXPECT_EQ(run("SELECT count() FROM (SELECT 1 FROM events UNION ALL SELECT 1 FROM weir_data.events)").value(), "500");
  EXPECT_EQ(run("SELECT count() FROM events a, events b WHERE a._o = b._o").value(), "250");
  EXPECT_EQ(run("SELECT count() FROM events WHERE _o IN (SELECT _o FROM weir_data.events)").value(), "250");
  EXPECT_EQ(run("SELECT (SELECT count() FROM events)").value(), "250");
  EXPECT_EQ(run("SELECT groupUniqArray(name) FROM weir_data.projects").value(), "['own']");
}

TEST_F(Readers, LearnNoNamesOfOthers) {
  for (auto sql : {"EXPLAIN SELECT * FROM events",
                   "EXPLAIN actions = 1 SELECT * FROM events",
                   "EXPLAIN QUERY TREE SELECT * FROM events",
                   "EXPLAIN indexes = 1 SELECT * FROM events",
                   "EXPLAIN SYNTAX SELECT * FROM events",
                   "SHOW CREATE VIEW weir.events",
                   "SELECT * FROM system.tables",
                   "SELECT * FROM system.columns",
                   "SELECT * FROM system.databases",
                   "SELECT * FROM system.parts",
                   "SELECT * FROM system.query_log",
                   "SELECT * FROM system.users",
                   "SELECT * FROM system.processes",
                   "SELECT * FROM system.row_policies",
                   "SELECT * FROM system.dictionaries",
                   "SELECT * FROM system.grants",
                   "SELECT * FROM weir_data.projects",
                   "SELECT * FROM weir_data.reader_1",
                   "SELECT * FROM weir_data.reader_2",
                   "SELECT * FROM weir_data.journals",
                   "SELECT * FROM weir_data.migrations",
                   "SELECT throwIf(1, name) FROM weir_data.events",
                   "SELECT toUInt8(name) FROM weir_data.events",
                   "SELECT any(name) FROM weir_data.projects",
                   "SELECT * FROM mergeTreeProjection(weir_data, events, x)",
                   "SELECT * FROM dictionary('weir_data.projects')",
                   "SHOW ACCESS",
                   "SHOW GRANTS",
                   "SHOW PROCESSLIST"}) {
    auto answer = run(sql);
    std::string said = answer ? *answer : answer.error().message;
    EXPECT_EQ(said.find("foreign"), std::string::npos) << sql << ": " << said;
  }
}

TEST_F(Readers, MayOnlyRead) {
  for (auto sql : {"INSERT INTO weir_data.events (name) VALUES ('x')",
                   "INSERT INTO FUNCTION file('x.tsv') SELECT 1",
                   "ALTER TABLE weir_data.events DELETE WHERE 1",
                   "TRUNCATE TABLE weir_data.reader_0",
                   "INSERT INTO weir_data.reader_0 VALUES (102)",
                   "CREATE TABLE weir.t (a UInt8) ENGINE = Memory",
                   "CREATE TEMPORARY TABLE t (a UInt8)",
                   "DROP VIEW weir.events",
                   "SET max_memory_usage = 0",
                   "SELECT 1 SETTINGS max_memory_usage = 0",
                   "SELECT 1 SETTINGS readonly = 0",
                   "SELECT 1 INTO OUTFILE '/tmp/x'",
                   "KILL QUERY WHERE 1",
                   "SYSTEM SHUTDOWN",
                   "SYSTEM START LISTEN TCP",
                   "SELECT * FROM file('/etc/passwd', 'LineAsString')",
                   "SELECT * FROM url('http://127.0.0.1/', 'LineAsString')",
                   "SELECT * FROM remote('127.0.0.1', system.one)",
                   "SELECT * FROM cluster('default', system.one)",
                   "SELECT * FROM s3('http://127.0.0.1/x', 'CSV')",
                   "SELECT * FROM executable('id', 'CSV', 'a String')",
                   "SELECT * FROM sqlite('/x', 'y')",
                   "SELECT file('/etc/passwd')",
                   "SELECT arrayMap(file, ['/etc/passwd'])",
                   "EXECUTE AS default SELECT 1",
                   "CREATE USER x",
                   "GRANT ALL ON *.* TO x",
                   "BACKUP TABLE weir_data.events TO File('x')"}) {
    auto answer = run(sql);
    EXPECT_FALSE(answer) << sql << ": " << *answer;
  }
  EXPECT_EQ(text("SELECT count() FROM weir_data.events WHERE _p = 2000"), "1000");
}

TEST_F(Readers, ServeManySetsOfProjectsOneAfterTheOther) {
  for (uint64_t i = 0; i < 40; ++i) {
    std::vector<ProjectId> set = {ProjectId{1'000 + i}};
    if (i % 2 == 0) set.push_back(kOwn);
    std::string body;
    auto answer = engine().store().user_query("SELECT count() FROM events", {.format = "TSV"}, &set,
                                              [&](std::string_view piece) { return body += piece, true; });
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(body, i % 2 == 0 ? "250\n" : "0\n") << i;
  }
}

TEST_F(Readers, AreLimitedInMemoryAndRows) {
  auto memory = run("SELECT groupArray(toString(number)) FROM numbers(1000000000)");
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, ErrorCode::kTooLarge) << memory.error().message;
  auto rows = run("SELECT number FROM numbers(100000000)");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, ErrorCode::kTooLarge) << rows.error().message;
}

}  // namespace
}  // namespace weir::store::testing
