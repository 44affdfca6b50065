#include "weir/query/rollup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "weir/base/check.h"
#include "weir/base/clock.h"
#include "weir/query/conditions.h"
#include "weir/query/time_sql.h"

namespace weir::query {

namespace {
constexpr Seconds kVisitLength = 24 * 3600;
constexpr std::string_view kRows = "weir_data.events";

struct Kind {
  Cut cut;
  Attribute attribute;
};
constexpr Kind kByAttribute[] = {
    {Cut::page, Attribute::page},
    {Cut::entry_page, Attribute::entry_page},
    {Cut::exit_page, Attribute::exit_page},
    {Cut::channel, Attribute::channel},
    {Cut::source, Attribute::source},
    {Cut::utm_source, Attribute::utm_source},
    {Cut::utm_medium, Attribute::utm_medium},
    {Cut::utm_campaign, Attribute::utm_campaign},
    {Cut::country, Attribute::country},
    {Cut::region, Attribute::region},
    {Cut::city, Attribute::city},
    {Cut::browser, Attribute::browser},
    {Cut::os, Attribute::os},
    {Cut::device, Attribute::device},
    {Cut::screen, Attribute::screen},
    {Cut::locale, Attribute::locale},
    {Cut::hostname, Attribute::hostname},
    {Cut::event_name, Attribute::event_name},
};

std::string moment(Seconds at) { return fmt::format("fromUnixTimestamp64Milli({}, 'UTC')", at * 1000); }

bool by_visit_page(Cut cut) { return cut == Cut::entry_page || cut == Cut::exit_page; }

// The value of a row. Of entry and exit pages: of a row that is joined with what is known of its visit.
std::string value_of(Cut cut, const Zone& zone, const Range& range) {
  switch (cut) {
    case Cut::total:
    case Cut::page_total:
      return "''";
    case Cut::traffic:
      return "traffic";
    case Cut::entry_page:
      return "if(e.entry_path = '', w.page, toString(e.entry_path))";
    case Cut::exit_page:
      return "w.page";
    case Cut::hour_of_day:
      return fmt::format("toString({})",
                         TimeSql(zone, range, Bucket::hour_of_day).key("toInt64(toUnixTimestamp(timestamp))"));
    default:
      for (const Kind& kind : kByAttribute)
        if (kind.cut == cut) return std::string(column_of(kind.attribute));
  }
  fatal("query: a cut of no kind");
}

std::string rows_of(Cut cut) {
  if (cut == Cut::traffic) return "1";
  if (cut == Cut::page || cut == Cut::page_total) return "traffic = 'human' AND name IN ('pageview', 'engagement')";
  return "traffic = 'human'";
}

// Which of the spans a second lies in: its beginning, or -1.
std::string began_of(std::span<const Range> spans, const std::string& second) {
  // Days that follow each other, as nearly always, need no lists.
  const Seconds length = spans.front().to - spans.front().from;
  const bool even = std::all_of(spans.begin(), spans.end(), [&, at = spans.front().from](const Range& span) mutable {
    const bool fits = span.from == at && span.to == at + length;
    at = span.to;
    return fits;
  });
  if (even)
    return fmt::format("toInt64(if({0} >= {1} AND {0} < {2}, {0} - ({0} - {1}) % {3}, -1))", second, spans.front().from,
                       spans.back().to, length);
  std::vector<std::string> begins;
  std::vector<std::string> ends;
  for (const Range& span : spans) {
    begins.push_back(std::to_string(span.from));
    ends.push_back(std::to_string(span.to));
  }
  const std::string list = "[" + joined(begins, ", ") + "]::Array(Int64)";
  const std::string down = fmt::format("roundDown({}, {})", second, list);
  const std::string end =
      fmt::format("transform({}, {}, [{}]::Array(Int64), toInt64(0))", down, list, joined(ends, ", "));
  return fmt::format("toInt64(if({0} >= {1} AND {0} < {2}, {3}, -1))", second, begins.front(), end, down);
}

std::string in_spans(std::span<const Range> spans) {
  std::vector<std::string> each;
  for (size_t i = 0; i < spans.size(); ++i) {
    Range whole = spans[i];
    while (i + 1 < spans.size() && spans[i + 1].from == whole.to) whole.to = spans[++i].to;
    each.push_back(fmt::format("(timestamp >= {} AND timestamp < {})", moment(whole.from), moment(whole.to)));
  }
  return each.size() == 1 ? each.front() : "(" + joined(each, " OR ") + ")";
}

// The rows of all visits that touch the time.
std::string around(Seconds from, Seconds to) {
  return fmt::format("timestamp >= {} AND timestamp < {} AND {} < {}", moment(from - kVisitLength - 1),
                     moment(to + kVisitLength + 1), Conditions::kVisitStart, to);
}

// visitor_id, n. Numbers that are made up here are given from the top, where no visitor's is; each time this stands in
// a statement they come out the same.
std::string numbers_sql(ProjectId project, std::span<const Range> spans, const Numbers& numbers) {
  const std::string days = fmt::format("FROM weir_data.visitor_days WHERE project_id = {} AND span_from IN ({})",
                                       number(project), fmt::join(numbers.kept_under, ", "));
  if (numbers.all) return fmt::format("SELECT visitor_id, number AS n {}", days);
  const std::string unknown = fmt::format(
      "SELECT DISTINCT visitor_id FROM {} WHERE project_id = {} AND {} AND visitor_id NOT IN (SELECT visitor_id {})",
      kRows, number(project), in_spans(spans), days);
  return fmt::format(
      "SELECT visitor_id, number AS n {0} UNION ALL SELECT u.visitor_id AS visitor_id, if(m.number > 0, m.number, "
      "toUInt32(4294967295 - row_number() OVER (ORDER BY u.visitor_id))) AS n FROM ({1}) AS u ANY LEFT JOIN (SELECT "
      "visitor_id, number FROM weir_data.visitor_numbers WHERE project_id = {2} AND visitor_id IN ({1})) AS m ON "
      "u.visitor_id = m.visitor_id",
      days, unknown, number(project));
}

// The table with what a cut takes from the whole visit.
std::string source_of(ProjectId project, Cut cut, Seconds from, Seconds to) {
  if (!by_visit_page(cut)) return fmt::format("{} AS e", kRows);
  return fmt::format(
      "{0} AS e ANY LEFT JOIN (SELECT session_id, {1}(toString(path), {2}, kind = 'pageview') AS page FROM {0} WHERE "
      "project_id = {3} AND {4} GROUP BY session_id) AS w ON e.session_id = w.session_id",
      kRows, cut == Cut::entry_page ? "argMinIf" : "argMaxIf", Conditions::kOrder, number(project), around(from, to));
}

constexpr std::string_view kSecond = "toInt64(toUnixTimestamp(timestamp))";

std::string from_rows_alone(ProjectId project, Cut cut, const Zone& zone, std::span<const Range> spans,
                            const Numbers& numbers) {
  const Range whole{spans.front().from, spans.back().to};
  std::string nothing;
  for (std::string_view name : kVisitSums)
    nothing += fmt::format(", toUInt64(0) AS {0}, toUInt64(0) AS {0}_next, toUInt64(0) AS {0}_before", name);
  return fmt::format(
      "SELECT toString(v) AS value, began, groupBitmapState(toUInt32(n)) AS visitors, "
      "toUInt32(groupBitmap(toUInt32(n))) AS "
      "visitor_count, count() AS rows, countIf(kind = 'pageview') AS pageviews, countIf(kind != 'engagement') AS "
      "events{} "
      "FROM (SELECT {} AS v, {} AS began, e.kind AS kind, e.visitor_id AS visitor_id FROM {} WHERE project_id = {} AND "
      "{} "
      "AND {}) AS r ANY LEFT JOIN ({}) AS k ON r.visitor_id = k.visitor_id GROUP BY v, began",
      nothing, value_of(cut, zone, whole), began_of(spans, std::string(kSecond)),
      source_of(project, cut, whole.from, whole.to), number(project), in_spans(spans), rows_of(cut),
      numbers_sql(project, spans, numbers));
}

// Visits belong to the span of their first event. Of each value: those that began in the span and have a row of the
// value in it; those that began in it and have one only behind it (`next`: they count when the time asked about goes
// on); those that began before it (`before`: they count when the time asked about begins with it). So a row counts in
// its own span, and for its visit in that in which the visit began.
std::string with_visits_of(ProjectId project, Cut cut, const Zone& zone, std::span<const Range> spans,
                           const Numbers& numbers) {
  const Range whole{spans.front().from, spans.back().to};
  const std::string start = fmt::format("toInt64({})", Conditions::kVisitStart);
  std::string sums;
  for (std::string_view name : kVisitSums) {
    const std::string_view of = name == "visits" ? "1" : name == "bounces" ? "bounce" : "took";
    sums += fmt::format(
        ", toUInt64(sumIf({0}, here AND start >= began)) AS {1}, toUInt64(sumIf({0}, NOT here)) AS {1}_next, "
        "toUInt64(sumIf({0}, here AND start < began)) AS {1}_before",
        of, name);
  }
  const std::string rows = fmt::format(
      "SELECT {} AS v, e.session_id AS session_id, e.visitor_id AS visitor_id, e.kind AS kind, {} AS own, {} AS begun, "
      "arrayJoin(multiIf(own = -1, [(begun, 0)], begun = -1 OR begun = own, [(own, 1)], [(own, 1), (begun, 0)])) AS "
      "place "
      "FROM {} WHERE project_id = {} AND timestamp >= {} AND timestamp < {} AND {} AND (own != -1 OR begun != -1)",
      value_of(cut, zone, {whole.from, whole.to + kVisitLength + 1}), began_of(spans, std::string(kSecond)),
      began_of(spans, start), source_of(project, cut, whole.from, whole.to), number(project), moment(whole.from),
      moment(whole.to + kVisitLength + 1), rows_of(cut));
  const std::string visits = fmt::format(
      "SELECT v, session_id, place.1 AS began, any(visitor_id) AS visitor_id, {} AS start, max(place.2) AS here, "
      "sum(place.2) AS rows_, countIf(place.2 AND kind = 'pageview') AS pageviews_, countIf(place.2 AND kind != "
      "'engagement') AS events_ FROM ({}) GROUP BY v, session_id, began",
      start, rows);
  const std::string facts = fmt::format(
      "SELECT session_id, sum(visit_bounce) AS bounce, sum(visit_gap_ms) AS took FROM {} WHERE project_id = {} AND {} "
      "GROUP BY session_id",
      kRows, number(project), around(whole.from, whole.to));
  return fmt::format(
      "SELECT toString(v) AS value, began, groupBitmapStateIf(toUInt32(n), here) AS visitors, "
      "toUInt32(groupBitmapIf(toUInt32(n), here)) AS visitor_count, sum(rows_) AS rows, sum(pageviews_) AS pageviews, "
      "sum(events_) AS events{} FROM ({}) AS s ANY LEFT JOIN ({}) AS k ON s.visitor_id = k.visitor_id ANY LEFT JOIN "
      "({}) "
      "AS f ON s.session_id = f.session_id GROUP BY v, began",
      sums, visits, numbers_sql(project, spans, numbers), facts);
}
}  // namespace

std::optional<Cut> cut_of(Attribute attribute) {
  for (const Kind& kind : kByAttribute)
    if (kind.attribute == attribute) return kind.cut;
  return std::nullopt;
}

bool has_visits(Cut cut) { return cut != Cut::hour_of_day && cut != Cut::traffic; }

bool has_months(Cut cut) { return cut != Cut::hour_of_day; }

bool has_many_values(Cut cut) {
  switch (cut) {
    case Cut::page:
    case Cut::entry_page:
    case Cut::exit_page:
    case Cut::source:
    case Cut::utm_campaign:
    case Cut::city:
    case Cut::screen:
    case Cut::hostname:
      return true;
    default:
      return false;
  }
}

uint32_t part_of_day(int64_t day) {
  const CivilDay civil = civil_from_days(day);
  return static_cast<uint32_t>(civil.year) * 100 + civil.month;
}

std::string sums_of_rows(ProjectId project, Cut cut, const Zone& zone, std::span<const Range> spans, bool with_visits,
                         const Numbers& numbers) {
  WEIR_CHECK(!spans.empty());
  return with_visits && has_visits(cut) ? with_visits_of(project, cut, zone, spans, numbers)
                                        : from_rows_alone(project, cut, zone, spans, numbers);
}

}  // namespace weir::query
