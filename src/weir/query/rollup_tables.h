#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/query/range.h"
#include "weir/store/coverage.h"
#include "weir/store/store.h"

namespace weir::query {

// The books of the roll-ups: which versions there are, which of them count, and whether that is still true
// (docs/formats/rollups.md). What stands in the tables can be made again from the rows at any time, and is when it is
// found not to fit.
//
// Confined to one thread, the only one that writes these tables. Keeps `store` by reference; it must have a Coverage.
class RollupTables {
 public:
  using Lines = std::vector<std::vector<int64_t>>;
  // Beyond all times, and a multiple of a quarter of an hour.
  static constexpr Seconds kEver = 900 * (Seconds{1} << 30);

  // `abandoned`: true ends a statement under way.
  RollupTables(store::Store& store, metrics::Registry& registry, std::function<bool()> abandoned);

  store::Store& store() { return store_; }
  store::Coverage& coverage() { return *store_.coverage(); }

  // A statement of ours. Errors: as the store's.
  Result<std::string> ask(const std::string& sql);
  // The same of one that answers whole numbers.
  Result<Lines> numbers_in(const std::string& sql);
  // Whether no statement runs any more whose end nobody saw, of ours and of those that changed rows. To be asked before
  // anything is made.
  Result<bool> settled();

  // Holds what is said to count against the rows and the sums that are there: parts of either may have been lost with a
  // disk. What does not fit counts no more; the rest is trusted. Empties the room in which sums are made.
  Result<> verify();
  // Sums of versions that no span has any more and that no statement under way may still read.
  Result<> sweep();

  // How many rows of sums, and beside them, each version of a project has, in these partitions or (none given) in all.
  Result<std::map<uint32_t, uint64_t>> sums_by_version(ProjectId project, std::span<const uint32_t> parts = {});

  // Is not, and never was, anything's version.
  Result<uint32_t> new_version();
  // Sums that were made, since when (Coverage::may_build()), and of how many rows.
  struct Made {
    store::Coverage::Span span;
    uint64_t since = 0;
    uint64_t rows = 0;
    uint64_t sums = 0;
  };
  // From now on they count, but for those of which something changed meanwhile.
  Result<> publish(ProjectId project, std::span<const Made> made);
  // That there are no rows in it counts from now on, if there are none.
  Result<> publish_empty(ProjectId project, Seconds from, Seconds to);

 private:
  Result<> verify_project(ProjectId project, std::vector<store::Coverage::Covered>& wrong);
  Result<> uncover(std::span<const store::Coverage::Covered> wrong);

  store::Store& store_;
  const std::function<bool()> abandoned_;
  metrics::Counter& published_total_;
  uint32_t next_version_ = 0;                                   // 0: not known
  std::optional<std::chrono::steady_clock::time_point> doubt_;  // when the end of one of ours was not seen
};

// "FROM weir_data.events WHERE ...": a project's rows of a time.
std::string rows_between(ProjectId project, Seconds from, Seconds to);

}  // namespace weir::query
