#include "weir/query/kept_sample.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>

#include "weir/query/conditions.h"
#include "weir/query/rollup.h"
#include "weir/query/rollup_tables.h"
#include "weir/store/schema.h"

namespace weir::query {

namespace {
constexpr Seconds kHour = 3'600;
constexpr Seconds kDay = 24 * kHour;
// No day is longer, and every month is.
constexpr Seconds kLongestDay = 48 * kHour;
// How far clocks are behind Greenwich, and before it.
constexpr Seconds kBehind = 12 * kHour;
constexpr Seconds kBefore = 14 * kHour;
// Of stretches without kept rows; with more of them, a statement costs more than it saves.
constexpr size_t kGapsMax = 16;

Seconds utc_day(Seconds at) { return (at - (at % kDay + kDay) % kDay) / kDay; }

std::string all_columns() { return fmt::format("{}", fmt::join(store::sampled_columns(), ", ")); }
}  // namespace

std::optional<std::string> kept_sample(ProjectId project, Seconds from, Seconds to, Spans covered) {
  std::vector<uint32_t> versions;
  std::set<uint32_t> parts;
  std::vector<std::string> gaps;
  Seconds at = from;  // all before it is known
  Seconds open = 0;   // how much of it is not
  auto leave = [&](Seconds until) {
    if (until <= at) return;
    gaps.push_back(fmt::format("({})", within_sql(at, until)));
    open += until - at;
  };
  for (const store::Coverage::Span& span : covered) {
    if (span.from >= to) break;
    if (span.to <= at || (!span.empty && span.to - span.from > kLongestDay)) continue;
    if (!span.empty && span.from < at && at != from) continue;  // the same day by another clock
    leave(span.from);
    at = span.to;
    if (span.empty) continue;
    versions.push_back(span.version);
    for (Seconds moment : {span.from - kBehind, span.from + kBefore}) parts.insert(part_of_day(utc_day(moment)));
  }
  leave(to);
  if (versions.empty() || open > (to - from) / 2 || gaps.size() > kGapsMax) return std::nullopt;
  const std::string columns = all_columns();
  const std::string kept =
      fmt::format("SELECT {} FROM weir_data.rollup_sample WHERE project_id = {} AND part IN ({}) AND version IN ({})",
                  columns, number(project), fmt::join(parts, ", "), fmt::join(versions, ", "));
  if (gaps.empty()) return fmt::format("({})", kept);
  return fmt::format("({} UNION ALL SELECT {} FROM weir_data.events WHERE project_id = {} AND ({}))", kept, columns,
                     number(project), joined(gaps, " OR "));
}

std::string keep_sample(ProjectId project, std::span<const Range> days, std::span<const uint32_t> places,
                        std::span<const uint32_t> versions) {
  std::vector<Seconds> begins;
  for (const Range& day : days) begins.push_back(day.from);
  auto of_day = [&](std::span<const uint32_t> values) {
    return fmt::format(
        "transform(roundDown(toInt64(toUnixTimestamp(timestamp)), [{0}]::Array(Int64)), "
        "[{0}]::Array(Int64), [{1}]::Array(UInt32), toUInt32(0))",
        fmt::join(begins, ", "), fmt::join(values, ", "));
  };
  return fmt::format(
      "INSERT INTO weir_data.rollup_sample (part, version, {0}) SELECT {1}, {2}, {0} {3} AND visitor_id < {4}",
      all_columns(), of_day(places), of_day(versions), rows_between(project, days.front().from, days.back().to),
      UINT64_MAX / kKeptOneIn + 1);
}

}  // namespace weir::query
