#include "weir/query/statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/base/check.h"
#include "weir/query/conditions.h"
#include "weir/query/time_sql.h"

// How an answer comes about. Each metric is made of a few sums (Part). Sums that are counted alike, from the rows one
// by one, from whole visits, from the pageviews of a visit in their order, are one family: one subquery grouped by the
// dimensions. The families' results are put below each other and added up by dimension; from the sums the metrics are
// worked out in whole numbers, so that they can be compared to the last digit.
namespace weir::query {

namespace {
enum class Part : uint8_t {
  visitors,
  visits,        // distinct visits of the matching events
  whole_visits,  // the visits whose bounce and duration count here
  bounces,
  duration,  // milliseconds
  pageviews,
  events,
  rows,  // matching events of all kinds
  entries,
  exits,
  page_views,  // pageviews of a page, whatever the visit's exit page
  depths,      // visits with a scroll depth, and the sum of it
  depth_sum,
  known_times,  // pageviews whose time is known, and the sum of it in milliseconds
  time_sum,
  payments,
  revenue,
  currencies,  // as an array
};
constexpr size_t kParts = 18;
constexpr std::array<std::string_view, kParts> kPartNames = {
    "visitors",  "visits",      "whole_visits", "bounces",  "duration",   "pageviews",
    "events",    "rows_",       "entries",      "exits",    "page_views", "depths",
    "depth_sum", "known_times", "time_sum",     "payments", "revenue",    "currencies"};
std::string_view name_of(Part part) { return kPartNames.at(static_cast<size_t>(part)); }

using Sums = std::vector<std::pair<Part, std::string>>;  // a part and the expression that counts it

// Writes one statement.
class Writer {
 public:
  Writer(const Question& question, const Range& range, Dialect dialect, const ShownRows* only)
      : q_(question), range_(range), only_(only), values_(dialect), conditions_(question, range, dialect, values_) {
    for (const Dimension& dimension : question.dimensions) times_.emplace_back(question.zone, range, dimension.bucket);
  }

  Statement answer();
  Statement count();

 private:
  // Where a dimension's value is taken from: the row, or (time only) the visit's first event.
  enum class Of : uint8_t { row, visit };

  void choose_parts();
  void need(Part part) {
    if (std::find(parts_.begin(), parts_.end(), part) == parts_.end()) parts_.push_back(part);
  }
  bool needs(Part part) const { return std::find(parts_.begin(), parts_.end(), part) != parts_.end(); }

  bool by_goal() const { return has_dimension(Attribute::goal); }
  bool by_visit_page() const { return has_dimension(Attribute::entry_page) || has_dimension(Attribute::exit_page); }
  bool has_dimension(Attribute attribute) const {
    return std::any_of(q_.dimensions.begin(), q_.dimensions.end(),
                       [&](const Dimension& d) { return d.attribute == attribute; });
  }

  std::string matching(bool without_goals = false);
  std::string dimension_sql(size_t i, Of of);
  std::vector<std::string> dimensions_sql(Of of);
  std::string shown_dimension(size_t i);
  std::string distinct(std::string_view column) const;
  // "d0, d1" and ", d0, d1"; `but` is left out.
  std::string names(std::string_view before = "", std::string_view prefix = "d") const;
  std::string group_by(std::string_view prefix = "d") const;
  std::string family(const Sums& sums, const std::string& from, std::span<const std::string> dimensions);
  std::string goals_array();
  std::string filtered_currency() const;
  std::string with_pages();  // the table, with its visits' pages where a dimension asks for them
  std::string source();      // the same, a row for each goal that it reaches where a dimension asks for goals
  // The dimensions as members of a tuple `name` behind those that are there already: appends what they are taken from,
  // answers how they are found again, and what has to be joined for that.
  std::vector<std::string> in_tuple(std::string_view name, std::vector<std::string>& members, std::string& join);
  std::string visits_of(const std::string& facts, const std::string& having);

  std::string rows_family();
  std::string visits_family();
  std::string visits_family_by_row();
  std::string ends_family();
  std::string page_views_family();
  std::string depth_family();
  std::string times_family();

  std::string sums();  // all families together
  std::string share(std::string_view part, const std::string& total);
  std::string metric(Metric metric);
  std::string total_of(const std::string& sum, bool without_goals);
  std::string group_visitors();
  std::string order_by() const;
  std::string restriction();

  const Question& q_;
  const Range range_;
  const ShownRows* only_;
  Values values_;
  Conditions conditions_;
  std::vector<TimeSql> times_;  // by dimension
  std::vector<Part> parts_;
  Part visits_part_ = Part::visits;
  bool joins_groups_ = false;  // group_conversion_rate over more than goals
};

// Visits without a dimension of time, or by a fine one, are those of the matching events; by days and more they belong
// to the bucket of their first event, which their rows may not be in.
void Writer::choose_parts() {
  const bool timed = has_dimension(Attribute::time);
  const bool coarse = timed && std::none_of(q_.dimensions.begin(), q_.dimensions.end(),
                                            [](const Dimension& d) { return is_fine(d.bucket); });
  bool whole = false;
  bool visits = false;
  for (Metric metric : q_.metrics) {
    switch (metric) {
      case Metric::visitors:
      case Metric::percentage:
      case Metric::conversion_rate:
      case Metric::group_conversion_rate:
        need(Part::visitors);
        break;
      case Metric::visits:
      case Metric::visits_percentage:
        visits = true;
        break;
      case Metric::pageviews:
      case Metric::pageviews_percentage:
        need(Part::pageviews);
        break;
      case Metric::events:
      case Metric::events_percentage:
        need(Part::events);
        break;
      case Metric::views_per_visit:
        need(Part::pageviews);
        visits = true;
        break;
      case Metric::bounce_rate:
        need(Part::bounces);
        whole = true;
        break;
      case Metric::visit_duration:
        need(Part::duration);
        whole = true;
        break;
      case Metric::entries:
        need(Part::entries);
        break;
      case Metric::exits:
        need(Part::exits);
        break;
      case Metric::exit_rate:
        if (has_dimension(Attribute::exit_page)) {
          visits = true;
          need(Part::page_views);
        } else {
          need(Part::exits);
          need(Part::pageviews);
        }
        break;
      case Metric::conversions:
        need(Part::rows);
        break;
      case Metric::scroll_depth:
        need(Part::depths);
        need(Part::depth_sum);
        break;
      case Metric::time_on_page:
        need(Part::known_times);
        need(Part::time_sum);
        break;
      case Metric::total_revenue:
      case Metric::average_revenue:
        need(Part::payments);
        need(Part::revenue);
        need(Part::currencies);
        break;
    }
  }
  if (visits) visits_part_ = coarse || (whole && !timed) ? Part::whole_visits : Part::visits;
  if (visits) need(visits_part_);
  if (whole) need(Part::whole_visits);
}

std::string Writer::matching(bool without_goals) {
  return fmt::format("{} AND {} AND {}", conditions_.in_range(), conditions_.traffic(),
                     conditions_.filter(without_goals));
}

std::string Writer::distinct(std::string_view column) const {
  return fmt::format("{}({})", q_.exact ? "uniqExact" : "uniqCombined64", column);
}

std::string Writer::dimension_sql(size_t i, Of of) {
  const Dimension& dimension = q_.dimensions[i];
  switch (dimension.attribute) {
    case Attribute::time:
      if (of == Of::row) return times_[i].key("toInt64(toUnixTimestamp(timestamp))");
      return times_[i].key(fmt::format("greatest(toInt64({}), {})", Conditions::kVisitStart, range_.from));
    case Attribute::goal:
      return "goal";
    case Attribute::entry_page:
    case Attribute::exit_page:
      return fmt::format("transform(v.{}, [''], [{}])",
                         dimension.attribute == Attribute::entry_page ? "entry_page" : "exit_page",
                         values_.text(empty_label(dimension.attribute)));
    default:
      // Of one column alone, so that texts that repeat are looked up once each.
      return fmt::format("transform({}, [''], [{}])", conditions_.value(dimension),
                         values_.text(empty_label(dimension.attribute)));
  }
}

std::vector<std::string> Writer::dimensions_sql(Of of) {
  std::vector<std::string> all;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) all.push_back(dimension_sql(i, of));
  return all;
}

std::string Writer::names(std::string_view before, std::string_view prefix) const {
  std::string out;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) out += fmt::format("{}{}{}", i == 0 ? before : ", ", prefix, i);
  return out;
}

std::string Writer::group_by(std::string_view prefix) const {
  return q_.dimensions.empty() ? "" : " GROUP BY " + names("", prefix);
}

// One family's subquery: `sums` of `from`, by `dimensions`; all other parts are nothing.
std::string Writer::family(const Sums& sums, const std::string& from, std::span<const std::string> dimensions) {
  std::string columns;
  for (size_t i = 0; i < dimensions.size(); ++i) columns += fmt::format("{} AS d{}, ", dimensions[i], i);
  for (size_t i = 0; i < parts_.size(); ++i) {
    std::string expression;
    for (const auto& [part, sum] : sums)
      if (part == parts_[i]) expression = sum;
    if (parts_[i] == Part::revenue) {
      expression = expression.empty() ? "toDecimal128(0, 6)" : "toDecimal128(" + expression + ", 6)";
    } else if (parts_[i] == Part::currencies) {
      if (expression.empty()) expression = "emptyArrayString()";
    } else {
      expression = expression.empty() ? "toUInt64(0)" : "toUInt64(" + expression + ")";
    }
    columns += fmt::format("{}{} AS {}", i == 0 ? "" : ", ", expression, name_of(parts_[i]));
  }
  return fmt::format("SELECT {} FROM {}{}", columns, from, group_by());
}

// The names of the goals that a row reaches.
std::string Writer::goals_array() {
  std::vector<std::string> each;
  for (const Goal& goal : q_.goals) {
    const bool wanted = std::none_of(q_.filter.parts.begin(), q_.filter.parts.end(), [&](const Filter& part) {
      // Filters by goal choose among the rows of goals, too.
      if (part.kind != Filter::Kind::leaf || part.dimension.attribute != Attribute::goal) return false;
      const bool named = std::any_of(part.values.begin(), part.values.end(), [&](const std::string& value) {
        const bool whole = part.op == Op::is || part.op == Op::is_not;
        return whole ? goal.name == value : goal.name.find(value) != std::string::npos;
      });
      return named == is_negative(part.op);
    });
    if (wanted) each.push_back(fmt::format("if({}, {}, '')", conditions_.reaches(goal), values_.text(goal.name)));
  }
  if (each.empty()) return "emptyArrayString()";
  return fmt::format("arrayFilter(g -> g != '', [{}])", joined(each, ", "));
}

// The currency of the goals that the question is filtered by, when they all have the same one.
std::string Writer::filtered_currency() const {
  std::string currency;
  for (const Filter& part : q_.filter.parts) {
    if (part.kind != Filter::Kind::leaf || part.dimension.attribute != Attribute::goal || part.op != Op::is) continue;
    for (const Goal& goal : q_.goals) {
      if (std::find(part.values.begin(), part.values.end(), goal.name) == part.values.end()) continue;
      if (goal.currency.empty() || (!currency.empty() && currency != goal.currency)) return {};
      currency = goal.currency;
    }
  }
  return currency;
}

// A subquery of the visits around the range, with facts of each.
std::string Writer::visits_of(const std::string& facts, const std::string& having) {
  return fmt::format("(SELECT session_id, {} FROM {} WHERE {} AND {}{} GROUP BY session_id)", facts,
                     conditions_.table(), conditions_.project(), conditions_.around_range(), having);
}

std::string Writer::with_pages() {
  std::string from = std::string(conditions_.table());
  if (!by_visit_page()) return from;
  const std::string page = fmt::format("If(toString(path), {}, kind = 'pageview')", Conditions::kOrder);
  return fmt::format("{} AS e ANY LEFT JOIN {} AS v ON e.session_id = v.session_id", from,
                     visits_of(fmt::format("argMin{0} AS entry_page, argMax{0} AS exit_page", page), ""));
}

std::string Writer::source() {
  std::string from = with_pages();
  if (by_goal()) from += fmt::format(" ARRAY JOIN {} AS goal", goals_array());
  return from;
}

std::vector<std::string> Writer::in_tuple(std::string_view name, std::vector<std::string>& members, std::string& join) {
  std::vector<std::string> found;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    const bool goals = q_.dimensions[i].attribute == Attribute::goal;
    members.push_back(goals ? goals_array() : dimension_sql(i, Of::row));
    if (goals) join = fmt::format(" ARRAY JOIN {}.{} AS goal", name, members.size());
    found.push_back(goals ? "goal" : fmt::format("{}.{}", name, members.size()));
  }
  return found;
}

std::string Writer::rows_family() {
  Sums sums = {{Part::visitors, distinct("visitor_id")},
               {Part::visits, distinct("session_id")},
               {Part::pageviews, "countIf(kind = 'pageview')"},
               {Part::events, "countIf(kind != 'engagement')"},
               {Part::rows, "count()"}};
  if (needs(Part::revenue)) {
    // Where goals are asked for that have a currency, what was paid for them in another does not count.
    std::string paid = "revenue_amount IS NOT NULL";
    if (const std::string currency = filtered_currency(); !currency.empty())
      paid += fmt::format(" AND revenue_currency = {}", values_.text(currency));
    if (by_goal()) {
      for (const Goal& goal : q_.goals)
        if (!goal.currency.empty())
          paid += fmt::format(" AND (goal != {} OR revenue_currency = {})", values_.text(goal.name),
                              values_.text(goal.currency));
    }
    sums.emplace_back(Part::payments, fmt::format("countIf({})", paid));
    sums.emplace_back(Part::revenue, fmt::format("ifNull(sumIf(revenue_amount, {}), 0)", paid));
    sums.emplace_back(Part::currencies, fmt::format("groupUniqArrayIf(3)(revenue_currency, {})", paid));
  }
  return family(sums, fmt::format("{} WHERE {} AND {}", source(), conditions_.project(), matching()),
                dimensions_sql(Of::row));
}

// Whole visits in one pass: each visit's groups are those of its matching rows, its bounce and duration those of all
// its rows.
std::string Writer::visits_family() {
  if (by_goal() || by_visit_page()) return visits_family_by_row();
  std::vector<std::string> columns;  // of the rows
  std::vector<std::string> dimensions;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    if (q_.dimensions[i].attribute == Attribute::time) {
      dimensions.push_back(dimension_sql(i, Of::visit));
    } else {
      columns.push_back(dimension_sql(i, Of::row));
      dimensions.push_back(fmt::format("g.{}", columns.size()));
    }
  }
  const std::string match = matching();
  std::string groups = columns.empty()
                           ? fmt::format("countIf({}) AS groups", match)
                           : fmt::format("groupUniqArrayIf(tuple({}), {}) AS groups", joined(columns, ", "), match);
  std::string from = fmt::format(
      "(SELECT session_id, {}, sum(visit_bounce) AS bounce, sum(visit_gap_ms) AS took FROM {} WHERE {} AND {} GROUP BY "
      "session_id HAVING {})",
      groups, conditions_.table(), conditions_.project(), conditions_.around_range(),
      columns.empty() ? "groups > 0" : "notEmpty(groups)");
  if (!columns.empty()) from += " ARRAY JOIN groups AS g";
  return family({{Part::whole_visits, "count()"}, {Part::bounces, "sum(bounce)"}, {Part::duration, "sum(took)"}}, from,
                dimensions);
}

// The same where a row's groups take more than its columns: first the visits with their groups, then what they are.
std::string Writer::visits_family_by_row() {
  std::string columns;
  for (size_t i = 0; i < q_.dimensions.size(); ++i)
    columns += fmt::format(", {} AS g{}", dimension_sql(i, Of::visit), i);
  const std::string matched = fmt::format("SELECT DISTINCT session_id{} FROM {} WHERE {} AND {}", columns, source(),
                                          conditions_.project(), matching());
  const std::string found = fmt::format(" AND session_id IN (SELECT session_id FROM {} WHERE {} AND {})",
                                        conditions_.table(), conditions_.project(), matching());
  std::vector<std::string> dimensions;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) dimensions.push_back(fmt::format("m.g{}", i));
  return family({{Part::whole_visits, "count()"}, {Part::bounces, "sum(w.bounce)"}, {Part::duration, "sum(w.took)"}},
                fmt::format("({}) AS m ANY LEFT JOIN {} AS w ON m.session_id = w.session_id", matched,
                            visits_of("sum(visit_bounce) AS bounce, sum(visit_gap_ms) AS took", found)),
                dimensions);
}

// The first and the last pageview of each visit, where they match.
std::string Writer::ends_family() {
  std::vector<std::string> members = {fmt::format("({})", matching())};
  std::string join;
  const std::vector<std::string> dimensions = in_tuple("p", members, join);
  std::vector<std::string> selects;
  for (auto [part, pick] : {std::pair(Part::entries, "argMin"), std::pair(Part::exits, "argMax")}) {
    if (!needs(part)) continue;
    selects.push_back(family(
        {{part, "count()"}},
        fmt::format("(SELECT {}If(tuple({}), {}, kind = 'pageview') AS p FROM {} WHERE {} AND {} GROUP BY session_id "
                    "HAVING p.1 = 1){}",
                    pick, joined(members, ", "), Conditions::kOrder, with_pages(), conditions_.project(),
                    conditions_.around_range(), join),
        dimensions));
  }
  return joined(selects, " UNION ALL ");
}

// By exit page: all pageviews of the page.
std::string Writer::page_views_family() {
  std::vector<std::string> dimensions = dimensions_sql(Of::row);
  for (size_t i = 0; i < q_.dimensions.size(); ++i)
    if (q_.dimensions[i].attribute == Attribute::exit_page)
      dimensions[i] =
          fmt::format("transform(toString(path), [''], [{}])", values_.text(empty_label(Attribute::exit_page)));
  const std::string from =
      has_dimension(Attribute::entry_page) || by_goal() ? source() : std::string(conditions_.table());
  return family({{Part::page_views, "count()"}},
                fmt::format("{} WHERE {} AND {} AND kind = 'pageview'", from, conditions_.project(), matching()),
                dimensions);
}

std::string Writer::depth_family() {
  const std::string depth = conditions_.number_of("scroll_depth");
  std::string columns;
  std::vector<std::string> dimensions;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    columns += fmt::format(", {} AS g{}", dimension_sql(i, Of::row), i);
    dimensions.push_back(fmt::format("g{}", i));
  }
  return family(
      {{Part::depths, "count()"}, {Part::depth_sum, "sum(toInt64(round(depth * 1000)))"}},
      fmt::format(
          "(SELECT session_id{}, max({}) AS depth FROM {} WHERE {} AND {} AND kind = 'engagement' AND {} AND {} "
          "BETWEEN 0 AND 100 GROUP BY session_id{})",
          columns, depth, source(), conditions_.project(), matching(), conditions_.has_number("scroll_depth"), depth,
          names(", ", "g")),
      dimensions);
}

// The time of each pageview: what was reported of it until the visit's next, else the time to that.
std::string Writer::times_family() {
  std::vector<std::string> members = {
      std::string(Conditions::kOrder),
      "kind = 'pageview'",
      "toString(path)",
      "toUnixTimestamp64Milli(timestamp)",
      fmt::format("if({}, {}, -1)", conditions_.has_number("engaged_ms"), conditions_.number_of("engaged_ms")),
      fmt::format("({})", matching())};
  std::string join;
  const std::vector<std::string> dimensions = in_tuple("p", members, join);
  const std::string visits = fmt::format(
      "SELECT session_id, arraySort(x -> x.1, groupArray(tuple({}))) AS seen, arrayCumSum(arrayMap(x -> x.2, seen)) AS "
      "page, arrayMap(x -> x.4, arrayFilter(x -> x.2 = 1, seen)) AS times, arrayMap(n -> if(n < length(times), "
      "times[n + 1], -1), page) AS nexts FROM {} WHERE {} AND {} AND kind IN ('pageview', 'engagement') GROUP BY "
      "session_id",
      joined(members, ", "), with_pages(), conditions_.project(), conditions_.around_range());
  const std::string pages = fmt::format(
      "SELECT anyIf(x, x.2 = 1) AS p, any(next) AS next_time, groupArrayIf((x.3, x.5), x.2 = 0 AND x.5 >= 0) AS told "
      "FROM ({}) ARRAY JOIN seen AS x, page AS n, nexts AS next WHERE n > 0 GROUP BY session_id, n HAVING p.6 = 1",
      visits);
  const std::string times = fmt::format(
      "SELECT p, arrayFilter(t -> t.1 = p.3, told) AS own, multiIf(notEmpty(own), toInt64(round(arraySum(t -> t.2, "
      "own))), next_time >= 0, next_time - p.4, -1) AS took FROM ({})",
      pages);
  return family({{Part::known_times, "count()"}, {Part::time_sum, "sum(took)"}},
                fmt::format("({}){} WHERE took >= 0", times, join), dimensions);
}

std::string Writer::sums() {
  auto any_of = [&](std::initializer_list<Part> parts) {
    return std::any_of(parts.begin(), parts.end(), [&](Part part) { return needs(part); });
  };
  std::vector<std::string> families;
  if (any_of({Part::visitors, Part::visits, Part::pageviews, Part::events, Part::rows, Part::revenue}))
    families.push_back(rows_family());
  if (any_of({Part::whole_visits})) families.push_back(visits_family());
  if (any_of({Part::entries, Part::exits})) families.push_back(ends_family());
  if (any_of({Part::page_views})) families.push_back(page_views_family());
  if (any_of({Part::depths})) families.push_back(depth_family());
  if (any_of({Part::known_times})) families.push_back(times_family());
  // A group is there when an event matches, whether or not there is anything to be said of it.
  if (!any_of({Part::visitors, Part::visits, Part::pageviews, Part::events, Part::rows, Part::revenue}) &&
      !q_.dimensions.empty() && any_of({Part::entries, Part::exits, Part::depths, Part::known_times}))
    families.push_back(rows_family());
  if (families.size() == 1 && !(needs(Part::entries) && needs(Part::exits))) return "(" + families.front() + ")";
  std::string columns = names("") + (q_.dimensions.empty() ? "" : ", ");
  for (size_t i = 0; i < parts_.size(); ++i)
    columns += fmt::format("{}{}(u.{}) AS {}", i == 0 ? "" : ", ",
                           parts_[i] == Part::currencies ? "groupUniqArrayArray" : "sum", name_of(parts_[i]),
                           name_of(parts_[i]));
  // The pageviews of pages that no visit ended on are no group of their own.
  const std::string having =
      needs(Part::page_views) ? fmt::format(" HAVING sum(u.{}) > 0", name_of(visits_part_)) : std::string();
  return fmt::format("(SELECT {} FROM ({}) AS u{}{})", columns, joined(families, " UNION ALL "), group_by(), having);
}

// a in b, in percent with two decimals.
std::string Writer::share(std::string_view part, const std::string& total) {
  return fmt::format("if({1} = 0, NULL, intDiv({0} * 20000 + {1}, greatest(2 * {1}, 1)) / 100)", part, total);
}

std::string Writer::total_of(const std::string& sum, bool without_goals) {
  return fmt::format("(SELECT toUInt64({}) FROM {} WHERE {} AND {})", sum, conditions_.table(), conditions_.project(),
                     matching(without_goals));
}

// Visitors by all dimensions but the goal, whatever goals they reach.
std::string Writer::group_visitors() {
  std::string columns;
  std::string grouped;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    if (q_.dimensions[i].attribute == Attribute::goal) continue;
    columns += fmt::format("{} AS b{}, ", dimension_sql(i, Of::row), i);
    grouped += fmt::format("{}b{}", grouped.empty() ? "" : ", ", i);
  }
  return fmt::format("(SELECT {}toUInt64({}) AS base FROM {} WHERE {} AND {} GROUP BY {})", columns,
                     distinct("visitor_id"), with_pages(), conditions_.project(), matching(true), grouped);
}

std::string Writer::metric(Metric metric) {
  const std::string_view visits = name_of(visits_part_);
  switch (metric) {
    case Metric::visitors:
      return "visitors";
    case Metric::visits:
      return std::string(visits);
    case Metric::pageviews:
      return "pageviews";
    case Metric::events:
      return "events";
    case Metric::entries:
      return "entries";
    case Metric::exits:
      return "exits";
    case Metric::conversions:
      return "rows_";
    case Metric::views_per_visit:
      return fmt::format("if({0} = 0, NULL, intDiv(pageviews * 200 + {0}, greatest(2 * {0}, 1)) / 100)", visits);
    case Metric::bounce_rate:
      return "if(whole_visits = 0, NULL, intDiv(bounces * 200 + whole_visits, greatest(2 * whole_visits, 1)))";
    case Metric::visit_duration:
      return "if(whole_visits = 0, NULL, intDiv(2 * duration + 1000 * whole_visits, greatest(2000 * whole_visits, 1)))";
    case Metric::time_on_page:
      return "if(known_times = 0, NULL, intDiv(2 * time_sum + 1000 * known_times, greatest(2000 * known_times, 1)))";
    case Metric::scroll_depth:
      return "if(depths = 0, NULL, intDiv(2 * depth_sum + 1000 * depths, greatest(2000 * depths, 1)))";
    case Metric::exit_rate: {
      const bool by_exit = has_dimension(Attribute::exit_page);
      return fmt::format("if({1} = 0, NULL, intDiv({0} * 2000 + {1}, greatest(2 * {1}, 1)) / 10)",
                         by_exit ? visits : "exits", by_exit ? "page_views" : "pageviews");
    }
    case Metric::percentage:
      return share("visitors", total_of(distinct("visitor_id"), false));
    case Metric::visits_percentage:
      return share(visits, total_of(distinct("session_id"), false));
    case Metric::pageviews_percentage:
      return share("pageviews", total_of("countIf(kind = 'pageview')", false));
    case Metric::events_percentage:
      return share("events", total_of("countIf(kind != 'engagement')", false));
    case Metric::conversion_rate:
      return share("visitors", total_of(distinct("visitor_id"), true));
    case Metric::group_conversion_rate:
      return share("visitors", joins_groups_ ? "base" : total_of(distinct("visitor_id"), true));
    // In one currency, or not at all.
    case Metric::total_revenue:
      return "multiIf(length(currencies) = 1, concat(toString(revenue), ' ', currencies[1]), length(currencies) > 1, "
             "'mixed', NULL)";
    case Metric::average_revenue:
      return "multiIf(length(currencies) = 1, concat(toString(revenue / greatest(payments, 1)), ' ', currencies[1]), "
             "length(currencies) > 1, 'mixed', NULL)";
  }
  fatal("query: a metric of no kind");
}

std::string Writer::shown_dimension(size_t i) {
  if (q_.dimensions[i].attribute != Attribute::time) return fmt::format("toString(d{})", i);
  return times_[i].label(fmt::format("d{}", i), values_);
}

std::string Writer::order_by() const {
  std::vector<std::string> keys;
  std::vector<bool> used(q_.dimensions.size());
  for (const Order& order : q_.order) {
    // Time by its moment, not by its label.
    std::string key;
    if (order.by_metric) {
      key = is_money(q_.metrics[order.index])
                ? fmt::format("toDecimal128OrNull(splitByChar(' ', ifNull(m{}, ''))[1], 6)", order.index)
                : fmt::format("m{}", order.index);
    } else {
      used[order.index] = true;
      key = fmt::format("{}{}", q_.dimensions[order.index].attribute == Attribute::time ? "d" : "s", order.index);
    }
    keys.push_back(key + (order.descending ? " DESC NULLS LAST" : " ASC NULLS LAST"));
  }
  for (size_t i = 0; i < q_.dimensions.size(); ++i)
    if (!used[i]) keys.push_back(fmt::format("{}{} ASC", q_.dimensions[i].attribute == Attribute::time ? "d" : "s", i));
  return keys.empty() ? "" : " ORDER BY " + joined(keys, ", ");
}

// Only the rows that the comparison is asked for.
std::string Writer::restriction() {
  if (only_ == nullptr || only_->empty()) return {};
  std::vector<std::string> columns;
  std::vector<std::string> lists;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    if (q_.dimensions[i].attribute == Attribute::time) continue;
    std::vector<std::string> shown;
    for (const auto& row : *only_) shown.push_back(row[i]);
    if (columns.empty() || !shown.empty()) {
      columns.push_back(fmt::format("s{}", i));
      lists.push_back("[" + values_.texts(shown) + "]");
    }
  }
  if (columns.empty()) return {};
  if (columns.size() == 1) return fmt::format(" WHERE has({}, {})", lists.front(), columns.front());
  return fmt::format(" WHERE ({}) IN (SELECT arrayJoin(arrayZip({})))", joined(columns, ", "), joined(lists, ", "));
}

Statement Writer::answer() {
  choose_parts();
  const bool wants_groups =
      std::find(q_.metrics.begin(), q_.metrics.end(), Metric::group_conversion_rate) != q_.metrics.end();
  joins_groups_ = wants_groups && q_.dimensions.size() > (by_goal() ? 1u : 0u);
  std::string columns;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) columns += fmt::format("{} AS s{}, ", shown_dimension(i), i);
  for (size_t i = 0; i < q_.metrics.size(); ++i) columns += fmt::format("{} AS m{}, ", metric(q_.metrics[i]), i);
  std::string from = sums();
  if (joins_groups_) {
    std::vector<std::string> same;
    for (size_t i = 0; i < q_.dimensions.size(); ++i)
      if (q_.dimensions[i].attribute != Attribute::goal) same.push_back(fmt::format("p.d{0} = b.b{0}", i));
    from = fmt::format("{} AS p ANY LEFT JOIN {} AS b ON {}", from, group_visitors(), joined(same, " AND "));
  }
  std::string outer;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) outer += fmt::format("s{}, ", i);
  for (size_t i = 0; i < q_.metrics.size(); ++i) outer += fmt::format("m{}, ", i);
  std::string with_keys;  // what time is ordered by
  for (size_t i = 0; i < q_.dimensions.size(); ++i)
    if (q_.dimensions[i].attribute == Attribute::time) with_keys += fmt::format("d{}, ", i);
  std::string sql = fmt::format("SELECT {}count() OVER () AS total_rows FROM (SELECT {}{}1 FROM {}){}{}", outer,
                                with_keys, columns, from, restriction(), order_by());
  if (only_ == nullptr) {
    sql += fmt::format(" LIMIT {}", q_.limit);
    if (q_.offset > 0) sql += fmt::format(" OFFSET {}", q_.offset);
  }
  return {std::move(sql), values_.take()};
}

Statement Writer::count() {
  choose_parts();
  std::string sql = fmt::format("SELECT count() FROM {}", sums());
  return {std::move(sql), values_.take()};
}
}  // namespace

Statement write_statement(const Question& question, const Range& range, Dialect dialect, const ShownRows* only) {
  return Writer(question, range, dialect, only).answer();
}

Statement write_file_statement(const Question& question) {
  Statement statement = write_statement(question, question.range, Dialect::bound);
  std::string columns;
  auto named = [&](std::string_view column, const std::string& name) {
    std::string quoted;
    for (char c : name) {
      if (c == '`' || c == '\\') quoted.push_back('\\');
      quoted.push_back(c);
    }
    columns += fmt::format("{}{} AS `{}`", columns.empty() ? "" : ", ", column, quoted);
  };
  for (size_t i = 0; i < question.dimensions.size(); ++i) named(fmt::format("s{}", i), name_of(question.dimensions[i]));
  for (size_t i = 0; i < question.metrics.size(); ++i)
    named(fmt::format("m{}", i), std::string(name_of(question.metrics[i])));
  statement.sql = fmt::format("SELECT {} FROM ({})", columns, statement.sql);
  return statement;
}

Statement write_count(const Question& question) {
  return Writer(question, question.range, Dialect::bound, nullptr).count();
}

Statement write_coverage(const Question& question, Dialect dialect) {
  Values values(dialect);
  Conditions conditions(question, question.range, dialect, values);
  std::string sql =
      fmt::format("SELECT traffic, count() AS events FROM {} WHERE {} AND {} GROUP BY traffic ORDER BY traffic",
                  conditions.table(), conditions.project(), conditions.in_range());
  return {std::move(sql), values.take()};
}

}  // namespace weir::query
