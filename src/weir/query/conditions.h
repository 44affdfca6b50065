#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weir/query/question.h"
#include "weir/query/statement.h"

namespace weir::query {

// Values on their way into a statement. Confined to one statement.
class Values {
 public:
  explicit Values(Dialect dialect) : dialect_(dialect) {}
  // What stands for the value in the statement.
  std::string text(std::string_view value);
  // What stands for all of them, with commas between.
  std::string texts(std::span<const std::string> values);
  // An array of them, however many: one parameter, where texts() makes one of each.
  std::string array(std::span<const std::string> values);
  std::string number(double value);
  store::Parameters take() { return std::move(parameters_); }

 private:
  const Dialect dialect_;
  store::Parameters parameters_;
  std::unordered_map<std::string, std::string> names_;  // by value
};

// No visit is longer.
inline constexpr Seconds kVisitLength = 24 * 3600;
// A moment as weir_data.events has its times.
std::string moment_sql(Seconds at);
// The rows of [from, to); those of all visits that touch it, and some more; of the latter those that are not before it.
std::string within_sql(Seconds from, Seconds to);
std::string around_sql(Seconds from, Seconds to);
std::string onward_sql(Seconds from, Seconds to);

// What of a question's words holds for single rows, as SQL expressions over the table's columns. Confined to one
// statement; keeps `question` and `values` by reference.
class Conditions {
 public:
  // `source`: what is read instead of the table, with its columns (as far as the question needs them); or empty.
  Conditions(const Question& question, const Range& range, Dialect dialect, Values& values, std::string source = {})
      : question_(question), range_(range), dialect_(dialect), values_(values), source_(std::move(source)) {}

  std::string_view table() const {
    if (!source_.empty()) return source_;
    return dialect_ == Dialect::bound ? "weir_data.events" : "weir.events";
  }
  // Whose rows.
  std::string project();
  // The rows of the range.
  std::string in_range();
  // The rows of all visits that touch the range, and some more.
  std::string around_range();
  std::string onward_of_range();
  // One of the labels asked for.
  std::string traffic() const;
  // The question's filter. `without_goals`: less what it asks, at its top, of goals and properties.
  std::string filter(bool without_goals = false);
  // Of `filter` alone.
  std::string of(const Filter& filter);
  // The same over the column `value`, which holds the one attribute that all its leaves are about.
  std::string of_values(const Filter& filter);
  // The row's value of an attribute, as text; '' where there is none. Not for time, goals, entry and exit pages.
  std::string value(const Dimension& dimension);
  // That the row's event reaches the goal.
  std::string reaches(const Goal& goal);
  // Whether the row's event has the property.
  std::string has(const std::string& key);
  // Its number, of a property that the event has as a number.
  std::string number_of(const std::string& key);
  std::string has_number(const std::string& key);
  // Orders the events of a visit.
  static constexpr std::string_view kOrder = "(toUnixTimestamp64Milli(timestamp) * 65536 + visit_seq)";
  // The second in which the row's visit began.
  static constexpr std::string_view kVisitStart = "bitShiftRight(session_id, 32)";

 private:
  std::string leaf(const Filter& filter);
  std::string property_leaf(const Filter& filter);
  std::string page_leaf(const Filter& filter);
  std::string goal_leaf(const Filter& filter);
  std::string number_leaf(const Filter& filter, const std::string& number);
  // Whether text fits any of the filter's values, whether or not its operator is negative.
  std::string fits(const Filter& filter, const std::string& text, std::string_view empty);

  const Question& question_;
  const Range range_;
  const Dialect dialect_;
  Values& values_;
  const std::string source_;
  bool over_values_ = false;
};

std::string joined(std::span<const std::string> parts, std::string_view between);

}  // namespace weir::query
