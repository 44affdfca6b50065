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

// A visit's sum: of the visits that began in each span, and of those that were under way where the whole begins.
std::string over_spans(std::string_view name) {
  return fmt::format("(sum({0}) + sumIf({0}_next, NOT at_last) + sumIf({0}_before, at_first))", name);
}
}  // namespace

std::string rolled_source(const Question& question, const RollupPlan& plan, Cut cut, bool with_visits,
                          const std::string& values) {
  std::string columns = "visitors, visitor_count, rows, pageviews, events";
  for (std::string_view name : kVisitSums) columns += fmt::format(", {0}, {0}_next, {0}_before", name);
  std::vector<std::string> sources;
  if (!plan.versions.empty()) {
    sources.push_back(fmt::format(
        "SELECT value, transform(version, [{0}]::Array(UInt32), [{1}]::Array(Int64), toInt64(0)) AS began, {2} FROM "
        "weir_data.rollups WHERE project_id = {3} AND cut = {4} AND part IN ({5}) AND version IN ({0})",
        fmt::join(plan.versions, ", "), fmt::join(plan.begins, ", "), columns, number(question.project),
        static_cast<int>(cut), fmt::join(plan.parts, ", ")));
  }
  if (!plan.open.empty()) {
    Numbers numbers;
    for (const Range& day : plan.open) numbers.kept_under.push_back(day.from);
    sources.push_back(sums_of_rows(question.project, cut, question.zone, plan.open, with_visits, numbers));
  }
  // Nothing ever happened in the whole of the time: there is no row, but there are columns.
  if (sources.empty())
    sources.push_back(fmt::format("SELECT value, toInt64(0) AS began, {} FROM weir_data.rollups WHERE 0", columns));
  return fmt::format("SELECT value, began, began = {} AS at_first, began = {} AS at_last, {} FROM ({}){}", plan.first,
                     plan.last, columns, joined(sources, " UNION ALL "), values.empty() ? "" : " WHERE " + values);
}

void Writer::plan_rolled() {
  const bool made_of_them = std::all_of(parts_.begin(), parts_.end(), [](Part part) {
    return part == Part::visitors || part == Part::visits || part == Part::whole_visits || part == Part::bounces ||
           part == Part::duration || part == Part::pageviews || part == Part::events || part == Part::rows;
  });
  const bool of_goals = std::any_of(q_.metrics.begin(), q_.metrics.end(), [](Metric metric) {
    return metric == Metric::conversion_rate || metric == Metric::group_conversion_rate;
  });
  if (!made_of_them || of_goals || by_goal()) return;
  plan_ = plan_rollups(q_, range_, whole_ ? VisitSums::some : VisitSums::none, covered_);
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
    conditions.push_back(fmt::format("transform(value, [''], [{}]) IN ({})", values_.text(empty_label(attribute)),
                                     values_.texts(shown)));
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
      "(SELECT "
      "value, sum(toUInt64(visitor_count)) AS total, toUInt64(max(visitor_count)) AS most FROM ({}) GROUP BY value "
      "HAVING "
      "sum(rows) > 0)))",
      q_.limit + q_.offset, rolled_source(q_, *plan_, plan_->cut, false, rolled_filter()));
}

std::string Writer::rolled_sums() {
  std::string columns;
  std::string groups;
  for (size_t i = 0; i < q_.dimensions.size(); ++i) {
    std::string key;
    if (plan_->by_value != i)
      key = times_[i].key("began");
    else if (plan_->cut == Cut::hour_of_day)
      key = "toInt64(value)";
    else
      key = fmt::format("transform(value, [''], [{}])", values_.text(empty_label(q_.dimensions[i].attribute)));
    columns += fmt::format("{} AS d{}, ", key, i);
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    std::string sum;
    switch (parts_[i]) {
      case Part::visitors:
        sum = "groupBitmapMerge(visitors)";
        break;
      case Part::visits:
      case Part::whole_visits:
        sum = kRolledVisits;
        break;
      case Part::bounces:
        sum = over_spans("bounces");
        break;
      case Part::duration:
        sum = over_spans("duration");
        break;
      case Part::pageviews:
        sum = "sum(pageviews)";
        break;
      case Part::events:
        sum = "sum(events)";
        break;
      case Part::rows:
        sum = "sum(rows)";
        break;
      default:
        fatal("query: a sum that roll-ups do not have");
    }
    columns += fmt::format("{}toUInt64({}) AS {}", i == 0 ? "" : ", ", sum, name_of(parts_[i]));
  }
  std::string values = rolled_filter();
  if (chosen_) values += fmt::format("{}value IN (SELECT arrayJoin(chosen.1))", values.empty() ? "" : " AND ");
  std::string there = q_.dimensions.empty() ? "" : " HAVING sum(rows) > 0";
  if (!there.empty() && plan_->with_visits)
    there += fmt::format(" OR {} > 0", name_of(needs(Part::whole_visits) ? Part::whole_visits : visits_part_));
  return fmt::format("(SELECT {} FROM ({}){}{})", columns,
                     rolled_source(q_, *plan_, plan_->cut, plan_->with_visits, values), group_by(), there);
}

// Of all values together, without the dimensions.
std::string Writer::rolled_total(std::string_view sum) {
  const bool filtered = !plan_->filter.parts.empty();
  return fmt::format("(SELECT toUInt64({}) FROM ({}))", sum,
                     rolled_source(q_, *plan_, filtered ? plan_->cut : plan_->total, plan_->with_visits,
                                   filtered ? conditions_.of_values(plan_->filter) : std::string()));
}

}  // namespace weir::query
