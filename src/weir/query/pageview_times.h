#pragma once

#include <cstddef>
#include <string>

namespace weir::query {

// What the time of a pageview is found from.
struct PageviewTimes {
  std::string engaged;  // an expression: the milliseconds a row tells of, or -1
  std::string members;  // expressions of a pageview's row that are asked about, with commas between; one at least
  std::string from;     // the table
  std::string where;    // the rows of visits from the first pageview that counts on
  std::string having;   // which pageviews count
};

// How many members `p` has before those asked about.
inline constexpr size_t kPageviewMembers = 1;

// A statement that gives `p` and `took` of each pageview: `p` is a tuple of its path and `members`; `took` is what was
// reported of its page until the visit's next pageview, else the time to that; -1 where neither is known. Milliseconds.
std::string pageview_times(const PageviewTimes& of);

}  // namespace weir::query
