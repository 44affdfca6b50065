#include "weir/query/live.h"

#include <fmt/format.h>

namespace weir::query {

namespace {
constexpr UnixMillis kMinute = 60'000;
// "Now" is the last five minutes, the panels the last thirty.
constexpr UnixMillis kRecent = 5 * kMinute;
constexpr UnixMillis kShown = 30 * kMinute;
// Clients' clocks may be a little ahead of ours.
constexpr UnixMillis kAhead = kMinute;

// grouping() of a set: a bit for each column that is not in it, the first column's highest.
//
// The columns of one answer are written as tuples without names, which JSONEachRow gives as arrays; UInt32, because 64
// bits are no number to a browser.
constexpr std::string_view kStatement = R"(
SELECT
    max(recent) AS visitors,
    maxIf(people, which = 15) AS visitors_30m,
    maxIf(views, which = 15) AS pageviews_30m,
    maxIf(things, which = 15) AS events_30m,
    arraySort(groupArrayIf((toUnixTimestamp(minute), people, views), which = 7)) AS series,
    groupArrayIf((page, viewers), which = 11 AND viewers > 0) AS pages,
    groupArrayIf((source, people), which = 13) AS sources,
    groupArrayIf((place, people), which = 14 AND place != '') AS countries
FROM
(
    SELECT
        minute, page, source, place,
        grouping(minute, page, source, place) AS which,
        toUInt32(uniqExact(visitor_id)) AS people,
        toUInt32(uniqExactIf(visitor_id, kind = 'pageview')) AS viewers,
        toUInt32(if(which = 15, uniqExactIf(visitor_id, timestamp >= fromUnixTimestamp64Milli({recent:Int64})), 0)) AS recent,
        toUInt32(countIf(kind = 'pageview')) AS views,
        toUInt32(count()) AS things
    FROM
    (
        SELECT
            visitor_id, timestamp, kind,
            toStartOfMinute(timestamp) AS minute,
            path AS page,
            if(visit_source = '', 'Direct / None', visit_source) AS source,
            country AS place
        FROM weir_data.events
        WHERE project_id = {project:UInt64} AND traffic = 'human'
            AND timestamp >= fromUnixTimestamp64Milli({since:Int64})
            AND timestamp < fromUnixTimestamp64Milli({until:Int64})
    )
    GROUP BY GROUPING SETS ((minute), (page), (source), (place), ())
    ORDER BY if(which = 11, viewers, people) DESC, page, source, place
    LIMIT 250 BY which
)
SETTINGS output_format_json_escape_forward_slashes = 0)";
}  // namespace

Result<std::string> live_counts(store::Store& store, ProjectId project, UnixMillis now) {
  // The first minute shown is whole.
  const UnixMillis since = (now - kShown) / kMinute * kMinute + kMinute;
  store::QueryOptions options{.format = "JSONEachRow",
                              .parameters = {{"project", to_string(project)},
                                             {"recent", std::to_string(now - kRecent)},
                                             {"since", std::to_string(since)},
                                             {"until", std::to_string(now + kAhead)}},
                              .timeout = std::chrono::seconds(10),
                              .urgency = store::Urgency::awaited};
  auto answer = store.query(kStatement, options);
  if (!answer) return std::move(answer).error();
  while (!answer->empty() && answer->back() == '\n') answer->pop_back();
  return answer;
}

}  // namespace weir::query
