#include "weir/query/range.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "weir/base/clock.h"

namespace weir::query {

namespace {
int64_t floor_mod(int64_t a, int64_t b) { return (a % b + b) % b; }

unsigned days_in_month(int year, unsigned month) {
  int next_year = month == 12 ? year + 1 : year;
  unsigned next_month = month == 12 ? 1 : month + 1;
  return static_cast<unsigned>(days_from_civil({next_year, next_month, 1}) - days_from_civil({year, month, 1}));
}

int64_t start_of(Bucket bucket, int64_t day) {
  switch (bucket) {
    case Bucket::week:
      return start_of_week(day);
    case Bucket::month:
      return start_of_month(day);
    case Bucket::quarter:
      return start_of_quarter(day);
    case Bucket::year:
      return start_of_year(day);
    default:
      return day;
  }
}

int64_t next_of(Bucket bucket, int64_t start) {
  switch (bucket) {
    case Bucket::week:
      return start + 7;
    case Bucket::month:
      return add_months(start, 1);
    case Bucket::quarter:
      return add_months(start, 3);
    case Bucket::year:
      return add_months(start, 12);
    default:
      return start + 1;
  }
}

Error too_many() {
  return Error{ErrorCode::kTooLarge,
               fmt::format("query: more than {} buckets of time; take a coarser one or a shorter range", kSlotsMax)};
}

Result<std::vector<Slot>> day_slots(const Zone& zone, const Range& range, Bucket bucket) {
  std::vector<Slot> slots;
  int64_t first = zone.local_day(range.from);
  int64_t last = zone.local_day(range.to - 1);
  for (int64_t at = start_of(bucket, first); at <= last; at = next_of(bucket, at)) {
    if (slots.size() == kSlotsMax) return too_many();
    // A week that began before the range shows the range's first day.
    int64_t shown = bucket == Bucket::week ? std::max(at, first) : at;
    slots.push_back({zone.start_of_day(shown), zone.start_of_day(next_of(bucket, at)), range.from, format_day(shown)});
  }
  return slots;
}

Result<std::vector<Slot>> fine_slots(const Zone& zone, const Range& range, Seconds step) {
  std::vector<Slot> slots;
  std::unordered_map<std::string, size_t> seen;
  std::vector<int> offsets;
  std::vector<size_t> twice;
  auto eras = zone.eras(range.from, range.to);
  for (size_t i = 0; i < eras.size(); ++i) {
    const int offset = eras[i].offset;
    const Seconds until = i + 1 < eras.size() ? eras[i + 1].since : range.to;
    for (Seconds at = std::max(eras[i].since, range.from); at < until;) {
      if (slots.size() == kSlotsMax) return too_many();
      const Seconds key = at - floor_mod(at + offset, step);
      const Seconds end = key + step;
      std::string label = local_text(key + offset);
      if (auto [there, added] = seen.try_emplace(label, slots.size()); !added) {
        twice.push_back(there->second);
        twice.push_back(slots.size());
      }
      slots.push_back({key, end, eras[i].since, std::move(label)});
      offsets.push_back(offset);
      at = end;
    }
  }
  std::sort(twice.begin(), twice.end());
  twice.erase(std::unique(twice.begin(), twice.end()), twice.end());
  for (size_t i : twice) slots[i].label += offset_text(offsets[i]);
  return slots;
}
}  // namespace

int64_t start_of_week(int64_t day) { return day - floor_mod(day + 3, 7); }
int weekday_of(int64_t day) { return static_cast<int>(floor_mod(day + 3, 7)) + 1; }

int64_t start_of_month(int64_t day) {
  CivilDay civil = civil_from_days(day);
  return days_from_civil({civil.year, civil.month, 1});
}

int64_t start_of_quarter(int64_t day) {
  CivilDay civil = civil_from_days(day);
  return days_from_civil({civil.year, (civil.month - 1) / 3 * 3 + 1, 1});
}

int64_t start_of_year(int64_t day) { return days_from_civil({civil_from_days(day).year, 1, 1}); }

int64_t add_months(int64_t day, int months) {
  CivilDay civil = civil_from_days(day);
  int64_t index = static_cast<int64_t>(civil.year) * 12 + static_cast<int64_t>(civil.month) - 1 + months;
  auto year = static_cast<int>((index - floor_mod(index, 12)) / 12);
  auto month = static_cast<unsigned>(floor_mod(index, 12)) + 1;
  return days_from_civil({year, month, std::min(civil.day, days_in_month(year, month))});
}

Range range_of_days(const Zone& zone, int64_t first, int64_t last) {
  return {zone.start_of_day(first), zone.start_of_day(last + 1)};
}

Range compared_range(const Zone& zone, const Range& range, bool of_days, Comparing mode, bool match_weekday,
                     Seconds now) {
  if (!of_days) {
    const Seconds length = range.to - range.from;
    if (mode != Comparing::year_over_year) return {range.from - length, range.from};
    // The same time of the day a year before, by the zone's clock.
    const int64_t day = zone.local_day(range.from);
    const Seconds into = range.from - zone.start_of_day(day);
    const Seconds from = zone.start_of_day(add_months(day, -12)) + into;
    return {from, from + length};
  }
  const int64_t first = zone.local_day(range.from);
  const int64_t last = std::max(first, std::min(zone.local_day(range.to - 1), zone.local_day(now)));
  int64_t new_first = first;
  int64_t new_last = last;
  if (mode == Comparing::year_over_year) {
    new_first = add_months(first, -12);
    new_last = add_months(last, -12);
  } else {
    const int64_t days = last - first + 1;
    new_first -= days;
    new_last -= days;
  }
  if (match_weekday) {
    int64_t shift = weekday_of(first) - weekday_of(new_first);  // -6 .. 6
    if (shift > 3) shift -= 7;
    if (shift < -3) shift += 7;
    if (new_first + shift == first) shift -= 7;  // not onto itself
    new_first += shift;
    new_last += shift;
  }
  return range_of_days(zone, new_first, new_last);
}

Result<std::vector<Slot>> slots_of(const Zone& zone, const Range& range, Bucket bucket) {
  if (!is_stretch(bucket)) return std::vector<Slot>();
  if (bucket == Bucket::minute) return fine_slots(zone, range, 60);
  if (bucket == Bucket::hour) return fine_slots(zone, range, 3600);
  return day_slots(zone, range, bucket);
}

Bucket bucket_for(const Range& range) {
  const Seconds length = range.to - range.from;
  if (length <= 48 * 3600) return Bucket::hour;
  if (length <= 40 * 86'400) return Bucket::day;
  if (length <= 52 * 7 * 86'400) return Bucket::week;
  return Bucket::month;
}

}  // namespace weir::query
