#include "weir/query/sampling.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weir::query {

namespace {
// Of Student's distribution with 15 degrees of freedom: 99.7 % lie within.
constexpr double kDeviations = 3.5;
// Fewer groups with a number say too little of a rate.
constexpr double kGroupsMin = kSampleGroups / 2.0;
}  // namespace

uint32_t sample_one_in(uint64_t rows, uint64_t sample_rows) {
  constexpr uint64_t kLeast = 8;
  constexpr uint64_t kMost = 64;
  return static_cast<uint32_t>(
      std::clamp(std::bit_ceil(rows / std::max<uint64_t>(sample_rows / kLeast, 1)), kLeast, kMost));
}

std::optional<double> sampling_error(Metric metric, std::optional<double> estimate,
                                     std::span<const std::optional<double>> groups, uint64_t visitors,
                                     uint32_t one_in) {
  if (visitors < kSampleVisitorsMin) return std::nullopt;
  if (!estimate && !adds_up(metric)) return std::nullopt;
  const double middle = estimate.value_or(0);
  double count = 0;
  double squares = 0;
  for (const std::optional<double>& group : groups) {
    if (!group) continue;
    ++count;
    squares += (*group - middle) * (*group - middle);
  }
  if (adds_up(metric)) {
    squares += (kSampleGroups - count) * middle * middle;
    count = kSampleGroups;
  }
  // Where all groups say the same, of nothing above all, they do not say how rare anything else is.
  if (count < kGroupsMin || squares == 0) return std::nullopt;
  const double unseen = 1 - 1.0 / one_in;
  return kDeviations * std::sqrt(squares / (count * (count - 1)) * unseen) + unit_of(metric);
}

}  // namespace weir::query
