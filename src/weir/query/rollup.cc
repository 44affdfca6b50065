#include "weir/query/rollup.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "weir/base/check.h"
#include "weir/base/clock.h"
#include "weir/query/conditions.h"
#include "weir/query/pageview_times.h"
#include "weir/query/time_sql.h"

namespace weir::query {

namespace {
constexpr std::string_view kRows = "weir_data.events";
constexpr std::string_view kSecond = "toInt64(toUnixTimestamp(timestamp))";

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

// The entry page of a row that is joined with its visit: rows before the first pageview do not say it.
constexpr std::string_view kEntryPage = "if(e.entry_path = '', w.first_page, toString(e.entry_path))";

// ", name, name_next, name_before" of each; nothing of each.
std::string by_threes(std::span<const std::string_view> names) {
  std::string columns;
  for (std::string_view name : names) columns += fmt::format(", {0}, {0}_next, {0}_before", name);
  return columns;
}
std::string no_threes(std::span<const std::string_view> names) {
  std::string columns;
  for (std::string_view name : names)
    columns += fmt::format(", toUInt64(0) AS {0}, toUInt64(0) AS {0}_next, toUInt64(0) AS {0}_before", name);
  return columns;
}

bool by_visit_page(Cut cut) { return cut == Cut::entry_page || cut == Cut::exit_page; }

// The value of a row of placed_rows(), or of the table where that has it.
std::string value_of(Cut cut, const Zone& zone, const Range& range) {
  switch (cut) {
    case Cut::total:
    case Cut::page_total:
      return "''";
    case Cut::traffic:
      return "traffic";
    case Cut::entry_page:
      return "entry_page";
    case Cut::exit_page:
      return "exit_page";
    case Cut::hour_of_day:
      return fmt::format("toString({})", TimeSql(zone, range, Bucket::hour_of_day).key("second"));
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
    each.push_back("(" + within_sql(whole.from, whole.to) + ")");
  }
  return each.size() == 1 ? each.front() : "(" + joined(each, " OR ") + ")";
}

// Columns of a row: the second in which its visit began (`start`), and `place`, (beginning of a span, whether the row
// lies in it), once for the span it lies in and once more for that in which its visit began, if that is another.
std::string places_of(std::span<const Range> spans) {
  const std::string start = fmt::format("toInt64({})", Conditions::kVisitStart);
  return fmt::format(
      "{} AS start, {} AS own, {} AS begun, arrayJoin(multiIf(own = -1, [(begun, 0)], begun = -1 OR begun = own, "
      "[(own, 1)], [(own, 1), (begun, 0)])) AS place",
      start, began_of(spans, std::string(kSecond)), began_of(spans, start));
}

// Which rows have a place in spans that reach over `whole`.
std::string has_place(const Range& whole) {
  return fmt::format("{} AND (own != -1 OR begun != -1)", within_sql(whole.from, whole.to + kVisitLength + 1));
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

// What is known of whole visits: session_id, bounce, took; where asked for, the entry and the exit page.
std::string visits_sql(ProjectId project, const Range& whole, bool facts, bool pages) {
  std::string columns = "session_id";
  if (facts) columns += ", sum(visit_bounce) AS bounce, sum(visit_gap_ms) AS took";
  if (pages)
    columns += fmt::format(
        ", argMinIf(toString(path), {0}, kind = 'pageview') AS first_page, argMaxIf(toString(path), {0}, kind = "
        "'pageview') AS exit_page",
        Conditions::kOrder);
  return fmt::format("SELECT {} FROM {} WHERE project_id = {} AND {} GROUP BY session_id", columns, kRows,
                     number(project), around_sql(whole.from, whole.to));
}

std::string from_rows_alone(ProjectId project, Cut cut, const Zone& zone, std::span<const Range> spans,
                            const Numbers& numbers) {
  const Range whole{spans.front().from, spans.back().to};
  std::string from = fmt::format("{} AS e", kRows);
  std::string value = value_of(cut, zone, whole);
  if (by_visit_page(cut)) {
    from +=
        fmt::format(" ANY LEFT JOIN ({}) AS w ON e.session_id = w.session_id", visits_sql(project, whole, false, true));
    value = cut == Cut::exit_page ? "w.exit_page" : kEntryPage;
  }
  return fmt::format(
      "SELECT toString(v) AS value, began, groupBitmapState(toUInt32(n)) AS visitors, "
      "toUInt32(groupBitmap(toUInt32(n))) AS visitor_count, count() AS rows, countIf(kind = 'pageview') AS pageviews, "
      "countIf(kind != 'engagement') AS events{} FROM (SELECT {} AS second, {} AS v, {} AS began, e.kind AS kind, "
      "e.visitor_id AS visitor_id FROM {} WHERE project_id = {} AND {} AND {}) AS r ANY LEFT JOIN ({}) AS k ON "
      "r.visitor_id = k.visitor_id GROUP BY v, began",
      no_threes(kVisitSums), kSecond, value, began_of(spans, "second"), from, number(project), in_spans(spans),
      rows_of(cut), numbers_sql(project, spans, numbers));
}
}  // namespace

std::optional<Cut> cut_of(Attribute attribute) {
  for (const Kind& kind : kByAttribute)
    if (kind.attribute == attribute) return kind.cut;
  return std::nullopt;
}

bool has_visits(Cut cut) { return cut != Cut::hour_of_day && cut != Cut::traffic; }

std::string sum_columns() { return "visitors, visitor_count, rows, pageviews, events" + by_threes(kVisitSums); }
std::string time_columns() { return "known_times, time_sum" + by_threes(kDepthSums); }

bool has_times(Cut cut) { return cut == Cut::total || cut == Cut::page; }

bool has_months(Cut cut) { return cut != Cut::hour_of_day; }

bool has_many_values(Cut cut) {
  switch (cut) {
    case Cut::page:
    case Cut::entry_page:
    case Cut::exit_page:
    case Cut::city:
      return true;
    default:
      return false;
  }
}

uint32_t part_of_day(int64_t day) {
  const CivilDay civil = civil_from_days(day);
  return static_cast<uint32_t>(civil.year) * 100 + civil.month;
}

// Visits belong to the span of their first event, and a row counts in its own span, and for its visit in that in which
// the visit began.
std::string placed_rows(ProjectId project, std::span<const Range> spans, const Numbers& numbers,
                        std::span<const Cut> cuts) {
  WEIR_CHECK(!spans.empty());
  const Range whole{spans.front().from, spans.back().to};
  std::string columns;
  bool pages = false;
  for (Cut cut : cuts) {
    if (cut == Cut::entry_page) columns += fmt::format(", {} AS entry_page", kEntryPage);
    if (cut == Cut::exit_page) columns += ", w.exit_page AS exit_page";
    pages = pages || by_visit_page(cut);
    for (const Kind& kind : kByAttribute)
      if (kind.cut == cut && !by_visit_page(cut) && cut != Cut::event_name)
        columns += fmt::format(", e.{0} AS {0}", column_of(kind.attribute));
  }
  return fmt::format(
      "SELECT e.session_id AS session_id, toUInt32(k.n) AS n, place.1 AS began, toUInt8(place.2) AS inside, {} AS "
      "second, toString(e.kind) AS kind, toString(e.name) AS name, toInt64(w.bounce) AS bounce, toUInt64(w.took) AS "
      "took{}, {} FROM {} AS e ANY LEFT JOIN ({}) AS k ON e.visitor_id = k.visitor_id ANY LEFT JOIN ({}) AS w ON "
      "e.session_id = w.session_id WHERE project_id = {} AND {} AND traffic = 'human'",
      kSecond, columns, places_of(spans), kRows, numbers_sql(project, spans, numbers),
      visits_sql(project, whole, true, pages), number(project), has_place(whole));
}

namespace {
// The three sums of each of kVisitSums, `counted` being what a visit is counted by: a condition, or empty.
std::string visit_sums(const std::string& counted) {
  const std::string also = counted.empty() ? "" : " AND " + counted;
  std::string sums;
  for (std::string_view name : kVisitSums) {
    const std::string_view of = name == "visits" ? "1" : name == "bounces" ? "bounce" : "took";
    sums += fmt::format(
        ", toUInt64(sumIf({0}, here AND start >= began{2})) AS {1}, toUInt64(sumIf({0}, NOT here{2})) AS {1}_next, "
        "toUInt64(sumIf({0}, here AND start < began{2})) AS {1}_before",
        of, name, also);
  }
  return sums;
}

// Visit by visit, whatever values each has. `where`: which rows, or empty. `rows_count`: else only their visits.
std::string by_visits(const std::string& placed, Cut cut, const std::string& value, const std::string& where,
                      bool rows_count) {
  std::string condition = where;
  if (cut == Cut::page || cut == Cut::page_total)
    condition += fmt::format("{}name IN ('pageview', 'engagement')", where.empty() ? "" : " AND ");
  const std::string rows =
      rows_count
          ? "groupBitmapStateIf(n, here) AS visitors, toUInt32(bitmapCardinality(groupBitmapStateIf(n, here))) AS "
            "visitor_count, sum(rows_) AS rows, sum(pageviews_) AS pageviews, sum(events_) AS events"
          : "groupBitmapStateIf(n, 0) AS visitors, toUInt32(0) AS visitor_count, toUInt64(0) AS rows, toUInt64(0) AS "
            "pageviews, toUInt64(0) AS events";
  return fmt::format(
      "SELECT toString(v) AS value, began, {}{} FROM (SELECT session_id, {} AS v, began, any(n) AS n, any(start) AS "
      "start, any(bounce) AS bounce, any(took) AS took, max(inside) AS here, sum(inside) AS rows_, countIf(inside AND "
      "kind = 'pageview') AS pageviews_, countIf(inside AND kind != 'engagement') AS events_ FROM {}{} GROUP BY "
      "session_id, v, began) GROUP BY v, began",
      rows, visit_sums(""), value, placed, condition.empty() ? "" : " WHERE " + condition);
}

// Whether it may differ between the rows of one visit as a matter of course.
bool is_of_rows(Cut cut) { return cut == Cut::page || cut == Cut::page_total || cut == Cut::event_name; }
}  // namespace

std::string marked_rows(const std::string& placed, const std::string& columns) {
  std::string said;
  for (const Kind& kind : kByAttribute)
    if (!is_of_rows(kind.cut))
      said += fmt::format("{}{}", said.empty() ? "" : ", ", value_of(kind.cut, Zone::utc(), {}));
  return fmt::format(
      "SELECT {0}, row_number() OVER w = 1 AS leads, min(said) OVER w = max(said) OVER w AS uniform, max(inside) OVER "
      "w AS here FROM (SELECT {0}, cityHash64({1}) AS said FROM ({2})) WINDOW w AS (PARTITION BY session_id, began "
      "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
      columns, said, placed);
}

std::string sums_of_marked(const std::string& marked, Cut cut, const Zone& zone, const Range& whole) {
  WEIR_CHECK(cut != Cut::traffic);
  const std::string value = value_of(cut, zone, {whole.from, whole.to + kVisitLength + 1});
  if (is_of_rows(cut)) return by_visits(marked, cut, value, "", true);
  std::string visits = no_threes(kVisitSums);
  if (has_visits(cut)) visits = visit_sums(cut == Cut::total ? "leads" : "leads AND uniform");
  std::string sums = fmt::format(
      "SELECT toString(v) AS value, began, groupBitmapStateIf(n, inside) AS visitors, "
      "toUInt32(bitmapCardinality(groupBitmapStateIf(n, inside))) AS visitor_count, toUInt64(countIf(inside)) AS rows, "
      "toUInt64(countIf(inside AND kind = 'pageview')) AS pageviews, toUInt64(countIf(inside AND kind != "
      "'engagement')) AS events{} FROM (SELECT {} AS v, began, inside, n, kind, start, bounce, took, here, leads, "
      "uniform FROM {}) GROUP BY v, began",
      visits, value, marked);
  if (has_visits(cut) && cut != Cut::total) sums += " UNION ALL " + by_visits(marked, cut, value, "NOT uniform", false);
  return sums;
}

std::string sums_of_rows(ProjectId project, Cut cut, const Zone& zone, std::span<const Range> spans, bool with_visits,
                         const Numbers& numbers) {
  WEIR_CHECK(!spans.empty());
  if (!with_visits || !has_visits(cut)) return from_rows_alone(project, cut, zone, spans, numbers);
  return by_visits("(" + placed_rows(project, spans, numbers, std::span(&cut, 1)) + ")", cut,
                   value_of(cut, zone, {spans.front().from, spans.back().to + kVisitLength + 1}), "", true);
}

namespace {
// The number of a property of an engagement event.
std::string number_of(std::string_view key) { return fmt::format("toFloat64OrZero(number_properties['{}'])", key); }
std::string has_number(std::string_view key) { return fmt::format("mapContains(number_properties, '{}')", key); }

// The time of each pageview counts where the pageview does, in each of the cuts that has it.
std::string page_times(ProjectId project, std::span<const Cut> cuts, std::span<const Range> spans) {
  const std::string began =
      fmt::format("toInt64(if({}, {}, -1))", rows_of(Cut::total), began_of(spans, std::string(kSecond)));
  const std::string times = pageview_times(
      {fmt::format("if({}, {}, -1)", has_number("engaged_ms"), number_of("engaged_ms")),
       began + ", " + rows_of(Cut::page), std::string(kRows),
       fmt::format("project_id = {} AND {}", number(project), onward_sql(spans.front().from, spans.back().to)),
       "p.2 != -1"});
  std::vector<std::string> places;
  for (Cut cut : cuts)
    places.push_back(cut == Cut::page ? fmt::format("if(p.3, [({}, p.1)], [])", static_cast<int>(cut))
                                      : fmt::format("[({}, '')]", static_cast<int>(cut)));
  return fmt::format(
      "SELECT place.1 AS cut, place.2 AS value, p.2 AS began, count() AS known_times, toUInt64(sum(took)) AS time_sum "
      "FROM (SELECT p, took, arrayJoin(arrayConcat({})) AS place FROM ({})) WHERE took >= 0 GROUP BY cut, value, began",
      joined(places, ", "), times);
}

// The depth of a visit is the greatest of its rows; in thousandths. What the next span adds to it is `next`.
std::string page_depths(ProjectId project, Cut cut, std::span<const Range> spans) {
  const Range whole{spans.front().from, spans.back().to};
  const std::string depth = number_of("scroll_depth");
  return fmt::format(
      "SELECT toString(v) AS value, began, toUInt64(countIf(here AND start >= began)) AS depths, toUInt64(countIf(NOT "
      "here)) AS depths_next, toUInt64(countIf(here AND start < began)) AS depths_before, toUInt64(sumIf(inside, start "
      ">= began)) AS depth_sum, toUInt64(sumIf(most - inside, start >= began)) AS depth_sum_next, "
      "toUInt64(sumIf(inside, start < began)) AS depth_sum_before FROM (SELECT session_id, {} AS v, place.1 AS began, "
      "any(start) AS start, max(place.2) AS here, maxIf(depth, place.2 = 1) AS inside, max(depth) AS most FROM (SELECT "
      "session_id, path, toInt64(round({} * 1000)) AS depth, {} FROM {} WHERE project_id = {} AND {} AND kind = "
      "'engagement' AND {} AND {} AND {} BETWEEN 0 AND 100) GROUP BY session_id, v, began) GROUP BY v, began",
      cut == Cut::page ? "path" : "''", depth, places_of(spans), kRows, number(project), has_place(whole), rows_of(cut),
      has_number("scroll_depth"), depth);
}
}  // namespace

std::string times_of_rows(ProjectId project, std::span<const Cut> cuts, const std::vector<Range>& spans) {
  WEIR_CHECK(!spans.empty() && std::all_of(cuts.begin(), cuts.end(), has_times));
  std::string sums = fmt::format("SELECT toUInt8(cut) AS cut, value, began, known_times, time_sum{} FROM ({})",
                                 no_threes(kDepthSums), page_times(project, cuts, spans));
  for (Cut cut : cuts)
    sums += fmt::format(
        " UNION ALL SELECT toUInt8({}) AS cut, value, began, toUInt64(0) AS known_times, toUInt64(0) AS time_sum{} "
        "FROM ({})",
        static_cast<int>(cut), by_threes(kDepthSums), page_depths(project, cut, spans));
  return sums;
}

}  // namespace weir::query
