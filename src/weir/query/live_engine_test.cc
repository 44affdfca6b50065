#include "weir/query/live.h"

#include <gtest/gtest.h>

#include "weir/query/public_schema.h"
#include "weir/store/testing/private_engine.h"

namespace weir::query {
namespace {

using store::testing::PrivateEngine;

constexpr ProjectId kProject{0x8000'0000'0000'0011};
constexpr UnixMillis kMinute = 60'000;
// 2026-03-04 12:00:30 UTC
constexpr UnixMillis kNow = 1'772'625'630'000;

class Live : public store::testing::EngineTest {
 protected:
  struct Seen {
    UnixMillis ago;
    uint64_t visitor;
    std::string_view name = "pageview";
    std::string_view path = "/";
    std::string_view source = "";
    std::string_view country = "DE";
    event::Traffic traffic = event::Traffic::human;
    ProjectId project = kProject;
  };
  static void fill(std::initializer_list<Seen> all) {
    store::Block block;
    static uint64_t next = 0;
    const uint64_t first = next;
    for (const Seen& seen : all) {
      event::Row row;
      row.project_id = seen.project;
      row.name = seen.name;
      row.kind = seen.name == "pageview" ? event::Kind::pageview : event::Kind::event;
      row.path = seen.path;
      row.visitor_id = seen.visitor;
      row.country = seen.country;
      row.traffic = seen.traffic;
      row.visit.source = seen.source;
      row.time = row.received_at = kNow - seen.ago;
      row.p = 77;
      row.o = next++;
      block.add(row);
    }
    ASSERT_TRUE(PrivateEngine::shared().store().insert(block, "live-" + std::to_string(first)));
  }
  static std::string counts(ProjectId project = kProject) {
    auto answer = live_counts(PrivateEngine::shared().store(), project, kNow);
    return answer ? *answer : answer.error().message;
  }
};

TEST_F(Live, CountsPeopleOfTheLastMinutes) {
  fill({
      {10'000, 1, "pageview", "/a", "Google"},
      {20'000, 1, "signup", "/a", "Google"},
      {-30'000, 2, "pageview", "/b", "", "FR"},  // a clock that is ahead
      {4 * kMinute, 3, "pageview", "/a"},
      {6 * kMinute, 4, "pageview", "/a", "", ""},
      {29 * kMinute, 5, "click", "/only-an-event"},
      {31 * kMinute, 6, "pageview", "/long-ago"},
      {-10 * kMinute, 7, "pageview", "/tomorrow"},
      {10'000, 8, "pageview", "/a", "", "DE", event::Traffic::bot},
      {10'000, 9, "pageview", "/a", "", "DE", event::Traffic::human, ProjectId{0x8000'0000'0000'0012}},
  });
  EXPECT_EQ(counts(),
            R"({"visitors":3,"visitors_30m":5,"pageviews_30m":4,"events_30m":6,)"
            R"("series":[[1772623860,1,0],[1772625240,1,1],[1772625360,1,1],[1772625600,1,1],[1772625660,1,1]],)"
            R"("pages":[["/a",3],["/b",1]],"sources":[["Direct / None",4],["Google",1]],)"
            R"("countries":[["DE",3],["FR",1]]})");
}

TEST_F(Live, OfAnEmptyProjectAreZero) {
  EXPECT_EQ(counts(ProjectId{0x8000'0000'0000'0013}),
            R"({"visitors":0,"visitors_30m":0,"pageviews_30m":0,"events_30m":0,"series":[],"pages":[],"sources":[],)"
            R"("countries":[]})");
}

TEST_F(Live, TheSchemaTellsEveryColumnOfEveryPublicView) {
  auto schema = public_schema(PrivateEngine::shared().store());
  ASSERT_TRUE(schema) << schema.error().message;
  EXPECT_TRUE(schema->starts_with(R"([{"name":"events","note":"One row an event.","columns":[{"name":"project",)"
                                  R"("type":"String","note":"The project's name."})"))
      << *schema;
  EXPECT_TRUE(schema->ends_with("}]}]")) << *schema;
  EXPECT_EQ(schema->find(R"("note":"")"), std::string::npos) << "a column without a note: " << *schema;
  EXPECT_NE(schema->find(R"({"name":"_o","type":"UInt64",)"), std::string::npos) << *schema;
}

}  // namespace
}  // namespace weir::query
