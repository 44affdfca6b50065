#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace weir::load {

// Offsets [first, next).
struct Range {
  uint64_t first = 0;
  uint64_t next = 0;
  bool operator==(const Range&) const = default;
};

// Appends `range` to a rising list, joining it with the last one where they touch. Empty ranges are left out.
void append_range(std::vector<Range>& ranges, Range range);

// The parts of `whole` that are not in `present` (sorted, distinct offsets).
std::vector<Range> missing_from(Range whole, std::span<const uint64_t> present);

// The parts of rising `ranges` outside of `holes` (rising).
std::vector<Range> without(std::span<const Range> ranges, std::span<const Range> holes);

// The same positions as rising ranges that do not touch.
std::vector<Range> joined(std::vector<Range> ranges);

// How many positions of `range` lie in `ranges` (rising, apart).
uint64_t overlap(Range range, std::span<const Range> ranges);

}  // namespace weir::load
