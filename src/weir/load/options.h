#pragma once

#include <chrono>
#include <cstdint>

#include "weir/base/bytes.h"
#include "weir/base/options.h"

namespace weir::load {

struct Options {
  // Fresh parts of twice this size are merged once less often, but what is on its way is held three times over.
  uint64_t batch_rows = 131'072;
  uint64_t batch_bytes = 64 * MiB;
  // Rows are visible this much later, and each insert costs the store the same again: fewer, larger ones.
  std::chrono::milliseconds batch_age{700};
  std::chrono::milliseconds retry_pause_max{5'000};
  uint64_t nice = 19;
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option("batch_rows", o.batch_rows, between(1, 1'000'000), "Most rows sent to the store at once.");
  option("batch_bytes", o.batch_bytes, between(64 * KiB, 256 * MiB), "Most bytes sent to the store at once.");
  option("batch_age", o.batch_age, between(10, 60'000),
         "A batch that does not fill is sent after this time; in a flood, after twice this time.");
  option("retry_pause_max", o.retry_pause_max, between(10, 600'000),
         "Longest pause between tries while the store is away.");
  option("nice", o.nice, between(0, 19), "Priority given up by the loading threads, so that collecting comes first.");
}

}  // namespace weir::load
