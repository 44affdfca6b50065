#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/thread.h"
#include "weir/journal/journal.h"
#include "weir/journal/metrics.h"
#include "weir/journal/options.h"
#include "weir/journal/segmented/catalog.h"
#include "weir/journal/segmented/codec.h"
#include "weir/journal/segmented/preparer.h"
#include "weir/journal/segmented/segment.h"

namespace weir::journal::segmented {

// What a writer works with; all of it outlives the writer.
struct WriterParts {
  FileSystem& files;
  Clock& clock;
  Catalog& catalog;
  Preparer& preparer;
  PartitionMetrics& metrics;
  const Options& options;
  std::string directory;
  // Wakes the thread that prepares segments and keeps the MANIFEST.
  std::function<void()> poke;
  // Takes a closed segment's index, to be written when there is time.
  std::function<void(SegmentInfo, Index)> store_index;
};

// The one writer of a partition. One thread does all the file I/O: while a sync is under way appends queue up, then
// one write and one sync take as many as fit into a frame. Thread-safe.
class SegmentedWriter final : public Writer {
 public:
  SegmentedWriter(WriterParts parts, std::unique_ptr<OpenSegment> open, Offset noted_upto);
  // Without close() before: appends that wait are answered kUnavailable, the end is not noted, as after a crash.
  ~SegmentedWriter() override;

  // Refusals are answered on the caller's thread before append() returns, a passed deadline on the journal's timer
  // thread if the disk keeps the writer's own one waiting.
  void append(Records records, std::chrono::steady_clock::time_point deadline, Done done) override;
  Offset end() const override { return parts_.catalog.end(); }
  bool failed() const override { return failed_.load(std::memory_order_acquire); }
  bool full() const override {
    return no_space_.load(std::memory_order_relaxed) || low_space_.load(std::memory_order_relaxed);
  }
  uint64_t waiting_bytes() const override { return waiting_bytes_.load(std::memory_order_relaxed); }
  Result<> close() override;

  // Answers kTimeout to everything whose deadline has passed, written or not.
  void expire(std::chrono::steady_clock::time_point now);
  // Whether the volume has as much free space as the options demand.
  void set_low_space(bool low);
  // Begins a new epoch at `next` or above it.
  Result<> begin_epoch(Offset next);

 private:
  struct Request {
    Records records;
    std::chrono::steady_clock::time_point deadline;
    std::chrono::steady_clock::time_point queued_at;
    Done done;
    Offset first = 0;
  };
  enum class Outcome { ok, full, failed };
  enum class NewEpoch { no, yes };

  void run();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void gather(std::unique_lock<std::mutex>& lock);
  bool take_group(std::vector<Request>& expired);
  Outcome write_group();
  Outcome write_large(Request& request);
  Outcome write_frame(std::span<const std::string_view> pieces, uint32_t count, uint64_t bytes, uint16_t flags);
  Outcome append_frame(FrameHeader& header, std::span<const iovec> payload);
  Outcome roll(NewEpoch new_epoch, Offset least);
  Outcome judge(const Error& error);
  void note_end(uint16_t flags);
  void finish(Outcome outcome);
  void refuse_all(ErrorCode code, const char* why);
  void probe();
  void answer(std::vector<Request>& requests, ErrorCode code, const char* why);

  WriterParts parts_;
  // Confined to the writer's thread.
  std::unique_ptr<OpenSegment> segment_;
  Offset next_;
  uint32_t epoch_;
  uint32_t last_crc_;
  Offset noted_upto_;
  size_t last_group_ = 0;  // requests in it
  const Codec codec_;
  std::string joined_;
  std::string compressed_;
  std::vector<std::string_view> pieces_;
  std::vector<iovec> payload_;
  std::string failure_;

  std::atomic<bool> failed_{false};
  std::atomic<bool> no_space_{false};
  std::atomic<bool> low_space_{false};
  std::atomic<uint64_t> waiting_bytes_{0};

  std::mutex mutex_;  // guards all below
  std::condition_variable work_;
  std::deque<Request> queue_;
  // What is being written. Only the writer's thread changes the vector; `done` is taken under the mutex.
  std::vector<Request> in_flight_;
  bool sleeping_ = false;
  bool closing_ = false;
  bool abandoned_ = false;
  struct EpochOrder {
    Offset next;
    std::promise<Result<>> done;
  };
  std::optional<EpochOrder> epoch_order_;
  Result<> outcome_;
  Thread thread_;
};

}  // namespace weir::journal::segmented
