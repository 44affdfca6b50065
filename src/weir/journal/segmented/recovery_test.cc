// What opening makes of directories that crashes, disks and people left behind: reference is the recovery table in
// docs/formats/journal.md.
#include "weir/journal/segmented/recovery.h"

#include <gtest/gtest.h>

#include "weir/journal/testing/fake_journal.h"

namespace weir::journal::segmented {
namespace {

using testing::FakeJournal;
using weir::testing::FakeFiles;
using namespace std::chrono_literals;

class Recovery : public ::testing::Test, public FakeJournal {
 protected:
  void must_open() {
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  PartitionInfo live() { return journal->info(Partition::live); }
  // Fills at least `count` segments.
  void fill_segments(size_t count) {
    while (live().segments < count) ASSERT_TRUE(append(texts(10, 500)));
  }
  bool aside_has(const std::string& beginning) {
    for (const std::string& path : files->paths())
      if (path.starts_with("j/live/aside/" + beginning)) return true;
    return false;
  }
};

TEST_F(Recovery, ANewJournalIsEmptyAndKeepsItsUuid) {
  must_open();
  EXPECT_EQ(journal->uuid().size(), kUuidBytes);
  EXPECT_EQ(journal->kind(), "segmented");
  EXPECT_EQ(live().end, 0u);
  ASSERT_EQ(live().epochs.size(), 1u);
  EXPECT_EQ(live().epochs[0].number, 1u);
  std::string uuid = journal->uuid();
  ASSERT_TRUE(journal->close());
  must_open();
  EXPECT_EQ(journal->uuid(), uuid);
  EXPECT_EQ(live().segments, 1u);
}

// A process died between naming a segment and syncing the name: the next one relies on it, and so it has to sync it.
TEST_F(Recovery, TheNamesThatAnEarlierProcessLeftBehindAreSynced) {
  for (uint64_t nth = 1; nth <= 12; ++nth) {
    SCOPED_TRACE(nth);
    files = std::make_unique<FakeFiles>();
    acknowledged.clear();
    files->fail(FakeFiles::Call::sync_directory, nth, ErrorCode::kUnavailable);
    (void)open();
    crash();
    must_open();
    ASSERT_TRUE(append(texts(3)));
    power_cut(FakeFiles::Cut::nothing, 1);
    must_open();
    expect_promises_kept();
    journal.reset();
  }
}

TEST_F(Recovery, GoesOnAfterACleanCloseAndAfterAKill) {
  must_open();
  ASSERT_TRUE(append(texts(5)));
  ASSERT_TRUE(journal->close());
  must_open();
  ASSERT_TRUE(append(texts(5)));
  crash();
  must_open();
  ASSERT_TRUE(append(texts(5)));
  EXPECT_EQ(live().end, 15u);
  EXPECT_EQ(live().epochs.size(), 1u);
  EXPECT_EQ(live().segments, 1u);
  expect_promises_kept();
}

// Row 1 of the table: nothing valid behind the bad place.
TEST_F(Recovery, CutsATornTailAndKeepsItsBytesAside) {
  must_open();
  ASSERT_TRUE(append(texts(3)));
  ASSERT_TRUE(append(texts(3)));
  crash();
  // A third group reached the disk in part.
  const std::string path = segments().back();
  auto all = frames(path);
  uint64_t end = all.back().first + all.back().second.size();
  std::string content = *files->content(path);
  std::string torn = content.substr(all.back().first, all.back().second.size() / 2);
  content.replace(end, torn.size(), torn);
  files->put(path, content);
  must_open();
  EXPECT_EQ(live().end, 6u);
  EXPECT_EQ(live().epochs.size(), 1u);
  EXPECT_TRUE(live().damaged.empty());
  EXPECT_TRUE(aside_has("cut-00000000000000000006-"));
  // The place is zeros again, on disk, before anything is appended.
  std::string after = *files->content(path);
  EXPECT_EQ(after.size(), content.size());
  EXPECT_EQ(after.find_last_not_of('\0') < end, true);
  ASSERT_TRUE(append(texts(1)));
  expect_promises_kept();
}

// A last group that is there whole and wrong was not cut short: it may have been acknowledged, and its offsets are not
// given out again.
TEST_F(Recovery, ALastGroupThatIsWholeAndWrongIsDamageAndItsOffsetsAreSpent) {
  for (bool head : {false, true}) {
    SCOPED_TRACE(head ? "a flipped bit of the header" : "a flipped bit of the payload");
    files = std::make_unique<FakeFiles>();
    acknowledged.clear();
    must_open();
    ASSERT_TRUE(append(texts(3)));
    ASSERT_TRUE(append(texts(2)));
    crash();
    const std::string path = segments().back();
    files->flip(path, frames(path)[1].first + (head ? 20 : kFrameHeaderBytes + 9));
    must_open();
    ASSERT_EQ(live().damaged.size(), 1u);
    EXPECT_EQ(live().damaged[0].first, 3u);
    EXPECT_EQ(live().damaged[0].next, head ? 1'000'003u : 5u);
    EXPECT_EQ(live().end, live().damaged[0].next);
    EXPECT_EQ(live().epochs.size(), 2u);
    EXPECT_TRUE(aside_has("cut-00000000000000000003-"));
    auto appended = append(texts(1));
    ASSERT_TRUE(appended);
    EXPECT_EQ(appended->first, live().damaged[0].next);
    journal.reset();
  }
}

// Row 2: groups behind the bad place that were never acknowledged either. They say so: durable_upto is not above it.
TEST_F(Recovery, CutsFramesBehindATornOneThatWereNotAcknowledgedEither) {
  must_open();
  ASSERT_TRUE(append(texts(3)));
  crash();
  const std::string path = segments().back();
  auto all = frames(path);
  std::string content = *files->content(path);
  const uint32_t tag = tag_of(decode_segment_header(content)->uuid, Partition::live);
  uint64_t at = all.back().first + all.back().second.size();
  // Two frames of one unsynced write; the first one's block is missing.
  Records records;
  records.add("never acknowledged");
  for (int i = 0; i < 2; ++i) {
    FrameHeader frame;
    frame.base = 3 + static_cast<Offset>(i);
    frame.count = 1;
    frame.epoch = 1;
    frame.durable_upto = 3;
    frame.payload_bytes = frame.inflated_bytes = static_cast<uint32_t>(records.bytes().size());
    frame.payload_crc = crc32c(records.bytes());
    char header[kFrameHeaderBytes];
    encode(frame, tag, header);
    if (i == 1) {
      content.replace(at, sizeof header, header, sizeof header);
      content.replace(at + sizeof header, records.bytes().size(), records.bytes());
    }
    at += frame.size();
  }
  files->put(path, content);
  must_open();
  EXPECT_EQ(live().end, 3u);
  EXPECT_TRUE(live().damaged.empty());
  EXPECT_EQ(live().epochs.size(), 1u);
  EXPECT_TRUE(aside_has("cut-"));
  EXPECT_EQ(read_all().size(), 3u);
  ASSERT_TRUE(append(texts(2)));
  expect_promises_kept();
}

// Row 3: a later frame proves that the damaged one had been acknowledged.
TEST_F(Recovery, QuarantinesAcknowledgedDamageAndKeepsWhatIsBehindIt) {
  must_open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(append(texts(4)));
  crash();
  const std::string path = segments().back();
  auto all = frames(path);
  files->flip(path, all[2].first + kFrameHeaderBytes + 3);
  must_open();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, 8u);
  EXPECT_EQ(live().damaged[0].next, 12u);
  EXPECT_EQ(live().damaged[0].reason, "payload checksum");
  ASSERT_EQ(live().epochs.size(), 2u);
  EXPECT_EQ(live().epochs[1].first, 20u);
  EXPECT_EQ(read_all().size(), 16u);
  expect_promises_kept();
  ASSERT_TRUE(append(texts(4)));
  EXPECT_EQ(live().end, 24u);
  crash();
  must_open();
  // Known by now: no further epoch.
  EXPECT_EQ(live().epochs.size(), 2u);
  ASSERT_EQ(live().damaged.size(), 1u);
  expect_promises_kept();
}

TEST_F(Recovery, TheIdleNoteProvesThatTheLastGroupWasAcknowledged) {
  must_open();
  ASSERT_TRUE(append(texts(4)));
  ASSERT_TRUE(append(texts(4)));
  const std::string path = segments().back();
  ASSERT_TRUE(testing::eventually([&] { return frames(path).back().second.count == 0; }));
  EXPECT_EQ(frames(path).back().second.durable_upto, 8u);
  crash();
  files->flip(path, frames(path)[1].first + 10);
  must_open();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, 4u);
  EXPECT_EQ(live().damaged[0].next, 8u);
  EXPECT_EQ(live().epochs.back().first, 8u);
}

TEST_F(Recovery, ACleanCloseNotesTheEnd) {
  must_open();
  ASSERT_TRUE(append(texts(4)));
  ASSERT_TRUE(journal->close());
  auto last = frames(segments().back()).back().second;
  EXPECT_EQ(last.count, 0u);
  EXPECT_EQ(last.flags, kFrameNote | kFrameClosed);
  EXPECT_EQ(last.durable_upto, 4u);
  // Opening and closing without appends writes no further notes.
  size_t count = frames(segments().back()).size();
  must_open();
  ASSERT_TRUE(journal->close());
  EXPECT_EQ(frames(segments().back()).size(), count);
}

TEST_F(Recovery, EveryFlippedByteOfAFrameInTheMiddleIsFoundAndCostsThatFrameAlone) {
  options.compression = "none";
  must_open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(append(texts(2, 50)));
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  const std::string path = segments().back();
  auto all = frames(path);
  const uint64_t from = all[1].first;
  const uint64_t padding = aligned(all[1].second.payload_bytes) - all[1].second.payload_bytes;
  for (uint64_t at = from; at < from + all[1].second.size() - padding; ++at) {
    files = intact->clone();
    files->flip(path, at, 0x40);
    must_open();
    ASSERT_EQ(live().damaged.size(), 1u) << "byte " << at - from;
    ASSERT_EQ(live().damaged[0].first, 2u);
    ASSERT_EQ(live().damaged[0].next, 4u);
    ASSERT_EQ(live().end, 8u);
    ASSERT_EQ(read_all().size(), 6u);
    expect_promises_kept();
    journal.reset();
  }
}

TEST_F(Recovery, LengthsBeyondAllBoundsCostNoMemoryAndNoTime) {
  must_open();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(append(texts(2, 50)));
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  const std::string path = segments().back();
  auto all = frames(path);
  const uint32_t tag = tag_of(decode_segment_header(*files->content(path))->uuid, Partition::live);
  for (uint32_t length : {uint32_t{0}, uint32_t{1}, uint32_t{kPayloadBytesMax}, uint32_t{kPayloadBytesMax + 1},
                          uint32_t{0x7fffffff}, uint32_t{0x80000000}, uint32_t{0xffffffff}}) {
    for (bool with_right_checksum : {false, true}) {
      files = intact->clone();
      std::string content = *files->content(path);
      if (with_right_checksum) {
        FrameHeader header = all[1].second;
        header.payload_bytes = length;
        encode(header, tag, content.data() + all[1].first);
      } else {
        store_le(content.data() + all[1].first + 4, length);
      }
      files->put(path, content);
      must_open();
      EXPECT_EQ(live().end, 8u);
      ASSERT_EQ(live().damaged.size(), 1u);
      EXPECT_EQ(live().damaged[0].first, 2u);
      EXPECT_EQ(live().damaged[0].next, 4u);
      expect_promises_kept();
      journal.reset();
    }
  }
}

TEST_F(Recovery, AFlippedByteInASealedSegmentIsReportedByReadingAndStaysKnown) {
  must_open();
  fill_segments(3);
  ASSERT_TRUE(journal->close());
  const std::string path = segments().front();
  auto all = frames(path);
  const FrameHeader& hit = all[3].second;
  files->flip(path, all[3].first + kFrameHeaderBytes + 1);
  must_open();
  EXPECT_TRUE(live().damaged.empty());  // sealed segments are read when somebody reads them
  auto reader = journal->reader(Partition::live);
  Offset at = 0;
  bool reported = false;
  while (at < live().end) {
    auto batch = reader->read(at, 4 * KiB, 0ms);
    if (!batch) {
      EXPECT_EQ(batch.error().code, ErrorCode::kCorrupt);
      EXPECT_EQ(at, hit.base);
      EXPECT_FALSE(reported);
      reported = true;
      continue;
    }
    at = batch->next;
  }
  EXPECT_TRUE(reported);
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, hit.base);
  EXPECT_EQ(live().damaged[0].next, hit.next());
  expect_promises_kept();
  ASSERT_TRUE(journal->close());
  must_open();
  EXPECT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().epochs.size(), 1u);  // the tail was never in doubt
}

TEST_F(Recovery, ATruncatedSealedSegmentIsDamagedFromTheCutOn) {
  must_open();
  fill_segments(3);
  ASSERT_TRUE(journal->close());
  const std::string path = segments()[0];
  auto all = frames(path);
  Offset next_base = *parse_segment_name(segments()[1].substr(7));
  files->put(path, files->content(path)->substr(0, all[5].first + 30));
  must_open();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, all[5].second.base);
  EXPECT_EQ(live().damaged[0].next, next_base);
  expect_promises_kept();
  EXPECT_EQ(live().epochs.size(), 1u);
}

TEST_F(Recovery, AMissingSegmentIsDamage) {
  must_open();
  fill_segments(4);
  ASSERT_TRUE(journal->close());
  auto paths = segments();
  Offset first = *parse_segment_name(paths[1].substr(7));
  Offset next = *parse_segment_name(paths[2].substr(7));
  auto intact = files->clone();
  files->erase(paths[1]);
  must_open();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, first);
  EXPECT_EQ(live().damaged[0].next, next);
  expect_promises_kept();

  files = std::move(intact);
  files->erase(paths[0]);
  must_open();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, 0u);
  EXPECT_EQ(live().damaged[0].next, first);
  expect_promises_kept();
}

TEST_F(Recovery, AMissingNewestSegmentNeverLeadsToOffsetsGivenOutTwice) {
  must_open();
  fill_segments(3);
  ASSERT_TRUE(append(texts(3)));
  Offset end = live().end;
  ASSERT_TRUE(journal->close());
  files->erase(segments().back());
  must_open();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().epochs.size(), 2u);
  EXPECT_GE(live().end, end);
  ASSERT_TRUE(append(texts(3)));  // remember() fails the test when an offset comes twice
  expect_promises_kept();
  ASSERT_TRUE(journal->close());
  must_open();
  EXPECT_EQ(live().epochs.size(), 2u);
  expect_promises_kept();
}

TEST_F(Recovery, ARenamedSegmentGetsItsNameBack) {
  must_open();
  fill_segments(3);
  ASSERT_TRUE(journal->close());
  auto paths = segments();
  files->move(paths[1], "j/live/" + segment_name(7));
  must_open();
  EXPECT_EQ(segments(), paths);
  EXPECT_TRUE(live().damaged.empty());
  expect_promises_kept();
}

TEST_F(Recovery, ASegmentOfAnotherJournalIsSetAsideAndNamed) {
  must_open();
  fill_segments(3);
  ASSERT_TRUE(journal->close());
  FakeJournal other;
  ASSERT_TRUE(other.open());
  while (other.journal->info(Partition::live).segments < 3) ASSERT_TRUE(other.append(other.texts(10, 500)));
  std::string other_uuid = to_hex(other.journal->uuid());
  ASSERT_TRUE(other.journal->close());
  auto paths = segments();
  Offset first = *parse_segment_name(paths[1].substr(7));
  Offset next = *parse_segment_name(paths[2].substr(7));
  files->put(paths[1], *other.files->content(other.segments()[1]));
  must_open();
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].first, first);
  EXPECT_EQ(live().damaged[0].next, next);
  EXPECT_TRUE(aside_has(segment_name(first) + "." + other_uuid));
  expect_promises_kept();
  ASSERT_TRUE(journal->close());

  // As the newest one it would decide where to go on: refused.
  auto newest = segments().back();
  files->put(newest, *other.files->content(other.segments().back()));
  auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(refused.error().message.find(other_uuid), std::string::npos) << refused.error().message;
}

TEST_F(Recovery, ManifestsAreReplacedFromWhatIsLeft) {
  must_open();
  fill_segments(3);
  std::string uuid = journal->uuid();
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  for (const char* directory : {"j", "j/live"}) {
    const std::string current = std::string(directory) + "/MANIFEST";
    const std::string previous = current + ".previous";
    const std::vector<std::function<void()>> faults = {
        [&] { files->erase(current); },
        [&] { files->put(current, ""); },
        [&] { files->put(current, files->content(current)->substr(0, 30)); },
        [&] { files->put(current, *files->content(previous)); },
        [&] { files->flip(current, 20); },
        [&] { files->erase(current), files->erase(previous); },
        [&] { files->put(current, ""), files->put(previous, ""); },
    };
    for (size_t i = 0; i < faults.size(); ++i) {
      files = intact->clone();
      faults[i]();
      auto opened = open();
      ASSERT_TRUE(opened) << directory << ", fault " << i << ": " << opened.error().message;
      EXPECT_EQ(journal->uuid(), uuid);
      EXPECT_TRUE(live().damaged.empty());
      EXPECT_EQ(live().epochs.size(), 1u);
      expect_promises_kept();
      EXPECT_EQ(read_all().size(), acknowledged[Partition::live].size());
      ASSERT_TRUE(journal->close());
      EXPECT_TRUE(load_partition_manifest(*files, "j/live")->manifest);
      EXPECT_TRUE(load_journal_manifest(*files, "j")->manifest);
    }
  }
}

TEST_F(Recovery, RefusesToBeginAnewWhereAJournalWas) {
  must_open();
  ASSERT_TRUE(append(texts(3)));
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  // All segments of a partition gone, its MANIFEST there or not.
  for (const auto& path : segments()) files->erase(path);
  auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  files->erase("j/live/MANIFEST");
  files->erase("j/live/MANIFEST.previous");
  EXPECT_EQ(open().error().code, ErrorCode::kCorrupt);
  // A journal MANIFEST that is damaged twice, and nothing else.
  files = intact->clone();
  for (const auto& path : files->paths())
    if (!path.starts_with("j/MANIFEST")) files->erase(path);
  files->put("j/MANIFEST", "");
  files->put("j/MANIFEST.previous", "");
  EXPECT_EQ(open().error().code, ErrorCode::kCorrupt);
  // The newest segment there, but the partition's other files gone, is no reason to begin anew either.
  files = intact->clone();
  for (const auto& path : files->paths())
    if (path.find("MANIFEST") != std::string::npos) files->erase(path);
  must_open();
  expect_promises_kept();
  EXPECT_EQ(live().end, 3u);
}

TEST_F(Recovery, ADamagedSegmentHeaderCostsNoRecord) {
  must_open();
  fill_segments(3);
  ASSERT_TRUE(append(texts(3)));
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  const auto paths = segments();
  for (size_t i = 0; i < paths.size(); ++i) {
    files = intact->clone();
    files->flip(paths[i], 40);
    must_open();
    EXPECT_TRUE(live().damaged.empty()) << "segment " << i;
    EXPECT_EQ(read_all().size(), acknowledged[Partition::live].size());
    auto appended = append_and_wait(journal->writer(Partition::live), records_of(texts(3)), later());
    EXPECT_TRUE(appended);
    journal.reset();
  }
}

TEST_F(Recovery, AnOpenSegmentWithoutAnythingInItIsNoPuzzle) {
  must_open();
  for (int i = 0; i < 3; ++i) {
    crash();
    must_open();
    EXPECT_EQ(live().segments, 1u);
    EXPECT_EQ(live().epochs.size(), 1u);
    EXPECT_EQ(live().end, 0u);
  }
  ASSERT_TRUE(append(texts(1)));
  expect_promises_kept();
}

TEST_F(Recovery, FramesThatNeverReachedTheDiskAreWrittenAgainBeforeTheyAreShown) {
  must_open();
  ASSERT_TRUE(append(texts(2)));
  // The sync of the second group fails; its bytes stay in the cache, clean.
  files->fail(FakeFiles::Call::sync_data, 1, ErrorCode::kUnavailable, ".seg");
  auto refused = append(texts(2));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(journal->writer(Partition::live).failed());
  crash();
  must_open();
  // Read back from the cache, so they count now; then they must really be there.
  ASSERT_EQ(live().end, 4u);
  auto before = read_all();
  power_cut(FakeFiles::Cut::nothing, 1);
  must_open();
  EXPECT_EQ(read_all(), before);
}

TEST_F(Recovery, AnEpochBegunByCommandLeavesAGapThatIsNoDamage) {
  must_open();
  ASSERT_TRUE(append(texts(5)));
  ASSERT_TRUE(journal->begin_epoch(Partition::live, 1000));
  EXPECT_EQ(live().end, 1000u);
  ASSERT_TRUE(append(texts(5)));
  // Twice in a row, and without a record between.
  ASSERT_TRUE(journal->begin_epoch(Partition::live, 10));
  ASSERT_TRUE(journal->begin_epoch(Partition::live, 10));
  ASSERT_TRUE(append(texts(5)));
  ASSERT_EQ(live().epochs.size(), 4u);
  EXPECT_EQ(live().epochs[1].first, 1000u);
  EXPECT_EQ(live().epochs[2].first, 1005u);
  EXPECT_EQ(live().epochs[3].first, 1006u);
  auto epochs = [&] {
    std::vector<uint32_t> seen;
    auto reader = journal->reader(Partition::live);
    for (Offset at = 0; at < live().end;) {
      auto batch = reader->read(at, 1 * MiB, 0ms);
      EXPECT_TRUE(batch);
      for (const Record& record : batch->records) {
        EXPECT_GE(record.offset, live().epochs[batch->epoch - 1].first);
        seen.push_back(batch->epoch);
      }
      at = batch->next;
    }
    return seen;
  };
  EXPECT_EQ(epochs(), (std::vector<uint32_t>{1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4}));
  for (bool clean : {true, false}) {
    if (clean) {
      ASSERT_TRUE(journal->close());
    } else {
      crash();
    }
    must_open();
    EXPECT_TRUE(live().damaged.empty());
    EXPECT_EQ(live().epochs.size(), 4u);
    EXPECT_EQ(epochs().size(), 15u);
    expect_promises_kept();
  }
}

TEST_F(Recovery, ADiskThatLostItsLastSegmentsAndKeptTheirSuccessorIsNoticed) {
  must_open();
  fill_segments(2);
  auto old = files->clone();
  fill_segments(4);
  Offset end = live().end;
  ASSERT_TRUE(journal->close());
  // An old copy of the directory, the newest segment put beside it.
  std::string newest = segments().back();
  std::string content = *files->content(newest);
  files = std::move(old);
  files->kill();
  files->put(newest, content);
  must_open();
  EXPECT_EQ(live().end, end);
  ASSERT_EQ(live().damaged.size(), 1u);
  EXPECT_EQ(live().damaged[0].next, *parse_segment_name(newest.substr(7)));
  expect_promises_kept();
}

}  // namespace
}  // namespace weir::journal::segmented
