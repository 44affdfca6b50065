#include "weir/load/visit_healer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <thread>
#include <tuple>

#include "weir/base/testing/fake_files.h"
#include "weir/enrich/enricher.h"
#include "weir/store/testing/fake_store.h"

namespace weir::load {
namespace {

using journal::Partition;
using std::chrono::seconds;
using weir::testing::FakeFiles;

constexpr UnixMillis kNoon = 1'700'000'000'000;
constexpr UnixMillis kMinute = 60'000;

// What two loaders do, without journal and threads of their own: batches of events are assigned and inserted, with
// some on their way while others are assigned.
class Loading {
 public:
  Loading(FakeFiles& files, store::testing::FakeStore& store, bool heals = true) : files_(files), store_(store) {
    open(heals);
  }

  void open(bool heals = true) {
    healer_.reset();
    auto healer = VisitHealer::open(files_, "outcomes", std::string(16, 'j'), {store_, registry_});
    ASSERT_TRUE(healer) << healer.error().message;
    healer_ = *std::move(healer);
    // As after a start: what there is in the store is not known.
    for (Partition partition : {Partition::live, Partition::bulk})
      if (store_.row_count() == 0) healer_->visits(partition).know_all_from(INT64_MIN);
    if (heals) healer_->start();
  }

  struct Sent {
    UnixMillis time = 0;
    uint64_t visitor = 0;
    std::string name, path, source, client_session;
    event::Kind kind = event::Kind::event;
  };
  struct Batch {
    Partition partition{};
    store::Block block;
    std::vector<DirtyVisits> dirty;
  };
  Batch assign(Partition partition, const std::vector<Sent>& events) {
    Batch batch;
    batch.partition = partition;
    healer_->batch_begins(partition);
    std::vector<uint64_t> visitors;
    for (const Sent& sent : events) {
      event::Row row;
      row.project_id = ProjectId{1};
      row.time = row.received_at = sent.time;
      row.time_rule = event::TimeRule::client;
      row.visitor_id = sent.visitor;
      row.kind = sent.kind;
      row.name = sent.name;
      row.path = sent.path;
      row.source = row.referrer = sent.source;
      row.client_session_id = sent.client_session;
      row.p = static_cast<uint32_t>(partition) + 1;
      row.o = next_o_++;
      auto assigned = healer_->visits(partition).assign(enrich::visit_event(row));
      if (!assigned.certain) batch.dirty.push_back({row.project_id, row.visitor_id, row.time, row.time});
      row.visit = assigned.facts;
      batch.block.add(row);
      visitors.push_back(row.visitor_id);
    }
    healer_->batch_holds(partition, std::move(visitors));
    return batch;
  }
  void insert(Batch batch) {
    ASSERT_TRUE(healer_->note(batch.dirty));
    ASSERT_TRUE(store_.insert(batch.block, fmt::format("{}", ++tokens_)));
    healer_->batch_ended(batch.partition);
  }
  VisitHealer& healer() { return *healer_; }

  // All the visit's columns of all rows, by what the event says and not by where it stands.
  std::vector<std::string> visits() {
    std::vector<std::string> all;
    std::map<uint64_t, int> sessions;
    std::vector<uint64_t> visitors;
    for (uint64_t v = 1; v <= 20; ++v) visitors.push_back(v);
    auto read = store_.visit_rows(ProjectId{1}, visitors, INT64_MIN, INT64_MAX, [&](const store::VisitRow& row) {
      all.push_back(fmt::format("{} {} {:x} {} {} began {} number {} {} {} {} {} {}", row.visitor_id, row.time,
                                row.hash, row.client_session_id, row.path, row.session_id >> 32, row.visit_seq,
                                row.visit_gap_ms, row.visit_bounce, row.entry_path, row.previous_path,
                                row.visit_source));
      sessions[row.session_id] += row.visit_seq == 0 ? 1 : 0;
    });
    // The rows of a visit share its number, and no two visits do.
    for (const auto& [session, firsts] : sessions) EXPECT_EQ(firsts, 1) << session;
    EXPECT_TRUE(read);
    std::sort(all.begin(), all.end());
    return all;
  }

 private:
  FakeFiles& files_;
  store::testing::FakeStore& store_;
  metrics::Registry registry_;
  std::unique_ptr<VisitHealer> healer_;
  uint64_t next_o_ = 0;
  int tokens_ = 0;
};

std::vector<Loading::Sent> some_events(std::mt19937_64& random, size_t count) {
  std::vector<Loading::Sent> events;
  auto below = [&](uint64_t n) { return random() % n; };
  for (size_t i = 0; i < count; ++i) {
    Loading::Sent sent;
    sent.visitor = 1 + below(6);
    // Dense enough for visits to be cut by their length, with holes that late events bridge.
    sent.time = kNoon + static_cast<UnixMillis>(below(4 * 24 * 60)) * kMinute + (below(4) == 0 ? 0 : below(1000));
    if (sent.visitor <= 2) sent.time = kNoon + static_cast<UnixMillis>(below(3 * 24 * 60 / 20)) * 20 * kMinute;
    sent.name = fmt::format("e{}", below(4));
    sent.path = fmt::format("/{}", below(5));
    sent.source = fmt::format("s{}", below(3));
    if (sent.visitor == 3) sent.client_session = fmt::format("c{}", below(2));
    sent.kind = std::array{event::Kind::pageview, event::Kind::event, event::Kind::engagement}[below(3)];
    events.push_back(std::move(sent));
  }
  return events;
}

// What all rows should say, worked out in another way than enrich::advance() does: visit by visit, each looked at as a
// whole.
std::vector<std::string> expected_of(const std::vector<Loading::Sent>& sent) {
  struct Event {
    const Loading::Sent* sent;
    uint64_t hash;
  };
  std::map<std::pair<uint64_t, std::string>, std::vector<Event>> streams;
  for (const Loading::Sent& one : sent) {
    event::Row row;
    row.time_rule = event::TimeRule::client;
    row.kind = one.kind;
    row.name = one.name;
    row.path = one.path;
    row.referrer = one.source;
    streams[{one.visitor, one.client_session}].push_back({&one, event::event_hash(row)});
  }
  std::vector<std::string> all;
  for (auto& [key, events] : streams) {
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return std::tie(a.sent->time, a.hash) < std::tie(b.sent->time, b.hash);
    });
    for (size_t first = 0; first < events.size();) {
      const UnixMillis began = events[first].sent->time;
      size_t end = first + 1;
      while (end < events.size() && events[end].sent->time - events[end - 1].sent->time <= 30 * kMinute &&
             events[end].sent->time / 1000 - began / 1000 < 24 * 3600)
        ++end;
      std::string entry;
      std::string previous;
      bool entered = false;
      size_t interactions = 0;
      size_t pageviews = 0;
      for (size_t i = first; i < end; ++i) {
        const Loading::Sent& one = *events[i].sent;
        const bool bounced = pageviews == 1 && interactions == 1;
        const bool pageview = one.kind == event::Kind::pageview;
        if (pageview) ++pageviews;
        if (one.kind != event::Kind::engagement) ++interactions;
        const bool bounces = pageviews == 1 && interactions == 1;
        if (pageview && !entered) entry = one.path;
        entered = entered || pageview;
        all.push_back(fmt::format(
            "{} {} {:x} {} {} began {} number {} {} {} {} {} {}", one.visitor, one.time, events[i].hash,
            one.client_session, one.path, began / 1000, i - first, i == first ? 0 : one.time - events[i - 1].sent->time,
            static_cast<int>(bounces) - static_cast<int>(bounced), entry, previous, events[first].sent->source));
        if (pageview) previous = one.path;
      }
      first = end;
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

TEST(VisitHealer, TheOrderOfArrivalLeavesNoTrace) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<Loading::Sent> events = some_events(random, 400);
    const auto expected = expected_of(events);
    std::shuffle(events.begin(), events.end(), random);
    FakeFiles files;
    ASSERT_TRUE(files.make_directory("outcomes"));
    store::testing::FakeStore store;
    Loading loading(files, store);
    std::vector<Loading::Batch> on_their_way;
    for (size_t at = 0; at < events.size();) {
      const size_t count = std::min<size_t>(1 + random() % 60, events.size() - at);
      const Partition partition = random() % 3 == 0 ? Partition::bulk : Partition::live;
      std::vector<Loading::Sent> some(events.begin() + static_cast<ptrdiff_t>(at),
                                      events.begin() + static_cast<ptrdiff_t>(at + count));
      on_their_way.push_back(loading.assign(partition, some));
      at += count;
      // Batches of a partition arrive in order, those of two in any.
      while (!on_their_way.empty() && random() % 2 == 0) {
        const Partition next = random() % 2 == 0 ? Partition::bulk : Partition::live;
        auto batch =
            std::find_if(on_their_way.begin(), on_their_way.end(), [&](const auto& b) { return b.partition == next; });
        if (batch == on_their_way.end()) continue;
        loading.insert(std::move(*batch));
        on_their_way.erase(batch);
      }
      if (random() % 8 == 0) {
        // A new process: what was assigned and not inserted is assigned anew.
        for (auto& batch : on_their_way) loading.insert(std::move(batch));
        on_their_way.clear();
        loading.open();
      }
    }
    for (auto& batch : on_their_way) loading.insert(std::move(batch));
    ASSERT_TRUE(loading.healer().wait_until_healed(seconds(60))) << seed;
    const auto visits = loading.visits();
    const auto wrong = std::mismatch(visits.begin(), visits.end(), expected.begin(), expected.end());
    ASSERT_EQ(visits.size(), expected.size());
    if (wrong.first != visits.end())
      FAIL() << "seed " << seed << ": " << *wrong.first << "\nshould be " << *wrong.second;
  }
}

TEST(VisitHealer, WhatWasNotedIsDoneAfterAKillAndOnlyOnce) {
  std::mt19937_64 random(7);
  std::vector<Loading::Sent> events = some_events(random, 200);
  const auto expected = expected_of(events);
  std::reverse(events.begin(), events.end());
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("outcomes"));
  store::testing::FakeStore store;
  {
    Loading loading(files, store, false);  // killed between insertion and putting right
    loading.insert(loading.assign(Partition::live, events));
    EXPECT_NE(loading.visits(), expected);
  }
  files.power_cut(FakeFiles::Cut::nothing, 1);
  Loading after(files, store, false);
  EXPECT_FALSE(after.healer().pending().empty());
  after.healer().start();
  ASSERT_TRUE(after.healer().wait_until_healed(seconds(60)));
  EXPECT_EQ(after.visits(), expected);
  after.open(false);
  EXPECT_TRUE(after.healer().pending().empty());
}

TEST(VisitHealer, RowsOnTheirWayAreWaitedFor) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("outcomes"));
  store::testing::FakeStore store;
  Loading loading(files, store);
  Loading::Sent first{kNoon, 1, "a", "/a", "s", "", event::Kind::pageview};
  Loading::Sent late{kNoon - kMinute, 1, "b", "/b", "t", "", event::Kind::pageview};
  auto on_its_way = loading.assign(Partition::live, {first});
  loading.insert(loading.assign(Partition::bulk, {late}));
  EXPECT_FALSE(loading.healer().wait_until_healed(std::chrono::milliseconds(1)));
  loading.insert(std::move(on_its_way));
  ASSERT_TRUE(loading.healer().wait_until_healed(seconds(60)));
  EXPECT_EQ(loading.visits(), expected_of({first, late}));
}

// Visitors of one day are asked for together, in their own order and not in that of their times.
TEST(VisitHealer, AVisitFromTheDayBeforeIsSeenWholeBesideOneOfTheEvening) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("outcomes"));
  store::testing::FakeStore store;
  Loading loading(files, store, false);
  constexpr UnixMillis kMidnight = (kNoon / kMillisPerDay + 1) * kMillisPerDay;
  auto at = [](UnixMillis minutes, uint64_t visitor) {
    return Loading::Sent{kMidnight + minutes * kMinute, visitor, "a", "/a", "s", "", event::Kind::pageview};
  };
  std::vector<Loading::Sent> all;
  for (UnixMillis minutes = -200; minutes <= 0; minutes += 25) all.push_back(at(minutes, 2));
  all.push_back(at(50, 2));  // another visit, until it is known what was in between
  all.push_back(at(23 * 60 + 40, 1));
  loading.insert(loading.assign(Partition::live, all));
  const std::vector<Loading::Sent> late = {at(25, 2), at(23 * 60 + 30, 1)};
  loading.insert(loading.assign(Partition::live, late));
  all.insert(all.end(), late.begin(), late.end());
  EXPECT_NE(loading.visits(), expected_of(all));
  loading.healer().start();
  ASSERT_TRUE(loading.healer().wait_until_healed(seconds(60)));
  EXPECT_EQ(loading.visits(), expected_of(all));
}

// The store has the first and the third event of a visit, the second is on its way: a batch is inserted in pieces.
TEST(VisitHealer, WhatWasSeenWhileABatchWasInsertedIsLookedAtAgain) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("outcomes"));
  store::testing::FakeStore store;
  Loading loading(files, store, false);
  auto at = [](UnixMillis time, const char* session) {
    return Loading::Sent{time, 1, "a", "/a", "s", session, event::Kind::pageview};
  };
  std::vector<Loading::Sent> all = {at(kNoon, "other"), at(kNoon - kMinute, "other")};
  loading.insert(loading.assign(Partition::live, {all[0]}));
  loading.insert(loading.assign(Partition::live, {all[1]}));  // late: it is noted
  for (int i = 1; i <= 3; ++i) all.push_back(at(kNoon + i * kMinute, ""));
  Loading::Batch batch = loading.assign(Partition::live, {all[2], all[3], all[4]});
  ASSERT_TRUE(batch.dirty.empty());
  ASSERT_TRUE(store.insert(batch.block.slice(0, 1), "first"));
  ASSERT_TRUE(store.insert(batch.block.slice(2, 1), "third"));
  const auto before = loading.visits();
  loading.healer().start();
  while (loading.visits() == before) std::this_thread::yield();
  EXPECT_FALSE(loading.healer().wait_until_healed(std::chrono::milliseconds(1)));
  ASSERT_TRUE(store.insert(batch.block.slice(1, 1), "second"));
  loading.healer().batch_ended(Partition::live);
  ASSERT_TRUE(loading.healer().wait_until_healed(seconds(60)));
  EXPECT_EQ(loading.visits(), expected_of(all));
}

TEST(VisitHealer, AStoreThatIsAwayIsAskedAgain) {
  FakeFiles files;
  ASSERT_TRUE(files.make_directory("outcomes"));
  store::testing::FakeStore store;
  Loading loading(files, store);
  Loading::Sent first{kNoon, 1, "a", "/a", "s", "", event::Kind::pageview};
  Loading::Sent late{kNoon - kMinute, 1, "b", "/b", "t", "", event::Kind::pageview};
  loading.insert(loading.assign(Partition::live, {first}));
  Loading::Batch batch = loading.assign(Partition::live, {late});
  ASSERT_TRUE(loading.healer().note(batch.dirty));
  ASSERT_TRUE(store.insert(batch.block, "late"));
  store.set_away(true);
  loading.healer().batch_ended(Partition::live);
  EXPECT_FALSE(loading.healer().wait_until_healed(std::chrono::milliseconds(50)));
  store.set_away(false);
  ASSERT_TRUE(loading.healer().wait_until_healed(seconds(60)));
  EXPECT_EQ(loading.visits(), expected_of({first, late}));
}

}  // namespace
}  // namespace weir::load
