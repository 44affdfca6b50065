#include "weir/journal/segmented/writer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "weir/journal/testing/fake_journal.h"

namespace weir::journal::segmented {
namespace {

using testing::eventually;
using testing::FakeJournal;
using weir::testing::FakeFiles;
using Call = FakeFiles::Call;
using namespace std::chrono_literals;

// Holds the writer in a sync until opened, so that a test decides what waits.
class Gate {
 public:
  explicit Gate(FakeFiles& files) {
    files.on_call([this](Call call, const std::string& path) -> std::optional<Error> {
      if (call == Call::sync_data && path.ends_with(".seg")) {
        std::unique_lock lock(mutex_);
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_; });
        --waiting_;
      }
      return std::nullopt;
    });
  }
  void await_writer() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }
  void open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool open_ = false;
};

class JournalWriter : public ::testing::Test, public FakeJournal {
 protected:
  void must_open() {
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
  }
  Writer& live() { return journal->writer(Partition::live); }
  std::future<Result<Appended>> start(std::vector<std::string> texts, std::chrono::steady_clock::time_point deadline) {
    auto answered = std::make_shared<std::promise<Result<Appended>>>();
    auto future = answered->get_future();
    live().append(records_of(texts), deadline, [answered](Result<Appended> r) { answered->set_value(std::move(r)); });
    return future;
  }
  static bool ready(std::future<Result<Appended>>& future) { return future.wait_for(0s) == std::future_status::ready; }
};

TEST_F(JournalWriter, PutsAllThatWaitsIntoOneFrameAndOneSync) {
  must_open();
  Gate gate(*files);
  auto first = start({"a"}, later());
  gate.await_writer();
  std::vector<std::future<Result<Appended>>> others;
  for (int i = 0; i < 20; ++i) others.push_back(start({"b" + std::to_string(i), "c"}, later()));
  EXPECT_FALSE(ready(first));
  EXPECT_EQ(live().end(), 0u);  // nothing is shown before its sync
  gate.open();
  EXPECT_EQ(first.get()->first, 0u);
  for (size_t i = 0; i < others.size(); ++i) {
    auto appended = others[i].get();
    ASSERT_TRUE(appended);
    EXPECT_EQ(appended->first, 1 + 2 * i);
    EXPECT_EQ(appended->last, 2 + 2 * i);
  }
  auto all = frames(segments().back());
  ASSERT_GE(all.size(), 2u);
  EXPECT_EQ(all[1].second.count, 40u);
  EXPECT_EQ(live().waiting_bytes(), 0u);
}

TEST_F(JournalWriter, BoundsAGroupByRecordsAndBytes) {
  options.group_records_max = 10;
  options.group_bytes_max = 1000;
  options.compression = "none";
  must_open();
  Gate gate(*files);
  auto first = start({"a"}, later());
  gate.await_writer();
  std::vector<std::future<Result<Appended>>> others;
  for (int i = 0; i < 12; ++i) others.push_back(start({"x", "y", "z"}, later()));
  for (int i = 0; i < 4; ++i) others.push_back(start({std::string(400, 'l')}, later()));
  gate.open();
  for (auto& other : others) ASSERT_TRUE(other.get());
  for (const auto& [position, frame] : frames(segments().back())) {
    EXPECT_LE(frame.count, 10u);
    EXPECT_LE(frame.inflated_bytes, 1000u);
  }
  EXPECT_EQ(live().end(), 1u + 36 + 4);
}

TEST_F(JournalWriter, ARequestLargerThanAFrameSpansSeveral) {
  for (const char* compression : {"none", "zstd", "lz4"}) {
    files = std::make_unique<FakeFiles>();
    acknowledged.clear();
    options.compression = compression;
    options.group_bytes_max = 4 * KiB;
    options.group_records_max = 50;
    must_open();
    auto appended = append(texts(2000, 60));  // by count
    ASSERT_TRUE(appended);
    EXPECT_EQ(appended->last - appended->first, 1999u);
    appended = append(texts(20, 3000));  // by bytes
    ASSERT_TRUE(appended);
    appended = append({std::string(100 * 1024, 'h')});  // one record larger than a group, and than a segment
    ASSERT_TRUE(appended);
    ASSERT_TRUE(append(texts(1)));
    expect_promises_kept();
    crash();
    must_open();
    expect_promises_kept();
    EXPECT_TRUE(journal->info(Partition::live).damaged.empty());
    journal.reset();
  }
}

TEST_F(JournalWriter, RefusesWhatIsTooLargeOrEmptyAtOnce) {
  options.record_bytes_max = 1000;
  options.queue_bytes = 10'000;
  must_open();
  auto refused = append({std::string(1001, 'x')});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(append(texts(20, 900)).error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(append({}).error().code, ErrorCode::kBadInput);
  EXPECT_TRUE(append({std::string(1000, 'x')}));
}

TEST_F(JournalWriter, AFullQueueRefusesAtOnceAndTakesAgainLater) {
  options.queue_bytes = 1000;
  must_open();
  Gate gate(*files);
  auto first = start({std::string(300, 'a')}, later());
  gate.await_writer();
  auto second = start({std::string(300, 'b')}, later());
  auto third = start({std::string(300, 'c')}, later());
  auto refused = start({std::string(300, 'd')}, later());
  ASSERT_TRUE(ready(refused));
  EXPECT_EQ(refused.get().error().code, ErrorCode::kOverloaded);
  EXPECT_LE(live().waiting_bytes(), 1000u);
  gate.open();
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_TRUE(third.get());
  EXPECT_TRUE(append({std::string(300, 'e')}));
  EXPECT_EQ(live().end(), 4u);
}

TEST_F(JournalWriter, APassedDeadlineIsAnsweredAndNotWritten) {
  must_open();
  auto refused = append_and_wait(live(), records_of({"late"}), clock.steady());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTimeout);
  EXPECT_EQ(live().end(), 0u);
}

TEST_F(JournalWriter, AHangingDiskIsAnsweredByDeadlineAndRecovers) {
  must_open();
  Gate gate(*files);
  auto in_flight = start({"in flight"}, clock.steady() + 5s);
  gate.await_writer();
  auto queued = start({"queued"}, clock.steady() + 5s);
  auto patient = start({"patient"}, clock.steady() + 100s);
  clock.advance(6s);
  EXPECT_EQ(in_flight.get().error().code, ErrorCode::kTimeout);  // and may be there
  EXPECT_EQ(queued.get().error().code, ErrorCode::kTimeout);     // and is not
  EXPECT_FALSE(ready(patient));
  gate.open();
  auto appended = patient.get();
  ASSERT_TRUE(appended);
  auto all = read_all();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0], "in flight");
  EXPECT_EQ(all[1], "patient");
}

TEST_F(JournalWriter, AFailedSyncOrWriteIsFinal) {
  for (Call call : {Call::sync_data, Call::write}) {
    for (ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kOverloaded}) {
      if (call == Call::write && code == ErrorCode::kOverloaded) continue;  // that passes
      files = std::make_unique<FakeFiles>();
      acknowledged.clear();
      must_open();
      ASSERT_TRUE(append(texts(3)));
      files->fail(call, 1, code, ".seg");
      auto refused = append(texts(3));
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
      EXPECT_TRUE(live().failed());
      // The disk would say yes again; nobody asks it.
      EXPECT_EQ(append(texts(3)).error().code, ErrorCode::kUnavailable);
      EXPECT_EQ(live().end(), 3u);
      EXPECT_EQ(read_all().size(), 3u);
      EXPECT_FALSE(journal->close());
      power_cut(FakeFiles::Cut::all, 1);
      must_open();
      expect_promises_kept();
      EXPECT_EQ(live().end(), 3u);
      ASSERT_TRUE(append(texts(3)));
      expect_promises_kept();
      journal.reset();
    }
  }
}

// What does not fit into a segment that holds no record makes it grow, also when a note of the end is in it already.
TEST_F(JournalWriter, ALargeRecordFindsRoomBehindANoteOfTheEnd) {
  options.segment_bytes = 16 * KiB;
  must_open();
  ASSERT_TRUE(append(texts(1)));
  ASSERT_TRUE(journal->begin_epoch(Partition::live, 10));
  crash();
  must_open();
  ASSERT_TRUE(journal->close());  // with a note of the end
  must_open();
  ASSERT_TRUE(append(texts(1, 100 * KiB)));
  ASSERT_TRUE(append(texts(3)));
  expect_promises_kept();
}

TEST_F(JournalWriter, AllThatWaitsIsAnsweredWhenTheDiskFails) {
  must_open();
  Gate gate(*files);
  auto first = start({"a"}, later());
  gate.await_writer();
  std::vector<std::future<Result<Appended>>> others;
  for (int i = 0; i < 10; ++i) others.push_back(start({"b"}, later()));
  files->on_call([](Call call, const std::string& path) -> std::optional<Error> {
    if (call == Call::sync_data && path.ends_with(".seg")) return Error{ErrorCode::kUnavailable, "injected"};
    return std::nullopt;
  });
  gate.open();
  EXPECT_TRUE(first.get());  // its sync was under way and went well
  for (auto& other : others) EXPECT_EQ(other.get().error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(live().waiting_bytes(), 0u);
}

TEST_F(JournalWriter, NoSpaceIsAnsweredLeavesNothingBehindAndPasses) {
  options.compression = "none";
  must_open();
  ASSERT_TRUE(append(texts(3)));
  ASSERT_TRUE(eventually([&] { return files->exists("j/live/next"); }));
  // No space within the filled segment cannot happen on a real disk; growing it can.
  files->fail(Call::write, 1, ErrorCode::kOverloaded, ".seg");
  auto refused = append(texts(3));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_FALSE(live().failed());
  // It takes a second to look again, and then resumes by itself.
  ASSERT_TRUE(eventually([&] { return !live().full(); }));
  ASSERT_TRUE(append(texts(3)));
  expect_promises_kept();
  EXPECT_EQ(read_all().size(), 6u);
  crash();
  must_open();
  EXPECT_TRUE(journal->info(Partition::live).damaged.empty());
  EXPECT_EQ(read_all().size(), 6u);
  expect_promises_kept();
}

TEST_F(JournalWriter, AFullVolumeAtARollRefusesUntilThereIsSpace) {
  options.compression = "none";
  must_open();
  ASSERT_TRUE(append(texts(10)));
  ASSERT_TRUE(eventually([&] { return files->exists("j/live/next"); }));
  files->set_capacity(files->used_bytes() + 1000);
  Result<Appended> last = Appended{};
  while ((last = append(texts(10, 500)))) {
  }
  EXPECT_EQ(last.error().code, ErrorCode::kOverloaded);
  EXPECT_TRUE(live().full());
  EXPECT_FALSE(live().failed());
  EXPECT_EQ(append(texts(1)).error().code, ErrorCode::kOverloaded);
  expect_promises_kept();  // reading goes on
  files->set_capacity(files->used_bytes() + 10 * options.segment_bytes);
  ASSERT_TRUE(eventually([&] { return !live().full(); }));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(append(texts(10, 500)));
  expect_promises_kept();
  ASSERT_TRUE(journal->close());
  must_open();
  EXPECT_TRUE(journal->info(Partition::live).damaged.empty());
  expect_promises_kept();
}

TEST_F(JournalWriter, KeepsAShareOfTheVolumeFree) {
  files->set_capacity(100 * options.segment_bytes);
  options.free_percent_min = 20;
  must_open();
  ASSERT_TRUE(append(texts(1)));
  files->put("elsewhere", std::string(85 * options.segment_bytes, 'x'));
  ASSERT_TRUE(eventually([&] { return live().full(); }));
  EXPECT_EQ(append(texts(1)).error().code, ErrorCode::kOverloaded);
  files->erase("elsewhere");
  ASSERT_TRUE(eventually([&] { return !live().full(); }));
  ASSERT_TRUE(append(texts(1)));
  // Two segments in any case.
  files->put("elsewhere",
             std::string(files->used_bytes() > 0 ? *files->free_bytes("j") - options.segment_bytes : 0, 'x'));
  ASSERT_TRUE(eventually([&] { return live().full(); }));
}

TEST_F(JournalWriter, RollsWithoutGapsAndSealsWhatItLeaves) {
  must_open();
  while (segments().size() < 5) ASSERT_TRUE(append(texts(20, 300)));
  ASSERT_TRUE(journal->close());
  auto report = verify(*files, "j");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->sound());
  const PartitionReport& live = report->partitions[0];
  ASSERT_EQ(live.segments.size(), 5u);
  for (size_t i = 0; i + 1 < 5; ++i) {
    EXPECT_TRUE(live.segments[i].sealed);
    EXPECT_EQ(live.segments[i].next, live.segments[i + 1].first);
    EXPECT_EQ(live.segments[i].index, IndexState::good);
    EXPECT_LE(live.segments[i].bytes, options.segment_bytes);
  }
  EXPECT_FALSE(live.segments[4].sealed);
  EXPECT_EQ(live.end, acknowledged[Partition::live].size());
}

TEST_F(JournalWriter, PartitionsDoNotShareOffsets) {
  must_open();
  ASSERT_TRUE(append(texts(3), Partition::live));
  ASSERT_TRUE(append(texts(5), Partition::bulk));
  ASSERT_TRUE(append(texts(2), Partition::live));
  EXPECT_EQ(journal->info(Partition::live).end, 5u);
  EXPECT_EQ(journal->info(Partition::bulk).end, 5u);
  expect_promises_kept(Partition::live);
  expect_promises_kept(Partition::bulk);
}

TEST_F(JournalWriter, CloseFinishesWhatWaitsAndThenRefuses) {
  must_open();
  Gate gate(*files);
  auto first = start({"a"}, later());
  gate.await_writer();
  auto second = start({"b"}, later());
  auto closed = std::async(std::launch::async, [&] { return journal->close(); });
  gate.open();
  EXPECT_TRUE(closed.get());
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_EQ(append(texts(1)).error().code, ErrorCode::kUnavailable);
  must_open();
  EXPECT_EQ(journal->info(Partition::live).end, 2u);
}

TEST_F(JournalWriter, ManyCallersManyRollsNothingLostNothingTwice) {
  must_open();
  std::mutex mutex;
  std::atomic<bool> stop{false};
  std::map<Offset, std::string> seen;
  std::thread reading([&] {
    auto reader = journal->reader(Partition::live);
    Offset at = 0;
    while (true) {
      auto batch = reader->read(at, 16 * KiB, 20ms);
      ASSERT_TRUE(batch) << batch.error().message;
      for (const Record& record : batch->records) {
        ASSERT_EQ(record.offset, at);
        seen.emplace(record.offset, record.bytes);
        ++at;
      }
      at = batch->next;
      if (batch->empty() && stop) break;
    }
  });
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 60; ++i) {
        std::vector<std::string> mine;
        for (int j = 0; j < 5; ++j)
          mine.push_back("caller " + std::to_string(caller) + " " + std::to_string(i * 5 + j) + std::string(200, 'x'));
        auto appended = append_and_wait(live(), records_of(mine), later());
        ASSERT_TRUE(appended) << appended.error().message;
        std::lock_guard lock(mutex);
        remember(*appended, mine);
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  stop = true;
  reading.join();
  EXPECT_EQ(seen, acknowledged[Partition::live]);
  EXPECT_EQ(seen.size(), 6u * 60 * 5);
}

}  // namespace
}  // namespace weir::journal::segmented
