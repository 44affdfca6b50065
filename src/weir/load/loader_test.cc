#include "weir/load/loader.h"

#include "weir/load/testing/loader_fixture.h"
#include "weir/load/testing/told_secrets.h"

namespace weir::load::testing {
namespace {

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
  auto told = std::make_unique<ToldSecrets>();
  ToldSecrets& secrets = *told;
  secrets.fail = true;
  secrets_ = std::move(told);
  append(3);
  const std::string name = fmt::format("e{}", appended_++);
  event::Event event;
  event.name = name;
  event.time = clock_.now();
  event.personal = R"({"day":"2025-06-15","sealed":"x"})";
  append(event);
  start();
  ASSERT_TRUE(eventually([&] { return secrets.asked >= 3; }));
  EXPECT_EQ(store_.row_count(), 0U);
  secrets.fail = false;
  ASSERT_TRUE(all_loaded());
  expect_exact();
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

// The row of an id that the store lost is not made again, because a record of the other partition has the id by now:
// what it said of its visit has to be taken back.
TEST_F(LoaderTest, AVisitForgetsARowThatWasLostAndIsADuplicateNow) {
  const UnixMillis now = clock_.now();
  auto send = [&](journal::Partition partition, std::string_view id, UnixMillis time) {
    event::Event event;
    event.id = id;
    event.id_given = true;
    event.name = "e";
    event.time = time;
    append(event, partition);
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

}  // namespace
}  // namespace weir::load::testing
