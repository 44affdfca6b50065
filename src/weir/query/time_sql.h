#pragma once

#include <string>
#include <vector>

#include "weir/query/conditions.h"
#include "weir/query/range.h"

namespace weir::query {

// Buckets of time as SQL: arithmetic on Unix seconds with the zone's offsets in the range, so that the store's own zone
// files have no part in it. Confined to one statement.
class TimeSql {
 public:
  TimeSql(const Zone& zone, const Range& range, Bucket bucket);

  // What rows are grouped by: a Date for stretches of days and more, a number else. `moment`: an expression of Int64,
  // Unix seconds within the range.
  std::string key(const std::string& moment) const;
  // What a key is shown as: a text, or a number for sets of time.
  std::string label(const std::string& key, Values& values) const;

 private:
  std::string local(const std::string& moment) const;
  std::string fine_key(const std::string& moment, int step) const;
  std::string offset(const std::string& moment) const;

  const Zone zone_;
  const Range range_;
  const Bucket bucket_;
  std::vector<Zone::Era> eras_;
};

}  // namespace weir::query
