#pragma once

#include <cstdint>
#include <span>
#include <string>
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
// What is made anew at every start because a server may have forgotten it: tables in memory.
std::span<const std::string> schema_of_one_life();

}  // namespace weir::store
