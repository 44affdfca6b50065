#include "weir/journal/segmented/reader.h"

#include <gtest/gtest.h>

#include <future>

#include "weir/journal/testing/fake_journal.h"

namespace weir::journal::segmented {
namespace {

using testing::eventually;
using testing::FakeJournal;
using weir::testing::FakeFiles;
using Call = FakeFiles::Call;
using namespace std::chrono_literals;

class JournalReader : public ::testing::Test, public FakeJournal {
 protected:
  void must_open() {
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  PartitionInfo live() { return journal->info(Partition::live); }
  void fill_segments(size_t count) {
    while (live().segments < count) ASSERT_TRUE(append(texts(10, 500)));
  }
};

TEST_F(JournalReader, ReadsFromAnyOffsetInAnyPieceSize) {
  for (const char* compression : {"none", "zstd", "lz4"}) {
    files = std::make_unique<FakeFiles>();
    acknowledged.clear();
    options.compression = compression;
    must_open();
    fill_segments(4);
    const auto& expected = acknowledged[Partition::live];
    for (uint64_t bytes_max : {uint64_t{0}, uint64_t{1}, 3 * KiB, 1 * MiB})
      EXPECT_EQ(read_all(Partition::live, bytes_max), expected);
    auto reader = journal->reader(Partition::live);
    for (Offset from = 0; from < expected.size(); from += 7) {
      auto batch = reader->read(from, 4 * KiB, 0ms);
      ASSERT_TRUE(batch);
      ASSERT_FALSE(batch->empty());
      EXPECT_EQ(batch->first, from);
      EXPECT_EQ(batch->records[0].offset, from);
      EXPECT_EQ(batch->records[0].bytes, expected.at(from));
      EXPECT_EQ(batch->next, batch->records.back().offset + 1);
    }
    journal.reset();
  }
}

TEST_F(JournalReader, WaitsForTheNextRecordAndOnlyThatLong) {
  must_open();
  auto reader = journal->reader(Partition::live);
  auto nothing = reader->read(0, 1 * MiB, 1ms);
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->empty());
  EXPECT_EQ(nothing->next, 0u);
  auto waiting = std::async(std::launch::async, [&] { return reader->read(0, 1 * MiB, 60s); });
  ASSERT_TRUE(append(texts(2)));
  auto batch = waiting.get();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->records.size(), 2u);
  EXPECT_EQ(batch->appended_at, clock.now());
  // A stop ends the waiting.
  auto last = std::async(std::launch::async, [&] { return reader->read(2, 1 * MiB, 60s); });
  ASSERT_TRUE(journal->close());
  EXPECT_TRUE(last.get()->empty());
}

TEST_F(JournalReader, AnOffsetBeyondTheEndWaitsThere) {
  must_open();
  ASSERT_TRUE(append(texts(2)));
  auto batch = journal->reader(Partition::live)->read(100, 1 * MiB, 1ms);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->empty());
  EXPECT_EQ(batch->next, 100u);
}

TEST_F(JournalReader, GoesOnOverRollsWhileTheyHappen) {
  must_open();
  auto reader = journal->reader(Partition::live);
  Offset at = 0;
  while (live().segments < 5) {
    ASSERT_TRUE(append(texts(7, 400)));
    auto batch = reader->read(at, 2 * KiB, 0ms);
    ASSERT_TRUE(batch) << batch.error().message;
    ASSERT_FALSE(batch->empty());
    ASSERT_EQ(batch->first, at);
    at = batch->next;
  }
}

TEST_F(JournalReader, IndexesAreBuiltAgainWhenMissingWrongOrOfAnotherSegment) {
  must_open();
  fill_segments(4);
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  const std::string index = "j/live/" + index_name(0);
  ASSERT_TRUE(files->exists(index));
  const std::string right = *files->content(index);
  const std::string other = *files->content("j/live/" + index_name(*parse_segment_name(segments()[1].substr(7))));
  const std::vector<std::function<void()>> faults = {
      [&] { files->erase(index); },
      [&] { files->put(index, ""); },
      [&] { files->put(index, right.substr(0, right.size() / 2)); },
      [&] { files->flip(index, right.size() / 2); },
      [&] { files->put(index, other); },
      // Right by its checksum, wrong in what it says.
      [&] {
        Index lying;
        FrameHeader frame;
        lying.add(frame, 5000);
        frame.base = 40;
        lying.add(frame, 5000 + Index::kStrideBytes);
        Footer footer =
            *decode_footer(files->content(segments()[0])->data() + files->content(segments()[0])->size() - kFooterBytes,
                           tag_of(decode_segment_header(*files->content(segments()[0]))->uuid, Partition::live));
        files->put(index,
                   lying.encode(tag_of(decode_segment_header(*files->content(segments()[0]))->uuid, Partition::live), 0,
                                footer.hash));
      },
  };
  for (size_t i = 0; i < faults.size(); ++i) {
    files = intact->clone();
    faults[i]();
    must_open();
    auto reader = journal->reader(Partition::live);
    auto batch = reader->read(95, 1 * KiB, 0ms);
    ASSERT_TRUE(batch) << i << ": " << batch.error().message;
    EXPECT_EQ(batch->records[0].bytes, acknowledged[Partition::live][95]);
    EXPECT_TRUE(live().damaged.empty());
    EXPECT_EQ(read_all(), acknowledged[Partition::live]);
    ASSERT_TRUE(journal->reader(Partition::live)->read(95, 1 * KiB, 0ms));
    EXPECT_EQ(*files->content(index), right) << i;
    journal.reset();
  }
}

TEST_F(JournalReader, AReadErrorIsTriedAgainBeforeItCountsAsDamage) {
  must_open();
  fill_segments(2);
  auto reader = journal->reader(Partition::live);
  files->fail(Call::read, 1, ErrorCode::kUnavailable, ".seg");
  files->fail(Call::read, 2, ErrorCode::kUnavailable, ".seg");
  EXPECT_EQ(read_all(), acknowledged[Partition::live]);
  EXPECT_TRUE(live().damaged.empty());
}

TEST_F(JournalReader, APlaceTheDiskRefusesForGoodIsQuarantinedAndTheRestRead) {
  options.compression = "none";
  must_open();
  fill_segments(3);
  ASSERT_TRUE(journal->close());
  const std::string path = segments()[0];
  must_open();
  files->on_call([path](Call call, const std::string& p) -> std::optional<Error> {
    if (call == Call::read && p == path) return Error{ErrorCode::kUnavailable, "injected"};
    return std::nullopt;
  });
  auto reader = journal->reader(Partition::live);
  auto refused = reader->read(0, 64 * KiB, 0ms);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, 0u);
  EXPECT_EQ(live().damaged[0].next, *parse_segment_name(segments()[1].substr(7)));
  expect_promises_kept();
  EXPECT_FALSE(read_all().empty());
}

TEST_F(JournalReader, ASegmentThatVanishesWhileRunningIsDamage) {
  must_open();
  fill_segments(3);
  const std::string path = segments()[1];
  const Offset first = *parse_segment_name(path.substr(7));
  const Offset next = *parse_segment_name(segments()[2].substr(7));
  files->erase(path);
  files->erase("j/live/" + index_name(first));
  expect_promises_kept();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, first);
  EXPECT_EQ(live().damaged[0].next, next);
}

TEST_F(JournalReader, ADamagedNoteBetweenRecordsCostsNothing) {
  must_open();
  ASSERT_TRUE(append(texts(2)));
  ASSERT_TRUE(journal->close());
  must_open();
  ASSERT_TRUE(append(texts(2)));
  ASSERT_TRUE(append(texts(2)));
  ASSERT_TRUE(journal->close());
  auto all = frames(segments().back());
  ASSERT_EQ(all[1].second.count, 0u);
  files->flip(segments().back(), all[1].first + 9);
  must_open();
  EXPECT_TRUE(live().damaged.empty());
  EXPECT_EQ(live().epochs.size(), 1u);
  EXPECT_EQ(read_all(), acknowledged[Partition::live]);
}

TEST_F(JournalReader, FindsOffsetsByTime) {
  must_open();
  std::map<UnixMillis, Offset> first_at;
  while (live().segments < 4) {
    clock.advance(10s);
    first_at.emplace(clock.now(), live().end);
    ASSERT_TRUE(append(texts(5, 400)));
  }
  for (const auto& [at, offset] : first_at) {
    EXPECT_EQ(*journal->offset_at(Partition::live, at), offset);
    EXPECT_EQ(*journal->offset_at(Partition::live, at - 1), offset);
    auto next = first_at.upper_bound(at);
    EXPECT_EQ(*journal->offset_at(Partition::live, at + 1), next == first_at.end() ? live().end : next->second);
  }
  EXPECT_EQ(*journal->offset_at(Partition::live, INT64_MIN), 0u);
  EXPECT_EQ(*journal->offset_at(Partition::live, INT64_MAX), live().end);
  EXPECT_EQ(*journal->offset_at(Partition::bulk, 0), 0u);
}

class Retention : public JournalReader {};

TEST_F(Retention, DeletesOnlyWhatIsLoadedOldAndClosed) {
  options.keep = 30 * 24h;
  must_open();
  fill_segments(4);
  const auto paths = segments();
  const Offset second = *parse_segment_name(paths[1].substr(7));
  const Offset third = *parse_segment_name(paths[2].substr(7));
  clock.advance(31 * 24h);
  ASSERT_TRUE(append(texts(1)));
  // Old, but not loaded.
  journal->release(Partition::live, second - 1);
  // One that is loaded whole.
  ASSERT_TRUE(files->exists(paths[0]));
  journal->release(Partition::live, third - 1);
  ASSERT_TRUE(eventually([&] { return !files->exists(paths[0]); }));
  EXPECT_EQ(live().begin, second);
  EXPECT_TRUE(files->exists(paths[1]));
  EXPECT_TRUE(eventually([&] { return !files->exists("j/live/" + index_name(0)); }));
  journal->release(Partition::live, live().end);
  ASSERT_TRUE(eventually([&] { return segments().size() == 1; }));
  EXPECT_EQ(segments()[0], paths[3]);  // the open one stays
  auto batch = journal->reader(Partition::live)->read(0, 1 * KiB, 0ms);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->first, live().begin);
  expect_promises_kept();
  ASSERT_TRUE(journal->close());
  must_open();
  EXPECT_TRUE(live().damaged.empty());
  EXPECT_EQ(live().begin, *parse_segment_name(paths[3].substr(7)));
  expect_promises_kept();
}

TEST_F(Retention, KeepsWhatIsYoung) {
  options.keep = 30 * 24h;
  must_open();
  fill_segments(3);
  journal->release(Partition::live, live().end);
  clock.advance(29 * 24h);
  // A later decision that the keeper does carry out proves that it has looked at this one.
  files->set_capacity(files->used_bytes() + 1);
  ASSERT_TRUE(eventually([&] { return journal->writer(Partition::live).full(); }));
  files->set_capacity(UINT64_MAX);
  ASSERT_TRUE(eventually([&] { return !journal->writer(Partition::live).full(); }));
  EXPECT_EQ(live().begin, 0u);
  EXPECT_EQ(segments().size(), 3u);
}

TEST_F(Retention, TheDecisionIsDurableBeforeTheFirstFileGoes) {
  options.keep = 0s;
  must_open();
  fill_segments(4);
  const Offset last = *parse_segment_name(segments().back().substr(7));
  std::atomic<bool> wrong{false};
  FakeFiles* raw = files.get();
  files->on_call([&wrong, raw, last](Call call, const std::string& path) -> std::optional<Error> {
    if (call != Call::remove || !path.ends_with(".seg")) return std::nullopt;
    auto copy = raw->clone();
    copy->power_cut(FakeFiles::Cut::nothing, 1);
    auto manifest = load_partition_manifest(*copy, "j/live");
    if (!manifest || !manifest->manifest || manifest->manifest->begin != last) wrong = true;
    return Error{ErrorCode::kUnavailable, "injected"};  // and the process ends here
  });
  clock.advance(1s);
  journal->release(Partition::live, live().end);
  ASSERT_TRUE(eventually([&] { return live().begin == last; }));
  crash();
  EXPECT_FALSE(wrong);
  must_open();
  EXPECT_EQ(live().begin, last);
  EXPECT_EQ(segments().size(), 1u);
  EXPECT_TRUE(live().damaged.empty());
  expect_promises_kept();
}

TEST_F(Retention, TimesFromAClockThatRanAheadDoNotKeepSegmentsForEver) {
  options.keep = 24h;
  must_open();
  ManualClock ahead(clock.now() + 10ll * 365 * kMillisPerDay);
  journal.reset();
  auto opened = journal::open(*files, ahead, metrics, "j", options);
  ASSERT_TRUE(opened);
  journal = *std::move(opened);
  auto deadline = ahead.steady() + 1h;
  while (live().segments < 3) {
    auto some = texts(10, 500);
    auto appended = append_and_wait(journal->writer(Partition::live), records_of(some), deadline);
    ASSERT_TRUE(appended);
    remember(*appended, some);
  }
  ASSERT_TRUE(journal->close());
  must_open();  // the clock was put right
  fill_segments(5);
  clock.advance(25h);
  journal->release(Partition::live, live().end);
  ASSERT_TRUE(eventually([&] { return segments().size() <= 2; }));
  expect_promises_kept();
}

TEST_F(Retention, AReaderInADeletedSegmentGoesOnAtTheOldestKept) {
  options.keep = 0s;
  must_open();
  fill_segments(4);
  auto reader = journal->reader(Partition::live);
  auto batch = reader->read(0, 1, 0ms);
  ASSERT_TRUE(batch);
  clock.advance(1s);
  journal->release(Partition::live, live().end);
  ASSERT_TRUE(eventually([&] { return segments().size() == 1; }));
  auto next = reader->read(batch->next, 1, 0ms);
  ASSERT_TRUE(next) << next.error().message;
  EXPECT_EQ(next->first, live().begin);
}

}  // namespace
}  // namespace weir::journal::segmented
