#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/base/result.h"

// The durable, ordered journal of records. What the bytes mean is not its business. Two implementations: segmented/
// (files of our own, one box) and, later, Kafka. This header is what both promise.
namespace weir::journal {

// The local partitions. History (import, seed, replay) goes to `bulk` so that it never delays today.
enum class Partition : uint16_t { live = 0, bulk = 1 };
std::string_view name_of(Partition partition);

// A place in one partition. Offsets are never reused, also not after damage: the epoch then rises and offsets
// continue above everything seen.
using Offset = uint64_t;

// Several records on their way into the journal: each is a u32 length and its bytes, one behind the other.
class Records {
 public:
  Records() = default;
  Records(const Records&) = default;
  Records& operator=(const Records&) = default;
  Records(Records&& other) noexcept { *this = std::move(other); }
  Records& operator=(Records&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(open_, other.open_);
    std::swap(largest_, other.largest_);
    std::swap(count_, other.count_);
    return *this;
  }
  ~Records();

  // Makes room for records of that many bytes, with their lengths.
  void reserve(size_t bytes);
  void add(std::string_view record) {
    append_le(bytes_, static_cast<uint32_t>(record.size()));
    bytes_.append(record);
    note(record.size());
  }
  // Lets the caller write a record in place: begin(), append to the returned string, end().
  std::string& begin() {
    open_ = bytes_.size();
    append_le(bytes_, uint32_t{0});
    return bytes_;
  }
  void end() {
    size_t size = bytes_.size() - open_ - sizeof(uint32_t);
    store_le(bytes_.data() + open_, static_cast<uint32_t>(size));
    note(size);
  }
  // Takes back what was written since begin().
  void cancel() { bytes_.resize(open_); }

  uint32_t count() const { return count_; }
  bool empty() const { return count_ == 0; }
  const std::string& bytes() const { return bytes_; }
  // Bytes of the largest record.
  size_t largest() const { return largest_; }

 private:
  void note(size_t size) {
    largest_ = size > largest_ ? size : largest_;
    ++count_;
  }

  std::string bytes_;
  size_t open_ = 0;
  size_t largest_ = 0;
  uint32_t count_ = 0;
};

// Where records ended up: [first, last]. Other requests' records may lie between them.
struct Appended {
  Offset first = 0;
  Offset last = 0;
};

// Appends to the end of one partition. Thread-safe.
class Writer {
 public:
  using Done = std::function<void(Result<Appended>)>;
  virtual ~Writer() = default;

  // Success means: every record of the batch survives power loss (or is acknowledged by all in-sync replicas).
  // `done` is called exactly once, on a thread of the journal's, or on the caller's before append() returns when it is
  // refused at once: it must only hand over. `deadline`: a batch still waiting then is answered kTimeout and not
  // written; one that is being written then is answered kTimeout too, and may be there.
  // Full: kOverloaded, at once, when the options' queue_bytes are waiting.
  // Errors: kBadInput (no record), kTooLarge (a record above record_bytes_max, or more than queue_bytes at once),
  // kOverloaded (queue or disk full), kTimeout, kUnavailable (closing, or the disk failed; then the process should
  // end, see failed()). After an error a part of the batch may be there: a retry carries the same ids.
  virtual void append(Records records, std::chrono::steady_clock::time_point deadline, Done done) = 0;

  // One past the last durable offset.
  virtual Offset end() const = 0;
  // Set when a sync or write failed for good: nothing will be appended any more and readiness is false.
  virtual bool failed() const = 0;
  // True while appends are refused for want of disk space.
  virtual bool full() const = 0;
  // Bytes waiting to be written.
  virtual uint64_t waiting_bytes() const = 0;
  // Finishes what waits, notes the end, closes. Later appends are answered kUnavailable.
  virtual Result<> close() = 0;
};

// append() for coroutines: completes on the coroutine's own executor. Its context must outlive the journal's threads
// (close the journal first), as with everything that is posted from outside.
boost::asio::awaitable<Result<Appended>> append(Writer& writer, Records records,
                                                std::chrono::steady_clock::time_point deadline);
// append() for a thread that may wait.
Result<Appended> append_and_wait(Writer& writer, Records records, std::chrono::steady_clock::time_point deadline);

struct Record {
  Offset offset;
  std::string_view bytes;  // into the batch's storage
};

// A run of records of one epoch with rising offsets. There may be gaps (damage); [first, next) is what it covers.
struct Batch {
  uint32_t epoch = 0;
  Offset first = 0;
  Offset next = 0;              // read on from here
  UnixMillis appended_at = 0;   // of its oldest record
  std::vector<Record> records;  // point into storage
  std::vector<std::string> storage;
  bool empty() const { return records.empty(); }
};

// An epoch of a partition: offsets from `first` on belong to it, until the next epoch's first.
struct Epoch {
  uint32_t number;
  Offset first;
};

// A range of offsets whose acknowledged records cannot be read any more.
struct Damage {
  Offset first;
  Offset next;
  std::string reason;
};

// Reads one partition. Sees durable records only. Thread-safe for distinct readers; one reader is confined to one
// thread.
class Reader {
 public:
  virtual ~Reader() = default;
  // Records from `from` on, at most about `bytes_max` of them and never across an epoch. Waits up to `wait` for the
  // first one; then answers an empty batch whose `next` is where to read on. An offset before the oldest kept one
  // is answered from the oldest on, one within a range known as damaged from behind it on (Batch::first tells).
  // Errors: kCorrupt (damage seen for the first time: the range is in info().damaged from now on; read on, with the
  // same `from` if you like), kUnavailable.
  virtual Result<Batch> read(Offset from, uint64_t bytes_max, std::chrono::milliseconds wait) = 0;
};

struct PartitionInfo {
  Partition partition;
  Offset begin = 0;  // oldest kept
  Offset end = 0;    // one past the last durable
  uint64_t bytes = 0;
  uint32_t segments = 0;
  std::vector<Epoch> epochs;  // of all offsets ever, oldest first
  std::vector<Damage> damaged;
};

// All partitions of one journal. Thread-safe.
class Journal {
 public:
  virtual ~Journal() = default;
  // 16 random bytes, made when the journal was created.
  virtual const std::string& uuid() const = 0;
  virtual std::string_view kind() const = 0;   // "segmented", "kafka"
  virtual std::string_view topic() const = 0;  // empty for local files
  virtual Writer& writer(Partition partition) = 0;
  virtual std::unique_ptr<Reader> reader(Partition partition) = 0;
  virtual PartitionInfo info(Partition partition) const = 0;
  // The loader says: everything below `loaded` is durable in the store. Retention may remove it when it is old enough.
  virtual void release(Partition partition, Offset loaded) = 0;
  // Offset of the first record appended at or after `t`, or the end.
  virtual Result<Offset> offset_at(Partition partition, UnixMillis t) = 0;
  // Somebody knows records at or above end(): the disk lost what it had promised, or an older copy was put back. A new
  // epoch begins at `next` or above it, so that no offset is given out twice. Waits for it.
  // Errors: kUnsupported (a kind of journal that keeps its own order), kUnavailable.
  virtual Result<> begin_epoch(Partition partition, Offset next) {
    (void)partition;
    (void)next;
    return Error{ErrorCode::kUnsupported, "journal: epochs are not ours to begin here"};
  }
  virtual Result<> close() = 0;
};

}  // namespace weir::journal
