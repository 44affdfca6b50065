#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/query/conditions.h"
#include "weir/query/sampling.h"
#include "weir/query/statement.h"
#include "weir/query/time_sql.h"

// How an answer comes about. Each metric is made of a few sums (Part). Sums that are counted alike, from the rows one
// by one, from whole visits, from the pageviews of a visit in their order, are one family: one subquery grouped by the
// dimensions. The families' results are put below each other and added up by dimension; from the sums the metrics are
// worked out in whole numbers, so that they can be compared to the last digit.
namespace weir::query {

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
inline std::string_view name_of(Part part) { return kPartNames.at(static_cast<size_t>(part)); }

using Sums = std::vector<std::pair<Part, std::string>>;  // a part and the expression that counts it

// A statement that gives the sums of a cut in the plan's spans: value, began, visitors, visitor_count, the sums, and
// whether the row is of the first and of the last span (at_first, at_last). `values`: a condition on them, or empty.
std::string rolled_source(const Question& question, const RollupPlan& plan, Cut cut, bool with_visits,
                          const std::string& values);

// Writes one statement.
class Writer {
 public:
  Writer(const Question& question, const Range& range, Dialect dialect, const ShownRows* only, Spans covered,
         std::string source = {})
      : q_(question),
        range_(range),
        only_(only),
        covered_(dialect == Dialect::bound ? covered : Spans()),
        values_(dialect),
        conditions_(question, range, dialect, values_, std::move(source)),
        shown_(question.dimensions.size() - (is_sampled() ? 1 : 0)) {
    for (const Dimension& dimension : question.dimensions) times_.emplace_back(question.zone, range, dimension.bucket);
  }

  Statement answer();
  Statement count();

 private:
  // Where a dimension's value is taken from: the row, or (time only) the visit's first event.
  enum class Of : uint8_t { row, visit };

  bool is_sampled() const { return q_.one_in > 1; }
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
  std::string distinct(std::string_view column, std::string_view combinator = "") const;
  // "d0, d1" and ", d0, d1"; `but` is left out.
  std::string names(std::string_view before = "", std::string_view prefix = "d") const;
  std::string group_by(std::string_view prefix = "d") const;
  std::string family(const Sums& sums, const std::string& from, std::span<const std::string> dimensions,
                     const std::string& sets = "");
  std::string goals_array();
  std::string filtered_currency() const;
  std::string with_pages();  // the table, with its visits' pages where a dimension asks for them
  std::string source();      // the same, a row for each goal that it reaches where a dimension asks for goals
  // The dimensions as members of a tuple `name` behind those that are there already: appends what they are taken from,
  // answers how they are found again, and what has to be joined for that. `before`: so many members more stand first.
  std::vector<std::string> in_tuple(std::string_view name, std::vector<std::string>& members, std::string& join,
                                    size_t before = 0);
  std::string visits_of(const std::string& facts, const std::string& having);
  std::string of_found_visits(const std::string& match);

  std::string rows_family();
  std::string of_any_goal();
  std::string visits_family();
  std::string visits_family_by_row();
  // Whether the visit's columns can be added up over its rows: nothing that is asked differs between them.
  bool visits_are_sums() const;
  std::string visits_family_by_sums();
  std::string ends_family();
  std::string page_views_family();
  std::string depth_family();
  std::string times_family();

  std::string sums();  // all families together
  std::string with_exits() const;
  std::string for_all() const;
  std::string scaled(const std::string& sums);
  // What the metric's expression says of each group of a sample's visitors, as an array.
  std::string by_group(const std::string& metric) const;
  // The same from roll-ups (rolled_statement.cc).
  void plan_rolled();
  std::string rolled_filter();
  std::string rolled_sum(Part part) const;
  std::string rolled_family(bool of_times, const std::string& dimensions, const std::string& values);
  std::string rolled_sums();
  std::string rolled_total(Part part);
  std::string rolled_choice();
  bool chooses_values() const;
  std::string share(std::string_view part, const std::string& total);
  std::string metric(Metric metric);
  std::string row_sum(Part part) const;
  // Of all rows that match, whatever the dimensions: the name of a column, and its expression.
  std::string total_of(Part part, bool without_goals = false);
  std::string total_sql(Part part, bool without_goals);
  // Whether each row that matches is in one group of rows_family(), and nothing else is put together.
  bool rows_are_all() const;
  std::string group_visitors();
  std::string order_by() const;
  std::string restriction();

  const Question& q_;
  const Range range_;
  const ShownRows* only_;
  const Spans covered_;
  std::optional<RollupPlan> plan_;
  Values values_;
  Conditions conditions_;
  const size_t shown_;          // of the dimensions; behind them is the group of a sample's visitors
  std::vector<TimeSql> times_;  // by dimension
  std::vector<Part> parts_;
  Part visits_part_ = Part::visits;
  std::vector<Part> united_;                                      // of which the groups' sets are wanted, to be united
  std::vector<std::pair<std::string, std::string>> kept_totals_;  // Statement::totals
  std::vector<std::string> totals_;                               // columns t0, t1, ...
  bool chosen_ = false;                                           // only values that can be shown are put together
  bool whole_ = false;                                            // something of visits is asked
  bool joins_groups_ = false;                                     // group_conversion_rate over more than goals
};

}  // namespace weir::query
