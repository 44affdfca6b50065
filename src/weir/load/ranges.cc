#include "weir/load/ranges.h"

#include <algorithm>

namespace weir::load {

void append_range(std::vector<Range>& ranges, Range range) {
  if (range.first >= range.next) return;
  if (!ranges.empty() && ranges.back().next == range.first)
    ranges.back().next = range.next;
  else
    ranges.push_back(range);
}

std::vector<Range> missing_from(Range whole, std::span<const uint64_t> present) {
  std::vector<Range> missing;
  uint64_t at = whole.first;
  for (uint64_t offset : present) {
    if (offset < at || offset >= whole.next) continue;
    append_range(missing, {at, offset});
    at = offset + 1;
  }
  append_range(missing, {at, whole.next});
  return missing;
}

std::vector<Range> without(std::span<const Range> ranges, std::span<const Range> holes) {
  std::vector<Range> left;
  for (Range range : ranges) {
    for (Range hole : holes) {
      if (hole.next <= range.first || hole.first >= range.next) continue;
      append_range(left, {range.first, std::max(range.first, hole.first)});
      range.first = std::min(range.next, hole.next);
    }
    append_range(left, range);
  }
  return left;
}

}  // namespace weir::load
