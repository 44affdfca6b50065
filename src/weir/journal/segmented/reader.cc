#include "weir/journal/segmented/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/journal/segmented/scanner.h"

namespace weir::journal::segmented {

namespace {
constexpr uint64_t kPieceBytesMin = 256 * KiB;
constexpr uint64_t kPieceBytesMax = 1 * MiB;  // a reader of more inflates less than it has read, and reads it again
constexpr int kReadAttempts = 3;

// Tried three times; a disk that refuses a place for good is damage, which examine() then finds.
Result<size_t> read_patiently(File& file, uint64_t position, std::string& into) {
  Result<size_t> got = size_t{0};
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    got = file.read_at(position, into.data(), into.size());
    if (got) break;
  }
  return got;
}
}  // namespace

Result<Batch> SegmentedReader::read(Offset from, uint64_t bytes_max, std::chrono::milliseconds wait) {
  from = std::max(from, catalog_.begin());
  bytes_max = std::max<uint64_t>(bytes_max, 1);
  const auto until = std::chrono::steady_clock::now() + wait;
  while (true) {
    if (auto damage = catalog_.damage_at(from)) {
      from = damage->next;
      continue;
    }
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    Batch batch;
    batch.first = batch.next = from;
    batch.epoch = catalog_.epoch();
    if (!catalog_.wait_for(from, std::max(left, std::chrono::milliseconds(0)))) return batch;
    auto segment = catalog_.segment_at(from);
    if (!segment) return Error{ErrorCode::kUnavailable, fmt::format("journal: no segment holds record {}", from)};
    if (segment->base > from) {
      from = segment->base;
      continue;
    }
    batch.epoch = segment->epoch;
    auto done = read_segment(*segment, from, bytes_max, batch);
    if (!done) {
      file_.reset();
      if (done.error().code != ErrorCode::kNotFound) return std::move(done).error();
      if (catalog_.begin() > from) {
        from = catalog_.begin();  // retention took the segment from under us
        continue;
      }
      return lost(*segment, {from, segment->end, "the segment is missing"});
    }
    if (!batch.records.empty()) return batch;
    // Frames without records only, up to the end of the segment.
    WEIR_CHECK(batch.next >= segment->end);
    from = batch.next;
  }
}

// Finds the frame that holds `from`, beginning where the index says.
Result<> SegmentedReader::go_to(const SegmentInfo& segment, Offset from) {
  // Read to its end, hardly to be read again: its pages may serve the next segment, which is filled with zeros about
  // now (memory never touched before costs a virtual machine 11 us a page).
  if (file_ && base_ < segment.base) file_->forget();
  file_.reset();
  auto file = files_.open(segment.path, FileSystem::Mode::read);
  if (!file) return std::move(file).error();
  file_ = *std::move(file);
  base_ = segment.base;
  position_ = kSegmentHeaderBytes;
  at_ = segment.base;

  std::optional<IndexEntry> entry;
  if (segment.sealed) {
    auto index = load_index(files_, segment, catalog_.tag());
    if (!index) return std::move(index).error();
    if (const IndexEntry* found = index->find_offset(from)) entry = *found;
  } else {
    entry = catalog_.open_index_entry(segment.base, from);
  }
  if (!entry || entry->position < kSegmentHeaderBytes || entry->position >= segment.frames_end) return {};
  // The index proposes, the frame decides.
  char bytes[kFrameHeaderBytes];
  FrameHeader header;
  auto got = file_->read_at(entry->position, bytes, sizeof bytes);
  if (got && *got == sizeof bytes && decode_frame_header(bytes, catalog_.tag(), header) == FrameFault::none &&
      header.base == entry->offset) {
    position_ = entry->position;
    at_ = entry->offset;
    return {};
  }
  log::warning("journal: index of {} is wrong at {}; not used", segment.path, entry->offset);
  if (segment.sealed) return files_.remove(index_path(segment));
  return {};
}

// Adds the records of one whole frame. False when its payload is not what it should be.
Result<bool> SegmentedReader::take_frame(std::string_view frame, const FrameHeader& header, Offset from, Batch& batch,
                                         uint64_t& inflated_bytes) {
  std::string_view payload = frame.substr(kFrameHeaderBytes, header.payload_bytes);
  if (crc32c(payload) != header.payload_crc) return false;
  if (header.codec != Codec::raw) {
    std::string inflated;
    inflated.reserve(64);  // on the heap, so that it may move while records point into it
    auto done = inflate(header.codec, payload, header.inflated_bytes, inflated);
    if (!done && done.error().code != ErrorCode::kCorrupt) return std::move(done).error();
    if (!done) return false;
    batch.storage.push_back(std::move(inflated));
    payload = batch.storage.back();
  }
  size_t before = batch.records.size();
  if (!split_records(payload, header.base, header.count, batch.records)) return false;
  if (header.base < from) {
    auto first = batch.records.begin() + static_cast<ptrdiff_t>(before);
    batch.records.erase(first, first + static_cast<ptrdiff_t>(std::min<Offset>(from - header.base, header.count)));
  }
  inflated_bytes += header.inflated_bytes;
  return true;
}

Result<> SegmentedReader::read_segment(const SegmentInfo& segment, Offset& from, uint64_t bytes_max, Batch& batch) {
  if (!file_ || base_ != segment.base || at_ != from || position_ > segment.frames_end) {
    if (auto there = go_to(segment, from); !there) return there;
  }
  uint64_t inflated_bytes = 0;
  uint64_t wanted = std::clamp(bytes_max, kPieceBytesMin, kPieceBytesMax);
  while (position_ < segment.frames_end && inflated_bytes < bytes_max) {
    // On the heap, having at least a frame header in it, so that it may move while records point into it.
    piece_.resize(std::min(wanted, segment.frames_end - position_));
    auto got = read_patiently(*file_, position_, piece_);
    piece_.resize(got ? *got : 0);
    const std::string_view piece = piece_;
    std::string reason = got ? "cut off within a frame" : got.error().message;
    bool bad = piece.size() < kFrameHeaderBytes;
    bool keep = false;
    size_t used = 0;
    while (!bad && piece.size() - used >= kFrameHeaderBytes && inflated_bytes < bytes_max) {
      FrameHeader header;
      FrameFault fault = decode_frame_header(piece.data() + used, catalog_.tag(), header);
      bad = true;
      if (fault != FrameFault::none) {
        reason = name_of(fault);
        break;
      }
      if (header.epoch != segment.epoch || header.base != at_) {
        reason = fmt::format("frame of offset {}, epoch {} where {}, epoch {} was expected", header.base, header.epoch,
                             at_, segment.epoch);
        break;
      }
      bad = false;
      if (header.size() > piece.size() - used) break;  // the rest of it comes with the next piece
      if (header.next() > from) {
        auto taken = take_frame(piece.substr(used, header.size()), header, from, batch, inflated_bytes);
        if (!taken) return std::move(taken).error();
        if (!*taken) {
          reason = "payload checksum";
          bad = true;
          break;
        }
        if (batch.appended_at == 0) batch.appended_at = header.appended_at;
        keep = keep || header.codec == Codec::raw;
      }
      used += header.size();
      position_ += header.size();
      at_ = header.next();
      batch.next = std::max(batch.next, at_);
    }
    if (keep) batch.storage.push_back(std::exchange(piece_, {}));
    if (!bad && used == 0) {
      bad = wanted > kPayloadBytesMax;  // longer than what is left of the file
      wanted = kFrameHeaderBytes + aligned(kPayloadBytesMax);
    }
    if (bad) {
      if (!batch.records.empty()) return {};  // what was good first; the next read comes back here
      if (auto passed = pass_damage(segment, reason); !passed) return passed;
      if (at_ > from) batch.first = batch.next = from = at_;
    }
  }
  if (position_ < segment.frames_end) return {};
  if (at_ < segment.end && !catalog_.damage_at(at_)) {
    // The footer, or the segment behind, knows of more.
    if (!batch.records.empty()) return {};
    return lost(segment, {at_, segment.end, "frames are missing"});
  }
  batch.next = std::max(batch.next, segment.end);
  return {};
}

// What stands at `position_` cannot be read: finds out how far that goes and moves behind it. Records lost that way
// are listed and answered as kCorrupt the first time.
Result<> SegmentedReader::pass_damage(const SegmentInfo& segment, const std::string& reason) {
  Window window(*file_, segment.frames_end, 1 * MiB);
  Found found = examine(window, position_, catalog_.tag());
  const FrameHeader& header = found.frame.header;
  Damage damage{at_, segment.end, reason};
  if (found.header_valid && header.epoch == segment.epoch && header.base == at_ && header.next() <= segment.end &&
      position_ + header.size() <= segment.frames_end) {
    damage.next = header.next();
    position_ += header.size();
  } else if (auto mark = find_landmark(window, position_ + kAlignment, catalog_.tag(), segment.epoch, at_)) {
    damage.next = mark->base;
    position_ = mark->position;
  } else {
    position_ = segment.frames_end;
  }
  at_ = damage.next;
  if (damage.first == damage.next) {
    log::error("journal: {}: {} at {}, between two records", segment.path, reason, at_);
    return {};
  }
  auto known = catalog_.damage_at(damage.first);
  if (known && known->next >= damage.next) return {};
  return lost(segment, std::move(damage));
}

Error SegmentedReader::lost(const SegmentInfo& segment, Damage damage) {
  std::string text = fmt::format("journal: {}: records {}..{} are damaged: {}", segment.path, damage.first,
                                 damage.next - 1, damage.reason);
  if (catalog_.add_damage(std::move(damage))) log::critical("{}", text);
  return {ErrorCode::kCorrupt, std::move(text)};
}

}  // namespace weir::journal::segmented
