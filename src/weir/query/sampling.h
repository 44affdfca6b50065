#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "weir/query/names.h"

// Answers out of a sample. A visitor's id is a hash, so those below a bound are a random choice of them, and stand
// together in the table. What they did is counted as ever and multiplied. The sample's visitors fall into groups, as
// random as itself: each group alone estimates the same numbers, and how far these lie apart says how far their mean
// may be from the truth, whatever the number is.
namespace weir::query {

inline constexpr uint32_t kSampleGroups = 16;
// With fewer visitors looked at, the groups say too little.
inline constexpr uint64_t kSampleVisitorsMin = 32;

// One of how many visitors is looked at, where there are so many rows and a sample is wanted of `sample_rows` and more.
// The more rows, the fewer: the rows of a day stand in blocks, and of less than one nothing is saved.
uint32_t sample_one_in(uint64_t rows, uint64_t sample_rows);

// How far `estimate` may be from the truth, in its own unit: but for one number in a hundred it is not further. Null:
// it cannot be told. `groups`: what each of the groups says that have such visitors; null where that is no number.
// `visitors`: how many were looked at, which is one in `one_in`.
std::optional<double> sampling_error(Metric metric, std::optional<double> estimate,
                                     std::span<const std::optional<double>> groups, uint64_t visitors, uint32_t one_in);

}  // namespace weir::query
