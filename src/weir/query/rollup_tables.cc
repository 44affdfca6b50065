#include "weir/query/rollup_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "weir/base/logging.h"
#include "weir/query/conditions.h"
#include "weir/store/schema.h"

namespace weir::query {

using std::chrono::steady_clock;
using Covered = store::Coverage::Covered;

namespace {
constexpr uint32_t kScheme = store::kRollupScheme;
constexpr std::chrono::minutes kStatementTime{10};
constexpr Seconds kTimesEnd = 9'999'999'999;  // no event is later (the year 2286)
constexpr Seconds kQuarter = 900;             // zones differ by quarters of an hour
}  // namespace

std::string rows_between(ProjectId project, Seconds from, Seconds to) {
  return fmt::format("FROM weir_data.events WHERE project_id = {} AND {}", number(project), within_sql(from, to));
}

RollupTables::RollupTables(store::Store& store, metrics::Registry& registry, std::function<bool()> abandoned)
    : store_(store),
      abandoned_(std::move(abandoned)),
      published_total_(registry.counter("weir_rollup_spans_total", "Days and months whose sums were made.")) {}

Result<std::string> RollupTables::ask(const std::string& sql) {
  store::QueryOptions options;
  options.format = "TSV";
  options.timeout = kStatementTime;
  options.urgency = store::Urgency::background;
  options.abandoned = abandoned_;
  const auto began = steady_clock::now();
  auto answer = store_.query(sql, options);
  if (!answer) doubt_ = steady_clock::now();
  const double took = std::chrono::duration<double>(steady_clock::now() - began).count();
  log::debug("query: roll-ups: {:.3f} s for {}", took, std::string_view(sql).substr(0, 100));
  return answer;
}

Result<RollupTables::Lines> RollupTables::numbers_in(const std::string& sql) {
  auto answer = ask(sql);
  if (!answer) return std::move(answer).error();
  Lines lines;
  std::string_view rest = *answer;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    auto& fields = lines.emplace_back();
    while (true) {
      std::string_view field = line.substr(0, line.find('\t'));
      fields.emplace_back();
      std::from_chars(field.data(), field.data() + field.size(), fields.back());
      if (field.size() == line.size()) break;
      line.remove_prefix(field.size() + 1);
    }
  }
  return lines;
}

Result<bool> RollupTables::settled() {
  steady_clock::time_point latest;
  const bool rows = coverage().in_doubt(latest);
  if (!rows && !doubt_) return true;
  if (doubt_) latest = rows ? std::max(latest, *doubt_) : *doubt_;
  const double age = std::chrono::duration<double>(steady_clock::now() - latest).count();
  auto running = numbers_in(
      fmt::format("SELECT count() FROM system.processes WHERE query_kind NOT IN ('Select', 'Show', 'Explain') AND "
                  "elapsed >= {:.3f}",
                  age));
  if (!running) return std::move(running).error();
  if (running->empty() || running->front().front() > 0) return false;
  coverage().nothing_under_way(latest);
  doubt_.reset();
  return true;
}

Result<> RollupTables::verify() {
  next_version_ = 0;
  for (const std::string& statement : store::schema_of_rolling())
    if (auto made = ask(statement); !made) return std::move(made).error();
  std::vector<Covered> wrong;
  std::set<ProjectId> ids;
  for (const Covered& covered : coverage().all()) ids.insert(covered.project);
  for (ProjectId id : ids)
    if (auto verified = verify_project(id, wrong); !verified) return verified;
  if (!wrong.empty())
    log::warning("query: roll-ups: {} days and months do not fit their rows, and are made anew", wrong.size());
  if (auto done = uncover(wrong); !done) return done;
  coverage().trust();
  return {};
}

Result<> RollupTables::verify_project(ProjectId id, std::vector<Covered>& wrong) {
  const std::string project = fmt::format("WHERE project_id = {}", number(id));
  auto noted = numbers_in(fmt::format(
      "SELECT version, max(rows), max(sums) FROM weir_data.rollup_spans {} AND covered = 1 GROUP BY version", project));
  if (!noted) return std::move(noted).error();
  auto sums = sums_by_version(id);
  if (!sums) return std::move(sums).error();
  auto numbers = numbers_in(
      fmt::format("SELECT count(), max(number), uniqExact(number) FROM weir_data.visitor_numbers {}", project));
  if (!numbers) return std::move(numbers).error();
  auto quarters =
      numbers_in(fmt::format("SELECT intDiv(toUnixTimestamp(timestamp), {}) AS quarter, count() FROM weir_data.events "
                             "{} GROUP BY quarter ORDER BY quarter",
                             kQuarter, project));
  if (!quarters) return std::move(quarters).error();

  std::map<int64_t, std::pair<int64_t, int64_t>> by_version;
  for (const auto& line : *noted) by_version[line.at(0)] = {line.at(1), line.at(2)};
  std::vector<int64_t> begins;
  std::vector<int64_t> before = {0};
  for (const auto& line : *quarters) {
    begins.push_back(line.at(0) * kQuarter);
    before.push_back(before.back() + line.at(1));
  }
  auto rows_before = [&](int64_t moment) {
    return before[static_cast<size_t>(std::lower_bound(begins.begin(), begins.end(), moment) - begins.begin())];
  };
  const auto& line = numbers->front();
  const bool whole = line.at(0) == line.at(1) && line.at(0) == line.at(2);
  for (const Covered& covered : coverage().all()) {
    if (covered.project != id) continue;
    const auto& [rows, sums_noted] = by_version[covered.span.version];
    const auto at = sums->find(covered.span.version);
    const int64_t there = at == sums->end() ? 0 : static_cast<int64_t>(at->second);
    if (whole && covered.span.from % kQuarter == 0 && covered.span.to % kQuarter == 0 && there == sums_noted &&
        rows_before(covered.span.to) - rows_before(covered.span.from) == rows)
      continue;
    wrong.push_back(covered);
  }
  if (whole) return {};
  log::warning("query: roll-ups: numbers of visitors are missing; they are given anew");
  if (auto gone =
          ask(fmt::format("ALTER TABLE weir_data.visitor_numbers DELETE {} SETTINGS mutations_sync = 2", project));
      !gone)
    return std::move(gone).error();
  if (auto gone = ask(fmt::format("ALTER TABLE weir_data.visitor_days DELETE {} SETTINGS mutations_sync = 2", project));
      !gone)
    return std::move(gone).error();
  return {};
}

Result<> RollupTables::uncover(std::span<const Covered> wrong) {
  if (wrong.empty()) return {};
  std::string values;
  for (const auto& [project, span] : wrong)
    values += fmt::format("{}({}, {}, {}, {}, 0, {})", values.empty() ? "" : ", ", number(project), span.from, span.to,
                          span.version, kScheme);
  auto noted = ask(
      "INSERT INTO weir_data.rollup_spans (project_id, span_from, span_to, version, covered, scheme) VALUES " + values);
  if (!noted) return std::move(noted).error();
  for (const auto& [project, span] : wrong) coverage().withdraw(project, span.version);
  return {};
}

Result<std::map<uint32_t, uint64_t>> RollupTables::sums_by_version(ProjectId project, std::span<const uint32_t> parts) {
  auto lines = numbers_in(fmt::format(
      "SELECT version, count() FROM (SELECT project_id, part, version FROM weir_data.rollups UNION ALL SELECT "
      "project_id, part, version FROM weir_data.rollup_times UNION ALL SELECT project_id, part, version FROM "
      "weir_data.rollup_sample) WHERE project_id = {}{} GROUP BY version",
      number(project), parts.empty() ? "" : fmt::format(" AND part IN ({})", fmt::join(parts, ", "))));
  if (!lines) return std::move(lines).error();
  std::map<uint32_t, uint64_t> sums;
  for (const auto& line : *lines) sums[static_cast<uint32_t>(line.at(0))] = static_cast<uint64_t>(line.at(1));
  return sums;
}

Result<uint32_t> RollupTables::new_version() {
  if (next_version_ == 0) {
    auto newest = numbers_in(
        "SELECT greatest((SELECT max(version) FROM weir_data.rollup_spans), (SELECT max(version) FROM "
        "weir_data.rollups), (SELECT max(version) FROM weir_data.rollup_times), (SELECT max(version) FROM "
        "weir_data.rollup_sample))");
    if (!newest) return std::move(newest).error();
    next_version_ = static_cast<uint32_t>(newest->front().front()) + 1;
  }
  return next_version_++;
}

Result<> RollupTables::publish(ProjectId project, std::span<const Made> made) {
  std::string values;
  std::vector<Covered> published;
  for (const Made& each : made) {
    if (!coverage().publish(project, each.span, each.since)) continue;  // something of it changed
    values += fmt::format("{}({}, {}, {}, {}, 1, {}, {}, {})", values.empty() ? "" : ", ", number(project),
                          each.span.from, each.span.to, each.span.version, each.rows, each.sums, kScheme);
    published.push_back({project, each.span});
  }
  if (published.empty()) return {};
  auto noted =
      ask("INSERT INTO weir_data.rollup_spans (project_id, span_from, span_to, version, covered, rows, sums, scheme) "
          "VALUES " +
          values);
  if (!noted) {
    for (const Covered& each : published) coverage().withdraw(project, each.span.version);
    return std::move(noted).error();
  }
  published_total_.add(published.size());
  // What was read anew from the table meanwhile did not have them, so that changes did not uncover them.
  std::erase_if(published, [&](const Covered& each) { return coverage().has(project, each.span.version); });
  return uncover(published);
}

Result<> RollupTables::publish_empty(ProjectId project, Seconds from, Seconds to) {
  uint64_t since = 0;
  if (from >= to || !coverage().may_build(project, from, to, since)) return {};
  auto rows = numbers_in("SELECT count() " + rows_between(project, from, std::min(to, kTimesEnd)));
  if (!rows) return std::move(rows).error();
  if (rows->front().front() > 0) return {};
  auto version = new_version();
  if (!version) return std::move(version).error();
  const Made nothing{{from, to, *version, true}, since, 0, 0};
  return publish(project, std::span(&nothing, 1));
}

Result<> RollupTables::sweep() {
  auto stale = numbers_in(
      fmt::format("SELECT DISTINCT version FROM (SELECT version FROM weir_data.rollups UNION ALL SELECT version FROM "
                  "weir_data.rollup_times UNION ALL SELECT version FROM weir_data.rollup_sample) WHERE version NOT IN "
                  "(SELECT version FROM weir_data.rollup_spans GROUP BY version "
                  "HAVING (min(covered) = 1 AND max(scheme) = {}) OR max(noted_at) > now() - INTERVAL 30 MINUTE)",
                  kScheme));
  if (!stale) return std::move(stale).error();
  if (stale->empty()) return {};
  std::vector<int64_t> versions;
  for (const auto& line : *stale) versions.push_back(line.at(0));
  for (std::string_view table : {"rollups", "rollup_times", "rollup_sample"}) {
    auto gone =
        ask(fmt::format("ALTER TABLE weir_data.{} DELETE WHERE version IN ({})", table, fmt::join(versions, ", ")));
    if (!gone) return std::move(gone).error();
  }
  return {};
}

}  // namespace weir::query
