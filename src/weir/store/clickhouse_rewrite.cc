// What ClickHouse does with rows that are stored already: finding visits, and writing visits and enrichment anew.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "weir/store/answers.h"
#include "weir/store/clickhouse.h"
#include "weir/store/row_binary.h"

namespace weir::store {

namespace {
using std::chrono::milliseconds;

constexpr milliseconds kVisitLengthMax{24 * 3'600'000};
// Beyond it there are no times of ours (the year 2286).
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kTimeMax = 9'999'999'999'000;
// Rows of visits read at once: about 40 MB.
constexpr uint64_t kVisitRowsPage = 200'000;
}  // namespace

// A visit lasts at most a day, so an open one has no row before that. Which are the latest is found first, by their
// numbers alone: of millions, all that is asked of each would not fit the memory.
Result<std::vector<OpenVisit>> ClickHouse::open_visits(const VisitScope& scope, uint64_t limit) {
  const std::string rows = fmt::format(
      "FROM weir_data.events WHERE timestamp < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') {} "
      "AND timestamp >= fromUnixTimestamp64Milli",
      scope.project ? "AND project_id = {project:UInt64}" : "");
  auto bytes =
      read(fmt::format("SELECT project_id, visitor_id, client_session_id, session_id, "
                       "toUnixTimestamp64Milli(max(timestamp)) AS last, count(), countIf(kind = 'pageview'), "
                       "countIf(kind IN ('pageview', 'event')), toString(argMax(entry_path, at)), "
                       "toString(argMaxIf(path, at, kind = 'pageview')), toString(any(visit_source)), "
                       "toString(any(visit_channel)), toString(any(visit_campaign)) "
                       "FROM (SELECT *, (timestamp, visit_seq) AS at {0}({{oldest:Int64}}, 'UTC') "
                       "AND (project_id, visitor_id, session_id) IN "
                       "(SELECT project_id, visitor_id, session_id {0}({{since:Int64}}, 'UTC') GROUP BY project_id, "
                       "visitor_id, session_id ORDER BY max(timestamp) DESC LIMIT {{limit:UInt64}})) "
                       "GROUP BY project_id, visitor_id, client_session_id, session_id HAVING last >= {{since:Int64}} "
                       "ORDER BY last DESC LIMIT {{limit:UInt64}}",
                       rows),
           in_row_binary({{"oldest", std::to_string(scope.since - kVisitLengthMax.count())},
                          {"since", std::to_string(scope.since)},
                          {"until", std::to_string(std::min(scope.until, kTimeMax))},
                          {"project", std::to_string(number(scope.project.value_or(ProjectId{})))},
                          {"limit", std::to_string(limit)}}));
  if (!bytes) return std::move(bytes).error();
  std::vector<OpenVisit> visits;
  RowBinary in(*bytes);
  while (!in.at_end()) {
    OpenVisit visit;
    visit.project_id = ProjectId{in.fixed<uint64_t>()};
    visit.visitor_id = in.fixed<uint64_t>();
    visit.client_session_id = in.text();
    visit.session_id = in.fixed<uint64_t>();
    visit.last = in.fixed<int64_t>();
    visit.events = in.fixed<uint64_t>();
    visit.pageviews = in.fixed<uint64_t>();
    visit.interactions = in.fixed<uint64_t>();
    visit.entry_path = in.text();
    visit.last_path = in.text();
    visit.source = in.text();
    visit.channel = in.text();
    visit.campaign = in.text();
    if (in.failed()) return unreadable("open visits");
    visits.push_back(std::move(visit));
  }
  return visits;
}

Result<std::optional<int64_t>> ClickHouse::day_with_events(ProjectId project, int64_t time) {
  auto answer = read(
      "SELECT toUnixTimestamp(toDateTime(toDate(timestamp), 'UTC')) FROM weir_data.events "
      "WHERE project_id = {project:UInt64} AND toDate(timestamp) >= toDate(fromUnixTimestamp64Milli({time:Int64}, "
      "'UTC')) ORDER BY project_id, toDate(timestamp) LIMIT 1",
      {.format = "TSV",
       .parameters = {{"project", std::to_string(number(project))},
                      {"time", std::to_string(std::clamp<int64_t>(time, 0, kTimeMax))}}});
  if (!answer) return std::move(answer).error();
  if (answer->empty()) return std::optional<int64_t>();
  return std::optional(number_in<int64_t>(*answer) * 1000);
}

namespace {
// event::event_hash(), from the columns.
constexpr std::string_view kEventHash =
    "if(time_rule != 'client', _o, xxh3(multiIf(client_id != '', client_id, "
    "client_uuid != toUUID('00000000-0000-0000-0000-000000000000'), toString(client_uuid), "
    "concat(toString(kind), '\\0', toString(name), "
    "'\\0', toString(hostname), "
    "'\\0', toString(path), '\\0', toString(title), '\\0', toString(referrer), '\\0', "
    "utm_source, '\\0', utm_medium, '\\0', utm_campaign, '\\0', utm_term, '\\0', utm_content, '\\0', "
    "arrayStringConcat(arrayMap((key, value) -> concat(toString(key), '\\0', toString(value), '\\0'), "
    "mapKeys(text_properties), mapValues(text_properties))), "
    "arrayStringConcat(arrayMap((key, value) -> concat(toString(key), '\\0', value, '\\0'), "
    "mapKeys(number_properties), mapValues(number_properties)))))))";

std::string set_of(std::span<const uint64_t> numbers) { return fmt::format("({})", fmt::join(numbers, ",")); }

VisitRow read_visit_row(RowBinary& in, ProjectId project) {
  VisitRow row;
  row.project_id = project;
  row.visitor_id = in.fixed<uint64_t>();
  row.client_session_id = in.text();
  row.time = in.fixed<int64_t>();
  row.hash = in.fixed<uint64_t>();
  if (!event::parse_kind(in.text(), row.kind)) in.fail<int>();
  for (std::string* text : {&row.path, &row.source, &row.channel, &row.campaign}) *text = in.text();
  row.p = in.fixed<uint32_t>();
  row.o = in.fixed<uint64_t>();
  row.session_id = in.fixed<uint64_t>();
  row.visit_seq = in.fixed<uint16_t>();
  row.visit_gap_ms = in.fixed<uint32_t>();
  row.visit_bounce = in.fixed<int8_t>();
  for (std::string* text :
       {&row.entry_path, &row.previous_path, &row.visit_source, &row.visit_channel, &row.visit_campaign})
    *text = in.text();
  return row;
}
}  // namespace

Result<> ClickHouse::visit_rows(ProjectId project, std::span<const uint64_t> visitors, int64_t from, int64_t until,
                                const std::function<void(const VisitRow&)>& sink) {
  if (visitors.empty()) return {};
  std::optional<VisitRow> last;
  while (true) {
    Parameters parameters = {{"project", std::to_string(number(project))},
                             {"from", std::to_string(std::max<int64_t>(from, 0))},
                             {"until", std::to_string(std::clamp<int64_t>(until, 0, kTimeMax))},
                             {"limit", std::to_string(kVisitRowsPage)}};
    std::string behind;
    if (last) {
      behind =
          "AND visitor_id >= {visitor:UInt64} AND (visitor_id, client_session_id, ms, hash, _p, _o) > "
          "({visitor:UInt64}, {client:String}, {ms:Int64}, {hash:UInt64}, {p:UInt32}, {o:UInt64}) ";
      for (auto& [name, value] : Parameters{{"visitor", std::to_string(last->visitor_id)},
                                            {"client", last->client_session_id},
                                            {"ms", std::to_string(last->time)},
                                            {"hash", std::to_string(last->hash)},
                                            {"p", std::to_string(last->p)},
                                            {"o", std::to_string(last->o)}})
        parameters.emplace_back(name, value);
    }
    auto bytes = read(
        fmt::format("SELECT visitor_id, client_session_id, toUnixTimestamp64Milli(timestamp) AS ms, {} AS hash, "
                    "toString(kind), toString(path), toString(source), toString(channel), utm_campaign, _p, _o, "
                    "session_id, visit_seq, visit_gap_ms, visit_bounce, toString(entry_path), toString(previous_path), "
                    "toString(visit_source), toString(visit_channel), toString(visit_campaign) "
                    "FROM weir_data.events WHERE project_id = {{project:UInt64}} "
                    "AND timestamp >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') "
                    "AND timestamp < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') AND visitor_id IN {} {}"
                    "ORDER BY visitor_id, client_session_id, ms, hash, _p, _o LIMIT {{limit:UInt64}}",
                    kEventHash, set_of(visitors), behind),
        in_background(std::move(parameters)));
    if (!bytes) return std::move(bytes).error();
    RowBinary in(*bytes);
    uint64_t rows = 0;
    while (!in.at_end()) {
      VisitRow row = read_visit_row(in, project);
      if (in.failed()) return unreadable("rows of visits");
      sink(row);
      last = std::move(row);
      ++rows;
    }
    if (rows < kVisitRowsPage) return {};
  }
}

namespace {
// What depends on rows between two moments (Unix milliseconds): what their visits say, which are no longer than a day.
std::array<Coverage::Touched, 1> touched_around(ProjectId project, int64_t first, int64_t last) {
  constexpr int64_t kDaySeconds = 86'400;
  return {Coverage::Touched{project, first / 1000 - kDaySeconds - 1, last / 1000 + kDaySeconds + 1}};
}
}  // namespace

// What is to be written stands in a table in memory for the time of one UPDATE. A server that has restarted in between
// finds it empty, and then changes nothing: no visit has the number 0.
Result<> ClickHouse::rewrite_visits(ProjectId project, std::span<const VisitRow> rows) {
  if (rows.empty()) return {};
  std::string lines;
  std::vector<uint64_t> visitors;
  int64_t first = INT64_MAX;
  int64_t last = INT64_MIN;
  for (const VisitRow& row : rows) {
    lines += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", row.p, row.o, row.session_id, row.visit_seq,
                         row.visit_gap_ms, row.visit_bounce, escape(row.entry_path), escape(row.previous_path),
                         escape(row.visit_source), escape(row.visit_channel), escape(row.visit_campaign));
    visitors.push_back(row.visitor_id);
    first = std::min(first, row.time);
    last = std::max(last, row.time);
  }
  std::sort(visitors.begin(), visitors.end());
  visitors.erase(std::unique(visitors.begin(), visitors.end()), visitors.end());
  if (auto emptied = execute("TRUNCATE TABLE weir_data.visit_changes"); !emptied) return emptied;
  auto filled = insert_lines(
      "visit_changes (p, o, session_id, visit_seq, visit_gap_ms, visit_bounce, entry_path, previous_path, "
      "visit_source, visit_channel, visit_campaign)",
      lines);
  if (!filled) return filled;
  auto of = [](std::string_view column) {
    return fmt::format("joinGet('weir_data.visit_changes', '{}', _p, _o)", column);
  };
  std::string sets;
  for (std::string_view column : {"session_id", "visit_seq", "visit_gap_ms", "visit_bounce", "entry_path",
                                  "previous_path", "visit_source", "visit_channel", "visit_campaign"})
    sets += fmt::format("{}{} = {}", sets.empty() ? "" : ", ", column, of(column));
  return change_rows(touched_around(project, first, last), [&] {
    return execute(
        fmt::format(
            "UPDATE weir_data.events SET {} WHERE project_id = {} AND timestamp >= fromUnixTimestamp64Milli({}, 'UTC') "
            "AND timestamp <= fromUnixTimestamp64Milli({}, 'UTC') AND visitor_id IN {} AND {} != 0",
            sets, number(project), first, last, set_of(visitors), of("session_id")),
        Urgency::background);
  });
}

std::span<const std::string_view> enriched_columns() {
  static constexpr std::array<std::string_view, 14> kColumns = {
      "source",          "medium", "channel",    "country", "region",  "city",           "browser",
      "browser_version", "os",     "os_version", "device",  "traffic", "traffic_reason", "ip"};
  return kColumns;
}

Result<std::vector<ProjectDay>> ClickHouse::days(std::optional<ProjectId> project, int64_t from, int64_t until) {
  auto bytes = read(
      fmt::format("SELECT project_id, toInt64(toUnixTimestamp(toDateTime(toDate(timestamp), 'UTC'))) AS day, count() "
                  "FROM weir_data.events WHERE toDate(timestamp) >= toDate(fromUnixTimestamp64Milli({{from:Int64}}, "
                  "'UTC')) AND timestamp >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') "
                  "AND timestamp < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') {}"
                  "GROUP BY project_id, day ORDER BY project_id, day",
                  project ? "AND project_id = {project:UInt64} " : ""),
      in_row_binary({{"from", std::to_string(std::clamp<int64_t>(from, 0, kTimeMax))},
                     {"until", std::to_string(std::clamp<int64_t>(until, 0, kTimeMax))},
                     {"project", std::to_string(number(project.value_or(ProjectId{})))}}));
  if (!bytes) return std::move(bytes).error();
  std::vector<ProjectDay> days;
  RowBinary in(*bytes);
  while (!in.at_end()) {
    ProjectDay day;
    day.project_id = ProjectId{in.fixed<uint64_t>()};
    day.day = in.fixed<int64_t>() * 1000;
    day.rows = in.fixed<uint64_t>();
    if (in.failed()) return unreadable("days");
    days.push_back(day);
  }
  return days;
}

Result<> ClickHouse::enriched_rows(const ProjectDay& of, const std::function<void(EnrichedRow&&)>& sink) {
  std::string columns;
  for (std::string_view column : enriched_columns()) columns += fmt::format(", toString({})", column);
  uint64_t p = 0;
  uint64_t o = 0;
  bool first = true;
  while (true) {
    auto bytes = read(
        fmt::format("SELECT visitor_id, toUnixTimestamp64Milli(timestamp), _p, _o, toUInt8(user_id != '' OR "
                    "anonymous_id != ''), "
                    "toString(hostname), toString(path), toString(referrer), toString(screen), utm_source, utm_medium, "
                    "utm_campaign, click_id{} FROM weir_data.events WHERE project_id = {{project:UInt64}} "
                    "AND timestamp >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC') "
                    "AND timestamp < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC') {}"
                    "ORDER BY _p, _o LIMIT {{limit:UInt64}}",
                    columns, first ? "" : "AND (_p, _o) > ({p:UInt32}, {o:UInt64}) "),
        in_background({{"project", std::to_string(number(of.project_id))},
                       {"from", std::to_string(of.day)},
                       {"until", std::to_string(of.day + kDayMs)},
                       {"p", std::to_string(p)},
                       {"o", std::to_string(o)},
                       {"limit", std::to_string(kVisitRowsPage)}}));
    if (!bytes) return std::move(bytes).error();
    RowBinary in(*bytes);
    uint64_t rows = 0;
    while (!in.at_end()) {
      EnrichedRow row;
      row.project_id = of.project_id;
      row.visitor_id = in.fixed<uint64_t>();
      row.time = in.fixed<int64_t>();
      p = row.p = in.fixed<uint32_t>();
      o = row.o = in.fixed<uint64_t>();
      row.names_its_user = in.fixed<uint8_t>() != 0;
      for (std::string* text : {&row.hostname, &row.path, &row.referrer, &row.screen, &row.utm_source, &row.utm_medium,
                                &row.utm_campaign, &row.click_id})
        *text = in.text();
      for (std::string& text : row.found) text = in.text();
      if (in.failed()) return unreadable("enriched rows");
      sink(std::move(row));
      ++rows;
    }
    if (rows < kVisitRowsPage) return {};
    first = false;
  }
}

// As rewrite_visits().
Result<> ClickHouse::rewrite_enrichment(const ProjectDay& of, std::span<const EnrichedRow> rows) {
  if (rows.empty()) return {};
  std::string lines;
  for (const EnrichedRow& row : rows) {
    lines += fmt::format("{}\t{}\t1", row.p, row.o);
    for (const std::string& text : row.found) (lines += '\t') += escape(text);
    lines += '\n';
  }
  if (auto emptied = execute("TRUNCATE TABLE weir_data.enrichment_changes"); !emptied) return emptied;
  auto filled =
      insert_lines(fmt::format("enrichment_changes (p, o, is_there, {})", fmt::join(enriched_columns(), ", ")), lines);
  lines = {};
  if (!filled) return filled;
  auto of_changes = [](std::string_view column) {
    return fmt::format("joinGet('weir_data.enrichment_changes', '{}', _p, _o)", column);
  };
  std::string sets;
  for (std::string_view column : enriched_columns())
    sets += fmt::format("{}{} = {}", sets.empty() ? "" : ", ", column, of_changes(column));
  auto updated = change_rows(touched_around(of.project_id, of.day, of.day + kDayMs), [&] {
    return execute(
        fmt::format(
            "UPDATE weir_data.events SET {} WHERE project_id = {} AND timestamp >= fromUnixTimestamp64Milli({}, 'UTC') "
            "AND timestamp < fromUnixTimestamp64Milli({}, 'UTC') AND {} = 1",
            sets, number(of.project_id), of.day, of.day + kDayMs, of_changes("is_there")),
        Urgency::background);
  });
  if (!updated) return updated;
  return execute("TRUNCATE TABLE weir_data.enrichment_changes");
}

}  // namespace weir::store
