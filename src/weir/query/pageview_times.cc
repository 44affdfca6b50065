#include "weir/query/pageview_times.h"

#include <fmt/format.h>

#include "weir/query/conditions.h"

namespace weir::query {

std::string pageview_times(const PageviewTimes& of) {
  const std::string visits = fmt::format(
      "SELECT session_id, arraySort(x -> x.1, groupArray(tuple({}, kind = 'pageview', toString(path), "
      "toUnixTimestamp64Milli(timestamp), {}, {}))) AS seen, arrayCumSum(arrayMap(x -> x.2, seen)) AS page, arrayMap(x "
      "-> x.4, arrayFilter(x -> x.2 = 1, seen)) AS times, arrayMap(n -> if(n < length(times), times[n + 1], -1), page) "
      "AS nexts FROM {} WHERE {} AND kind IN ('pageview', 'engagement') GROUP BY session_id",
      Conditions::kOrder, of.engaged, of.members, of.from, of.where);
  const std::string pages = fmt::format(
      "SELECT anyIf(x, x.2 = 1) AS p, any(next) AS next_time, groupArrayIf((x.3, x.5), x.2 = 0 AND x.5 >= 0) AS told "
      "FROM ({}) ARRAY JOIN seen AS x, page AS n, nexts AS next WHERE n > 0 GROUP BY session_id, n HAVING {}",
      visits, of.having);
  return fmt::format(
      "SELECT p, arrayFilter(t -> t.1 = p.3, told) AS own, multiIf(notEmpty(own), toInt64(round(arraySum(t -> t.2, "
      "own))), next_time >= 0, next_time - p.4, -1) AS took FROM ({})",
      pages);
}

}  // namespace weir::query
