#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"
#include "weir/event/row.h"

namespace weir::trace {

// Which rows somebody wants to see: conditions that all have to hold. Immutable once it is made; cheap enough to be
// asked of every row that is loaded.
class RowFilter {
 public:
  enum class Op : uint8_t { is, is_not, contains, contains_not };
  static bool parse_op(std::string_view name, Op& op);

  static constexpr size_t kConditionsMax = 8;
  static constexpr size_t kValuesMax = 16;
  static constexpr size_t kValueBytesMax = 1'000;

  // `column`: a text column of the view `events`, or `properties.KEY`, an absent one being empty. It holds when one of
  // the values fits, and for the negated ones when none does. Upper and lower case differ.
  // Errors: kBadInput (no such column, too many conditions or values, a value that is too long).
  Result<> add(Op op, std::string_view column, std::vector<std::string> values);

  bool fits(const event::Row& row) const;

 private:
  struct Condition {
    Op op;
    size_t column = 0;          // in the list of columns
    std::string property = {};  // set: of this property instead
    std::vector<std::string> values;
    bool holds(const event::Row& row) const;
  };
  std::vector<Condition> conditions_;
};

}  // namespace weir::trace
