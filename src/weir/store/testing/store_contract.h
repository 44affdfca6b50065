#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <vector>

#include "weir/store/store.h"

// What every store keeps to. A test program names its implementation with
//   INSTANTIATE_TEST_SUITE_P(Name, StoreContract, ::testing::Values(Implementation{"name", make, why_not}));
namespace weir::store::testing {

struct Implementation {
  const char* name;
  // A migrated store, which may be the same each time: each test uses journals of its own.
  Store& (*make)();
  // Why there can be none here, or empty; null: there can always be one.
  std::string (*missing)() = nullptr;
  friend void PrintTo(const Implementation& implementation, std::ostream* out) { *out << implementation.name; }
};

class StoreContract : public ::testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override {
    std::string why = GetParam().missing == nullptr ? "" : GetParam().missing();
    if (!why.empty()) GTEST_SKIP() << why;
    store_ = &GetParam().make();
    p_ = new_journal();
  }
  Store& store() { return *store_; }
  uint32_t p() const { return p_; }

  static JournalKey new_key() {
    static std::atomic<uint64_t> made{0};
    JournalKey key;
    key.uuid = std::string(8, '\x01') + std::string(8, '\0');
    uint64_t n = ++made;
    for (int i = 0; i < 8; ++i) key.uuid[8 + i] = static_cast<char>(n >> (8 * i));
    key.kind = "segmented";
    key.topic = "live";
    return key;
  }
  uint32_t new_journal() {
    auto p = store().journal_number(new_key());
    EXPECT_TRUE(p) << p.error().message;
    return p ? *p : 0;
  }

  event::Row row_at(uint64_t o, UnixMillis time = 1'760'000'000'000) const {
    event::Row row;
    row.project_id = ProjectId{1};
    row.name = "click";
    row.time = time;
    row.received_at = time;
    row.visitor_id = 5;
    row.visit.session_id = 6;
    row.p = p_;
    row.o = o;
    return row;
  }
  Block block_of(uint64_t first, uint64_t next) const {
    Block block;
    for (uint64_t o = first; o < next; ++o) block.add(row_at(o, 1'760'000'000'000 + static_cast<int64_t>(o)));
    return block;
  }
  void insert(const Block& block, std::string_view token) {
    auto inserted = store().insert(block, token);
    ASSERT_TRUE(inserted) << inserted.error().message;
  }
  uint64_t row_count() {
    auto counts = store().count_positions(p_, 0, UINT64_MAX, UINT64_MAX);
    EXPECT_TRUE(counts) << counts.error().message;
    uint64_t rows = 0;
    if (counts)
      for (const RangeCount& range : *counts) rows += range.rows;
    return rows;
  }

 private:
  Store* store_ = nullptr;
  uint32_t p_ = 0;
};

TEST_P(StoreContract, IsUpAfterAnAnswer) {
  ASSERT_TRUE(store().health());
  EXPECT_TRUE(store().up());
}

TEST_P(StoreContract, MigratesAgainAndAgain) {
  for (int again = 0; again < 2; ++again) {
    auto migrated = store().migrate();
    EXPECT_TRUE(migrated) << migrated.error().message;
  }
}

TEST_P(StoreContract, KeepsAJournalsNumber) {
  JournalKey key = new_key();
  auto first = store().journal_number(key);
  ASSERT_TRUE(first) << first.error().message;
  JournalKey next_epoch = key;
  next_epoch.epoch = 1;
  next_epoch.first_o = 1000;
  auto second = store().journal_number(next_epoch);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_NE(*first, *second);
  EXPECT_EQ(store().journal_number(key).value(), *first);
  EXPECT_EQ(store().journal_number(next_epoch).value(), *second);

  auto all = store().journals();
  ASSERT_TRUE(all) << all.error().message;
  size_t found = 0;
  for (const JournalRow& row : *all) {
    if (row.p != *second) continue;
    ++found;
    EXPECT_EQ(row.key.uuid, key.uuid);
    EXPECT_EQ(row.key.kind, "segmented");
    EXPECT_EQ(row.key.topic, "live");
    EXPECT_EQ(row.key.epoch, 1u);
    EXPECT_EQ(row.key.first_o, 1000u);
  }
  EXPECT_EQ(found, 1u);
}

TEST_P(StoreContract, StoresNothingForAnEmptyBlock) {
  insert(Block(), "empty");
  EXPECT_EQ(row_count(), 0u);
}

TEST_P(StoreContract, SameBatchTwiceCountsOnce) {
  Block block = block_of(0, 100);
  std::string token = "token " + std::to_string(p());
  insert(block, token);
  insert(block, token);
  EXPECT_EQ(row_count(), 100u);
}

TEST_P(StoreContract, SameBatchUnderAnotherTokenCountsAgain) {
  Block block = block_of(0, 10);
  insert(block, "a " + std::to_string(p()));
  insert(block, "b " + std::to_string(p()));
  EXPECT_EQ(row_count(), 20u);
  EXPECT_EQ(store().positions(p(), 0, 100).value().size(), 10u);
}

TEST_P(StoreContract, CountsPositionsByRuns) {
  insert(block_of(5, 15), "a " + std::to_string(p()));
  insert(block_of(35, 38), "b " + std::to_string(p()));
  auto counts = store().count_positions(p(), 4, 37, 10);
  ASSERT_TRUE(counts) << counts.error().message;
  ASSERT_EQ(counts->size(), 3u);
  EXPECT_EQ((*counts)[0].first, 4u);
  EXPECT_EQ((*counts)[0].next, 14u);
  EXPECT_EQ((*counts)[0].rows, 9u);
  EXPECT_EQ((*counts)[1].first, 14u);
  EXPECT_EQ((*counts)[1].rows, 1u);
  EXPECT_EQ((*counts)[2].first, 34u);
  EXPECT_EQ((*counts)[2].next, 37u);
  EXPECT_EQ((*counts)[2].rows, 2u);
  EXPECT_TRUE(store().count_positions(p(), 100, 200, 10).value().empty());
  EXPECT_FALSE(store().count_positions(p(), 0, 1, 0));
}

TEST_P(StoreContract, ListsPositionsInOrder) {
  Block block;
  for (uint64_t o : {9, 3, 7, 1'000'000'007}) block.add(row_at(o));
  insert(block, "a " + std::to_string(p()));
  EXPECT_EQ(store().positions(p(), 3, 9).value(), (std::vector<uint64_t>{3, 7}));
  EXPECT_EQ(store().positions(p(), 0, UINT64_MAX).value(), (std::vector<uint64_t>{3, 7, 9, 1'000'000'007}));
}

TEST_P(StoreContract, KnowsTheEndOfEachJournal) {
  EXPECT_EQ(store().end_position(p()).value(), 0u);
  insert(block_of(0, 1), "a " + std::to_string(p()));
  EXPECT_EQ(store().end_position(p()).value(), 1u);
  Block far;
  far.add(row_at(1ull << 40));
  insert(far, "b " + std::to_string(p()));
  EXPECT_EQ(store().end_position(p()).value(), (1ull << 40) + 1);
  EXPECT_EQ(store().end_position(p() + 1'000'000).value(), 0u);
}

TEST_P(StoreContract, LivesOneLifeUntilItRestarts) {
  auto first = store().life();
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(store().life().value(), *first);
}

TEST_P(StoreContract, FindsTheOpenVisits) {
  constexpr UnixMillis kNow = 1'760'000'000'000;
  const ProjectId project{1000 + p()};
  Block block;
  auto add = [&](uint64_t o, uint64_t session, UnixMillis time, event::Kind kind, std::string_view path, uint16_t seq) {
    event::Row row = row_at(o, time);
    row.project_id = project;
    row.visit.session_id = session;
    row.client_session_id = "client";
    row.kind = kind;
    row.path = path;
    row.visit.seq = seq;
    row.visit.entry_path = seq == 0 ? "" : "/first";
    row.visit.source = "Google";
    row.visit.channel = "Organic Search";
    row.visit.campaign = "spring";
    block.add(row);
  };
  add(0, 1, kNow - 5000, event::Kind::event, "/no-pageview", 0);
  add(2, 1, kNow - 3000, event::Kind::pageview, "/second", 2);
  add(1, 1, kNow - 4000, event::Kind::pageview, "/first", 1);
  add(6, 1, kNow - 3000, event::Kind::pageview, "/third", 3);  // in the same millisecond
  add(3, 1, kNow - 1000, event::Kind::engagement, "/engaged", 4);
  add(4, 2, kNow - 100'000, event::Kind::pageview, "/long-ago", 0);
  add(5, 3, kNow - 2000, event::Kind::event, "/x", 0);
  insert(block, "a " + std::to_string(p()));
  auto visits = store().open_visits({project, kNow - 10'000, INT64_MAX}, 10);
  ASSERT_TRUE(visits) << visits.error().message;
  ASSERT_EQ(visits->size(), 2u);
  const OpenVisit& visit = visits->front();
  EXPECT_EQ(visit.project_id, project);
  EXPECT_EQ(visit.visitor_id, 5u);
  EXPECT_EQ(visit.session_id, 1u);
  EXPECT_EQ(visit.client_session_id, "client");
  EXPECT_EQ(visit.last, kNow - 1000);
  EXPECT_EQ(visit.events, 5u);
  EXPECT_EQ(visit.pageviews, 3u);
  EXPECT_EQ(visit.interactions, 4u);
  EXPECT_EQ(visit.entry_path, "/first");
  EXPECT_EQ(visit.last_path, "/third");
  EXPECT_EQ(visit.source, "Google");
  EXPECT_EQ(visit.channel, "Organic Search");
  EXPECT_EQ(visit.campaign, "spring");
  EXPECT_EQ(visits->back().session_id, 3u);
  EXPECT_EQ(visits->back().entry_path, "");
  EXPECT_EQ(store().open_visits({project, kNow - 10'000, INT64_MAX}, 1).value().size(), 1u);
  EXPECT_EQ(store().open_visits({project, kNow - 10'000, kNow - 2500}, 10).value().front().last, kNow - 3000);
  auto of_all = store().open_visits({std::nullopt, kNow - 10'000, INT64_MAX}, 1000);
  ASSERT_TRUE(of_all) << of_all.error().message;
  EXPECT_GE(of_all->size(), 2u);
  EXPECT_TRUE(store().open_visits({ProjectId{999}, 0, INT64_MAX}, 10).value().empty());
}

TEST_P(StoreContract, FindsTheNextDayWithEvents) {
  constexpr UnixMillis kDay = 86'400'000;
  constexpr UnixMillis kNoon = 20'000 * kDay + kDay / 2;
  const ProjectId project{1000 + p()};
  Block block;
  for (uint64_t day : {2u, 5u}) {
    event::Row row = row_at(day, kNoon + static_cast<UnixMillis>(day) * kDay);
    row.project_id = project;
    block.add(row);
  }
  insert(block, "a " + std::to_string(p()));
  auto day = [&](UnixMillis time) { return store().day_with_events(project, time).value(); };
  EXPECT_EQ(day(0), 20'002 * kDay);
  EXPECT_EQ(day(kNoon + 2 * kDay + 1), 20'002 * kDay);  // the day that `time` is in counts
  EXPECT_EQ(day(kNoon + 3 * kDay), 20'005 * kDay);
  EXPECT_EQ(day(kNoon + 6 * kDay), std::nullopt);
  EXPECT_EQ(store().day_with_events(ProjectId{999}, 0).value(), std::nullopt);
}

TEST_P(StoreContract, RowsOfVisitsComeInOrderAndAreRewrittenInPlace) {
  constexpr UnixMillis kNow = 1'760'000'000'000;
  const ProjectId project{1000 + p()};
  Block block;
  auto add = [&](uint64_t o, uint64_t visitor, UnixMillis time, std::string_view id) {
    event::Row row = row_at(o, time);
    row.project_id = project;
    row.visitor_id = visitor;
    row.time_rule = event::TimeRule::client;
    row.id = id;
    row.kind = event::Kind::pageview;
    row.path = "/it's a \\ \t path";
    row.source = "Google";
    row.channel = "Organic Search";
    row.utm_campaign = "spring";
    row.title = "title";
    row.properties = {{"text", "a"}, {"number", "1.50"}, {"other", "b"}};
    row.numbers = {{"number", 1.5}};
    block.add(row);
    return event::event_hash(row);
  };
  const uint64_t with_id = add(3, 7, kNow, "id");
  const uint64_t without_id = add(2, 7, kNow - 1000, "");
  const uint64_t with_uuid = add(1, 8, kNow, "01890a5d-ac96-774b-bcce-b302099a8057");
  {
    event::Row row = row_at(5, kNow);
    row.project_id = project;
    row.visitor_id = 8;
    block.add(row);
  }
  add(0, 9, kNow, "");
  add(4, 7, kNow + 86'400'000, "");
  insert(block, "a " + std::to_string(p()));

  std::vector<VisitRow> rows;
  auto read = [&] {
    rows.clear();
    const uint64_t visitors[] = {8, 7};
    auto done =
        store().visit_rows(project, visitors, kNow - 5000, kNow + 1, [&](const VisitRow& row) { rows.push_back(row); });
    ASSERT_TRUE(done) << done.error().message;
  };
  read();
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].visitor_id, 7u);
  EXPECT_EQ(rows[0].o, 2u);
  EXPECT_EQ(rows[0].hash, without_id);
  EXPECT_EQ(rows[0].kind, event::Kind::pageview);
  EXPECT_EQ(rows[0].path, "/it's a \\ \t path");
  EXPECT_EQ(rows[0].source, "Google");
  EXPECT_EQ(rows[0].campaign, "spring");
  EXPECT_EQ(rows[1].o, 3u);
  EXPECT_EQ(rows[1].hash, with_id);
  EXPECT_EQ(rows[1].time, kNow);
  EXPECT_EQ(rows[2].visitor_id, 8u);
  EXPECT_EQ(rows[2].hash, 5u);  // not a time of the client's: its position
  EXPECT_EQ(rows[3].visitor_id, 8u);
  EXPECT_EQ(rows[3].hash, with_uuid);

  rows[0].session_id = 77;
  rows[0].visit_seq = 3;
  rows[0].visit_gap_ms = 1234;
  rows[0].visit_bounce = -1;
  rows[0].entry_path = rows[0].path;
  rows[0].previous_path = "/previous";
  rows[0].visit_source = "Bing";
  rows[0].visit_channel = "Paid Search";
  rows[0].visit_campaign = "autumn";
  auto done = store().rewrite_visits(project, std::span(rows).first(1));
  ASSERT_TRUE(done) << done.error().message;
  read();
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].session_id, 77u);
  EXPECT_EQ(rows[0].visit_seq, 3u);
  EXPECT_EQ(rows[0].visit_gap_ms, 1234u);
  EXPECT_EQ(rows[0].visit_bounce, -1);
  EXPECT_EQ(rows[0].entry_path, rows[0].path);
  EXPECT_EQ(rows[0].previous_path, "/previous");
  EXPECT_EQ(rows[0].visit_source, "Bing");
  EXPECT_EQ(rows[0].visit_channel, "Paid Search");
  EXPECT_EQ(rows[0].visit_campaign, "autumn");
  EXPECT_EQ(rows[1].session_id, 6u);
  EXPECT_EQ(rows[2].session_id, 6u);
  EXPECT_EQ(store().positions(p(), 0, 10).value().size(), 6u);
}

TEST_P(StoreContract, CountsItsRows) {
  uint64_t before = store().health().value().rows;
  insert(block_of(0, 7), "a " + std::to_string(p()));
  EXPECT_EQ(store().health().value().rows, before + 7);
}

}  // namespace weir::store::testing
