#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "weir/base/check.h"
#include "weir/query/statement_writer.h"

// The sums of a statement out of roll-ups.
namespace weir::query {

namespace {
// Beyond it, choosing the values that can be shown costs more than it saves.
constexpr uint64_t kChosenMax = 1'000;

bool is_of_times(Part part) {
  return part == Part::known_times || part == Part::time_sum || part == Part::depths || part == Part::depth_sum;
}

// A visit's sum: of the visits that began in each span, and of those that were under way where the whole begins.
std::string over_spans(std::string_view name) {
  return fmt::format("(sum({0}) + sumIf({0}_next, NOT at_last) + sumIf({0}_before, at_first))", name);
}

// What is kept, with the beginnings of the spans.
std::string kept_sums(const Question& question, const RollupPlan& plan, Cut cut, std::string_view table,
                      const std::string& columns) {
  return fmt::format(
      "SELECT value, transform(version, [{0}]::Array(UInt32), [{1}]::Array(Int64), toInt64(0)) AS began, {2} FROM "
      "weir_data.{3} WHERE project_id = {4} AND cut = {5} AND part IN ({6}) AND version IN ({0})",
      fmt::join(plan.versions, ", "), fmt::join(plan.begins, ", "), columns, table, number(question.project),
      static_cast<int>(cut), fmt::join(plan.parts, ", "));
}

std::string all_sums(const RollupPlan& plan, std::string_view table, const std::string& columns,
                     std::vector<std::string> sources, const std::string& values) {
  // Nothing ever happened in the whole of the time: there is no row, but there are columns.
  if (sources.empty())
    sources.push_back(fmt::format("SELECT value, toInt64(0) AS began, {} FROM weir_data.{} WHERE 0", columns, table));
  return fmt::format("SELECT value, began, began = {} AS at_first, began = {} AS at_last, {} FROM ({}){}", plan.first,
                     plan.last, columns, joined(sources, " UNION ALL "), values.empty() ? "" : " WHERE " + values);
}
}  // namespace

std::string rolled_source(const Question& question, const RollupPlan& plan, Cut cut, bool with_visits,
                          const std::string& values) {
  const std::string columns = sum_columns();
  std::vector<std::string> sources;
  if (!plan.versions.empty()) sources.push_back(kept_sums(question, plan, cut, "rollups", columns));
  if (!plan.open.empty()) {
    Numbers numbers;
    for (const Range& day : plan.open) numbers.kept_under.push_back(day.from);
    sources.push_back(sums_of_rows(question.project, cut, question.zone, plan.open, with_visits, numbers));
  }
  return all_sums(plan, "rollups", columns, std::move(sources), values);
}

std::string rolled_times_source(const Question& question, const RollupPlan& plan, const std::string& values) {
  const std::string columns = time_columns();
  std::vector<std::string> sources;
  if (!plan.versions.empty()) sources.push_back(kept_sums(question, plan, plan.cut, "rollup_times", columns));
  if (!plan.open.empty())
    sources.push_back(fmt::format("SELECT value, began, {} FROM ({})", columns,
                                  times_of_rows(question.project, std::span(&plan.cut, 1), plan.open)));
  return all_sums(plan, "rollup_times", columns, std::move(sources), values);
}

void Writer::plan_rolled() {
  const bool made_of_them = std::all_of(parts_.begin(), parts_.end(), [](Part part) {
    return part == Part::visitors || part == Part::visits || part == Part::whole_visits || part == Part::bounces ||
           part == Part::duration || part == Part::pageviews || part == Part::events || part == Part::rows ||
           is_of_times(part);
  });
  const bool of_goals = std::any_of(q_.metrics.begin(), q_.metrics.end(), [](Metric metric) {
    return metric == Metric::conversion_rate || metric == Metric::group_conversion_rate;
  });
  if (!made_of_them || of_goals || by_goal()) return;
  plan_ = plan_rollups(q_, range_, {whole_, needs(Part::known_times), needs(Part::depths)}, covered_);
  // The visits of several values are not those of each added up.
  if (plan_ && !plan_->filter.parts.empty() && !plan_->one_value &&
      std::find(q_.metrics.begin(), q_.metrics.end(), Metric::visits_percentage) != q_.metrics.end())
    plan_.reset();
}

// Which values: those of the filter, of the comparison, and of the choice.
std::string Writer::rolled_filter() {
  std::vector<std::string> conditions;
  if (!plan_->filter.parts.empty()) conditions.push_back(conditions_.of_values(plan_->filter));
  if (only_ != nullptr && !only_->empty() && plan_->by_value && plan_->cut != Cut::hour_of_day) {
    std::vector<std::string> shown;
    for (const auto& row : *only_) shown.push_back(row[*plan_->by_value]);
    const Attribute attribute = q_.dimensions[*plan_->by_value].attribute;
    conditions.push_back(fmt::format("transform(value, [''], [{}]) IN (SELECT arrayJoin({}))",
                                     values_.text(empty_label(attribute)), values_.array(shown)));
  }
  return joined(conditions, " AND ");
}

// The values that may be among those asked for: a value has at most as many visitors as all its spans together, and at
// least as many as each of them. Who has less in all than the last shown has in one span is not shown.
bool Writer::chooses_values() const {
  if (!plan_ || q_.dimensions.size() != 1 || plan_->by_value != 0 || only_ != nullptr || !has_many_values(plan_->cut))
    return false;
  if (q_.order.empty() || !q_.order.front().by_metric || !q_.order.front().descending) return false;
  const Metric by = q_.metrics[q_.order.front().index];
  return (by == Metric::visitors || by == Metric::percentage) && q_.limit + q_.offset <= kChosenMax;
}

// The chosen values, and how many there are in all.
std::string Writer::rolled_choice() {
  return fmt::format(
      "(SELECT (arrayMap(x -> x.1, arrayFilter(x -> x.2 >= least_, values_)), toUInt64(length(values_))) FROM (SELECT "
      "groupArray((value, total)) AS values_, arrayElement(arrayReverseSort(groupArray(most)), {}) AS least_ FROM "
      "(SELECT value, sum(toUInt64(visitor_count)) AS total, toUInt64(max(visitor_count)) AS most FROM ({}) GROUP BY "
      "value HAVING sum(rows) > 0)))",
      q_.limit + q_.offset, rolled_source(q_, *plan_, plan_->cut, false, rolled_filter()));
}

std::string Writer::rolled_sum(Part part) const {
  switch (part) {
    case Part::visitors:
      return "groupBitmapMerge(visitors)";
    case Part::visits:
    case Part::whole_visits:
      return over_spans("visits");
    case Part::bounces:
      return over_spans("bounces");
    case Part::duration:
      return over_spans("duration");
    case Part::pageviews:
      return "sum(pageviews)";
    case Part::events:
      return "sum(events)";
    case Part::rows:
      return "sum(rows)";
    case Part::depths:
      return over_spans("depths");
    case Part::depth_sum:
      return over_spans("depth_sum");
    case Part::known_times:
      return "sum(known_times)";
    case Part::time_sum:
      return "sum(time_sum)";
    default:
      fatal("query: a sum that roll-ups do not have");
  }
}

// One of the two tables: its sums, nothing of the others.
std::string Writer::rolled_family(bool of_times, const std::string& dimensions, const std::string& values) {
  std::string columns = dimensions;
  for (size_t i = 0; i < parts_.size(); ++i)
    columns += fmt::format("{}toUInt64({}) AS {}", i == 0 ? "" : ", ",
                           is_of_times(parts_[i]) == of_times ? rolled_sum(parts_[i]) : "0", name_of(parts_[i]));
  std::string there;
  if (!q_.dimensions.empty() && !of_times) {
    there = " HAVING sum(rows) > 0";
    if (plan_->with_visits)
      there += fmt::format(" OR {} > 0", name_of(needs(Part::whole_visits) ? Part::whole_visits : visits_part_));
  }
  const std::string from = of_times ? rolled_times_source(q_, *plan_, values)
                                    : rolled_source(q_, *plan_, plan_->cut, plan_->with_visits, values);
  return fmt::format("SELECT {} FROM ({}){}{}", columns, from, group_by(), there);
}

std::string Writer::rolled_sums() {
  std::string dimensions;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    std::string key;
    if (plan_->by_value != i)
      key = times_[i].key("began");
    else if (plan_->cut == Cut::hour_of_day)
      key = "toInt64(value)";
    else
      key = fmt::format("transform(value, [''], [{}])", values_.text(empty_label(q_.dimensions[i].attribute)));
    dimensions += fmt::format("{} AS d{}, ", key, i);
  }
  std::string values = rolled_filter();
  if (chosen_) values += fmt::format("{}value IN (SELECT arrayJoin(chosen.1))", values.empty() ? "" : " AND ");
  const bool times = std::any_of(parts_.begin(), parts_.end(), is_of_times);
  if (!times) return "(" + rolled_family(false, dimensions, values) + ")";
  // A group is there when an event is, whether or not anything is known of its pages.
  std::string both = rolled_family(true, dimensions, values);
  if (!q_.dimensions.empty() || !std::all_of(parts_.begin(), parts_.end(), is_of_times))
    both = rolled_family(false, dimensions, values) + " UNION ALL " + both;
  std::string columns = names("") + (q_.dimensions.empty() ? "" : ", ");
  for (size_t i = 0; i < parts_.size(); ++i)
    columns += fmt::format("{}sum(u.{}) AS {}", i == 0 ? "" : ", ", name_of(parts_[i]), name_of(parts_[i]));
  return fmt::format("(SELECT {} FROM ({}) AS u{})", columns, both, group_by());
}

// Of all values together, without the dimensions.
std::string Writer::rolled_total(Part part) {
  const bool filtered = !plan_->filter.parts.empty();
  const std::string sql =
      fmt::format("SELECT toUInt64({}) FROM ({})", rolled_sum(part),
                  rolled_source(q_, *plan_, filtered ? plan_->cut : plan_->total, plan_->with_visits,
                                filtered ? conditions_.of_values(plan_->filter) : std::string()));
  if (filtered || !plan_->open.empty()) return "(" + sql + ")";
  kept_totals_.emplace_back(fmt::format("all{}", kept_totals_.size()), sql);
  return fmt::format("{{{}:UInt64}}", kept_totals_.back().first);
}

}  // namespace weir::query
