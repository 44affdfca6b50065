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
  auto hole = holes.begin();
  for (Range range : ranges) {
    while (hole != holes.end() && hole->next <= range.first) ++hole;
    for (auto at = hole; at != holes.end() && at->first < range.next; ++at) {
      append_range(left, {range.first, std::max(range.first, at->first)});
      range.first = std::min(range.next, at->next);
    }
    append_range(left, range);
  }
  return left;
}

std::vector<Range> joined(std::vector<Range> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](Range a, Range b) { return a.first < b.first; });
  std::vector<Range> out;
  for (Range range : ranges) {
    if (range.first >= range.next) continue;
    if (!out.empty() && range.first <= out.back().next)
      out.back().next = std::max(out.back().next, range.next);
    else
      out.push_back(range);
  }
  return out;
}

uint64_t overlap(Range range, std::span<const Range> ranges) {
  uint64_t sum = 0;
  auto at = std::partition_point(ranges.begin(), ranges.end(), [&](Range r) { return r.next <= range.first; });
  for (; at != ranges.end() && at->first < range.next; ++at)
    sum += std::min(at->next, range.next) - std::max(at->first, range.first);
  return sum;
}

}  // namespace weir::load
