#include "weir/query/conditions.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/query/countries.h"
#include "weir/query/sampling.h"

namespace weir::query {

namespace {
// As ClickHouse reads a text within an array or a statement.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('\'');
  return out;
}

// The name of the country that `column` has the code of; what the table does not know stays its code.
std::string country_name_of(std::string_view column) {
  std::string codes, names;
  for (const Country& country : countries()) {
    codes += (codes.empty() ? "" : ", ") + quoted(country.code);
    names += (names.empty() ? "" : ", ") + quoted(country.name);
  }
  return fmt::format("transform({}, [{}], [{}])", column, codes, names);
}

std::string negated(const std::string& condition) { return "NOT " + condition; }
}  // namespace

std::string joined(std::span<const std::string> parts, std::string_view between) {
  return fmt::format("{}", fmt::join(parts.begin(), parts.end(), between));
}

std::string Values::text(std::string_view value) {
  if (dialect_ == Dialect::public_) return quoted(value);
  auto [at, added] = names_.try_emplace(std::string(value), fmt::format("t{}", names_.size()));
  if (added) parameters_.emplace_back(at->second, at->first);
  return fmt::format("{{{}:String}}", at->second);
}

// Each value a parameter of its own: how a server takes an array apart that stands in one differs between its doors.
std::string Values::texts(std::span<const std::string> values) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + text(value);
  return list;
}

// In hexadecimal, so that nothing in them is taken for what stands between them.
std::string Values::array(std::span<const std::string> values) {
  if (dialect_ == Dialect::public_) return "[" + texts(values) + "]";
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ",") + to_hex(value);
  return fmt::format("arrayMap(x -> unhex(x), splitByChar(',', {}))", text(list));
}

// A number was read as one and is written as one: nothing in it can be anything else.
std::string Values::number(double value) { return fmt::format("toFloat64({})", value); }

std::string Conditions::project() {
  if (dialect_ == Dialect::public_) return "project = " + values_.text(question_.project_name);
  std::string rows = fmt::format("project_id = {}", number(question_.project));
  if (question_.one_in > 1) rows += fmt::format(" AND visitor_id < {}", UINT64_MAX / question_.one_in + 1);
  return rows;
}

std::string moment_sql(Seconds at) { return fmt::format("fromUnixTimestamp64Milli({}, 'UTC')", at * 1000); }

namespace {
std::string moment_of(Dialect dialect, Seconds at) {
  if (dialect == Dialect::public_) return fmt::format("toDateTime64('{}', 3, 'UTC')", local_text(at));
  return moment_sql(at);
}

std::string within(Dialect dialect, Seconds from, Seconds to) {
  return fmt::format("timestamp >= {} AND timestamp < {}", moment_of(dialect, from), moment_of(dialect, to));
}

// A visit that touches the time began less than its greatest length before it, and before its end.
std::string onward(Dialect dialect, Seconds from, Seconds to) {
  return fmt::format("{} AND {} < {}", within(dialect, from, to + kVisitLength + 1), Conditions::kVisitStart, to);
}
std::string around(Dialect dialect, Seconds from, Seconds to) { return onward(dialect, from - kVisitLength - 1, to); }
}  // namespace

std::string within_sql(Seconds from, Seconds to) { return within(Dialect::bound, from, to); }
std::string around_sql(Seconds from, Seconds to) { return around(Dialect::bound, from, to); }
std::string onward_sql(Seconds from, Seconds to) { return onward(Dialect::bound, from, to); }

std::string Conditions::in_range() { return within(dialect_, range_.from, range_.to); }
std::string Conditions::around_range() { return around(dialect_, range_.from, range_.to); }
std::string Conditions::onward_of_range() { return onward(dialect_, range_.from, range_.to); }

std::string Conditions::traffic() const {
  std::string list;
  for (const std::string& label : question_.traffic) list += (list.empty() ? "" : ", ") + quoted(label);
  return question_.traffic.size() == 1 ? "traffic = " + list : "traffic IN (" + list + ")";
}

std::string Conditions::filter(bool without_goals) {
  Filter kept;
  for (size_t i = 0; i < question_.filter.parts.size(); ++i) {
    const Filter& part = question_.filter.parts[i];
    const bool dropped =
        without_goals && i < question_.asked && part.kind == Filter::Kind::leaf &&
        (part.dimension.attribute == Attribute::goal || part.dimension.attribute == Attribute::property);
    if (!dropped) kept.parts.push_back(part);
  }
  return of(kept);
}

std::string Conditions::of(const Filter& filter) {
  std::vector<std::string> parts;
  switch (filter.kind) {
    case Filter::Kind::leaf:
      return leaf(filter);
    case Filter::Kind::all:
    case Filter::Kind::any: {
      const bool all = filter.kind == Filter::Kind::all;
      if (filter.parts.empty()) return all ? "1" : "0";
      for (const Filter& part : filter.parts) parts.push_back(of(part));
      return parts.size() == 1 ? parts.front() : "(" + joined(parts, all ? " AND " : " OR ") + ")";
    }
    case Filter::Kind::none:
      for (const Filter& part : filter.parts) parts.push_back(of(part));
      return parts.empty() ? "1" : negated("(" + joined(parts, " OR ") + ")");
    case Filter::Kind::done:
    case Filter::Kind::not_done:
      return fmt::format("visitor_id {} (SELECT visitor_id FROM {} WHERE {} AND {} AND {} AND {})",
                         filter.kind == Filter::Kind::done ? "IN" : "NOT IN", table(), project(), in_range(), traffic(),
                         of(filter.parts.front()));
  }
  fatal("query: a filter of no kind");
}

std::string Conditions::of_values(const Filter& filter) {
  over_values_ = true;
  std::string condition = of(filter);
  over_values_ = false;
  return condition;
}

std::string Conditions::has(const std::string& key) {
  std::string name = values_.text(key);
  if (dialect_ == Dialect::public_) return fmt::format("mapContains(properties, {})", name);
  return fmt::format("(mapContains(text_properties, {0}) OR mapContains(number_properties, {0}))", name);
}

std::string Conditions::has_number(const std::string& key) {
  return fmt::format("mapContains({}, {})", dialect_ == Dialect::public_ ? "numbers" : "number_properties",
                     values_.text(key));
}

std::string Conditions::number_of(const std::string& key) {
  if (dialect_ == Dialect::public_) return fmt::format("numbers[{}]", values_.text(key));
  return fmt::format("toFloat64OrZero(number_properties[{}])", values_.text(key));
}

std::string Conditions::value(const Dimension& dimension) {
  if (dimension.attribute == Attribute::property) {
    std::string name = values_.text(dimension.property);
    if (dialect_ == Dialect::public_) return fmt::format("properties[{}]", name);
    return fmt::format(
        "if(mapContains(number_properties, {0}), number_properties[{0}], toString(text_properties[{0}]))", name);
  }
  std::string_view column = column_of(dimension.attribute);
  WEIR_CHECK(!column.empty());
  if (dimension.attribute == Attribute::country_name) return country_name_of(column);
  if (dimension.attribute == Attribute::visitor_group)
    return fmt::format("toString(intDiv({}, {}))", column, UINT64_MAX / (question_.one_in * kSampleGroups) + 1);
  return std::string(column);
}

std::string Conditions::reaches(const Goal& goal) {
  std::string condition;
  if (!goal.event.empty()) {
    condition = fmt::format("name = {} AND kind != 'engagement'", values_.text(goal.event));
  } else if (goal.page.find('*') == std::string::npos) {
    condition = fmt::format("kind = 'pageview' AND path = {}", values_.text(goal.page));
  } else {
    condition = fmt::format("kind = 'pageview' AND match(path, {})", values_.text(wildcard_regex(goal.page)));
  }
  if (goal.property) {
    condition += fmt::format(" AND {} AND {} = {}", has(goal.property->first),
                             value({Attribute::property, Bucket::none, goal.property->first}),
                             values_.text(goal.property->second));
  }
  return "(" + condition + ")";
}

std::string Conditions::fits(const Filter& filter, const std::string& text, std::string_view empty) {
  std::vector<std::string> values = filter.values;
  const std::string subject = filter.case_sensitive ? text : "lowerUTF8(" + text + ")";
  auto folded = [&](const std::string& value) { return filter.case_sensitive ? value : "lowerUTF8(" + value + ")"; };
  std::vector<std::string> parts;
  switch (filter.op) {
    case Op::is:
    case Op::is_not:
      // What an empty value is shown as stands for it.
      if (!empty.empty() && std::find(values.begin(), values.end(), empty) != values.end()) values.emplace_back();
      if (values.size() == 1) return fmt::format("{} = {}", subject, folded(values_.text(values.front())));
      if (filter.case_sensitive) return fmt::format("{} IN ({})", subject, values_.texts(values));
      return fmt::format("has(arrayMap(v -> lowerUTF8(v), [{}]), {})", values_.texts(values), subject);
    case Op::contains:
    case Op::contains_not:
      for (const std::string& value : values)
        parts.push_back(fmt::format("position({}, {}) > 0", subject, folded(values_.text(value))));
      break;
    default:
      for (const std::string& value : values) {
        const bool wildcard = filter.op == Op::matches_wildcard || filter.op == Op::matches_wildcard_not;
        std::string regex = wildcard ? wildcard_regex(value) : value;
        if (!filter.case_sensitive) regex = "(?i)" + regex;
        parts.push_back(fmt::format("match({}, {})", text, values_.text(regex)));
      }
  }
  return parts.size() == 1 ? parts.front() : "(" + joined(parts, " OR ") + ")";
}

std::string Conditions::number_leaf(const Filter& filter, const std::string& number) {
  const char* sign = filter.op == Op::greater            ? ">"
                     : filter.op == Op::greater_or_equal ? ">="
                     : filter.op == Op::less             ? "<"
                                                         : "<=";
  std::vector<std::string> parts;
  for (double value : filter.numbers) parts.push_back(fmt::format("{} {} {}", number, sign, values_.number(value)));
  return parts.size() == 1 ? parts.front() : "(" + joined(parts, " OR ") + ")";
}

std::string Conditions::property_leaf(const Filter& filter) {
  const std::string& key = filter.dimension.property;
  if (!filter.numbers.empty()) return fmt::format("({} AND {})", has_number(key), number_leaf(filter, number_of(key)));
  const std::string fit = fits(filter, value(filter.dimension), {});
  if (filter.op == Op::is || filter.op == Op::is_not) {
    const std::string_view none = empty_label(Attribute::property);
    // A property that is missing and one that is empty are shown alike, and found alike.
    std::string is = fmt::format("({} AND {})", has(key), fit);
    if (std::find(filter.values.begin(), filter.values.end(), none) != filter.values.end())
      is = fmt::format("({} OR {} = '')", is, value(filter.dimension));
    return filter.op == Op::is ? is : negated(is);
  }
  return fmt::format("({} AND {})", has(key), is_negative(filter.op) ? negated("(" + fit + ")") : fit);
}

// The pages of a whole visit stand on no row: the visits that fit are found first.
std::string Conditions::page_leaf(const Filter& filter) {
  const bool entry = filter.dimension.attribute == Attribute::entry_page;
  return fmt::format(
      "session_id {} (SELECT session_id FROM (SELECT session_id, {}(toString(path), {}, kind = 'pageview') AS page "
      "FROM {} WHERE {} AND {} GROUP BY session_id) WHERE {})",
      is_negative(filter.op) ? "NOT IN" : "IN", entry ? "argMinIf" : "argMaxIf", kOrder, table(), project(),
      around_range(), fits(filter, "page", empty_label(filter.dimension.attribute)));
}

std::string Conditions::goal_leaf(const Filter& filter) {
  std::vector<std::string> parts;
  for (const Goal& goal : question_.goals) {
    const bool chosen = std::any_of(filter.values.begin(), filter.values.end(), [&](const std::string& value) {
      if (filter.op == Op::is || filter.op == Op::is_not) return goal.name == value;
      return goal.name.find(value) != std::string::npos;
    });
    if (chosen) parts.push_back(reaches(goal));
  }
  std::string any = parts.empty() ? "0" : "(" + joined(parts, " OR ") + ")";
  return is_negative(filter.op) ? negated(any) : any;
}

std::string Conditions::leaf(const Filter& filter) {
  if (over_values_) {
    const std::string fit = fits(filter, "value", empty_label(filter.dimension.attribute));
    return is_negative(filter.op) ? negated("(" + fit + ")") : "(" + fit + ")";
  }
  switch (filter.dimension.attribute) {
    case Attribute::property:
      return property_leaf(filter);
    case Attribute::goal:
      return goal_leaf(filter);
    case Attribute::entry_page:
    case Attribute::exit_page:
      return page_leaf(filter);
    case Attribute::revenue:
      return fmt::format("(revenue_amount IS NOT NULL AND {})",
                         number_leaf(filter, "toFloat64(assumeNotNull(revenue_amount))"));
    default: {
      const std::string fit = fits(filter, value(filter.dimension), empty_label(filter.dimension.attribute));
      return is_negative(filter.op) ? negated("(" + fit + ")") : "(" + fit + ")";
    }
  }
}

}  // namespace weir::query
