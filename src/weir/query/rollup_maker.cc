#include "weir/query/rollup_maker.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "weir/query/covered_time.h"
#include "weir/query/kept_sample.h"

namespace weir::query {

namespace {
// Beyond it, a number could be one of those that statements make up.
constexpr int64_t kNumbersMax = 2'000'000'000;

std::string with_value(const std::string& columns) { return "value, " + columns; }

// A sum by threes of a span of spans.
std::string joined_sums(std::span<const std::string_view> names, uint32_t first, uint32_t last) {
  std::string sums;
  for (std::string_view name : names)
    sums += fmt::format(
        ", sum({0}) + sumIf({0}_next, version != {1}) AS {0}_sum_, sumIf({0}_next, version = {1}) AS {0}_next_sum, "
        "sumIf({0}_before, version = {2}) AS {0}_before_sum",
        name, last, first);
  return sums;
}
}  // namespace

// One statement, one part: all get their numbers, or none.
Result<> RollupMaker::number_visitors(ProjectId id, const Range& day) {
  const std::pair known{day.to, tables_.coverage().touched(id, day.from, day.to)};
  auto [numbered, added] = numbered_.try_emplace({id, day.from}, Seconds{0}, uint64_t{0});
  if (!added && numbered->second == known) return {};
  const std::string days = fmt::format(
      "SELECT visitor_id FROM weir_data.visitor_days WHERE project_id = {} AND span_from = {}", number(id), day.from);
  const std::string unknown =
      fmt::format("SELECT DISTINCT visitor_id {} AND visitor_id NOT IN ({})", rows_between(id, day.from, day.to), days);
  const std::string numbers = fmt::format("FROM weir_data.visitor_numbers WHERE project_id = {}", number(id));
  auto newest = tables_.numbers_in("SELECT max(number) " + numbers);
  if (!newest) return std::move(newest).error();
  const int64_t highest = newest->front().front();
  if (highest > kNumbersMax) return Error{ErrorCode::kTooLarge, "a project has more visitors than numbers"};
  constexpr std::string_view kOnePart =
      "SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, "
      "enable_shared_storage_snapshot_in_query = 1, insert_deduplicate = 0";
  const std::string fresh =
      fmt::format("{} AND visitor_id NOT IN (SELECT visitor_id {} AND visitor_id IN ({}))", unknown, numbers, unknown);
  auto given = tables_.ask(fmt::format(
      "INSERT INTO weir_data.visitor_numbers (project_id, visitor_id, number) SELECT {}, visitor_id, toUInt32({} + "
      "row_number() OVER (ORDER BY visitor_id)) FROM ({}) {}",
      number(id), highest, fresh, kOnePart));
  if (!given) return std::move(given).error();
  auto kept = tables_.ask(
      fmt::format("INSERT INTO weir_data.visitor_days (project_id, span_from, visitor_id, number) SELECT {}, {}, "
                  "visitor_id, number {} AND visitor_id IN ({}) {}",
                  number(id), day.from, numbers, unknown, kOnePart));
  if (!kept) return std::move(kept).error();
  numbered->second = known;
  return {};
}

// Makes the rows of weir_data.rollups: first the rows of the days with all that is known of their visits, then the
// sums.
Result<> RollupMaker::sum_up(ProjectId id, const Zone& zone, std::span<const Range> days,
                             std::span<const uint32_t> places, std::span<const uint32_t> versions) {
  const Range whole{days.front().from, days.back().to};
  const Numbers numbers{{whole.from}, true};
  std::vector<Cut> cuts;
  for (size_t i = 0; i < kCuts; ++i)
    if (static_cast<Cut>(i) != Cut::traffic) cuts.push_back(static_cast<Cut>(i));
  constexpr std::string_view kSettings =
      "SETTINGS max_threads = 1, max_insert_threads = 1, enable_shared_storage_snapshot_in_query = 1, "
      "insert_deduplicate = 0";
  constexpr std::string_view kRolling =
      "session_id, n, start, began, inside, second, kind, name, bounce, took, path, entry_page, exit_page, "
      "visit_channel, visit_source, utm_source, utm_medium, visit_campaign, country, region, city, browser, os, "
      "device, screen, locale, hostname";
  if (auto emptied = tables_.ask("TRUNCATE TABLE weir_data.rolling"); !emptied) return std::move(emptied).error();
  auto placed =
      tables_.ask(fmt::format("INSERT INTO weir_data.rolling ({0}, leads, uniform, here) {1} {2}", kRolling,
                              marked_rows(placed_rows(id, days, numbers, cuts), std::string(kRolling)), kSettings));
  if (!placed) return std::move(placed).error();
  // All were numbered, and nothing is to count that came since; but a number too few would be a visitor too few.
  auto strangers = tables_.numbers_in("SELECT count() FROM weir_data.rolling WHERE inside AND n = 0");
  if (!strangers) return std::move(strangers).error();
  if (strangers->front().front() > 0)
    return Error{ErrorCode::kConflict,
                 fmt::format("{} rows are of visitors without a number", strangers->front().front())};
  std::vector<Seconds> begins;
  for (const Range& day : days) begins.push_back(day.from);
  auto of_span = [&](std::span<const uint32_t> values) {
    return fmt::format("transform(began, [{}]::Array(Int64), [{}]::Array(UInt32), toUInt32(0))",
                       fmt::join(begins, ", "), fmt::join(values, ", "));
  };
  std::string sources =
      fmt::format("SELECT {} AS cut, began, {} FROM ({})", static_cast<int>(Cut::traffic), with_value(sum_columns()),
                  sums_of_rows(id, Cut::traffic, zone, days, false, numbers));
  for (Cut cut : cuts)
    sources += fmt::format(" UNION ALL SELECT {} AS cut, began, {} FROM ({})", static_cast<int>(cut),
                           with_value(sum_columns()), sums_of_marked("weir_data.rolling", cut, zone, whole));
  auto made = tables_.ask(
      fmt::format("INSERT INTO weir_data.rollups (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, {0} "
                  "FROM ({4}) {5}",
                  with_value(sum_columns()), number(id), of_span(places), of_span(versions), sources, kSettings));
  if (!made) return std::move(made).error();
  std::vector<Cut> with_times;
  std::copy_if(cuts.begin(), cuts.end(), std::back_inserter(with_times), has_times);
  const std::string times = times_of_rows(id, with_times, {days.begin(), days.end()});
  made = tables_.ask(fmt::format(
      "INSERT INTO weir_data.rollup_times (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, {0} FROM "
      "({4}) {5}",
      with_value(time_columns()), number(id), of_span(places), of_span(versions), times, kSettings));
  if (!made) return std::move(made).error();
  made = tables_.ask(fmt::format("{} {}", keep_sample(id, days, places, versions), kSettings));
  if (!made) return std::move(made).error();
  if (auto emptied = tables_.ask("TRUNCATE TABLE weir_data.rolling"); !emptied) return std::move(emptied).error();
  return {};
}

Result<> RollupMaker::make_days(ProjectId id, const Zone& zone, int64_t first, int64_t end) {
  store::Coverage& coverage = tables_.coverage();
  std::vector<Range> days;
  std::vector<uint64_t> since;
  for (int64_t day = first; day < end; ++day) {
    days.push_back({zone.start_of_day(day), zone.start_of_day(day + 1)});
    if (!coverage.may_build(id, days.back().from, days.back().to, since.emplace_back())) return {};
  }
  const Range whole{days.front().from, days.back().to};
  if (auto numbered = number_visitors(id, whole); !numbered) return numbered;
  std::vector<uint32_t> versions;
  std::vector<Seconds> begins;
  std::vector<uint32_t> places;
  for (int64_t day = first; day < end; ++day) {
    auto version = tables_.new_version();
    if (!version) return std::move(version).error();
    versions.push_back(*version);
    begins.push_back(zone.start_of_day(day));
    places.push_back(part_of_day(day));
  }
  if (auto made = sum_up(id, zone, days, places, versions); !made) return made;
  auto sums = tables_.sums_by_version(id, places);
  if (!sums) return std::move(sums).error();
  auto rows = tables_.numbers_in(
      fmt::format("SELECT roundDown(toInt64(toUnixTimestamp(timestamp)), [{}]::Array(Int64)) AS began, count() {} "
                  "GROUP BY began",
                  fmt::join(begins, ", "), rows_between(id, whole.from, whole.to)));
  if (!rows) return std::move(rows).error();
  std::map<Seconds, uint64_t> rows_of;
  for (const auto& line : *rows) rows_of[line.at(0)] = static_cast<uint64_t>(line.at(1));
  std::vector<RollupTables::Made> all;
  for (size_t i = 0; i < days.size(); ++i) {
    const uint64_t count = rows_of[days[i].from];
    all.push_back({{days[i].from, days[i].to, versions[i], count == 0}, since[i], count, (*sums)[versions[i]]});
  }
  if (auto done = tables_.publish(id, all); !done) return done;
  for (const Range& day : days)
    if (numbered_.contains({id, day.from}))
      if (auto dropped = drop_days(id, day.from); !dropped) return dropped;
  return {};
}

Result<> RollupMaker::make_month(ProjectId id, const Zone& zone, int64_t first_day) {
  const int64_t end_day = start_of_month(add_months(first_day, 1));
  const Range range{zone.start_of_day(first_day), zone.start_of_day(end_day)};
  store::Coverage& coverage = tables_.coverage();
  uint64_t since = 0;
  if (!coverage.may_build(id, range.from, range.to, since)) return {};
  const std::vector<store::Coverage::Span> spans = coverage.spans(id);
  const CoveredTime covered(spans);
  std::vector<uint32_t> versions;
  uint32_t first = 0;
  uint32_t last = 0;
  for (int64_t day = first_day; day < end_day; ++day) {
    const Seconds from = zone.start_of_day(day);
    const Seconds to = zone.start_of_day(day + 1);
    const store::Coverage::Span* span = covered.sums(from, to);
    if (span == nullptr) {
      if (!covered.is_empty(from, to)) return {};
      continue;
    }
    versions.push_back(span->version);
    if (day == first_day) first = span->version;
    if (day == end_day - 1) last = span->version;
  }
  if (versions.empty()) return {};
  auto rows = tables_.numbers_in("SELECT count() " + rows_between(id, range.from, range.to));
  if (!rows) return std::move(rows).error();
  auto version = tables_.new_version();
  if (!version) return std::move(version).error();
  const std::string visits = joined_sums(kVisitSums, first, last);
  auto made = tables_.ask(fmt::format(
      "INSERT INTO weir_data.rollups (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, value, "
      "groupBitmapMergeState(visitors), toUInt32(groupBitmapMerge(visitors)), sum(rows), sum(pageviews), "
      "sum(events){4} FROM weir_data.rollups WHERE project_id = {1} AND part = {5} AND version IN ({6}) AND cut != {7} "
      "GROUP BY cut, value SETTINGS max_threads = 1, max_insert_threads = 1, insert_deduplicate = 0",
      with_value(sum_columns()), number(id), kPartOfMonths, *version, visits, part_of_day(first_day),
      fmt::join(versions, ", "), static_cast<int>(Cut::hour_of_day)));
  if (!made) return std::move(made).error();
  made = tables_.ask(fmt::format(
      "INSERT INTO weir_data.rollup_times (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, value, "
      "sum(known_times), sum(time_sum){4} FROM weir_data.rollup_times WHERE project_id = {1} AND part = {5} AND "
      "version IN ({6}) GROUP BY cut, value SETTINGS max_threads = 1, max_insert_threads = 1, insert_deduplicate = 0",
      with_value(time_columns()), number(id), kPartOfMonths, *version, joined_sums(kDepthSums, first, last),
      part_of_day(first_day), fmt::join(versions, ", ")));
  if (!made) return std::move(made).error();
  const uint32_t part = kPartOfMonths;
  auto sums = tables_.sums_by_version(id, std::span(&part, 1));
  if (!sums) return std::move(sums).error();
  const RollupTables::Made month{
      {range.from, range.to, *version, false}, since, static_cast<uint64_t>(rows->front().front()), (*sums)[*version]};
  return tables_.publish(id, std::span(&month, 1));
}

Result<> RollupMaker::sweep(Seconds before) {
  auto left = tables_.numbers_in(fmt::format(
      "SELECT DISTINCT reinterpretAsInt64(project_id), span_from FROM weir_data.visitor_days WHERE span_from < {}",
      before));
  if (!left) return std::move(left).error();
  for (const auto& line : *left)
    if (auto dropped = drop_days(ProjectId{static_cast<uint64_t>(line.at(0))}, line.at(1)); !dropped) return dropped;
  return {};
}

Result<> RollupMaker::drop_days(ProjectId id, Seconds from) {
  numbered_.erase({id, from});
  auto dropped =
      tables_.ask(fmt::format("ALTER TABLE weir_data.visitor_days DROP PARTITION ({}, {})", number(id), from));
  if (!dropped) return std::move(dropped).error();
  return {};
}

}  // namespace weir::query
