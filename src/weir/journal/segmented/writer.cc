#include "weir/journal/segmented/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/watchdog.h"

namespace weir::journal::segmented {

namespace {
using Steady = std::chrono::steady_clock;
// An idle journal notes its end, so that a damaged last group is told from one that was never acknowledged.
constexpr auto kIdleNote = std::chrono::seconds(1);
constexpr auto kProbe = std::chrono::seconds(1);
constexpr size_t kGatherFrom = 4;  // requests in the group before
constexpr auto kGather = std::chrono::microseconds(80);
// Below this compression saves no block and costs latency.
constexpr uint64_t kCompressBytesMin = 1 * KiB;

double seconds_since(Steady::time_point start) { return std::chrono::duration<double>(Steady::now() - start).count(); }
}  // namespace

SegmentedWriter::SegmentedWriter(WriterParts parts, std::unique_ptr<OpenSegment> open, Offset noted_upto)
    : parts_(std::move(parts)),
      segment_(std::move(open)),
      next_(segment_->next()),
      epoch_(segment_->info().epoch),
      last_crc_(segment_->last_crc()),
      noted_upto_(noted_upto),
      codec_(codec_of(parts_.options.compression)) {
  parts_.metrics.end_position.set(static_cast<double>(next_));
  parts_.metrics.epoch.set(epoch_);
  thread_ = Thread(fmt::format("journal-{}", name_of(parts_.catalog.partition())), [this] { run(); });
}

SegmentedWriter::~SegmentedWriter() {
  {
    std::lock_guard lock(mutex_);
    abandoned_ = true;
    work_.notify_all();
  }
  thread_.join();
}

void SegmentedWriter::append(Records records, Steady::time_point deadline, Done done) {
  const uint64_t bytes = records.bytes().size();
  auto refuse = [&](ErrorCode code, std::string why) { done(Error{code, "journal: " + std::move(why)}); };
  if (records.empty()) return refuse(ErrorCode::kBadInput, "no records");
  if (records.largest() > parts_.options.record_bytes_max) {
    return refuse(ErrorCode::kTooLarge, fmt::format("a record of {} bytes, at most {} are taken", records.largest(),
                                                    parts_.options.record_bytes_max));
  }
  if (bytes > parts_.options.queue_bytes)
    return refuse(ErrorCode::kTooLarge,
                  fmt::format("{} bytes at once, at most {} are taken", bytes, parts_.options.queue_bytes));
  Request request{std::move(records), deadline, parts_.clock.steady(), nullptr, 0};
  const char* why = nullptr;
  ErrorCode code = ErrorCode::kOverloaded;
  metrics::Counter* counter = nullptr;
  {
    std::lock_guard lock(mutex_);
    if (failed()) {
      code = ErrorCode::kUnavailable;
      why = "the disk failed";
      counter = &parts_.metrics.refused_failed;
    } else if (closing_ || abandoned_) {
      code = ErrorCode::kUnavailable;
      why = "closing";
    } else if (full()) {
      why = "the disk is full";
      counter = &parts_.metrics.refused_full;
    } else if (waiting_bytes() + bytes > parts_.options.queue_bytes) {
      why = "too much is waiting";
      counter = &parts_.metrics.refused_queue;
    } else {
      request.done = std::move(done);
      waiting_bytes_.fetch_add(bytes, std::memory_order_relaxed);
      queue_.push_back(std::move(request));
      if (sleeping_) {
        sleeping_ = false;
        work_.notify_one();
      }
      return;
    }
  }
  if (counter != nullptr) counter->add();
  refuse(code, why);
}

// Waits for something to do. False when the thread is to end.
bool SegmentedWriter::wait_for_work(std::unique_lock<std::mutex>& lock) {
  auto ready = [&] { return !queue_.empty() || closing_ || abandoned_ || epoch_order_.has_value(); };
  const bool waiting_for_space = no_space_.load(std::memory_order_relaxed);
  if (!ready()) {
    const Watchdog::Rest rest;
    sleeping_ = true;
    if (waiting_for_space) {
      work_.wait_for(lock, kProbe, ready);
    } else if (noted_upto_ < next_) {
      work_.wait_for(lock, kIdleNote, ready);
    } else {
      work_.wait(lock, ready);
    }
    sleeping_ = false;
  }
  return !abandoned_ && !(closing_ && queue_.empty());
}

// While many ask at once, waits a moment for more of them: a write and a sync take 45 us of CPU, whether for 9 records
// or for 16 (64 connections of single events). Who asks alone never waits here.
void SegmentedWriter::gather(std::unique_lock<std::mutex>& lock) {
  if (last_group_ < kGatherFrom) return;
  lock.unlock();
  std::this_thread::sleep_for(kGather);
  lock.lock();
}

// Moves what fits into one frame from the queue to in_flight_; a request larger than a frame comes alone.
bool SegmentedWriter::take_group(std::vector<Request>& expired) {
  const auto now = parts_.clock.steady();
  uint64_t bytes = 0;
  uint64_t count = 0;
  while (!queue_.empty()) {
    Request& request = queue_.front();
    if (request.deadline <= now) {
      expired.push_back(std::move(request));
      queue_.pop_front();
      continue;
    }
    bytes += request.records.bytes().size();
    count += request.records.count();
    if (!in_flight_.empty() && (bytes > parts_.options.group_bytes_max || count > parts_.options.group_records_max))
      break;
    in_flight_.push_back(std::move(request));
    queue_.pop_front();
  }
  last_group_ = in_flight_.size();
  return !in_flight_.empty();
}

void SegmentedWriter::run() {
  run_promptly();
  while (true) {
    Watchdog::beat();
    std::vector<Request> expired;
    std::optional<EpochOrder> order;
    bool work = false;
    bool go_on = false;
    {
      std::unique_lock lock(mutex_);
      go_on = wait_for_work(lock);
      if (go_on) {
        order = std::exchange(epoch_order_, std::nullopt);
        if (!no_space_.load(std::memory_order_relaxed)) {
          gather(lock);
          work = take_group(expired);
        }
      }
    }
    if (!go_on) break;
    if (!expired.empty()) {
      parts_.metrics.refused_deadline.add(expired.size());
      answer(expired, ErrorCode::kTimeout, "not written in time");
    }
    if (order) {
      Outcome outcome = roll(NewEpoch::yes, order->next);
      if (outcome == Outcome::ok)
        order->done.set_value({});
      else
        order->done.set_value(Error{ErrorCode::kUnavailable, "journal: the new epoch's segment could not be made"});
      if (outcome == Outcome::failed) break;
    }
    if (work) {
      Outcome outcome = write_group();
      finish(outcome);
      if (outcome == Outcome::failed) break;
    } else if (no_space_.load(std::memory_order_relaxed)) {
      refuse_all(ErrorCode::kOverloaded, "the disk is full");  // what slipped in while the flag was raised
      probe();
    } else if (expired.empty() && !order && noted_upto_ < next_) {
      note_end(0);
    }
    if (failed()) break;
  }
  // The end: closed, abandoned or failed.
  bool clean = false;
  {
    std::lock_guard lock(mutex_);
    clean = closing_ && !abandoned_ && !failed();
  }
  if (clean && noted_upto_ < next_ && !no_space_.load(std::memory_order_relaxed)) note_end(kFrameClosed);
  refuse_all(ErrorCode::kUnavailable, failed() ? "the disk failed" : "closing");
  std::lock_guard lock(mutex_);
  closing_ = true;
  if (failed()) outcome_ = Error{ErrorCode::kUnavailable, failure_};
  if (epoch_order_) epoch_order_->done.set_value(Error{ErrorCode::kUnavailable, "journal: closing"});
  epoch_order_.reset();
}

SegmentedWriter::Outcome SegmentedWriter::write_group() {
  if (in_flight_.size() == 1 && (in_flight_[0].records.bytes().size() > parts_.options.group_bytes_max ||
                                 in_flight_[0].records.count() > parts_.options.group_records_max))
    return write_large(in_flight_[0]);
  pieces_.clear();
  uint64_t bytes = 0;
  uint64_t count = 0;
  for (Request& request : in_flight_) {
    request.first = next_ + count;
    pieces_.push_back(request.records.bytes());
    bytes += request.records.bytes().size();
    count += request.records.count();
  }
  return write_frame(pieces_, static_cast<uint32_t>(count), bytes, 0);
}

// One request over several frames.
SegmentedWriter::Outcome SegmentedWriter::write_large(Request& request) {
  request.first = next_;
  std::string_view rest = request.records.bytes();
  uint32_t left = request.records.count();
  while (left > 0) {
    size_t size = 0;
    uint32_t count = 0;
    while (count < left && count < parts_.options.group_records_max) {
      size_t record = sizeof(uint32_t) + load_le<uint32_t>(rest.data() + size);
      if (count > 0 && size + record > parts_.options.group_bytes_max) break;
      size += record;
      ++count;
    }
    std::string_view piece = rest.substr(0, size);
    Outcome outcome = write_frame({&piece, 1}, count, size, 0);
    if (outcome != Outcome::ok) return outcome;
    rest.remove_prefix(size);
    left -= count;
  }
  return Outcome::ok;
}

SegmentedWriter::Outcome SegmentedWriter::write_frame(std::span<const std::string_view> pieces, uint32_t count,
                                                      uint64_t bytes, uint16_t flags) {
  FrameHeader header;
  header.base = next_;
  header.count = count;
  header.appended_at = parts_.clock.now();
  header.durable_upto = next_;
  header.flags = flags;
  header.inflated_bytes = static_cast<uint32_t>(bytes);
  payload_.clear();
  if (codec_ != Codec::raw && bytes >= kCompressBytesMin) {
    std::string_view whole = pieces[0];
    if (pieces.size() > 1) {
      joined_.clear();
      for (std::string_view piece : pieces) joined_.append(piece);
      whole = joined_;
    }
    if (compress(codec_, whole, compressed_)) {
      header.codec = codec_;
      payload_.push_back({compressed_.data(), compressed_.size()});
    }
  }
  if (header.codec == Codec::raw)
    for (std::string_view piece : pieces) payload_.push_back({const_cast<char*>(piece.data()), piece.size()});
  uint64_t stored = 0;
  for (const iovec& piece : payload_) {
    header.payload_crc = crc32c({static_cast<const char*>(piece.iov_base), piece.iov_len}, header.payload_crc);
    stored += piece.iov_len;
  }
  header.payload_bytes = static_cast<uint32_t>(stored);
  return append_frame(header, payload_);
}

SegmentedWriter::Outcome SegmentedWriter::append_frame(FrameHeader& header, std::span<const iovec> payload) {
  const Watchdog::Rest disk;
  if (!segment_ || (!segment_->fits(header.payload_bytes) && !segment_->empty())) {
    if (Outcome outcome = roll(NewEpoch::no, next_); outcome != Outcome::ok) return outcome;
  }
  const uint64_t position = segment_->position();
  uint64_t sync_nanos = 0;
  if (auto appended = segment_->append(header, payload, sync_nanos); !appended) {
    Outcome outcome = judge(appended.error());
    if (outcome == Outcome::full) {
      if (auto cut = segment_->take_back(); !cut) outcome = judge(cut.error());
    }
    return outcome;
  }
  next_ = header.next();
  last_crc_ = header.crc;
  noted_upto_ = header.durable_upto;
  parts_.catalog.frame_synced(header, position, segment_->info());
  parts_.metrics.sync_seconds.observe(static_cast<double>(sync_nanos) / 1e9);
  parts_.metrics.written_bytes.add(header.size());
  if (header.count > 0) {
    parts_.metrics.group_records.observe(header.count);
    parts_.metrics.records.add(header.count);
    parts_.metrics.record_bytes.add(header.inflated_bytes - header.count * sizeof(uint32_t));
    parts_.metrics.end_position.set(static_cast<double>(next_));
  }
  if (parts_.preparer.order()) parts_.poke();
  return Outcome::ok;
}

// Closes the open segment and starts the next one, which is filled with zeros already unless the disk is slower than
// the senders. Each step leaves a state that recovery knows, and may be repeated after a want of space.
SegmentedWriter::Outcome SegmentedWriter::roll(NewEpoch new_epoch, Offset least) {
  const Watchdog::Rest disk;
  const auto start = Steady::now();
  if (parts_.preparer.order()) parts_.poke();
  if (auto ready = parts_.preparer.take(); !ready) {
    parts_.poke();
    return judge(ready.error());
  }
  if (segment_) {
    const Offset base = segment_->info().base;
    if (auto footer = segment_->seal(); !footer) {
      Outcome outcome = judge(footer.error());
      if (outcome == Outcome::full) {
        if (auto cut = segment_->take_back(); !cut) outcome = judge(cut.error());
      }
      return outcome;
    }
    SegmentInfo info = segment_->info();
    parts_.store_index(info, parts_.catalog.sealed(info));
    segment_.reset();
    // Its name is taken, also when it holds no record.
    if (next_ == base) {
      WEIR_CHECK(new_epoch == NewEpoch::yes);
      ++next_;
    }
  }
  next_ = std::max(next_, least);
  if (new_epoch == NewEpoch::yes) ++epoch_;
  PartitionManifest manifest = parts_.catalog.manifest();
  SegmentHeader header;
  header.uuid = manifest.uuid;
  header.partition = manifest.partition;
  header.base = next_;
  header.epoch = epoch_;
  header.previous_crc = last_crc_;
  header.created_at = parts_.clock.now();
  header.begin = manifest.begin;
  header.epochs = std::move(manifest.epochs);
  if (header.epochs.back().number < epoch_) header.epochs.push_back({epoch_, next_});
  auto segment = OpenSegment::start(parts_.files, parts_.directory, header);
  if (!segment) return judge(segment.error());
  segment_ = *std::move(segment);
  noted_upto_ = next_;
  parts_.catalog.started(segment_->info());
  parts_.metrics.epoch.set(epoch_);
  parts_.metrics.end_position.set(static_cast<double>(next_));
  parts_.metrics.roll_seconds.observe(seconds_since(start));
  parts_.poke();
  return Outcome::ok;
}

// No space passes; everything else is final: a failed sync may have dropped the pages and would report success next
// time, so nothing more is acknowledged. Recovery will read what really reached the disk.
SegmentedWriter::Outcome SegmentedWriter::judge(const Error& error) {
  if (error.code == ErrorCode::kOverloaded) {
    if (!no_space_.exchange(true)) log::error("{}; appends are refused until there is space", error.message);
    parts_.metrics.full.set(1);
    return Outcome::full;
  }
  bool closing = false;
  {
    std::lock_guard lock(mutex_);
    closing = abandoned_;
  }
  if (!closing) log::critical("{}; nothing more will be appended", error.message);
  failure_ = error.message;
  failed_.store(true, std::memory_order_release);
  parts_.metrics.failed.set(1);
  return Outcome::failed;
}

void SegmentedWriter::note_end(uint16_t flags) {
  FrameHeader header;
  header.base = next_;
  header.appended_at = parts_.clock.now();
  header.durable_upto = next_;
  header.flags = kFrameNote | flags;
  append_frame(header, {});
}

// Every second while there was no space: fills the rest of the segment with zeros, or makes the next one.
void SegmentedWriter::probe() {
  const Watchdog::Rest disk;
  if (low_space_.load(std::memory_order_relaxed)) return;
  if (segment_) {
    if (auto filled = segment_->refill(); !filled) {
      if (judge(filled.error()) == Outcome::full) {
        if (auto cut = segment_->take_back(); !cut) judge(cut.error());
      }
      return;
    }
    if (!segment_->fits(0) && !segment_->empty() && roll(NewEpoch::no, next_) != Outcome::ok) return;
  } else if (roll(NewEpoch::no, next_) != Outcome::ok) {
    return;
  }
  log::info("journal: {}: there is space again, appends are taken", name_of(parts_.catalog.partition()));
  no_space_ = false;
  parts_.metrics.full.set(full() ? 1 : 0);
}

// Answers what was in flight.
void SegmentedWriter::finish(Outcome outcome) {
  std::vector<Request> finished;
  {
    std::lock_guard lock(mutex_);
    finished.swap(in_flight_);
  }
  if (outcome == Outcome::full) {
    parts_.metrics.refused_full.add(finished.size());
    answer(finished, ErrorCode::kOverloaded, "the disk is full");
    refuse_all(ErrorCode::kOverloaded, "the disk is full");
    return;
  }
  if (outcome == Outcome::failed) {
    answer(finished, ErrorCode::kUnavailable, "the disk failed");
    return;
  }
  const auto now = parts_.clock.steady();
  // Before the answers, so that who appends again on being answered finds the room.
  uint64_t bytes = 0;
  for (const Request& request : finished) bytes += request.records.bytes().size();
  auto left = waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed) - bytes;
  parts_.metrics.waiting_bytes.set(static_cast<double>(left));
  for (Request& request : finished) {
    if (!request.done) continue;  // answered by expire()
    parts_.metrics.append_seconds.observe(std::chrono::duration<double>(now - request.queued_at).count());
    request.done(Appended{request.first, request.first + request.records.count() - 1});
  }
  // Keeps the vector's memory for the next group.
  finished.clear();
  std::lock_guard lock(mutex_);
  if (in_flight_.empty()) in_flight_.swap(finished);
}

void SegmentedWriter::refuse_all(ErrorCode code, const char* why) {
  std::vector<Request> refused;
  {
    std::lock_guard lock(mutex_);
    refused.swap(in_flight_);
    for (Request& request : queue_) refused.push_back(std::move(request));
    queue_.clear();
  }
  if (code == ErrorCode::kOverloaded) parts_.metrics.refused_full.add(refused.size());
  answer(refused, code, why);
}

void SegmentedWriter::answer(std::vector<Request>& requests, ErrorCode code, const char* why) {
  uint64_t bytes = 0;
  for (const Request& request : requests) bytes += request.records.bytes().size();
  waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  for (Request& request : requests)
    if (request.done) request.done(Error{code, fmt::format("journal: {}", why)});
  requests.clear();
}

void SegmentedWriter::expire(Steady::time_point now) {
  std::vector<Request> expired;
  std::vector<Done> given_up;
  {
    std::lock_guard lock(mutex_);
    for (auto at = queue_.begin(); at != queue_.end();) {
      if (at->deadline <= now) {
        expired.push_back(std::move(*at));
        at = queue_.erase(at);
      } else {
        ++at;
      }
    }
    for (Request& request : in_flight_)
      if (request.done && request.deadline <= now) given_up.push_back(std::exchange(request.done, nullptr));
  }
  if (expired.empty() && given_up.empty()) return;
  parts_.metrics.refused_deadline.add(expired.size() + given_up.size());
  answer(expired, ErrorCode::kTimeout, "not written in time");
  for (Done& done : given_up) done(Error{ErrorCode::kTimeout, "journal: the disk did not answer in time"});
}

void SegmentedWriter::set_low_space(bool low) {
  if (low_space_.exchange(low) == low) return;
  if (low)
    log::error("journal: {}: the volume is nearly full, appends are refused", name_of(parts_.catalog.partition()));
  else
    log::info("journal: {}: there is space again, appends are taken", name_of(parts_.catalog.partition()));
  parts_.metrics.full.set(full() ? 1 : 0);
}

Result<> SegmentedWriter::begin_epoch(Offset next) {
  std::future<Result<>> done;
  {
    std::lock_guard lock(mutex_);
    if (closing_ || abandoned_) return Error{ErrorCode::kUnavailable, "journal: closing"};
    if (epoch_order_) return Error{ErrorCode::kConflict, "journal: a new epoch is being made"};
    epoch_order_.emplace(EpochOrder{next, {}});
    done = epoch_order_->done.get_future();
    sleeping_ = false;
    work_.notify_one();
  }
  return done.get();
}

Result<> SegmentedWriter::close() {
  {
    std::lock_guard lock(mutex_);
    closing_ = true;
    work_.notify_all();
  }
  thread_.join();
  std::lock_guard lock(mutex_);
  return outcome_;
}

}  // namespace weir::journal::segmented
