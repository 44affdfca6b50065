#pragma once

#include <optional>
#include <string>
#include <vector>

#include "weir/query/names.h"
#include "weir/query/zone.h"

namespace weir::query {

// [from, to) in Unix seconds.
struct Range {
  Seconds from = 0;
  Seconds to = 0;
  friend bool operator==(const Range&, const Range&) = default;
};

// The whole days first..last, both included.
Range range_of_days(const Zone& zone, int64_t first, int64_t last);

enum class Comparing : uint8_t { none, previous_period, year_over_year, custom };

// The range to compare with. `of_days`: `range` is of whole days; then it is cut at today's end before it is moved back
// by its length in days, or by a calendar year; else by its length in seconds, or by a year to the second of the day.
// `match_weekday` (days only): moved to the nearest day on which the week stands as at the range's beginning.
Range compared_range(const Zone& zone, const Range& range, bool of_days, Comparing mode, bool match_weekday,
                     Seconds now);

// One stretch of time in a range.
struct Slot {
  Seconds begin;      // its first moment, were it whole
  Seconds end;        // its first moment after
  Seconds era;        // hours and minutes: since when their offset was in force, or the range's beginning
  std::string label;  // "2026-11-20", "2026-11-20 09:00:00"; unique within a range
};
inline constexpr size_t kSlotsMax = 50'000;
// All slots of the range, in order. Errors: kTooLarge (more than kSlotsMax).
Result<std::vector<Slot>> slots_of(const Zone& zone, const Range& range, Bucket bucket);

// What "time" without a bucket means.
Bucket bucket_for(const Range& range);

// Calendar arithmetic on days since 1970-01-01.
int64_t start_of_week(int64_t day);  // the Monday at or before
int64_t start_of_month(int64_t day);
int64_t start_of_quarter(int64_t day);
int64_t start_of_year(int64_t day);
// The same day of the month, or the month's last where it has no such day.
int64_t add_months(int64_t day, int months);
int weekday_of(int64_t day);  // 1 is Monday

}  // namespace weir::query
