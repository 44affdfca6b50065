#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/journal/segmented/format.h"

// Reading a segment's bytes one behind the other, whatever state they are in. Used by recovery, by the reader when it
// meets damage, for indexes and by the offline views.
namespace weir::journal::segmented {

// A sliding window over one file. Confined to one thread.
class Window {
 public:
  // Nothing at or behind `limit` is read.
  Window(File& file, uint64_t limit, size_t piece_bytes) : file_(file), limit_(limit), piece_bytes_(piece_bytes) {}
  // `size` bytes at `position`, valid until the next call; shorter at the limit or the end of the file. A failed read
  // is tried three times. Errors: kUnavailable.
  Result<std::string_view> at(uint64_t position, size_t size);
  uint64_t limit() const { return limit_; }
  // Forgets what it holds, so that the file is asked again.
  void forget() { held_bytes_ = 0; }

 private:
  File& file_;
  uint64_t limit_;
  size_t piece_bytes_;
  uint64_t start_ = 0;
  size_t held_bytes_ = 0;
  size_t capacity_ = 0;
  std::unique_ptr<char[]> held_;
};

// One frame that is whole: header and payload checksum are right.
struct ValidFrame {
  FrameHeader header;
  uint64_t position = 0;
  std::string_view payload;  // as stored; valid until the window moves
};

// What stands at one position.
struct Found {
  enum class Kind : uint8_t {
    frame,
    footer,
    blank,      // zeros: nothing was written here
    end,        // the limit, or the end of the file
    bad,        // bytes that are no valid frame
    unreadable  // the disk refused
  };
  Kind kind = Kind::end;
  ValidFrame frame;
  Footer footer;
  bool header_valid = false;  // bad, but the header can be trusted: frame.header says what was lost
  std::string reason;
};
Found examine(Window& window, uint64_t position, uint32_t tag);

// The first position at or behind `from` with a trustworthy frame header or footer of offsets >= `least`.
struct Landmark {
  uint64_t position = 0;
  Offset base = 0;          // of the frame; a footer's end
  Offset durable_upto = 0;  // what was synced when it was written
  bool footer = false;
};
std::optional<Landmark> find_landmark(Window& window, uint64_t from, uint32_t tag, uint32_t epoch, Offset least);

// A whole segment, walked from a frame on.
struct Walk {
  uint64_t position = 0;  // behind the last valid frame
  Offset next = 0;        // one past its last record
  uint32_t last_crc = 0;  // of its header
  uint32_t epoch = 0;
  Offset durable_upto = 0;         // the highest seen
  uint64_t unproven_position = 0;  // frames from here on are not known to have been synced
  uint64_t frames = 0;
  uint64_t frames_packed = 0;
  uint64_t payload_bytes = 0;
  uint64_t inflated_bytes = 0;
  UnixMillis first_at = 0;
  UnixMillis last_at = 0;
  UnixMillis newest_at = INT64_MIN;
  std::optional<Footer> footer;
  std::vector<Damage> damaged;
  std::vector<std::string> problems;  // what cost no record
  bool torn = false;                  // what follows `position` was never acknowledged
  uint64_t torn_bytes = 0;            // up to the last byte that is not zero
  std::string torn_reason;
  // The torn frame reached the disk whole and is wrong nevertheless: no write that was cut short looks like this. It
  // may have been acknowledged, with records up to `doubtful_end` (0: its header does not say).
  bool doubtful = false;
  Offset doubtful_end = 0;
};

struct WalkPlan {
  uint64_t position = kSegmentHeaderBytes;
  Offset expected = 0;
  uint32_t epoch = 0;         // 0: that of the first valid frame
  uint32_t previous_crc = 0;  // checked where known
  bool chained = false;
  uint32_t tag = 0;
  // The newest segment: bytes behind the last valid frame may be a torn tail. Elsewhere they are damage, which the
  // caller sees from Walk::next being lower than the segment's end.
  bool open_end = false;
};

// Walks until the footer, blank space or the limit. Damage in the middle is listed and passed over. `each` is called
// for every valid frame before the next one is read; it answers false to stop.
// Errors: kUnavailable (an unreadable place in the newest segment; elsewhere that is damage).
Result<Walk> walk(Window& window, const WalkPlan& plan, const std::function<bool(const ValidFrame&)>& each);

}  // namespace weir::journal::segmented
