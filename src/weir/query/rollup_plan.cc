#include "weir/query/rollup_plan.h"

#include <algorithm>
#include <set>

#include "weir/query/covered_time.h"

namespace weir::query {

namespace {
using Span = store::Coverage::Span;

constexpr Seconds kDay = 86'400;
constexpr int64_t kPlanDaysMax = 4'000;
constexpr size_t kOpenDaysMax = 7;

// Whether all leaves are about values of one attribute.
bool is_about(const Filter& filter, Attribute attribute) {
  switch (filter.kind) {
    case Filter::Kind::leaf:
      return filter.dimension.attribute == attribute;
    case Filter::Kind::all:
    case Filter::Kind::any:
    case Filter::Kind::none:
      return std::all_of(filter.parts.begin(), filter.parts.end(),
                         [&](const Filter& part) { return is_about(part, attribute); });
    default:
      return false;
  }
}

const Filter* first_leaf(const Filter& filter) {
  if (filter.kind == Filter::Kind::leaf) return &filter;
  for (const Filter& part : filter.parts)
    if (const Filter* leaf = first_leaf(part)) return leaf;
  return nullptr;
}

bool is_coarse(Bucket bucket) {
  return bucket == Bucket::day || bucket == Bucket::week || bucket == Bucket::month || bucket == Bucket::quarter ||
         bucket == Bucket::year || bucket == Bucket::weekday;
}

// The cut that has the question's dimensions and filters. False: none has.
bool choose_cut(const Question& question, RollupPlan& plan, bool& months) {
  std::optional<Attribute> about;
  bool hours = false;
  months = true;
  for (size_t i = 0; i < question.dimensions.size(); ++i) {
    const Dimension& dimension = question.dimensions[i];
    if (dimension.attribute == Attribute::time && is_coarse(dimension.bucket)) {
      months = months && (dimension.bucket == Bucket::month || dimension.bucket == Bucket::quarter ||
                          dimension.bucket == Bucket::year);
      continue;
    }
    if (plan.by_value) return false;
    plan.by_value = i;
    hours = dimension.attribute == Attribute::time && dimension.bucket == Bucket::hour_of_day;
    if (!hours) about = dimension.attribute;
  }
  plan.filter = {};
  const Filter* pages = nullptr;  // what lists of pages ask besides
  for (const Filter& part : question.filter.parts) {
    if (pages == nullptr && is_of_pages(part))
      pages = &part;
    else
      plan.filter.parts.push_back(part);
  }
  const Filter* leaf = first_leaf(plan.filter);
  if (leaf == nullptr && !plan.filter.parts.empty()) return false;  // groups of nothing
  if (leaf != nullptr && !about && !hours) about = leaf->dimension.attribute;
  const bool of_pages = pages != nullptr && about == Attribute::page;
  if (pages != nullptr && !of_pages) {
    plan.filter.parts.push_back(*pages);
    leaf = first_leaf(plan.filter);
    if (!about && !hours) about = leaf->dimension.attribute;
  }
  if (leaf != nullptr && (!about || !is_about(plan.filter, *about))) return false;
  if (hours) {
    if (about) return false;
    plan.cut = Cut::hour_of_day;
  } else if (about) {
    auto cut = cut_of(*about);
    if (!cut || (*cut == Cut::page) != of_pages) return false;
    plan.cut = *cut;
  }
  plan.total = of_pages ? Cut::page_total : Cut::total;
  months = months && has_months(plan.cut);
  const auto& parts = plan.filter.parts;
  plan.one_value = parts.size() == 1 && parts.front().kind == Filter::Kind::leaf && parts.front().op == Op::is &&
                   parts.front().values.size() == 1 && parts.front().case_sensitive;
  return true;
}

// Puts the range together from spans. False: it is not of whole days, or too much of it has no sums.
bool choose_spans(const Zone& zone, const Range& range, bool months, std::span<const Span> spans, RollupPlan& plan) {
  const int64_t first = zone.local_day(range.from);
  const int64_t end = zone.local_day(range.to - 1) + 1;
  if (zone.start_of_day(first) != range.from || zone.start_of_day(end) != range.to) return false;
  if (end - first > kPlanDaysMax) return false;
  const CoveredTime covered(spans);
  std::set<uint32_t> parts;
  for (int64_t day = first; day < end;) {
    const Seconds from = zone.start_of_day(day);
    plan.last = from;
    const int64_t month_end = start_of_month(add_months(start_of_month(day), 1));
    if (months && day == start_of_month(day) && month_end <= end) {
      if (const Span* month = covered.sums(from, zone.start_of_day(month_end))) {
        plan.versions.push_back(month->version);
        plan.begins.push_back(from);
        parts.insert(kPartOfMonths);
        day = month_end;
        continue;
      }
    }
    const Seconds to = zone.start_of_day(day + 1);
    if (const Span* found = covered.sums(from, to)) {
      plan.versions.push_back(found->version);
      plan.begins.push_back(from);
      parts.insert(part_of_day(day));
    } else if (!covered.is_empty(from, to)) {
      plan.open.push_back({from, to});
      if (plan.open.size() > kOpenDaysMax) return false;
    }
    ++day;
  }
  plan.first = range.from;
  plan.parts.assign(parts.begin(), parts.end());
  return true;
}

bool asks_of_names(const Filter& part, Op op, const std::set<std::string>& names) {
  return part.kind == Filter::Kind::leaf && part.dimension.attribute == Attribute::event_name && part.op == op &&
         part.case_sensitive && std::set<std::string>(part.values.begin(), part.values.end()) == names;
}

// Where a day has less than 24 hours a visit may touch three of them, and what is said of the next day is not enough.
bool ends_in_short_day(const Zone& zone, const Range& range) {
  const int64_t first = zone.local_day(range.from);
  const int64_t last = zone.local_day(range.to - 1);
  for (int64_t day : {first - 1, first, last, last + 1})
    if (zone.start_of_day(day + 1) - zone.start_of_day(day) < kDay) return true;
  return false;
}
}  // namespace

bool is_of_pages(const Filter& part) { return asks_of_names(part, Op::is, {"engagement", "pageview"}); }
bool is_of_events(const Filter& part) { return asks_of_names(part, Op::is_not, {"engagement"}); }

std::optional<RollupPlan> plan_rollups(const Question& question, const Range& range, const RollupWants& wants,
                                       std::span<const Span> spans) {
  if (spans.empty() || !question.exact || question.traffic.size() != 1 || question.traffic.front() != "human")
    return std::nullopt;
  RollupPlan plan;
  bool months = false;
  if (!choose_cut(question, plan, months)) return std::nullopt;
  plan.with_visits = wants.visits;
  if ((wants.times || wants.depths) && !has_times(plan.cut)) return std::nullopt;
  // By time, a visit's depth is that of each stretch of its own.
  if (wants.depths && std::any_of(question.dimensions.begin(), question.dimensions.end(),
                                  [](const Dimension& d) { return d.attribute == Attribute::time; }))
    return std::nullopt;
  if (wants.visits || wants.depths) {
    // The visits of several values are not those of each added up.
    const bool by_value = plan.by_value.has_value();
    if (!has_visits(plan.cut) || (!by_value && !plan.filter.parts.empty() && !plan.one_value)) return std::nullopt;
    if (ends_in_short_day(question.zone, range)) return std::nullopt;
  }
  if (!choose_spans(question.zone, range, months, spans, plan)) return std::nullopt;
  return plan;
}

std::optional<RollupPlan> plan_coverage(const Question& question, std::span<const Span> spans) {
  if (spans.empty()) return std::nullopt;
  RollupPlan plan;
  plan.cut = Cut::traffic;
  if (!choose_spans(question.zone, question.range, true, spans, plan)) return std::nullopt;
  return plan;
}

}  // namespace weir::query
