#pragma once

#include <chrono>
#include <cstdint>

#include "weir/base/options.h"

namespace weir::query {

struct Options {
  // Smaller ones are answered from their rows as fast as anybody can look.
  uint64_t rollup_rows = 500'000;
  // More changes may follow, of the visits over midnight for instance.
  std::chrono::milliseconds rollup_quiet{60'000};
  uint64_t rollup_share = 33;
  // What takes a second or so on two cores.
  uint64_t sample_rows = 5'000'000;
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option("rollup_rows", o.rollup_rows, between(0, 1'000'000'000'000),
         "Sums of days and months are kept of projects with at least so many events.");
  option("rollup_quiet", o.rollup_quiet, between(0, 86'400'000),
         "A day's sums are made when nothing of it has changed for so long.");
  option("rollup_share", o.rollup_share, between(1, 100),
         "Percent of the time that making sums may take; more is of use after an import of much history.");
  option("sample_rows", o.sample_rows, between(0, 1'000'000'000'000),
         "Where at least so many rows have to be looked through, a page shows an estimate first. 0: never.");
}

}  // namespace weir::query
