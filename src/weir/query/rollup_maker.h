#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "weir/query/rollup.h"
#include "weir/query/rollup_tables.h"

namespace weir::query {

// Makes the sums of days and months, and gives visitors their numbers. Confined to the thread of `tables`, which it
// keeps by reference.
class RollupMaker {
 public:
  explicit RollupMaker(RollupTables& tables) : tables_(tables) {}

  // Gives the visitors of a time that have no number yet those that follow, and notes all of them in
  // weir_data.visitor_days under its beginning. Costs little where nothing changed since the last time.
  // Errors: as the store's; kTooLarge (there are no more numbers).
  Result<> number_visitors(ProjectId project, const Range& time);
  // Makes the sums of the days first..end-1, which are of the same length, and publishes those of which nothing
  // changed meanwhile. Nothing happens while rows of them are on their way.
  Result<> make_days(ProjectId project, const Zone& zone, int64_t first, int64_t end);
  // Makes a month's sums from those of its days, if those are there.
  Result<> make_month(ProjectId project, const Zone& zone, int64_t first_day);
  // Drops what visitor_days has of days before `day`, which nobody asks for any more.
  Result<> sweep(Seconds before);
  // What the tables have may be another's: nothing is remembered of it.
  void forget() { numbered_.clear(); }

 private:
  Result<> sum_up(ProjectId project, const Zone& zone, std::span<const Range> days, std::span<const uint32_t> places,
                  std::span<const uint32_t> versions);
  Result<> drop_days(ProjectId project, Seconds from);

  RollupTables& tables_;
  // By project and beginning of a time: its end, and up to which touch of it all visitors have their numbers.
  std::map<std::pair<ProjectId, Seconds>, std::pair<Seconds, uint64_t>> numbered_;
};

}  // namespace weir::query
