#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/ids.h"
#include "weir/query/names.h"
#include "weir/query/range.h"

// Roll-ups: sums of a project's events by stretch of time and value of one dimension, from which a question is answered
// as from the rows, only faster (docs/adr/0009-roll-ups.md, docs/formats/rollups.md). What they are made of is written
// here once: the same statement makes the sums that are kept and those of a stretch that has none yet.
namespace weir::query {

// A dimension that is rolled up, or none. Numbers stand in the table: never change one, and let store::kRollupScheme
// rise when one says something else.
enum class Cut : uint8_t {
  total = 0,
  traffic = 1,     // rows of each label; of all others only those that are human
  page_total = 2,  // of the events that lists of pages are about: pageviews and what engagement says of them
  page = 3,        // of the same
  entry_page = 4,
  exit_page = 5,
  channel = 6,
  source = 7,
  utm_source = 8,
  utm_medium = 9,
  utm_campaign = 10,
  country = 11,
  region = 12,
  city = 13,
  browser = 14,
  os = 15,
  device = 16,
  screen = 17,
  locale = 18,
  hostname = 19,
  event_name = 20,
  hour_of_day = 21,  // by the zone's clock; without visits
};
inline constexpr size_t kCuts = 22;

// The cut by an attribute of events, if there is one.
std::optional<Cut> cut_of(Attribute attribute);
// Whether the sums of visits are kept: not where the parts of a day are compared, or labels.
bool has_visits(Cut cut);
// Whether whole months are kept besides the days.
bool has_months(Cut cut);
// Whether there may be so many values that only those that can be shown are put together.
bool has_many_values(Cut cut);

// Whether how long pages were seen and how far they were read is kept.
bool has_times(Cut cut);

// The sums, in the order of the table's columns behind `visitors`, and what joins two of them.
inline constexpr std::array<std::string_view, 3> kRowSums = {"rows", "pageviews", "events"};
inline constexpr std::array<std::string_view, 3> kVisitSums = {"visits", "bounces", "duration"};
// The columns of weir_data.rollup_times: those of pageviews; and by threes, as of visits, those of visits with a scroll
// depth.
inline constexpr std::array<std::string_view, 2> kTimeSums = {"known_times", "time_sum"};
inline constexpr std::array<std::string_view, 2> kDepthSums = {"depths", "depth_sum"};

// The columns of sums of the two tables, behind the value: "visitors, visitor_count, rows, ..." and "known_times, ...".
std::string sum_columns();
std::string time_columns();

// Which partition a day's or a month's sums lie in. `day`: since 1970, by the zone's clock.
uint32_t part_of_day(int64_t day);
inline constexpr uint32_t kPartOfMonths = 0;

// Where the numbers of the visitors come from: weir_data.visitor_days has those of times, under the second they begin
// with.
struct Numbers {
  std::vector<Seconds> kept_under;
  // Whether those are all visitors of the time. Else the others are looked for among all of the project, and those of
  // whom nobody knows yet get numbers for this statement alone.
  bool all = false;
};

// A statement that makes the sums of a cut from rows: value, began, visitors, visitor_count, kRowSums, and, by threes
// (name, name_next, name_before), kVisitSums, a row for each value of each of `spans`; `began` is the span's beginning.
// Spans are in order and do not overlap; there is one at least. Of visits: those that began in the span and have a row
// of the value in it; those that began in it and have one only behind it
// (`next`: they count when the time asked about goes on); those that began before it (`before`: they count when the
// time asked about begins with it). `with_visits`: else their sums are 0, which costs less.
std::string sums_of_rows(ProjectId project, Cut cut, const Zone& zone, std::span<const Range> spans, bool with_visits,
                         const Numbers& numbers);

// The same for many cuts of the same rows, in steps: a statement that gives the rows with their places and what is
// known of their visits...
std::string placed_rows(ProjectId project, std::span<const Range> spans, const Numbers& numbers,
                        std::span<const Cut> cuts);
// ... `columns` of them (all but the last three of weir_data.rolling), and, as those three, whether a row is to count
// for its visit, whether all its visit's rows say the same, and whether any of them lies in the span...
std::string marked_rows(const std::string& placed, const std::string& columns);
// ... and the sums of a table with these. Not for Cut::traffic.
std::string sums_of_marked(const std::string& marked, Cut cut, const Zone& zone, const Range& whole);

// A statement that makes the sums of weir_data.rollup_times, of cuts that have them: cut, value, began and the columns,
// a row or two for each value of each span that has any.
std::string times_of_rows(ProjectId project, std::span<const Cut> cuts, const std::vector<Range>& spans);

}  // namespace weir::query
