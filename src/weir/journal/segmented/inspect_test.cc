#include "weir/journal/inspect.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "weir/journal/testing/fake_journal.h"

namespace weir::journal::segmented {
namespace {

using testing::FakeJournal;
using weir::testing::FakeFiles;
using namespace std::chrono_literals;

class Inspect : public ::testing::Test, public FakeJournal {
 protected:
  void SetUp() override { ASSERT_TRUE(open()); }
  void fill_segments(size_t count) {
    while (journal->info(Partition::live).segments < count) {
      clock.advance(1s);
      ASSERT_TRUE(append(texts(10, 500)));
    }
  }
};

TEST_F(Inspect, TellsWhatThereIs) {
  fill_segments(3);
  ASSERT_TRUE(append(texts(2), Partition::bulk));
  for (bool running : {true, false}) {
    if (!running) {
      ASSERT_TRUE(journal->close());
    }
    auto report = inspect(*files, "j");
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->sound());
    EXPECT_EQ(report->uuid, journal->uuid());
    ASSERT_EQ(report->partitions.size(), 2u);
    const PartitionReport& live = report->partitions[0];
    EXPECT_EQ(live.partition, Partition::live);
    EXPECT_EQ(live.begin, 0u);
    EXPECT_EQ(live.end, acknowledged[Partition::live].size());
    EXPECT_EQ(live.torn_bytes, 0u);
    ASSERT_EQ(live.epochs.size(), 1u);
    ASSERT_EQ(live.segments.size(), 3u);
    EXPECT_EQ(live.segments[0].file, segment_name(0));
    EXPECT_TRUE(live.segments[0].sealed);
    EXPECT_EQ(live.segments[0].first_at, 1'790'000'001'000);
    EXPECT_GT(live.segments[0].last_at, live.segments[0].first_at);
    EXPECT_GT(live.segments[0].frames, 5u);
    EXPECT_FALSE(live.segments[2].sealed);
    EXPECT_EQ(live.segments[2].epoch, 1u);
    EXPECT_EQ(report->partitions[1].end, 2u);
  }
}

TEST_F(Inspect, VerifyCountsCodecsAndBytes) {
  ASSERT_TRUE(append({std::string(5000, 'a'), std::string(5000, 'b')}));
  ASSERT_TRUE(append({"short"}));
  auto report = verify(*files, "j");
  ASSERT_TRUE(report);
  const SegmentReport& segment = report->partitions[0].segments[0];
  EXPECT_EQ(segment.frames, 2u);
  EXPECT_EQ(segment.frames_packed, 1u);
  EXPECT_EQ(segment.inflated_bytes, 4u + 5000 + 4 + 5000 + 4 + 5);
  EXPECT_LT(segment.payload_bytes, 500u);
}

TEST_F(Inspect, VerifyFindsEveryFlippedByteOfASealedSegment) {
  options.segment_bytes = 16 * KiB;
  options.compression = "none";
  files = std::make_unique<FakeFiles>();
  acknowledged.clear();
  ASSERT_TRUE(open());
  fill_segments(2);
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  ASSERT_TRUE(verify(*files, "j")->sound());
  const std::string path = segments()[0];
  const uint64_t size = files->content(path)->size();
  for (uint64_t at = 0; at < size; at += 7) {
    auto damaged = intact->clone();
    damaged->flip(path, at, 0x20);
    auto report = verify(*damaged, "j");
    ASSERT_TRUE(report) << report.error().message;
    ASSERT_FALSE(report->sound()) << "byte " << at;
  }
}

TEST_F(Inspect, VerifyNamesTheExactRangeAndChangesNothing) {
  fill_segments(3);
  ASSERT_TRUE(journal->close());
  auto all = frames(segments()[1]);
  files->flip(segments()[1], all[2].first + kFrameHeaderBytes);
  auto paths = files->paths();
  uint64_t changes = files->changes();
  auto report = verify(*files, "j");
  ASSERT_TRUE(report);
  EXPECT_FALSE(report->sound());
  ASSERT_EQ(report->partitions[0].damaged.size(), 1u);
  EXPECT_EQ(report->partitions[0].damaged[0].first, all[2].second.base);
  EXPECT_EQ(report->partitions[0].damaged[0].next, all[2].second.next());
  EXPECT_EQ(files->paths(), paths);
  EXPECT_EQ(files->changes(), changes);
}

TEST_F(Inspect, SeesMissingSegmentsForeignOnesAndBadIndexes) {
  fill_segments(4);
  ASSERT_TRUE(journal->close());
  auto intact = files->clone();
  const auto paths = segments();
  Offset first = *parse_segment_name(paths[1].substr(7));
  Offset next = *parse_segment_name(paths[2].substr(7));
  files->erase(paths[1]);
  auto report = inspect(*files, "j");
  ASSERT_EQ(report->partitions[0].damaged.size(), 1u);
  EXPECT_EQ(report->partitions[0].damaged[0].first, first);
  EXPECT_EQ(report->partitions[0].damaged[0].next, next);

  files = intact->clone();
  files->erase(paths[3]);
  report = inspect(*files, "j");
  ASSERT_EQ(report->partitions[0].problems.size(), 1u);
  EXPECT_NE(report->partitions[0].problems[0].find("newest"), std::string::npos);

  files = intact->clone();
  FakeJournal other;
  ASSERT_TRUE(other.open());
  files->put(paths[1], *other.files->content(other.segments()[0]));
  report = inspect(*files, "j");
  EXPECT_FALSE(report->sound());

  files = intact->clone();
  files->flip("j/live/" + index_name(0), 60);
  files->erase("j/live/" + index_name(first));
  report = inspect(*files, "j");
  EXPECT_EQ(report->partitions[0].segments[0].index, IndexState::bad);
  EXPECT_EQ(report->partitions[0].segments[1].index, IndexState::missing);
  EXPECT_EQ(report->partitions[0].segments[2].index, IndexState::good);
  EXPECT_TRUE(report->sound());  // an index is derived

  files = intact->clone();
  files->put("j/live/MANIFEST", "");
  report = inspect(*files, "j");
  EXPECT_FALSE(report->sound());
  EXPECT_EQ(report->partitions[0].end, acknowledged[Partition::live].size());
}

TEST_F(Inspect, TellsATornTailFromDamage) {
  ASSERT_TRUE(append(texts(3)));
  crash();
  const std::string path = segments()[0];
  auto last = frames(path).back();
  std::string content = *files->content(path);
  content.replace(last.first + last.second.size(), 5, "torn!");
  files->put(path, content);
  auto report = verify(*files, "j");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->sound());
  EXPECT_EQ(report->partitions[0].torn_bytes, 5u);
}

TEST_F(Inspect, ExportsARangeByOffsetAndByTime) {
  fill_segments(3);
  const auto& expected = acknowledged[Partition::live];
  auto exported = [&](const ExportRange& range) {
    std::map<Offset, std::string> all;
    auto damaged = export_records(*files, "j", Partition::live, range, [&](const ExportedRecord& record) {
      EXPECT_EQ(record.partition, Partition::live);
      EXPECT_EQ(record.epoch, 1u);
      EXPECT_TRUE(all.empty() || all.rbegin()->first < record.offset);
      all.emplace(record.offset, record.bytes);
      return true;
    });
    EXPECT_TRUE(damaged);
    EXPECT_TRUE(damaged->empty());
    return all;
  };
  for (bool running : {true, false}) {
    if (!running) {
      ASSERT_TRUE(journal->close());
    }
    EXPECT_EQ(exported({}), expected);
    auto some = exported({.first = 15, .next = 130});
    EXPECT_EQ(some.size(), 115u);
    EXPECT_EQ(some.begin()->first, 15u);
    EXPECT_EQ(some[129], expected.at(129));
    auto timed = exported({.appended_from = 1'790'000'003'000, .appended_before = 1'790'000'005'000});
    ASSERT_EQ(timed.size(), 20u);
    EXPECT_EQ(timed.begin()->first, 20u);
  }
  int calls = 0;
  ASSERT_TRUE(export_records(*files, "j", Partition::live, {}, [&](const ExportedRecord&) { return ++calls < 25; }));
  EXPECT_EQ(calls, 25);
}

TEST_F(Inspect, ExportPassesOverDamageAndSaysSo) {
  fill_segments(3);
  ASSERT_TRUE(journal->close());
  auto all = frames(segments()[0]);
  files->flip(segments()[0], all[2].first + 5);
  size_t count = 0;
  auto damaged = export_records(*files, "j", Partition::live, {}, [&](const ExportedRecord&) { return ++count > 0; });
  ASSERT_TRUE(damaged);
  ASSERT_EQ(damaged->size(), 1u);
  EXPECT_EQ((*damaged)[0].first, all[2].second.base);
  EXPECT_EQ((*damaged)[0].next, all[2].second.next());
  EXPECT_EQ(count + all[2].second.count, acknowledged[Partition::live].size());
}

TEST_F(Inspect, BesideARunningServerSeesNoDamageThatIsNotThere) {
  std::atomic<bool> stop{false};
  std::thread appending([&] {
    while (!stop && journal->info(Partition::live).segments < 40) ASSERT_TRUE(append(texts(5, 600)));
  });
  Offset before = 0;
  for (int i = 0; i < 30; ++i) {
    auto report = verify(*files, "j");
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->partitions[0].damaged.empty());
    for (const SegmentReport& segment : report->partitions[0].segments)
      for (const std::string& problem : segment.problems) ADD_FAILURE() << segment.file << ": " << problem;
    EXPECT_GE(report->partitions[0].end, before);
    before = report->partitions[0].end;
  }
  stop = true;
  appending.join();
}

TEST_F(Inspect, SaysWhenThereIsNoJournal) {
  FakeFiles empty;
  EXPECT_EQ(inspect(empty, "j").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(empty.make_directory("j"));
  EXPECT_EQ(inspect(empty, "j").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace weir::journal::segmented
