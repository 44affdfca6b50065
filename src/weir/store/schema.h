#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weir::store {

// One step of the tables' history. Each statement may be run again after it has succeeded, so a step that was cut off
// anywhere is simply repeated.
struct Migration {
  uint32_t version;
  std::string name;
  std::vector<std::string> statements;
};

// What must exist before migrations can be recorded.
std::span<const std::string> schema_foundation();
// All steps, in rising version. A released step is never changed; a later one corrects it.
std::span<const Migration> migrations();
// The tables of roll-ups, of which nothing is lost with them: made anew at every start where they are missing.
std::span<const std::string> schema_of_rollups();
// Of weir_data.events, what questions look at: the columns of the rows that are kept for samples.
std::span<const std::string_view> sampled_columns();
// The table in which rows are put together to be summed up; made anew by who does that, before it begins.
std::span<const std::string> schema_of_rolling();
// What weir_data.rollup_spans was made by: of another scheme, versions count for nothing. Rises with every change of
// what a cut says, and of what is kept beside it.
inline constexpr uint32_t kRollupScheme = 3;
// What is made anew at every start because a server may have forgotten it: tables in memory.
std::span<const std::string> schema_of_one_life();

}  // namespace weir::store
