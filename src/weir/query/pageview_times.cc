#include "weir/query/pageview_times.h"

#include <fmt/format.h>

#include "weir/query/conditions.h"

namespace weir::query {

// A visit's rows backwards: when a row's turn comes, the next pageview's time has been seen, and what lies between two
// pageviews has as many of them behind it as the first of the two.
std::string pageview_times(const PageviewTimes& of) {
  const std::string rows = fmt::format(
      "SELECT session_id, {} AS place, kind = 'pageview' AS is_page, toString(path) AS seen, "
      "toUnixTimestamp64Milli(timestamp) AS time, {} AS engaged, tuple(seen, {}) AS asked FROM {} WHERE {} AND kind IN "
      "('pageview', 'engagement')",
      Conditions::kOrder, of.engaged, of.members, of.from, of.where);
  const std::string backwards = fmt::format(
      "SELECT session_id, is_page, seen, time, engaged, asked, countIf(is_page) OVER behind AS later, minIf(time, "
      "is_page) OVER behind AS next FROM ({}) WINDOW behind AS (PARTITION BY session_id ORDER BY place DESC ROWS "
      "BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)",
      rows);
  const std::string pages = fmt::format(
      "SELECT anyIf(asked, is_page) AS p, anyIf(if(later > 0, next - time, -1), is_page) AS until_next, "
      "groupArrayIf((seen, engaged), NOT is_page AND engaged >= 0) AS told FROM ({}) GROUP BY session_id, later HAVING "
      "max(is_page) AND ({})",
      backwards, of.having);
  return fmt::format(
      "SELECT p, arrayFilter(t -> t.1 = p.1, told) AS own, if(notEmpty(own), toInt64(round(arraySum(t -> t.2, own))), "
      "until_next) AS took FROM ({})",
      pages);
}

}  // namespace weir::query
