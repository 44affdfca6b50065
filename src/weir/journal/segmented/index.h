#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/journal/segmented/format.h"

// The sparse index of one segment: where to begin reading for an offset or a time. Derived from the frames and never
// trusted above them: a file that is missing, damaged, of another segment or not in agreement is built anew.
namespace weir::journal::segmented {

struct IndexEntry {
  Offset offset = 0;             // base of the frame at `position`
  UnixMillis newest_before = 0;  // newest append time of all frames before it
  uint64_t position = 0;
};

class Index {
 public:
  // One entry about every this many bytes of segment.
  static constexpr uint64_t kStrideBytes = 64 * KiB;

  // Frames come in order. Keeps those that begin a stride.
  void add(const FrameHeader& header, uint64_t position);
  // The last entry at or before the offset; nothing when the frame is before the first.
  const IndexEntry* find_offset(Offset offset) const;
  // The last entry before which every frame is older than `t`.
  const IndexEntry* find_time(UnixMillis t) const;
  const std::vector<IndexEntry>& entries() const { return entries_; }

  // What identifies the segment: its tag, base and the hash of its footer.
  std::string encode(uint32_t tag, Offset base, std::string_view hash) const;
  static Result<Index> decode(std::string_view bytes, uint32_t tag, Offset base, std::string_view hash);

 private:
  std::vector<IndexEntry> entries_;
  UnixMillis newest_ = INT64_MIN;
};

}  // namespace weir::journal::segmented
