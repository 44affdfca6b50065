#include "weir/load/loader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/base/testing/eventually.h"
#include "weir/event/record.h"
#include "weir/journal/open.h"
#include "weir/journal/segmented/format.h"
#include "weir/load/ranges.h"
#include "weir/settings/open.h"
#include "weir/store/testing/fake_store.h"

namespace weir::load {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using store::testing::FakeStore;
using store::testing::StoredRow;
using weir::testing::eventually;

TEST(Ranges, WhatIsMissingBetweenPresentOffsets) {
  std::vector<uint64_t> present = {3, 4, 7};
  EXPECT_EQ(missing_from({3, 10}, present), (std::vector<Range>{{5, 7}, {8, 10}}));
  EXPECT_EQ(missing_from({0, 3}, {}), (std::vector<Range>{{0, 3}}));
  EXPECT_EQ(missing_from({3, 5}, present), (std::vector<Range>{}));
}

TEST(Ranges, AreJoinedAndOverlap) {
  EXPECT_EQ(joined({{5, 7}, {1, 3}, {3, 4}, {6, 9}, {8, 8}}), (std::vector<Range>{{1, 4}, {5, 9}}));
  const std::vector<Range> ranges = {{1, 4}, {5, 9}, {20, 30}};
  EXPECT_EQ(overlap({0, 100}, ranges), 17U);
  EXPECT_EQ(overlap({3, 6}, ranges), 2U);
  EXPECT_EQ(overlap({9, 20}, ranges), 0U);
  EXPECT_EQ(overlap({25, 26}, ranges), 1U);
}

TEST(Ranges, HolesAreLeftOut) {
  std::vector<Range> ranges = {{0, 10}, {20, 30}};
  std::vector<Range> holes = {{2, 3}, {8, 22}, {29, 40}};
  EXPECT_EQ(without(ranges, holes), (std::vector<Range>{{0, 2}, {3, 8}, {22, 29}}));
  EXPECT_EQ(without(ranges, {}), ranges);
  EXPECT_EQ(without(std::vector<Range>{{0, 4}, {4, 8}}, std::vector<Range>{{1, 6}}),
            (std::vector<Range>{{0, 1}, {6, 8}}));
}

// Secrets whose keys cannot be read for a while, and how often they were asked.
class UnreadableSecrets : public settings::Secrets {
 public:
  Result<std::string> seal(ProjectId, UnixMillis, const settings::Personal&) override { return std::string("{}"); }
  Result<Opened> open(ProjectId, std::string_view) override {
    ++asked;
    if (unreadable) return Error{ErrorCode::kUnavailable, "settings: too many open files"};
    return Opened{.ip = "192.0.2.1", .user_agent = "", .hints = "", .accept_language = ""};
  }
  Result<uint64_t> visitor(ProjectId, UnixMillis, UnixMillis, std::string_view, std::string_view) override { return 1; }
  Result<> expire(UnixMillis) override { return {}; }

  std::atomic<bool> unreadable{true};
  std::atomic<int> asked{0};
};

// A real journal in a directory of its own, a fake store, and loaders over both.
class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    std::filesystem::create_directory(directory_);
    auto repository = settings::open(directory_, clock_, settings::Options());
    EXPECT_TRUE(repository) << repository.error().message;
    settings_ = std::move(*repository);
    settings::SecretsOptions secrets;
    secrets.directory = directory_ + "/secrets";
    secrets_ = std::move(*settings::open_file_secrets(real_files(), secrets));
    journal::Options options;
    options.segment_bytes = 1 * MiB;
    auto opened = journal::open(real_files(), clock_, registry_, directory_ + "/journal", options);
    EXPECT_TRUE(opened) << opened.error().message;
    journal_ = std::move(*opened);
    outcomes_ = open_outcomes();
    bulk_outcomes_ = open_outcomes(journal::Partition::bulk);
    dedup_ = open_dedup();
    healer_ = open_healer();
    options_.batch_age = milliseconds(10);
    options_.batch_rows = 100;
    options_.retry_pause_max = milliseconds(20);
  }
  ~LoaderTest() override {
    loader_.reset();
    EXPECT_TRUE(journal_->close());
    std::filesystem::remove_all(directory_);
  }

  std::unique_ptr<Dedup> open_dedup() {
    auto dedup = Dedup::open(real_files(), directory_ + "/dedup", journal_->uuid(), {.recent_max = 64});
    EXPECT_TRUE(dedup) << dedup.error().message;
    return dedup ? *std::move(dedup) : nullptr;
  }
  std::unique_ptr<VisitHealer> open_healer() {
    auto healer = VisitHealer::open(real_files(), directory_ + "/outcomes", journal_->uuid(), {store_, registry_});
    EXPECT_TRUE(healer) << healer.error().message;
    return healer ? *std::move(healer) : nullptr;
  }
  // As a new process.
  void reopen() {
    loader_.reset();
    dedup_.reset();
    healer_.reset();
    outcomes_ = open_outcomes();
    dedup_ = open_dedup();
    healer_ = open_healer();
  }

  std::unique_ptr<Outcomes> open_outcomes(journal::Partition partition = journal::Partition::live) {
    auto outcomes = Outcomes::open(real_files(), directory_ + "/outcomes", journal_->uuid(), partition);
    EXPECT_TRUE(outcomes) << outcomes.error().message;
    return outcomes ? *std::move(outcomes) : nullptr;
  }

  void append(journal::Records records, journal::Partition partition = journal::Partition::live) {
    auto done = journal::append_and_wait(journal_->writer(partition), std::move(records),
                                         std::chrono::steady_clock::now() + seconds(10));
    ASSERT_TRUE(done) << done.error().message;
  }
  // Closes the journal and opens it again; `between`: what befalls its files meanwhile.
  void reopen_journal(const std::function<void()>& between) {
    loader_.reset();
    ASSERT_TRUE(journal_->close());
    journal_.reset();
    between();
    journal::Options options;
    options.segment_bytes = 1 * MiB;
    auto opened = journal::open(real_files(), clock_, registry_, directory_ + "/journal", options);
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = *std::move(opened);
  }
  // Bytes that are no event.
  void append_garbage(std::string_view bytes) {
    journal::Records records;
    records.add(bytes);
    append(std::move(records));
  }

  void append(int count, UnixMillis first_time = 1'750'000'000'000, UnixMillis step = 1000) {
    journal::Records records;
    for (int i = 0; i < count; ++i) {
      std::string name = fmt::format("e{}", appended_++);
      event::Event event;
      event.project_id = ProjectId{7};
      event.name = name;
      event.user_id = "u";
      event.protocol = "native";
      event.time = event.received_at = first_time + i * step;
      event::append_record(event, records.begin());
      records.end();
    }
    append(std::move(records));
  }

  void start(journal::Partition partition = journal::Partition::live) {
    make(partition);
    loader_->start();
  }
  void make(journal::Partition partition = journal::Partition::live) {
    loader_ = std::make_unique<Loader>(options_,
                                       Dependencies{*journal_,
                                                    store_,
                                                    *settings_,
                                                    *secrets_,
                                                    {outcomes_.get(), bulk_outcomes_.get()},
                                                    *dedup_,
                                                    *healer_,
                                                    nullptr,
                                                    *loader_clock_,
                                                    registry_,
                                                    watch_},
                                       partition, nullptr);
  }

  [[nodiscard]] bool all_loaded() {
    return eventually([&] {
      Progress progress = loader_->progress();
      return progress.reconciled && progress.loaded == progress.end;
    });
  }
  // Two events of one visitor, by a loader each; `between` them.
  void load_two_a_minute_apart(const std::function<void()>& between) {
    const UnixMillis now = clock_.now();
    append(1, now - 60'000);
    start();
    ASSERT_TRUE(all_loaded());
    loader_.reset();
    append(1, now);
    between();
    start();
    ASSERT_TRUE(all_loaded());
  }
  // Every record exactly once, by name and by position.
  void expect_exact() {
    std::set<std::string> names;
    std::set<std::pair<uint32_t, uint64_t>> positions;
    auto rows = store_.rows();
    for (const StoredRow& row : rows) {
      names.emplace(row.text("name"));
      positions.emplace(row.p, row.o);
    }
    EXPECT_EQ(rows.size(), static_cast<size_t>(appended_));
    EXPECT_EQ(names.size(), static_cast<size_t>(appended_));
    EXPECT_EQ(positions.size(), static_cast<size_t>(appended_));
  }

  std::string directory_ = ::testing::TempDir() + "/weir_load_" + to_hex(random_bytes(6));
  SystemClock clock_;
  Clock* loader_clock_ = &clock_;
  metrics::Registry registry_;
  FakeStore store_;
  std::unique_ptr<settings::Repository> settings_;
  std::unique_ptr<settings::Secrets> secrets_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Outcomes> outcomes_;
  std::unique_ptr<Outcomes> bulk_outcomes_;
  std::unique_ptr<Dedup> dedup_;
  std::unique_ptr<VisitHealer> healer_;
  Options options_;
  event::RowWatch* watch_ = nullptr;
  std::unique_ptr<Loader> loader_;
  int appended_ = 0;
};

TEST_F(LoaderTest, EachRecordBecomesOneRow) {
  append(250);
  start();
  ASSERT_TRUE(all_loaded());
  append(250);
  ASSERT_TRUE(all_loaded());
  expect_exact();
}

TEST_F(LoaderTest, BatchesAreSplitByMonth) {
  append(40, 1'750'000'000'000, 10 * kMillisPerDay);
  start();
  ASSERT_TRUE(all_loaded());
  expect_exact();
  EXPECT_GE(store_.insert_count(), 13u);
}

TEST_F(LoaderTest, InAFloodABatchGrowsForTwiceItsTime) {
  ManualClock clock(clock_.now());
  loader_clock_ = &clock;
  options_.batch_age = milliseconds(400);
  options_.batch_rows = 1'000'000;
  for (int i = 0; i < 10; ++i) append(1'000);
  start();
  ASSERT_TRUE(eventually([&] { return loader_->progress().reconciled; }));
  int milliseconds_later = 0;
  ASSERT_TRUE(eventually([&] {
    clock.advance(milliseconds(1));
    ++milliseconds_later;
    return !store_.rows().empty();
  }));
  EXPECT_GE(milliseconds_later, 800);
  EXPECT_EQ(store_.rows().size(), 10'000U);
  loader_.reset();  // before its clock
}

TEST_F(LoaderTest, WaitsForKeysThatCannotBeRead) {
  auto unreadable = std::make_unique<UnreadableSecrets>();
  UnreadableSecrets& secrets = *unreadable;
  secrets_ = std::move(unreadable);
  append(3);
  journal::Records records;
  event::Event event;
  event.project_id = ProjectId{7};
  event.name = fmt::format("e{}", appended_++);
  event.user_id = "u";
  event.protocol = "native";
  event.time = event.received_at = 1'750'000'000'000;
  event.personal = R"({"day":"2025-06-15","sealed":"x"})";
  event::append_record(event, records.begin());
  records.end();
  append(std::move(records));
  start();
  ASSERT_TRUE(eventually([&] { return secrets.asked >= 3; }));
  EXPECT_EQ(store_.row_count(), 0U);
  secrets.unreadable = false;
  ASSERT_TRUE(all_loaded());
  expect_exact();
  loader_.reset();  // before its secrets
}

TEST_F(LoaderTest, WaitsForAStoreThatIsAway) {
  store_.set_away(true);
  append(10);
  start();
  append(10);
  store_.set_away(false);
  ASSERT_TRUE(all_loaded());
  expect_exact();
}

TEST_F(LoaderTest, AnAnswerLostAfterTheInsertCountsOnce) {
  store_.fail_inserts(3, {ErrorCode::kTimeout, "lost"}, FakeStore::Left::everything);
  append(50);
  start();
  ASSERT_TRUE(all_loaded());
  expect_exact();
}

TEST_F(LoaderTest, AHalfStoredInsertAndARestartAreCompletedByPositions) {
  std::atomic<int> calls{0};
  store_.before_insert([&](const store::Block&, std::string_view) {
    if (++calls == 2) store_.restart();
  });
  store_.fail_inserts(1, {ErrorCode::kUnavailable, "died"}, FakeStore::Left::half);
  append(300);
  start();
  ASSERT_TRUE(all_loaded());
  EXPECT_TRUE(eventually([&] { return store_.row_count() == 300u; }));
  expect_exact();
}

TEST_F(LoaderTest, ARestartDuringTheFailureMeansComparing) {
  std::atomic<bool> first{true};
  store_.before_insert([&](const store::Block&, std::string_view) {
    if (first.exchange(false)) store_.restart();  // tokens are forgotten while the insert is under way
  });
  store_.fail_inserts(1, {ErrorCode::kUnavailable, "died"}, FakeStore::Left::everything);
  append(80);
  start();
  ASSERT_TRUE(all_loaded());
  expect_exact();
}

TEST_F(LoaderTest, ANewLoaderSendsNothingTwice) {
  append(150);
  start();
  ASSERT_TRUE(all_loaded());
  loader_.reset();
  append(20);
  start();
  ASSERT_TRUE(all_loaded());
  expect_exact();
}

TEST_F(LoaderTest, ReplayFindsAndSendsWhatTheStoreLost) {
  append(200);
  start();
  ASSERT_TRUE(all_loaded());
  store_.lose_rows([](const StoredRow& row) { return row.o % 7 == 3 || row.o > 180; });
  auto replayed = loader_->replay(seconds(20));
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->end, 200u);
  EXPECT_EQ(replayed->missing, 26u + 19u);
  expect_exact();
}

// A position that needs no row may have one: a dead letter was stored, and weir was killed before it noted that. As
// many rows are missing elsewhere.
TEST_F(LoaderTest, ARowWhereNoneIsNeededHidesNoneThatIsMissing) {
  append(50);
  start();
  ASSERT_TRUE(all_loaded());
  const std::array<Outcomes::Decision, 2> decisions = {{{3, Outcome::dead}, {4, Outcome::moved}}};
  ASSERT_TRUE(outcomes_->decide(decisions));
  store_.lose_rows([](const StoredRow& row) { return row.o == 20 || row.o == 21; });
  auto replayed = loader_->replay(seconds(20));
  ASSERT_TRUE(replayed) << replayed.error().message;
  EXPECT_EQ(replayed->missing, 2U);
  expect_exact();
}

TEST_F(LoaderTest, StopsWhileTheStoreIsAway) {
  store_.set_away(true);
  append(10);
  start();
  loader_.reset();
  EXPECT_EQ(store_.row_count(), 0u);
}

TEST_F(LoaderTest, AVisitGoesOnAcrossARestartOfTheLoader) {
  ASSERT_NO_FATAL_FAILURE(load_two_a_minute_apart([] {}));
  auto rows = store_.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].session_id, rows[1].session_id);
  EXPECT_EQ(rows[1].visit_seq, 1);
  EXPECT_EQ(rows[1].visit_gap_ms, 60'000u);
}

TEST_F(LoaderTest, AVisitGoesOnThoughTheStoreCannotTellWhichAreOpen) {
  ASSERT_NO_FATAL_FAILURE(load_two_a_minute_apart([this] {
    store_.hide_open_visits(Error{ErrorCode::kUnavailable, "store: no space on the temporary disk"});
  }));
  healer_->start();
  ASSERT_TRUE(healer_->wait_until_healed(std::chrono::seconds(60)));
  auto rows = store_.rows();
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].session_id, rows[1].session_id);
  EXPECT_EQ(rows[1].visit_seq, 1);
}

TEST_F(LoaderTest, WhatIsNoEventBecomesADeadLetterAndHoldsNothingBack) {
  append(10);
  append_garbage("{not json");
  append(10);
  append_garbage("");
  start();
  ASSERT_TRUE(all_loaded());
  expect_exact();
  auto letters = outcomes_->dead_letters();
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 2U);
  EXPECT_EQ(letters->at(0).offset, 10U);
  EXPECT_EQ(letters->at(0).record, "{not json");
  EXPECT_FALSE(letters->at(0).reason.empty());
  EXPECT_EQ(letters->at(1).offset, 21U);
  // A new loader over the same decisions finds nothing missing, and decides nothing again.
  reopen();
  start();
  ASSERT_TRUE(all_loaded());
  auto replayed = loader_->replay(seconds(20));
  ASSERT_TRUE(replayed);
  EXPECT_EQ(replayed->missing, 0U);
  EXPECT_EQ(outcomes_->counts()[static_cast<size_t>(Outcome::dead)], 2U);
}

TEST_F(LoaderTest, RowsTheStoreRefusesAreFoundAndTheOthersStored) {
  auto poisoned = [](const StoredRow& row) {
    const auto name = row.text("name");
    return name == "e0" || name == "e57" || name == "e58" || name == "e199" || name == "e230";
  };
  store_.refuse_rows(poisoned);
  append(250);
  start();
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.row_count(), 245U);
  auto letters = outcomes_->dead_letters();
  ASSERT_TRUE(letters);
  std::vector<journal::Offset> offsets;
  for (const DeadLetter& letter : *letters) {
    offsets.push_back(letter.offset);
    EXPECT_NE(letter.record.find(fmt::format("\"name\":\"e{}\"", letter.offset)), std::string::npos);
    EXPECT_EQ(letter.epoch, 1U);
  }
  EXPECT_EQ(offsets, (std::vector<journal::Offset>{0, 57, 58, 199, 230}));
  // A restart does not try them again.
  reopen();
  const size_t inserts = store_.insert_count();
  start();
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.insert_count(), inserts);
}

TEST_F(LoaderTest, DeadLettersAreTriedAgainOnDemand) {
  store_.refuse_rows([](const StoredRow& row) { return row.o == 3 || row.o == 8; });
  append(10);
  append_garbage("still no event");
  start();
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.row_count(), 8U);
  store_.refuse_rows([](const StoredRow& row) { return row.o == 8; });
  auto resent = loader_->resend(seconds(20));
  ASSERT_TRUE(resent) << resent.error().message;
  EXPECT_EQ(resent->tried, 3U);
  EXPECT_EQ(resent->stored, 1U);
  store_.refuse_rows(nullptr);
  resent = loader_->resend(seconds(20));
  ASSERT_TRUE(resent);
  EXPECT_EQ(resent->tried, 2U);
  EXPECT_EQ(resent->stored, 1U);
  append(5);
  ASSERT_TRUE(all_loaded());
  expect_exact();
  EXPECT_EQ(outcomes_->counts()[static_cast<size_t>(Outcome::dead)], 1U);
  // Its row is there, its decision not yet taken back: as after a kill between the two.
  ASSERT_TRUE(outcomes_->bury(std::vector<DeadLetter>{{3, 1, 0, "again", "record"}}));
  resent = loader_->resend(seconds(20));
  ASSERT_TRUE(resent);
  EXPECT_EQ(resent->stored, 1U);
  expect_exact();
}

// Notes the names of rows that were stored, every second one of all.
class NotedRows final : public event::RowWatch {
 public:
  explicit NotedRows(std::function<size_t()> stored_rows) : stored_rows_(std::move(stored_rows)) {}
  std::unique_ptr<Batch> watch() override { return std::make_unique<Noted>(*this); }
  std::vector<std::string> names() const {
    std::lock_guard lock(mutex_);
    return names_;
  }

 private:
  struct Noted final : Batch {
    explicit Noted(NotedRows& all) : all(all) {}
    size_t row(const event::Row& row) override {
      if (row.o % 2 == 1) return kNotShown;
      rows.push_back(std::string(row.name));
      last = row.o;
      return rows.size() - 1;
    }
    void visit(size_t number, const event::VisitColumns& visit) override {
      rows[number] += visit.session_id != 0 ? fmt::format(" of a visit, its number {}", visit.seq) : " of no visit";
    }
    void stored() override {
      EXPECT_GT(all.stored_rows_(), last);
      std::lock_guard lock(all.mutex_);
      all.names_.insert(all.names_.end(), rows.begin(), rows.end());
    }
    NotedRows& all;
    std::vector<std::string> rows;
    size_t last = 0;
  };
  const std::function<size_t()> stored_rows_;
  mutable std::mutex mutex_;  // guards names_
  std::vector<std::string> names_;
};

TEST_F(LoaderTest, WhoWatchesSeesRowsWithTheirVisitsOnceTheyAreStored) {
  NotedRows watch([this] { return store_.row_count(); });
  watch_ = &watch;
  store_.fail_inserts(1, {ErrorCode::kUnavailable, "away for a moment"});
  append(5);
  start();
  ASSERT_TRUE(all_loaded());
  ASSERT_TRUE(eventually([&] { return !watch.names().empty(); }));
  EXPECT_EQ(watch.names(), (std::vector<std::string>{"e0 of a visit, its number 0", "e2 of a visit, its number 2",
                                                     "e4 of a visit, its number 4"}));
  loader_->stop();
}

TEST_F(LoaderTest, ATableThatTakesNothingCostsNothing) {
  // The batch, its columns alone; then, compared again, the batch.
  store_.fail_inserts(3, {ErrorCode::kBadInput, "a column is of another type"});
  append(90);
  start();
  ASSERT_TRUE(all_loaded());
  expect_exact();
  EXPECT_EQ(outcomes_->counts()[static_cast<size_t>(Outcome::dead)], 0U);
  EXPECT_EQ(store_.tokens().size(), 2U);  // it waited before it looked for single rows: one half, and the other
}

TEST_F(LoaderTest, AnIdCountsOnceWhateverIsRestartedOrLost) {
  auto send = [&](int first, int count, std::string_view name) {
    journal::Records records;
    for (int i = first; i < first + count; ++i) {
      const std::string id = fmt::format("id-{}", i);
      event::Event event;
      event.project_id = ProjectId{7};
      event.id = id;
      event.id_given = true;
      event.name = name;
      event.user_id = "u";
      event.time = event.received_at = clock_.now();
      event::append_record(event, records.begin());
      records.end();
    }
    append(std::move(records));
  };
  auto duplicates = [&] { return outcomes_->counts()[static_cast<size_t>(Outcome::duplicate)]; };
  auto conflicts = [&] {
    return registry_.counter("weir_load_id_conflicts_total", "", {{"partition", "live"}}).value();
  };
  send(0, 200, "a");
  send(100, 150, "a");  // 100 of them again, in the same run of loading
  start();
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.row_count(), 250U);
  EXPECT_EQ(duplicates(), 100U);
  EXPECT_EQ(conflicts(), 0U);
  reopen();
  send(0, 250, "b");  // across a restart, with another payload
  start();
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.row_count(), 250U);
  EXPECT_EQ(duplicates(), 350U);
  EXPECT_EQ(conflicts(), 250U);
  // The store loses rows: those, and only those, come back.
  store_.lose_rows([](const StoredRow& row) { return row.o % 3 == 0; });
  auto replayed = loader_->replay(seconds(20));
  ASSERT_TRUE(replayed);
  EXPECT_EQ(replayed->missing, 84U);
  EXPECT_EQ(store_.row_count(), 250U);
  // The index is lost with the decisions: the journal gives the same again.
  loader_.reset();
  dedup_.reset();
  std::filesystem::remove_all(directory_ + "/dedup");
  std::filesystem::remove_all(directory_ + "/outcomes");
  outcomes_ = open_outcomes();
  dedup_ = open_dedup();
  start();
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.row_count(), 250U);
  EXPECT_EQ(duplicates(), 350U);
  std::set<std::string> names;
  for (const StoredRow& row : store_.rows()) names.emplace(row.text("name"));
  EXPECT_EQ(names, std::set<std::string>{"a"});
}

// L12, L31: an older copy of the journal was put back, and events were taken before the store could be asked.
// The row of an id that the store lost is not made again, because a record of the other partition has the id by now:
// what it said of its visit has to be taken back.
TEST_F(LoaderTest, AVisitForgetsARowThatWasLostAndIsADuplicateNow) {
  const UnixMillis now = clock_.now();
  auto send = [&](journal::Partition partition, std::string_view id, UnixMillis time) {
    journal::Records records;
    event::Event event;
    event.project_id = ProjectId{7};
    event.id = id;
    event.id_given = true;
    event.name = "e";
    event.user_id = "u";
    event.time = event.received_at = time;
    event::append_record(event, records.begin());
    records.end();
    append(std::move(records), partition);
  };
  send(journal::Partition::bulk, "lost", now - 120'000);
  send(journal::Partition::bulk, "stays", now - 60'000);
  start(journal::Partition::bulk);
  ASSERT_TRUE(all_loaded());
  loader_.reset();
  healer_->start();
  ASSERT_TRUE(healer_->wait_until_healed(seconds(60)));
  ASSERT_EQ(store_.rows().at(1).session_id, store_.rows().at(0).session_id);
  store_.lose_rows([](const StoredRow& row) { return row.o == 0; });
  send(journal::Partition::live, "lost", now - 5 * kMillisPerDay);
  reopen();
  start();
  ASSERT_TRUE(all_loaded());
  loader_.reset();
  start(journal::Partition::bulk);
  ASSERT_TRUE(all_loaded());
  healer_->start();
  ASSERT_TRUE(healer_->wait_until_healed(seconds(60)));
  auto rows = store_.rows();
  ASSERT_EQ(rows.size(), 2u);
  const StoredRow& stays = rows[0].timestamp > rows[1].timestamp ? rows[0] : rows[1];
  EXPECT_EQ(stays.visit_seq, 0);
  EXPECT_EQ(static_cast<UnixMillis>(stays.session_id >> 32), (now - 60'000) / 1000);
}

TEST_F(LoaderTest, AJournalThatWasRolledBackGoesOnAboveWhatTheStoreHolds) {
  const std::string journal = directory_ + "/journal";
  append(60);
  start();
  ASSERT_TRUE(all_loaded());
  reopen_journal(
      [&] { std::filesystem::copy(journal, directory_ + "/older", std::filesystem::copy_options::recursive); });
  start();
  append(40);
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.row_count(), 100U);
  // Also decisions about what will be lost are known above the journal's end; they are not about what comes there.
  const std::vector<Outcomes::Decision> lost = {{75, Outcome::duplicate}, {119, Outcome::dead}};
  ASSERT_TRUE(outcomes_->decide(lost));
  reopen_journal([&] {
    std::filesystem::remove_all(journal);
    std::filesystem::rename(directory_ + "/older", journal);
  });
  EXPECT_EQ(journal_->writer(journal::Partition::live).end(), 60U);
  make();
  append(30);  // at positions that the store holds rows of
  loader_->start();
  ASSERT_TRUE(all_loaded());
  append(10);
  ASSERT_TRUE(all_loaded());
  expect_exact();
  EXPECT_EQ(journal_->info(journal::Partition::live).epochs.back().first, 120U);
  reopen_journal([] {});
  start();
  append(10);
  ASSERT_TRUE(all_loaded());
  expect_exact();
}

// An epoch that begins because of damage says nothing of what the disk has lost besides.
TEST_F(LoaderTest, AJournalThatWasRolledBackAndIsDamagedGoesOnAboveWhatTheStoreHolds) {
  const std::string journal = directory_ + "/journal";
  append(30);
  append(30);
  append(30);
  start();
  ASSERT_TRUE(all_loaded());
  reopen_journal(
      [&] { std::filesystem::copy(journal, directory_ + "/older", std::filesystem::copy_options::recursive); });
  start();
  append(40);
  ASSERT_TRUE(all_loaded());
  reopen_journal([&] {
    std::filesystem::remove_all(journal);
    std::filesystem::rename(directory_ + "/older", journal);
    const std::string segment = journal + "/live/00000000000000000000.seg";
    std::fstream file(segment, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(journal::segmented::kSegmentHeaderBytes + journal::segmented::kFrameHeaderBytes + 5);
    const int was = file.peek();
    file.seekp(file.tellg());
    file.put(static_cast<char>(was ^ 0x40));
    ASSERT_TRUE(file.flush());
  });
  const auto recovered = journal_->info(journal::Partition::live);
  ASSERT_EQ(recovered.damaged.size(), 1U);
  ASSERT_EQ(recovered.epochs.back().first, 90U);
  start();
  append(10);
  ASSERT_TRUE(all_loaded());
  expect_exact();
  EXPECT_EQ(journal_->info(journal::Partition::live).epochs.back().first, 130U);
}

}  // namespace
}  // namespace weir::load
