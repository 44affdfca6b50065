#include "weir/query/statement.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/check.h"
#include "weir/query/statement_writer.h"

namespace weir::query {

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
  whole_ = whole || visits;
  if (visits) visits_part_ = coarse || (!timed && (whole || visits_are_sums())) ? Part::whole_visits : Part::visits;
  if (visits) need(visits_part_);
  if (whole) need(Part::whole_visits);
  if (is_sampled()) need(Part::visitors);
}

std::string Writer::matching(bool without_goals) {
  return fmt::format("{} AND {} AND {}", conditions_.in_range(), conditions_.traffic(),
                     conditions_.filter(without_goals));
}

std::string Writer::distinct(std::string_view column, std::string_view combinator) const {
  return fmt::format("{}{}({})", q_.exact ? "uniqExact" : "uniqCombined64", combinator, column);
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
      return fmt::format("transform(if(entry_path = '', v.entry_page, toString(entry_path)), [''], [{}])",
                         values_.text(empty_label(Attribute::entry_page)));
    case Attribute::exit_page:
      return fmt::format("transform(v.exit_page, [''], [{}])", values_.text(empty_label(Attribute::exit_page)));
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

std::string Writer::sums() {
  if (plan_) return rolled_sums();
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
  const bool of_two = (needs(Part::entries) && needs(Part::exits)) || (needs(Part::whole_visits) && visits_are_sums());
  if (families.size() == 1 && !of_two) return "(" + families.front() + ")";
  std::string columns = names("") + (q_.dimensions.empty() ? "" : ", ");
  for (size_t i = 0; i < parts_.size(); ++i)
    columns += fmt::format("{}{}(u.{}) AS {}", i == 0 ? "" : ", ",
                           parts_[i] == Part::currencies ? "groupUniqArrayArray" : "sum", name_of(parts_[i]),
                           name_of(parts_[i]));
  return fmt::format("(SELECT {} FROM ({}) AS u{}{})", columns, joined(families, " UNION ALL "), group_by(),
                     is_sampled() ? "" : with_exits());
}

// The pageviews of pages that no visit ended on are no group of their own.
std::string Writer::with_exits() const {
  return needs(Part::page_views) ? fmt::format(" HAVING sum(u.{}) > 0", name_of(visits_part_)) : std::string();
}

// What makes a number of a sample's visitors one of all.
std::string Writer::for_all() const { return is_sampled() ? fmt::format(" * {}", q_.one_in) : std::string(); }

// What the sums of a sample's visitors, by group, say of all: together, and each group alone.
std::string Writer::scaled(const std::string& sums) {
  std::string columns;
  std::string keys;
  for (size_t i = 0; i < shown_; ++i) {
    columns += fmt::format("u.d{0} AS d{0}, ", i);
    keys += fmt::format("{}d{}", i == 0 ? " GROUP BY " : ", ", i);
  }
  for (size_t i = 0; i < parts_.size(); ++i) {
    const std::string_view part = name_of(parts_[i]);
    const char* between = i == 0 ? "" : ", ";
    if (parts_[i] == Part::currencies)
      columns += fmt::format("{0}groupUniqArrayArray(u.{1}) AS {1}, groupArray(u.{1}) AS {1}_of", between, part);
    else
      columns += fmt::format("{0}sum(u.{1}){2} AS {1}, groupArray(u.{1} * {3}) AS {1}_of", between, part, for_all(),
                             q_.one_in * kSampleGroups);
  }
  return fmt::format("(SELECT {} FROM {} AS u{}{})", columns, sums, keys, with_exits());
}

std::string Writer::by_group(const std::string& metric) const {
  std::string names;
  std::string lists;
  for (size_t i = 0; i < parts_.size(); ++i) {
    names += fmt::format("{}{}", i == 0 ? "" : ", ", name_of(parts_[i]));
    lists += fmt::format(", {}_of", name_of(parts_[i]));
  }
  return fmt::format("arrayMap(({}) -> {}{})", names, metric, lists);
}

// a in b, in percent with two decimals.
std::string Writer::share(std::string_view part, const std::string& total) {
  return fmt::format("if({1} = 0, NULL, intDiv({0} * 20000 + {1}, greatest(2 * {1}, 1)) / 100)", part, total);
}

// What rows_family() counts from rows one by one.
std::string Writer::row_sum(Part part) const {
  switch (part) {
    case Part::visitors:
      return distinct("visitor_id");
    case Part::visits:
      return distinct("session_id");
    case Part::pageviews:
      return "countIf(kind = 'pageview')";
    case Part::events:
      return "countIf(kind != 'engagement')";
    case Part::rows:
      return "count()";
    default:
      fatal("query: a sum that is not counted row by row");
  }
}

bool Writer::rows_are_all() const {
  return !plan_ && !is_sampled() && !by_goal() && only_ == nullptr &&
         std::all_of(parts_.begin(), parts_.end(), [](Part part) {
           return part == Part::visitors || part == Part::visits || part == Part::pageviews || part == Part::events ||
                  part == Part::rows;
         });
}

// A column of the answer's subquery, in which all that is made of it finds it: written out each time, it would be
// planned each time.
std::string Writer::total_of(Part part, bool without_goals) {
  totals_.push_back(total_sql(part, without_goals));
  return fmt::format("t{}", totals_.size() - 1);
}

// The groups put together say it without looking at the rows again.
std::string Writer::total_sql(Part part, bool without_goals) {
  if (plan_) return rolled_total(part);
  if (rows_are_all() && !without_goals) {
    if (part != Part::visitors && part != Part::visits) return fmt::format("(sum({}) OVER ())", name_of(part));
    if (std::find(united_.begin(), united_.end(), part) == united_.end()) united_.push_back(part);
    return fmt::format("({} OVER ())", distinct(fmt::format("{}_set", name_of(part)), "Merge"));
  }
  return fmt::format("(SELECT toUInt64({}){} FROM {} WHERE {} AND {})", row_sum(part), for_all(), conditions_.table(),
                     conditions_.project(), matching(without_goals));
}

// Visitors by all dimensions but the goal, whatever goals they reach.
std::string Writer::group_visitors() {
  std::string columns;
  std::string grouped;
  for (size_t i = 0; i < shown_; ++i) {
    if (q_.dimensions[i].attribute == Attribute::goal) continue;
    columns += fmt::format("{} AS b{}, ", dimension_sql(i, Of::row), i);
    grouped += fmt::format("{}b{}", grouped.empty() ? "" : ", ", i);
  }
  return fmt::format("(SELECT {}toUInt64({}){} AS base FROM {} WHERE {} AND {} GROUP BY {})", columns,
                     distinct("visitor_id"), for_all(), with_pages(), conditions_.project(), matching(true), grouped);
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
      return share("visitors", total_of(Part::visitors));
    case Metric::visits_percentage:
      return share(visits, total_of(Part::visits));
    case Metric::pageviews_percentage:
      return share("pageviews", total_of(Part::pageviews));
    case Metric::events_percentage:
      return share("events", total_of(Part::events));
    case Metric::conversion_rate:
      return share("visitors", total_of(Part::visitors, true));
    case Metric::group_conversion_rate:
      return share("visitors", joins_groups_ ? "base" : total_of(Part::visitors, true));
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
  for (size_t i = 0; i < shown_; ++i)
    if (!used[i]) keys.push_back(fmt::format("{}{} ASC", q_.dimensions[i].attribute == Attribute::time ? "d" : "s", i));
  return keys.empty() ? "" : " ORDER BY " + joined(keys, ", ");
}

// Only the rows that the comparison is asked for.
std::string Writer::restriction() {
  if (only_ == nullptr || only_->empty()) return {};
  std::vector<std::string> columns;
  std::vector<std::string> lists;
  for (size_t i = 0; i < shown_; ++i) {
    if (q_.dimensions[i].attribute == Attribute::time) continue;
    std::vector<std::string> shown;
    for (const auto& row : *only_) shown.push_back(row[i]);
    if (columns.empty() || !shown.empty()) {
      columns.push_back(fmt::format("s{}", i));
      lists.push_back(values_.array(shown));
    }
  }
  if (columns.empty()) return {};
  if (columns.size() == 1) return fmt::format(" WHERE has({}, {})", lists.front(), columns.front());
  return fmt::format(" WHERE ({}) IN (SELECT arrayJoin(arrayZip({})))", joined(columns, ", "), joined(lists, ", "));
}

Statement Writer::answer() {
  choose_parts();
  plan_rolled();
  const bool wants_groups =
      std::find(q_.metrics.begin(), q_.metrics.end(), Metric::group_conversion_rate) != q_.metrics.end();
  joins_groups_ = wants_groups && shown_ > (by_goal() ? 1u : 0u);
  std::string columns;
  std::string estimates;  // by which the error of a sample is told
  for (size_t i = 0; i < shown_; ++i) columns += fmt::format("{} AS s{}, ", shown_dimension(i), i);
  for (size_t i = 0; i < q_.metrics.size(); ++i) {
    const std::string expression = metric(q_.metrics[i]);
    columns += fmt::format("{} AS m{}, ", expression, i);
    if (!is_sampled()) continue;
    columns += fmt::format("{} AS e{}, ", by_group(expression), i);
    estimates += fmt::format("e{}, ", i);
  }
  if (is_sampled()) {
    columns += fmt::format("intDiv(visitors, {}) AS looked_at, ", q_.one_in);
    estimates += "looked_at, ";
  }
  for (size_t i = 0; i < totals_.size(); ++i) columns += fmt::format("{} AS t{}, ", totals_[i], i);
  std::string before;
  std::string total = "count() OVER ()";
  chosen_ = chooses_values();
  std::string from = is_sampled() ? scaled(sums()) : sums();
  if (chosen_) {
    before = fmt::format("WITH {} AS chosen ", rolled_choice());
    total = "toInt64(chosen.2)";
  }
  if (joins_groups_) {
    std::vector<std::string> same;
    for (size_t i = 0; i < shown_; ++i)
      if (q_.dimensions[i].attribute != Attribute::goal) same.push_back(fmt::format("p.d{0} = b.b{0}", i));
    from = fmt::format("{} AS p ANY LEFT JOIN {} AS b ON {}", from, group_visitors(), joined(same, " AND "));
  }
  std::string outer;
  for (size_t i = 0; i < shown_; ++i) outer += fmt::format("s{}, ", i);
  for (size_t i = 0; i < q_.metrics.size(); ++i) outer += fmt::format("m{}, ", i);
  outer += estimates;
  std::string with_keys;  // what time is ordered by
  for (size_t i = 0; i < q_.dimensions.size(); ++i)
    if (q_.dimensions[i].attribute == Attribute::time) with_keys += fmt::format("d{}, ", i);
  std::string sql = fmt::format("{}SELECT {}{} AS total_rows FROM (SELECT {}{}1 FROM {}){}{}", before, outer, total,
                                with_keys, columns, from, restriction(), order_by());
  if (only_ == nullptr) {
    sql += fmt::format(" LIMIT {}", q_.limit);
    if (q_.offset > 0) sql += fmt::format(" OFFSET {}", q_.offset);
  }
  return {std::move(sql), values_.take(), plan_.has_value(), plan_ && plan_->open.empty(), std::move(kept_totals_)};
}

Statement Writer::count() {
  choose_parts();
  plan_rolled();
  std::string sql = fmt::format("SELECT count() FROM {}", sums());
  return {std::move(sql), values_.take()};
}

Statement write_statement(const Question& question, const Range& range, Dialect dialect, const ShownRows* only,
                          Spans covered, std::string source) {
  if (question.one_in == 1) return Writer(question, range, dialect, only, covered, std::move(source)).answer();
  Question by_group = question;
  by_group.dimensions.push_back({Attribute::visitor_group});
  return Writer(by_group, range, dialect, only, {}, std::move(source)).answer();
}

Statement write_file_statement(const Question& question, Spans covered) {
  Statement statement = write_statement(question, question.range, Dialect::bound, nullptr, covered);
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

Statement write_count(const Question& question, Spans covered) {
  return Writer(question, question.range, Dialect::bound, nullptr, covered).count();
}

Statement write_coverage(const Question& question, Dialect dialect, Spans covered) {
  if (dialect == Dialect::bound)
    if (auto plan = plan_coverage(question, covered))
      return {
          fmt::format(
              "SELECT value, toUInt64(sum(rows)) AS events FROM ({}) GROUP BY value HAVING events > 0 ORDER BY value",
              rolled_source(question, *plan, plan->cut, false, {})),
          {},
          true,
          plan->open.empty()};
  Values values(dialect);
  Conditions conditions(question, question.range, dialect, values);
  std::string sql =
      fmt::format("SELECT traffic, count() AS events FROM {} WHERE {} AND {} GROUP BY traffic ORDER BY traffic",
                  conditions.table(), conditions.project(), conditions.in_range());
  return {std::move(sql), values.take()};
}

}  // namespace weir::query
