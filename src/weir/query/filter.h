#pragma once

#include <string>
#include <vector>

#include "weir/query/names.h"

namespace weir::query {

enum class Op : uint8_t {
  is,
  is_not,
  contains,
  contains_not,
  matches,
  matches_not,
  matches_wildcard,
  matches_wildcard_not,
  greater,
  greater_or_equal,
  less,
  less_or_equal,
};
std::string_view name_of(Op op);
bool parse_op(std::string_view name, Op& op);
// The operator that is true exactly where the other is false, properties that are missing aside: is for is_not.
bool is_negative(Op op);

// What is asked of an event: a tree whose leaves hold one attribute, of the event or of its visit, against values. Any
// of a leaf's values will do; for a negative operator none may.
struct Filter {
  enum class Kind : uint8_t {
    all,   // of `parts`; without any: true
    any,   // of `parts`; without any: false
    none,  // of `parts`
    leaf,
    done,      // the event's visitor has, in the range, an event for which the one part is true
    not_done,  // or has none
  };
  Kind kind = Kind::all;
  std::vector<Filter> parts = {};

  Op op = Op::is;
  Dimension dimension = {};
  std::vector<std::string> values = {};
  std::vector<double> numbers = {};  // for the operators that compare numbers
  bool case_sensitive = true;
};

// The wildcard pattern as a regular expression: `*` is any text without '/', `**` any text.
std::string wildcard_regex(std::string_view pattern);

// Whether it is said once of a visit by each of its events alike: source, channel and campaign, entry and exit page,
// what the visitor did.
bool is_of_whole_visits(const Filter& filter);
bool is_of_whole_visits(Attribute attribute);

// Whether some leaf of it asks for `attribute`.
bool asks_for(const Filter& filter, Attribute attribute);

}  // namespace weir::query
