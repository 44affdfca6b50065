#include <fmt/format.h>

#include <algorithm>

#include "weir/base/check.h"
#include "weir/query/pageview_times.h"
#include "weir/query/statement_writer.h"

// The families of sums of a statement.
namespace weir::query {

// One family's subquery: `sums` of `from`, by `dimensions`; all other parts are nothing. `sets`: further columns.
std::string Writer::family(const Sums& sums, const std::string& from, std::span<const std::string> dimensions,
                           const std::string& sets) {
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
  return fmt::format("SELECT {}{} FROM {}{}", columns, sets, from, group_by());
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

// A row says its visit's entry page, but for rows before the first pageview: of these visits it is looked up. The exit
// page is looked up always.
std::string Writer::with_pages() {
  std::string from = std::string(conditions_.table());
  if (!by_visit_page()) return from;
  const std::string page = fmt::format("If(toString(path), {}, kind = 'pageview')", Conditions::kOrder);
  std::string facts = fmt::format("argMin{} AS entry_page", page);
  std::string narrowed;
  if (has_dimension(Attribute::exit_page)) {
    facts += fmt::format(", argMax{} AS exit_page", page);
  } else {
    narrowed = fmt::format(" AND session_id IN (SELECT session_id FROM {} WHERE {} AND {} AND entry_path = '')",
                           conditions_.table(), conditions_.project(), conditions_.around_range());
  }
  return fmt::format("{} AS e ANY LEFT JOIN {} AS v ON e.session_id = v.session_id", from, visits_of(facts, narrowed));
}

std::string Writer::source() {
  std::string from = with_pages();
  if (by_goal()) from += fmt::format(" ARRAY JOIN {} AS goal", goals_array());
  return from;
}

std::vector<std::string> Writer::in_tuple(std::string_view name, std::vector<std::string>& members, std::string& join,
                                          size_t before) {
  std::vector<std::string> found;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    const bool goals = q_.dimensions[i].attribute == Attribute::goal;
    members.push_back(goals ? goals_array() : dimension_sql(i, Of::row));
    if (goals) join = fmt::format(" ARRAY JOIN {}.{} AS goal", name, before + members.size());
    found.push_back(goals ? "goal" : fmt::format("{}.{}", name, before + members.size()));
  }
  return found;
}

// Where goals are a dimension, few rows reach any: the others need not be looked at closely.
std::string Writer::of_any_goal() {
  if (!by_goal() || q_.goals.empty()) return {};
  std::vector<std::string> each;
  for (const Goal& goal : q_.goals) each.push_back(conditions_.reaches(goal));
  return " AND (" + joined(each, " OR ") + ")";
}

std::string Writer::rows_family() {
  Sums sums;
  for (Part part : {Part::visitors, Part::visits, Part::pageviews, Part::events, Part::rows})
    sums.emplace_back(part, row_sum(part));
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
  std::string sets;
  for (Part part : united_)
    sets += fmt::format(", {} AS {}_set", distinct(part == Part::visitors ? "visitor_id" : "session_id", "State"),
                        name_of(part));
  return family(sums, fmt::format("{} WHERE {} AND {}{}", source(), conditions_.project(), matching(), of_any_goal()),
                dimensions_sql(Of::row), sets);
}

// Where a filter leaves few visits, the others need not be put together.
std::string Writer::of_found_visits(const std::string& match) {
  if (q_.filter.parts.empty()) return {};
  return fmt::format(" AND session_id IN (SELECT session_id FROM {} WHERE {} AND {})", conditions_.table(),
                     conditions_.project(), match);
}

// Whole visits in one pass: each visit's groups are those of its matching rows, its bounce and duration those of all
// its rows.
std::string Writer::visits_family() {
  if (visits_are_sums()) return visits_family_by_sums();
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
  const std::string found = of_found_visits(match);
  std::string from = fmt::format(
      "(SELECT session_id, {}, sum(visit_bounce) AS bounce, sum(visit_gap_ms) AS took FROM {} WHERE {} AND {}{} GROUP "
      "BY session_id HAVING {})",
      groups, conditions_.table(), conditions_.project(), conditions_.around_range(), found,
      columns.empty() ? "groups > 0" : "notEmpty(groups)");
  if (!columns.empty()) from += " ARRAY JOIN groups AS g";
  return family({{Part::whole_visits, "count()"}, {Part::bounces, "sum(bounce)"}, {Part::duration, "sum(took)"}}, from,
                dimensions);
}

bool Writer::visits_are_sums() const {
  return is_of_whole_visits(q_.filter) &&
         std::all_of(q_.dimensions.begin(), q_.dimensions.end(), [](const Dimension& d) {
           return d.attribute == Attribute::time ||
                  (is_of_whole_visits(d.attribute) && !column_of(d.attribute).empty());
         });
}

// A visit's columns add up (docs/formats/store.md), and who asks for nothing that differs within a visit need not put
// its rows together: that is left to the few visits of which the rows with the labels asked for, in the range, are not
// all there is: those begun before it, and those with other labels besides. Of these what the sums said is taken back.
std::string Writer::visits_family_by_sums() {
  std::vector<std::string> dimensions;
  std::string columns;
  std::vector<std::string> again;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    dimensions.push_back(dimension_sql(i, Of::visit));
    columns += fmt::format("any({}) AS g{}, ", dimension_sql(i, Of::visit), i);
    again.push_back(fmt::format("g{}", i));
  }
  const std::string project = conditions_.project();
  const std::string around = conditions_.around_range();
  const std::string filter = conditions_.filter();
  const std::string added = fmt::format("{} AND {} >= {}", conditions_.traffic(), Conditions::kVisitStart, range_.from);
  const std::string sums = family(
      {{Part::whole_visits, "countIf(visit_seq = 0)"},
       {Part::bounces, "sum(visit_bounce)"},
       {Part::duration, "sum(visit_gap_ms)"}},
      fmt::format("{} WHERE {} AND {} AND {} AND {}", conditions_.table(), project, around, added, filter), dimensions);
  const std::string others =
      fmt::format("SELECT session_id FROM {} WHERE {} AND {} AND (NOT ({}) OR ({} < {} AND {}))", conditions_.table(),
                  project, around, conditions_.traffic(), Conditions::kVisitStart, range_.from, conditions_.in_range());
  const std::string visits = fmt::format(
      "(SELECT {}countIf({} AND {}) > 0 AS matched, sum(visit_bounce) AS bounce, sum(visit_gap_ms) AS took, countIf({} "
      "AND visit_seq = 0) AS was_visit, sumIf(visit_bounce, {}) AS was_bounce, sumIf(visit_gap_ms, {}) AS was_took "
      "FROM {} WHERE {} AND {} AND {} AND session_id IN ({}) GROUP BY session_id HAVING matched OR was_visit != 0 OR "
      "was_bounce != 0 OR was_took != 0)",
      columns, conditions_.in_range(), conditions_.traffic(), added, added, added, conditions_.table(), project, around,
      filter, others);
  // Unsigned, and wrapping: what is taken back was added above.
  return sums + " UNION ALL " +
         family({{Part::whole_visits, "sum(toInt64(matched) - toInt64(was_visit))"},
                 {Part::bounces, "sum(if(matched, bounce, 0) - was_bounce)"},
                 {Part::duration, "sum(if(matched, toInt64(took), 0) - toInt64(was_took))"}},
                visits, again);
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
  const std::string match = matching();
  std::vector<std::string> members = {fmt::format("({})", match)};
  std::string join;
  const std::vector<std::string> dimensions = in_tuple("p", members, join);
  std::vector<std::string> selects;
  for (auto [part, pick] : {std::pair(Part::entries, "argMin"), std::pair(Part::exits, "argMax")}) {
    if (!needs(part)) continue;
    selects.push_back(family(
        {{part, "count()"}},
        fmt::format("(SELECT {}If(tuple({}), {}, kind = 'pageview') AS p FROM {} WHERE {} AND {}{} GROUP BY session_id "
                    "HAVING p.1 = 1){}",
                    pick, joined(members, ", "), Conditions::kOrder, with_pages(), conditions_.project(),
                    conditions_.around_range(), of_found_visits(match), join),
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

std::string Writer::times_family() {
  const std::string match = matching();
  std::vector<std::string> members = {fmt::format("({})", match)};
  std::string join;
  const std::vector<std::string> dimensions = in_tuple("p", members, join, kPageviewMembers);
  const std::string times = pageview_times(
      {fmt::format("if({}, {}, -1)", conditions_.has_number("engaged_ms"), conditions_.number_of("engaged_ms")),
       joined(members, ", "), with_pages(),
       conditions_.project() + " AND " + conditions_.onward_of_range() + of_found_visits(match), "p.2 = 1"});
  return family({{Part::known_times, "count()"}, {Part::time_sum, "sum(took)"}},
                fmt::format("({}){} WHERE took >= 0", times, join), dimensions);
}

}  // namespace weir::query
