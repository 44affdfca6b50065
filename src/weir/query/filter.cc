#include "weir/query/filter.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>

namespace weir::query {

namespace {
constexpr std::array<std::string_view, 12> kOps = {"is",
                                                   "is_not",
                                                   "contains",
                                                   "contains_not",
                                                   "matches",
                                                   "matches_not",
                                                   "matches_wildcard",
                                                   "matches_wildcard_not",
                                                   "greater",
                                                   "greater_or_equal",
                                                   "less",
                                                   "less_or_equal"};
}  // namespace

std::string_view name_of(Op op) { return kOps.at(static_cast<size_t>(op)); }

bool parse_op(std::string_view name, Op& op) {
  for (size_t i = 0; i < kOps.size(); ++i) {
    if (kOps[i] != name) continue;
    op = static_cast<Op>(i);
    return true;
  }
  return false;
}

bool is_negative(Op op) {
  return op == Op::is_not || op == Op::contains_not || op == Op::matches_not || op == Op::matches_wildcard_not;
}

std::string wildcard_regex(std::string_view pattern) {
  std::string regex = "(?s)^";
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '*') {
      size_t end = std::min(pattern.find('*', i), pattern.size());
      regex += RE2::QuoteMeta(pattern.substr(i, end - i));
      i = end - 1;
    } else if (i + 1 < pattern.size() && pattern[i + 1] == '*') {
      regex += ".*";
      ++i;
    } else {
      regex += "[^/]*";
    }
  }
  return regex + "$";
}

bool is_of_whole_visits(Attribute attribute) {
  return attribute == Attribute::source || attribute == Attribute::channel || attribute == Attribute::utm_campaign ||
         attribute == Attribute::entry_page || attribute == Attribute::exit_page ||
         attribute == Attribute::visitor_group;
}

bool is_of_whole_visits(const Filter& filter) {
  switch (filter.kind) {
    case Filter::Kind::leaf:
      return is_of_whole_visits(filter.dimension.attribute);
    case Filter::Kind::done:
    case Filter::Kind::not_done:
      return true;
    default:
      return std::all_of(filter.parts.begin(), filter.parts.end(),
                         [](const Filter& part) { return is_of_whole_visits(part); });
  }
}

bool asks_for(const Filter& filter, Attribute attribute) {
  if (filter.kind == Filter::Kind::leaf) return filter.dimension.attribute == attribute;
  return std::any_of(filter.parts.begin(), filter.parts.end(),
                     [&](const Filter& part) { return asks_for(part, attribute); });
}

}  // namespace weir::query
