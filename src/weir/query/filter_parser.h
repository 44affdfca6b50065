#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"
#include "weir/query/question.h"

namespace boost::json {
class array;
class value;
}  // namespace boost::json

namespace weir::query {

// Reads lists of filters, counting what they hold against the limits of one question. Confined to one question.
class FilterParser {
 public:
  // Keeps `context` by reference.
  explicit FilterParser(const Context& context) : context_(context) {}

  // Appends what `list` says. Errors: kBadInput, kTooLarge; `where` names the place.
  Result<> list(const boost::json::value& list, std::string_view where, size_t depth, std::vector<Filter>& into);

 private:
  Result<> one(const boost::json::value& value, const std::string& where, size_t depth, Filter& filter);
  Result<> leaf(const boost::json::array& parts, const std::string& where, Filter& filter);
  Result<> segment(const boost::json::array& parts, const std::string& where, size_t depth, Filter& filter);
  Result<> value_of(const boost::json::value& value, const std::string& where, Filter& filter);
  Result<> checked(const std::string& where, const Filter& filter) const;

  const Context& context_;
  size_t leaves_ = 0;
  size_t values_ = 0;
  size_t value_bytes_ = 0;
  bool in_segment_ = false;
  bool in_behaviour_ = false;
};

}  // namespace weir::query
