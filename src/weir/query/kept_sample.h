#pragma once

#include <optional>
#include <string>

#include "weir/query/question.h"
#include "weir/query/statement.h"

// Beside the sums of a day stand the rows of one in so many visitors (weir_data.rollup_sample): out of the rows
// themselves a sample reads whole blocks for the few rows it wants of each day.
namespace weir::query {

inline constexpr uint32_t kKeptOneIn = 32;

// What a sample over [from, to) reads instead of weir_data.events, when it is of one in kKeptOneIn visitors or fewer:
// the rows that are kept, and for days that have none those of the table, with the columns store::sampled_columns().
// Nullopt: less than half of the time has kept rows.
std::optional<std::string> kept_sample(ProjectId project, Seconds from, Seconds to, Spans covered);

// A statement that keeps the rows of these days, under the versions and in the partitions of their sums.
std::string keep_sample(ProjectId project, std::span<const Range> days, std::span<const uint32_t> places,
                        std::span<const uint32_t> versions);

}  // namespace weir::query
