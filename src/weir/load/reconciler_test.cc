#include "weir/load/reconciler.h"

#include <array>
#include <atomic>
#include <fstream>

#include "weir/journal/segmented/format.h"
#include "weir/load/testing/loader_fixture.h"

namespace weir::load::testing {
namespace {

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

// L12, L31: an older copy of the journal was put back, and events were taken before the store could be asked.
TEST_F(LoaderTest, AJournalThatWasRolledBackGoesOnAboveWhatTheStoreHolds) {
  append(60);
  start();
  ASSERT_TRUE(all_loaded());
  reopen_journal([&] { copy_journal(); });
  start();
  append(40);
  ASSERT_TRUE(all_loaded());
  EXPECT_EQ(store_.row_count(), 100U);
  // Also decisions about what will be lost are known above the journal's end; they are not about what comes there.
  const std::vector<Outcomes::Decision> lost = {{75, Outcome::duplicate}, {119, Outcome::dead}};
  ASSERT_TRUE(outcomes_->decide(lost));
  reopen_journal([&] { put_copy_back(); });
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
  append(30);
  append(30);
  append(30);
  start();
  ASSERT_TRUE(all_loaded());
  reopen_journal([&] { copy_journal(); });
  start();
  append(40);
  ASSERT_TRUE(all_loaded());
  reopen_journal([&] {
    put_copy_back();
    const std::string segment = directory_ + "/journal/live/00000000000000000000.seg";
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
}  // namespace weir::load::testing
