#include "weir/load/dedup.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "weir/base/bytes.h"
#include "weir/base/testing/fake_files.h"
#include "weir/event/record.h"
#include "weir/journal/open.h"

namespace weir::load {
namespace {

using std::chrono::seconds;
using weir::testing::FakeFiles;
using Verdict = Dedup::Verdict;
using journal::Partition;

constexpr UnixMillis kNow = 1'790'000'000'000;
const std::string kUuid = "0123456789abcdef";

IdEntry entry_at(uint64_t high, uint64_t low, uint32_t received = 1) {
  IdEntry entry;
  entry.key_high = high;
  entry.key_low = low;
  entry.place = low;
  entry.received = received;
  return entry;
}

class IdRunTest : public ::testing::Test {
 protected:
  std::unique_ptr<IdRun> run_of(const std::vector<IdEntry>& entries, bool with_filter = true) {
    auto writer = IdRunWriter::create(files_, "run", entries.size(), 1 * MiB);
    EXPECT_TRUE(writer);
    for (const IdEntry& entry : entries) EXPECT_TRUE((*writer)->add(entry));
    EXPECT_TRUE((*writer)->finish());
    auto run = IdRun::open(files_, "run", with_filter);
    EXPECT_TRUE(run) << run.error().message;
    return run ? *std::move(run) : nullptr;
  }
  FakeFiles files_;
};

TEST_F(IdRunTest, FindsWhatIsThereAndNothingElse) {
  std::mt19937_64 random(1);
  for (size_t count : {1U, 2U, 126U, 127U, 128U, 254U, 5000U}) {
    std::vector<IdEntry> entries;
    for (size_t i = 0; i < count; ++i) entries.push_back(entry_at(random() >> (i % 3 == 0 ? 60 : 0), random()));
    std::sort(entries.begin(), entries.end(), [](const IdEntry& a, const IdEntry& b) { return a.before(b); });
    for (bool with_filter : {true, false}) {
      auto run = run_of(entries, with_filter);
      EXPECT_EQ(run->count(), count);
      for (const IdEntry& entry : entries) {
        auto found = run->find(entry);
        ASSERT_TRUE(found);
        ASSERT_TRUE(found->has_value());
        EXPECT_EQ((*found)->place, entry.place);
        for (const IdEntry& other :
             {entry_at(entry.key_high, entry.key_low + 1), entry_at(entry.key_high + 1, entry.key_low)})
          EXPECT_EQ(run->find(other)->has_value(),
                    std::any_of(entries.begin(), entries.end(), [&](const IdEntry& e) { return e.same_key(other); }));
      }
      IdRun::Cursor cursor(*run);
      for (const IdEntry& entry : entries) EXPECT_TRUE((*cursor.next())->same_key(entry));
      EXPECT_EQ(*cursor.next(), nullptr);
    }
  }
}

TEST_F(IdRunTest, TheFilterKeepsMostLooksFromTheFile) {
  std::mt19937_64 random(2);
  std::vector<IdEntry> entries;
  for (size_t i = 0; i < 20'000; ++i) entries.push_back(entry_at(random(), random()));
  std::sort(entries.begin(), entries.end(), [](const IdEntry& a, const IdEntry& b) { return a.before(b); });
  auto run = run_of(entries);
  int reads = 0;
  files_.on_call([&](FakeFiles::Call call, const std::string&) -> std::optional<Error> {
    reads += call == FakeFiles::Call::read ? 1 : 0;
    return std::nullopt;
  });
  for (int i = 0; i < 10'000; ++i) ASSERT_FALSE(run->find(entry_at(random(), random()))->has_value());
  EXPECT_LT(reads, 300);
  files_.on_call(nullptr);
}

TEST_F(IdRunTest, DamageIsToldNotBelieved) {
  std::vector<IdEntry> entries;
  for (uint64_t i = 1; i < 1000; ++i) entries.push_back(entry_at(i << 40, i));
  run_of(entries);
  const size_t size = files_.content("run")->size();
  for (size_t at = 0; at < size; at += 97) {
    files_.flip("run", at, 0x10);
    auto run = IdRun::open(files_, "run", true);
    bool told = !run;
    for (size_t i = 0; !told && i < entries.size(); ++i) {
      auto found = (*run)->find(entries[i]);
      told = !found;
      if (!told) {
        EXPECT_TRUE(found->has_value()) << at;
      }
    }
    EXPECT_TRUE(told) << at;
    files_.flip("run", at, 0x10);
  }
}

event::Event event_of(std::string_view id, UnixMillis received = kNow, uint64_t project = 7) {
  event::Event event;
  event.project_id = ProjectId{project};
  event.id = id;
  event.id_given = true;
  event.name = "click";
  event.received_at = event.time = received;
  return event;
}

// A journal of events with ids, and the outcomes beside it.
class JournalOfIds {
 public:
  explicit JournalOfIds(FakeFiles& files) {
    journal::Options options;
    options.segment_bytes = 64 * KiB;
    options.free_percent_min = 0;
    auto opened = journal::open(files, clock_, registry_, "journal", options);
    EXPECT_TRUE(opened) << opened.error().message;
    journal = *std::move(opened);
    for (Partition partition : {Partition::live, Partition::bulk}) {
      auto outcomes = Outcomes::open(files, "outcomes", journal->uuid(), partition);
      EXPECT_TRUE(outcomes) << outcomes.error().message;
      outcomes_[static_cast<size_t>(partition)] = *std::move(outcomes);
    }
  }
  ~JournalOfIds() { EXPECT_TRUE(journal->close()); }

  void append(Partition partition, const std::vector<std::string>& ids) {
    journal::Records records;
    for (const std::string& id : ids) {
      event::append_record(event_of(id), records.begin());
      records.end();
    }
    ASSERT_TRUE(
        journal::append_and_wait(journal->writer(partition), std::move(records), clock_.steady() + seconds(100)));
  }
  // `rows`: the offsets of each partition that have a row.
  Dedup::Sources sources(std::array<std::vector<uint64_t>, 2> rows = {}) {
    return {*journal,
            {outcomes_[0].get(), outcomes_[1].get()},
            [rows](Partition partition, journal::Offset, journal::Offset) -> Result<std::vector<uint64_t>> {
              return rows[static_cast<size_t>(partition)];
            }};
  }

  std::unique_ptr<journal::Journal> journal;

 private:
  ManualClock clock_{kNow};
  metrics::Registry registry_;
  std::array<std::unique_ptr<Outcomes>, 2> outcomes_;
};

class DedupTest : public ::testing::Test {
 protected:
  std::unique_ptr<Dedup> open(const std::string& uuid = kUuid) {
    auto opened = Dedup::open(files_, "dedup", uuid, options_);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }
  static Verdict judge(Dedup& dedup, const event::Event& event, journal::Offset offset,
                       Partition partition = Partition::live) {
    auto verdict = dedup.judge(event, partition, offset);
    EXPECT_TRUE(verdict) << verdict.error().message;
    return verdict ? *verdict : Verdict::conflict;
  }

  FakeFiles files_;
  Dedup::Options options_{.recent_max = 100, .filter_bytes_max = 64 * KiB, .merge_at = 3};
};

TEST_F(DedupTest, TheFirstPlaceKeepsItsId) {
  auto dedup = open();
  EXPECT_EQ(judge(*dedup, event_of("a"), 1), Verdict::first);
  EXPECT_EQ(judge(*dedup, event_of("a"), 2), Verdict::duplicate);
  EXPECT_EQ(judge(*dedup, event_of("a"), 1), Verdict::first);  // asked again
  EXPECT_EQ(judge(*dedup, event_of("a"), 1, Partition::bulk), Verdict::duplicate);
  EXPECT_EQ(judge(*dedup, event_of("b"), 1, Partition::bulk), Verdict::first);
  EXPECT_EQ(judge(*dedup, event_of("a", kNow, 8), 3), Verdict::first);  // another project
}

TEST_F(DedupTest, OtherContentIsAConflictAndARepetitionsOwnTimesAreNot) {
  auto dedup = open();
  judge(*dedup, event_of("a"), 1);
  event::Event again = event_of("a", kNow + 90'000);
  again.sent_at = "2026-01-01T00:00:00Z";
  again.personal = "{}";
  EXPECT_EQ(judge(*dedup, again, 2), Verdict::duplicate);
  again.path = "/other";
  EXPECT_EQ(judge(*dedup, again, 3), Verdict::conflict);
  event::Event split = event_of("b");
  split.path = "xy";
  judge(*dedup, split, 4);
  split.path = "x";
  split.title = "y";
  EXPECT_EQ(judge(*dedup, split, 5), Verdict::conflict);
}

TEST_F(DedupTest, BehindTheWindowAnIdBeginsAnew) {
  auto dedup = open();
  EXPECT_EQ(judge(*dedup, event_of("a"), 1), Verdict::first);
  EXPECT_EQ(judge(*dedup, event_of("a", kNow + Dedup::kWindow), 2), Verdict::duplicate);
  EXPECT_EQ(judge(*dedup, event_of("a", kNow + Dedup::kWindow + 1000), 3), Verdict::first);
  EXPECT_EQ(judge(*dedup, event_of("a", kNow + 2 * Dedup::kWindow), 4), Verdict::duplicate);
  // A record that waited: it lies within the window of neither.
  EXPECT_EQ(judge(*dedup, event_of("a", kNow - Dedup::kWindow - 1000), 5), Verdict::first);
  EXPECT_EQ(judge(*dedup, event_of("a", kNow + 2 * Dedup::kWindow), 6), Verdict::duplicate);
}

// Against a map, through files, merges and restarts.
TEST_F(DedupTest, IsExactThroughFilesMergesAndRestarts) {
  std::map<std::string, journal::Offset> model;
  std::mt19937_64 random(3);
  journal::Offset offset = 0;
  for (int round = 0; round < 12; ++round) {
    auto dedup = open();
    for (int i = 0; i < 700; ++i) {
      const std::string id = std::to_string(random() % 6000);
      ++offset;
      auto [first, added] = model.try_emplace(id, offset);
      ASSERT_EQ(judge(*dedup, event_of(id), offset), added ? Verdict::first : Verdict::duplicate) << id;
      ASSERT_EQ(judge(*dedup, event_of(id), first->second), Verdict::first) << id;
    }
    EXPECT_EQ(dedup->ids(), model.size());
    dedup->decided_below(Partition::live, offset + 1);
    ASSERT_TRUE(dedup->checkpoint());
    dedup->wait_for_merges();
    EXPECT_LT(dedup->runs(), 10U);
  }
}

TEST_F(DedupTest, KeepsToItsMemory) {
  options_.filter_bytes_max = 4 * KiB;
  auto dedup = open();
  for (journal::Offset i = 0; i < 20'000; ++i) judge(*dedup, event_of(std::to_string(i)), i);
  dedup->wait_for_merges();
  EXPECT_LT(dedup->memory_bytes(), 256 * sizeof(IdEntry) + 4 * KiB + 20'000 / 100 * sizeof(uint32_t));
  EXPECT_EQ(dedup->ids(), 20'000U);
  for (journal::Offset i = 0; i < 20'000; i += 7)
    ASSERT_EQ(judge(*dedup, event_of(std::to_string(i)), 1'000'000), Verdict::duplicate);
}

TEST_F(DedupTest, OldIdsAreForgottenWhenFilesAreMerged) {
  auto dedup = open();
  journal::Offset offset = 0;
  for (int day = 0; day < 40; ++day)
    for (int i = 0; i < 100; ++i)
      judge(*dedup, event_of(fmt::format("{}-{}", day, i), kNow + day * kMillisPerDay), ++offset);
  dedup->wait_for_merges();
  EXPECT_LT(dedup->ids(), 3000U);
  EXPECT_EQ(judge(*dedup, event_of("33-5", kNow + 39 * kMillisPerDay), 9'999'999), Verdict::duplicate);
}

TEST_F(DedupTest, AClockThatRanAheadForAMomentHasNothingForgotten) {
  journal::Offset offset = 0;
  for (int life = 0; life < 2; ++life) {
    auto dedup = open();
    if (life == 0) judge(*dedup, event_of("ahead", kNow + 3650 * kMillisPerDay), ++offset);
    for (int i = 0; i < 1000; ++i) judge(*dedup, event_of(fmt::format("{}-{}", life, i)), ++offset);
    dedup->decided_below(Partition::live, offset + 1);
    ASSERT_TRUE(dedup->checkpoint());
    dedup->wait_for_merges();
    EXPECT_EQ(dedup->ids(), offset);
    for (int i = 0; i < 1000; ++i)
      ASSERT_EQ(judge(*dedup, event_of(fmt::format("0-{}", i)), 9'999'999), Verdict::duplicate) << i;
  }
}

TEST_F(DedupTest, AFailureIsToldAndTheNextTryIsRight) {
  for (auto call : {FakeFiles::Call::open, FakeFiles::Call::write, FakeFiles::Call::sync, FakeFiles::Call::rename,
                    FakeFiles::Call::sync_directory, FakeFiles::Call::read}) {
    for (uint64_t nth = 1; nth <= 6; ++nth) {
      SCOPED_TRACE(std::string(FakeFiles::name_of(call)) + " " + std::to_string(nth));
      FakeFiles files;
      auto opened = Dedup::open(files, "dedup", kUuid, {.recent_max = 20, .filter_bytes_max = 0, .merge_at = 100});
      ASSERT_TRUE(opened);
      files.fail(call, nth, ErrorCode::kUnavailable, "dedup/");
      for (int pass = 0; pass < 2; ++pass) {
        for (journal::Offset i = 0; i < 120; ++i) {
          const std::string id = std::to_string(i);
          auto verdict = (*opened)->judge(event_of(id), Partition::live, i + 1000 * static_cast<unsigned>(pass));
          if (!verdict)
            verdict = (*opened)->judge(event_of(id), Partition::live, i + 1000 * static_cast<unsigned>(pass));
          ASSERT_TRUE(verdict) << verdict.error().message;
          EXPECT_EQ(*verdict, pass == 0 ? Verdict::first : Verdict::duplicate);
        }
      }
    }
  }
}

// The process dies at each changing call in turn and the power goes; afterwards the journal gives back what is missing.
TEST_F(DedupTest, AfterADeathAtAnyStepTheJournalGivesTheSameAgain) {
  std::vector<std::string> ids;
  for (int i = 0; i < 300; ++i) ids.push_back(std::to_string(i % 200));
  for (auto cut : {FakeFiles::Cut::nothing, FakeFiles::Cut::some, FakeFiles::Cut::all}) {
    for (uint64_t step = 1; step < 60; step += 2) {
      SCOPED_TRACE(step);
      FakeFiles files;
      JournalOfIds journal(files);
      journal.append(Partition::live, ids);
      const Dedup::Sources sources = journal.sources();
      auto never = [] { return false; };
      const Dedup::Options small{.recent_max = 30, .filter_bytes_max = 4 * KiB, .merge_at = 3};
      std::unique_ptr<FakeFiles> dedup_files = std::make_unique<FakeFiles>();
      dedup_files->die_at(step);
      if (auto dedup = Dedup::open(*dedup_files, "dedup", journal.journal->uuid(), small)) {
        (void)(*dedup)->fill(sources, kNow, never);
        (void)(*dedup)->checkpoint();
      }
      dedup_files->die_at(0);
      dedup_files->power_cut(cut, step);
      auto dedup = Dedup::open(*dedup_files, "dedup", journal.journal->uuid(), small);
      ASSERT_TRUE(dedup) << dedup.error().message;
      ASSERT_TRUE((*dedup)->fill(sources, kNow, never));
      for (journal::Offset i = 0; i < 300; ++i) {
        const std::string id = std::to_string(i % 200);
        ASSERT_EQ(judge(**dedup, event_of(id), i), i < 200 ? Verdict::first : Verdict::duplicate) << i;
      }
    }
  }
}

// Both partitions took one id, and what was decided of it was lost with the process: the row says which came first.
TEST_F(DedupTest, BetweenTwoPartitionsTheRecordThatHasARowIsTheFirst) {
  FakeFiles files;
  JournalOfIds journal(files);
  for (Partition partition : {Partition::live, Partition::bulk}) journal.append(partition, {"a", "b", "a"});
  auto dedup = open();
  ASSERT_TRUE(dedup->fill(journal.sources({{{1}, {0}}}), kNow, [] { return false; }));
  EXPECT_EQ(dedup->judge(event_of("a"), Partition::live, 0).value(), Verdict::duplicate);
  EXPECT_EQ(dedup->judge(event_of("a"), Partition::live, 2).value(), Verdict::duplicate);
  EXPECT_EQ(dedup->judge(event_of("a"), Partition::bulk, 0).value(), Verdict::first);
  EXPECT_EQ(dedup->judge(event_of("b"), Partition::live, 1).value(), Verdict::first);
  EXPECT_EQ(dedup->judge(event_of("b"), Partition::bulk, 1).value(), Verdict::duplicate);
}

// What fails once, as a disk does now and then, is no reason to make anew what the journal may no longer hold.
TEST_F(DedupTest, AFailureThatPassesCostsNoId) {
  {
    auto dedup = open();
    judge(*dedup, event_of("a"), 1);
    ASSERT_TRUE(dedup->checkpoint());
  }
  for (auto call : {FakeFiles::Call::open, FakeFiles::Call::read, FakeFiles::Call::size}) {
    for (const char* file : {"MANIFEST", "ids-"}) {
      files_.fail(call, 1, ErrorCode::kUnavailable, file);
      EXPECT_EQ(judge(*open(), event_of("a"), 2), Verdict::duplicate) << FakeFiles::name_of(call) << " of " << file;
    }
  }
}

TEST_F(DedupTest, TheJournalKeepsRecordsUntilTheirIdsAreInFiles) {
  auto dedup = open();
  dedup->decided_below(Partition::live, 5);
  EXPECT_EQ(dedup->safe_below(Partition::live, kNow), 5U) << "none of them had an id";
  judge(*dedup, event_of("a"), 5);
  dedup->decided_below(Partition::live, 8);
  EXPECT_EQ(dedup->safe_below(Partition::live, kNow), 0U);
  EXPECT_EQ(dedup->safe_below(Partition::live, kNow + kMillisPerDay - 1), 0U);
  EXPECT_EQ(dedup->safe_below(Partition::live, kNow + kMillisPerDay), 8U) << "once a day, however few there are";
  dedup.reset();
  EXPECT_EQ(judge(*open(), event_of("a"), 9), Verdict::duplicate);
}

// A page that is found damaged costs a question, and the journal gives all of it again.
TEST_F(DedupTest, ADamagedPageIsMadeGoodFromTheJournal) {
  JournalOfIds journal(files_);
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(std::to_string(i));
  journal.append(Partition::live, ids);
  const Dedup::Sources sources = journal.sources();
  auto never = [] { return false; };
  auto dedup = open(journal.journal->uuid());
  ASSERT_TRUE(dedup->fill(sources, kNow, never));
  ASSERT_TRUE(dedup->checkpoint());
  for (const std::string& path : files_.paths())
    if (path.starts_with("dedup/ids-")) files_.flip(path, 100);
  auto verdict = dedup->judge(event_of("7"), Partition::live, 100);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, ErrorCode::kUnavailable);
  ASSERT_FALSE(dedup->judge(event_of("8"), Partition::bulk, 5)) << "nobody may be called the first meanwhile";
  ASSERT_TRUE(dedup->fill(sources, kNow, never));
  for (const std::string& id : ids) EXPECT_EQ(judge(*dedup, event_of(id), 100), Verdict::duplicate) << id;
}

// Of two records with one id the one with a row is the first; a row that is on its way shows only when it has come.
TEST_F(DedupTest, WhatIsOnItsWayToTheStoreIsWaitedForBeforeIdsAreMadeAgain) {
  JournalOfIds journal(files_);
  journal.append(Partition::live, {"a"});
  auto never = [] { return false; };
  auto dedup = open(journal.journal->uuid());
  ASSERT_TRUE(dedup->fill(journal.sources(), kNow, never));
  ASSERT_TRUE(dedup->checkpoint());
  journal.append(Partition::live, {"x"});
  journal.append(Partition::bulk, {"x"});
  EXPECT_EQ(dedup->judge(event_of("x"), Partition::bulk, 0).value(), Verdict::first);
  for (const std::string& path : files_.paths())
    if (path.starts_with("dedup/ids-")) files_.flip(path, 100);
  ASSERT_FALSE(dedup->judge(event_of("a"), Partition::live, 100));
  auto early = dedup->fill(journal.sources(), kNow, never);
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, ErrorCode::kUnavailable);
  dedup->settled_below(Partition::bulk, 0);
  EXPECT_FALSE(dedup->fill(journal.sources(), kNow, never)) << "the record at 0 is not below 0";
  dedup->settled_below(Partition::bulk, 1);
  ASSERT_TRUE(dedup->fill(journal.sources({{{}, {0}}}), kNow, never));
  EXPECT_EQ(dedup->judge(event_of("x"), Partition::live, 1).value(), Verdict::duplicate);
  EXPECT_EQ(dedup->judge(event_of("x"), Partition::bulk, 0).value(), Verdict::first);
}

TEST_F(DedupTest, AnotherJournalBeginsAnew) {
  judge(*open(), event_of("a"), 1);
  auto dedup = open("fedcba9876543210");
  EXPECT_EQ(dedup->ids(), 0U);
  EXPECT_EQ(judge(*dedup, event_of("a"), 2), Verdict::first);
}

}  // namespace
}  // namespace weir::load
