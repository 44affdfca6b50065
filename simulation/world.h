#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "simulation/oracle.h"

namespace weir::simulation {

struct Verdict {
  std::string problem;  // empty: every promise was kept
  Oracle::Counts counts;
  uint64_t lives = 0;
  uint64_t steps = 0;
  uint64_t trace = 0;
};

// One schedule: a few lives of a weir (journal, outcomes, deduplication, loaders) over one disk and one store, with the
// faults and interleavings that follow from `seed`, and a last life without faults, after which all is counted.
// `narrate`: says what happens, on stderr. `stuck` is called with the reason when the schedule would never end, and
// does not return.
Verdict simulate(uint64_t seed, bool narrate, std::function<void(const std::string&)> stuck);

}  // namespace weir::simulation
