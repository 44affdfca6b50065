#include "weir/enrich/visits.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::enrich {
namespace {

using event::Kind;

constexpr UnixMillis kNoon = 1'700'000'000'000;
constexpr UnixMillis kMinute = 60'000;

VisitEvent at(UnixMillis time, uint64_t visitor = 7, std::string_view path = "/a", std::string_view client = {}) {
  VisitEvent e;
  e.project = ProjectId{1};
  e.visitor = visitor;
  e.time = time;
  e.client_session = client;
  e.hash = static_cast<uint64_t>(time);
  e.kind = path.empty() ? Kind::event : Kind::pageview;
  e.path = path;
  return e;
}

// A memory that knows all there is: nothing was stored yet.
class VisitsTest : public testing::Test {
 protected:
  VisitsTest() { visits_.know_all_from(INT64_MIN); }
  event::VisitColumns certain(const VisitEvent& event) {
    Visits::Assigned assigned = visits_.assign(event);
    EXPECT_TRUE(assigned.certain) << event.time - kNoon;
    return assigned.facts;
  }
  bool is_certain(const VisitEvent& event) { return visits_.assign(event).certain; }
  Visits visits_;
};

TEST_F(VisitsTest, HalfAnHourOfSilenceEndsAVisit) {
  uint64_t first = certain(at(kNoon)).session_id;
  EXPECT_EQ(certain(at(kNoon + 30 * kMinute)).session_id, first);
  EXPECT_NE(certain(at(kNoon + 60 * kMinute + 1)).session_id, first);
}

TEST_F(VisitsTest, ADayEndsAVisitWithoutSilence) {
  uint64_t first = certain(at(kNoon)).session_id;
  UnixMillis t = kNoon;
  for (int i = 1; i < 72; ++i) EXPECT_EQ(certain(at(t += 20 * kMinute)).session_id, first) << i;
  EXPECT_NE(certain(at(kNoon + kVisitLength)).session_id, first);
}

TEST_F(VisitsTest, ClientSessionsAreKeptApart) {
  uint64_t a = certain(at(kNoon, 7, "/a", "one")).session_id;
  uint64_t b = certain(at(kNoon + 1, 7, "/a", "two")).session_id;
  EXPECT_NE(a, b);
  EXPECT_EQ(certain(at(kNoon + 2, 7, "/a", "one")).session_id, a);
}

TEST_F(VisitsTest, FactsAddUp) {
  VisitEvent first = at(kNoon, 7, "/entry");
  first.acquisition = {"Google", "Organic Search", "spring"};
  event::VisitColumns facts = certain(first);
  EXPECT_EQ(facts.seq, 0);
  EXPECT_EQ(facts.gap_ms, 0u);
  EXPECT_EQ(facts.bounce, 1);
  EXPECT_EQ(facts.entry_path, "/entry");
  EXPECT_EQ(facts.previous_path, "");
  EXPECT_EQ(facts.session_id >> 32, static_cast<uint64_t>(kNoon / 1000));
  VisitEvent engagement = at(kNoon + 1000, 7, "");
  engagement.kind = Kind::engagement;
  EXPECT_EQ(certain(engagement).bounce, 0);
  facts = certain(at(kNoon + 1500, 7, ""));
  EXPECT_EQ(facts.seq, 2);
  EXPECT_EQ(facts.gap_ms, 500u);
  EXPECT_EQ(facts.bounce, -1);
  facts = certain(at(kNoon + 2000, 7, "/next"));
  EXPECT_EQ(facts.bounce, 0);
  EXPECT_EQ(facts.entry_path, "/entry");
  EXPECT_EQ(facts.previous_path, "/entry");
  EXPECT_EQ(facts.source, "Google");
  EXPECT_EQ(facts.channel, "Organic Search");
  EXPECT_EQ(facts.campaign, "spring");
  facts = certain(at(kNoon + 3000, 7, "/last"));
  EXPECT_EQ(facts.previous_path, "/next");
  EXPECT_EQ(facts.seq, 4);
}

TEST_F(VisitsTest, AVisitThatBeginsWithAnEventIsNoBounce) {
  EXPECT_EQ(certain(at(kNoon, 7, "")).bounce, 0);
  event::VisitColumns facts = certain(at(kNoon + 1, 7, "/a"));
  EXPECT_EQ(facts.bounce, 0);
  EXPECT_EQ(facts.entry_path, "/a");
}

TEST_F(VisitsTest, SameEventsGiveTheSameIds) {
  Visits other;
  EXPECT_EQ(certain(at(kNoon)).session_id, other.assign(at(kNoon)).facts.session_id);
  EXPECT_NE(certain(at(kNoon, 8)).session_id, certain(at(kNoon, 9)).session_id);
}

TEST_F(VisitsTest, ALateEventIsUncertainAndSoIsWhatFollowsInItsVisit) {
  certain(at(kNoon));
  EXPECT_FALSE(is_certain(at(kNoon - kMinute)));
  EXPECT_FALSE(is_certain(at(kNoon + kMinute)));
  EXPECT_TRUE(is_certain(at(kNoon + 40 * kMinute)));
}

TEST_F(VisitsTest, ALateEventThatCannotTouchTheVisitLeavesItAlone) {
  certain(at(kNoon));
  EXPECT_FALSE(is_certain(at(kNoon - 31 * kMinute)));
  EXPECT_TRUE(is_certain(at(kNoon + kMinute)));
}

TEST_F(VisitsTest, AVisitThatWasCutOffMovesWithWhatIsFarEarlier) {
  for (UnixMillis t = 0; t <= kVisitLength; t += 20 * kMinute) certain(at(kNoon + t));
  EXPECT_FALSE(is_certain(at(kNoon - kMinute)));
  EXPECT_FALSE(is_certain(at(kNoon + kVisitLength + kMinute)));
}

TEST_F(VisitsTest, EventsOfOneMillisecondAreInTheOrderOfTheirHashes) {
  VisitEvent high = at(kNoon);
  high.hash = 9;
  VisitEvent low = at(kNoon);
  low.hash = 8;
  certain(low);
  EXPECT_TRUE(is_certain(high));
  EXPECT_FALSE(is_certain(low));
}

TEST(Visits, KnowsOnlyWhatItWasTold) {
  Visits visits;
  EXPECT_FALSE(visits.knows(ProjectId{1}, kNoon));
  EXPECT_FALSE(visits.assign(at(kNoon, 1)).certain);
  visits.know(ProjectId{1}, kNoon - 60 * kMinute, kNoon + 60 * kMinute);
  EXPECT_TRUE(visits.assign(at(kNoon, 2)).certain);
  EXPECT_FALSE(visits.assign(at(kNoon - 31 * kMinute, 3)).certain);  // a visit before the span may reach it
  EXPECT_FALSE(visits.assign(at(kNoon + 30 * kMinute, 4)).certain);  // it may reach a visit behind the span
  EXPECT_FALSE(visits.assign(at(kNoon + 30 * kMinute, 2)).certain);
  // Who was uncertain is certain again once nothing before can reach.
  EXPECT_TRUE(visits.assign(at(kNoon - 29 * kMinute, 3)).facts.session_id != 0);
  Visits all;
  all.know_all_from(kNoon);
  EXPECT_FALSE(all.assign(at(kNoon, 1)).certain);
  EXPECT_TRUE(all.assign(at(kNoon + 31 * kMinute, 2)).certain);
  EXPECT_TRUE(all.assign(at(kNoon + 62 * kMinute, 1)).certain);
}

TEST(Visits, ARestoredVisitGoesOn) {
  Visits visits;
  visits.know_all_from(kNoon - 60 * kMinute);
  VisitState state;
  state.session = static_cast<uint64_t>(kNoon / 1000) << 32 | 42;
  state.last = kNoon;
  state.events = 3;
  state.pageviews = state.interactions = 1;
  state.entry_path = state.last_path = "/entry";
  state.source = "Bing";
  const uint64_t stream = stream_of(ProjectId{1}, 7, "");
  visits.restore(ProjectId{1}, stream, state, false);
  Visits::Assigned assigned = visits.assign(at(kNoon + kMinute));
  EXPECT_TRUE(assigned.certain);
  EXPECT_EQ(assigned.facts.session_id, state.session);
  EXPECT_EQ(assigned.facts.seq, 3);
  EXPECT_EQ(assigned.facts.bounce, -1);
  EXPECT_EQ(assigned.facts.previous_path, "/entry");
  EXPECT_EQ(assigned.facts.source, "Bing");

  visits.restore(ProjectId{1}, stream_of(ProjectId{1}, 8, ""), state, false);
  EXPECT_FALSE(visits.assign(at(kNoon, 8)).certain);  // its place in its millisecond is not known
  visits.restore(ProjectId{1}, stream_of(ProjectId{1}, 9, ""), state, true);
  EXPECT_FALSE(visits.assign(at(kNoon + kMinute, 9)).certain);
}

TEST(Visits, WhatThePeerHoldsIsUncertainHere) {
  Visits live;
  Visits bulk;
  live.set_peer(bulk);
  bulk.set_peer(live);
  live.know_all_from(INT64_MIN);
  bulk.know_all_from(INT64_MIN);
  EXPECT_TRUE(live.assign(at(kNoon)).certain);
  EXPECT_FALSE(bulk.assign(at(kNoon + kMinute)).certain);
  EXPECT_TRUE(bulk.assign(at(kNoon + kMinute, 8)).certain);
  EXPECT_FALSE(live.assign(at(kNoon + 2 * kMinute)).certain);
  live.clear();  // it may have held anybody
  live.know_all_from(INT64_MIN);
  EXPECT_FALSE(bulk.assign(at(kNoon + kMinute, 9)).certain);
  EXPECT_TRUE(bulk.assign(at(kNoon + 100 * kMinute, 9)).certain);
}

TEST(Visits, BehindWhatIsKnownAVisitMayGoOnDifferently) {
  Visits visits;
  visits.know(ProjectId{1}, kNoon - 60 * kMinute, kNoon);
  VisitState state;
  state.session = static_cast<uint64_t>((kNoon - 10 * kMinute) / 1000) << 32 | 5;
  state.last = kNoon - 5 * kMinute;
  state.events = 1;
  visits.restore(ProjectId{1}, stream_of(ProjectId{1}, 7, {}), state, false);
  EXPECT_FALSE(visits.assign(at(kNoon + 5 * kMinute)).certain);  // what follows it in the store is not known
}

TEST(Visits, WhatThePeerPutBeforeAVisitMakesAllOfItUncertain) {
  Visits live, bulk;
  live.set_peer(bulk);
  bulk.set_peer(live);
  live.know_all_from(INT64_MIN);
  bulk.know_all_from(INT64_MIN);
  EXPECT_TRUE(live.assign(at(kNoon)).certain);
  EXPECT_FALSE(bulk.assign(at(kNoon - 20 * kMinute)).certain);
  // Further from the peer's event than the silence, but of the visit that began with it.
  EXPECT_FALSE(live.assign(at(kNoon + 20 * kMinute)).certain);
  EXPECT_TRUE(live.assign(at(kNoon + 60 * kMinute)).certain);
}

TEST(Visits, WhatThePeerPutFarBeforeAVisitThatWasCutOffMakesItUncertain) {
  Visits live, bulk;
  live.set_peer(bulk);
  bulk.set_peer(live);
  live.know_all_from(INT64_MIN);
  bulk.know_all_from(INT64_MIN);
  for (int i = 0; i <= 80; ++i) EXPECT_TRUE(live.assign(at(kNoon + i * 20 * kMinute)).certain) << i;
  EXPECT_FALSE(bulk.assign(at(kNoon - 20 * kMinute)).certain);
  EXPECT_FALSE(live.assign(at(kNoon + 81 * 20 * kMinute)).certain);
}

TEST(Visits, MemoryStaysBoundedAndKnowsWhatItForgot) {
  Visits visits(1000);
  visits.know_all_from(INT64_MIN);
  for (uint64_t v = 1; v < 20'000; ++v) visits.assign(at(kNoon + static_cast<UnixMillis>(v), v));
  EXPECT_LE(visits.size(), 1000u);
  EXPECT_FALSE(visits.assign(at(kNoon + 20'000, 1)).certain);

  Visits sequential(1000);  // visits that have ended make room without costing certainty
  sequential.know_all_from(INT64_MIN);
  for (uint64_t v = 1; v < 20'000; ++v)
    EXPECT_TRUE(sequential.assign(at(kNoon + static_cast<UnixMillis>(v) * kMinute, v)).certain) << v;
  EXPECT_LE(sequential.size(), 1000u);
}

}  // namespace
}  // namespace weir::enrich
