#include "weir/query/roller.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "weir/base/logging.h"
#include "weir/query/conditions.h"
#include "weir/store/schema.h"

namespace weir::query {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Span = store::Coverage::Span;
using Covered = store::Coverage::Covered;

namespace {
constexpr uint32_t kScheme = store::kRollupScheme;
constexpr milliseconds kBetweenRounds{1'000};
constexpr minutes kStatementTime{10};
constexpr minutes kSweepEvery{60};
constexpr minutes kAfterFailure{1};
constexpr seconds kOutsideEvery{2};
// What is summed up by one statement, and by how many before other projects have their turn.
constexpr uint64_t kRowsAtOnce = 300'000;
constexpr uint64_t kDaysAtOnce = 60;
constexpr int kRunsATurn = 4;
constexpr int kNumberingShare = 20;  // of the time: a twentieth
constexpr int kCountingShare = 100;
constexpr minutes kCountAgain{5};
// Beyond it, a number could be one of those that statements make up.
constexpr uint32_t kNumbersMax = 2'000'000'000;
constexpr int64_t kEver = 900 * (int64_t{1} << 30);  // beyond all times
constexpr int64_t kTimesEnd = 9'999'999'999;         // no event is later (the year 2286)
constexpr int64_t kQuarter = 900;                    // zones differ by quarters of an hour

std::string rows_in(ProjectId id, Seconds from, Seconds to) {
  return fmt::format(
      "FROM weir_data.events WHERE project_id = {} AND timestamp >= fromUnixTimestamp64Milli({}, 'UTC') AND timestamp "
      "< "
      "fromUnixTimestamp64Milli({}, 'UTC')",
      number(id), from * 1000, to * 1000);
}

std::string columns_of_sums() {
  std::string columns = "value, visitors, visitor_count, rows, pageviews, events";
  for (std::string_view name : kVisitSums) columns += fmt::format(", {0}, {0}_next, {0}_before", name);
  return columns;
}

std::string columns_of_times() {
  std::string columns = "value, known_times, time_sum";
  for (std::string_view name : kDepthSums) columns += fmt::format(", {0}, {0}_next, {0}_before", name);
  return columns;
}

// A sum by threes of a span of spans.
std::string joined_sums(std::span<const std::string_view> names, uint32_t first, uint32_t last) {
  std::string sums;
  for (std::string_view name : names)
    sums += fmt::format(
        ", sum({0}) + sumIf({0}_next, version != {1}) AS {0}_sum_, sumIf({0}_next, version = {1}) AS {0}_next_sum, "
        "sumIf({0}_before, version = {2}) AS {0}_before_sum",
        name, last, first);
  return sums;
}

const Span* find(const std::vector<Span>& spans, Seconds from, Seconds to) {
  for (const Span& span : spans)
    if (span.from == from && span.to == to) return &span;
  return nullptr;
}

bool is_empty(const std::vector<Span>& spans, Seconds from, Seconds to) {
  return std::any_of(spans.begin(), spans.end(),
                     [&](const Span& span) { return span.empty && span.from <= from && to <= span.to; });
}
}  // namespace

Roller::Roller(const Options& options, const Parts& parts)
    : options_(options),
      parts_(parts),
      built_total_(parts.registry.counter("weir_rollup_spans_total", "Days and months whose sums were made.")),
      rounds_total_(
          parts.registry.counter("weir_rollup_rounds_total", "Times that all projects' days were looked at.")),
      behind_gauge_(parts.registry.gauge("weir_rollup_days_missing", "Past days that have no sums (yet).")) {}

void Roller::start() {
  thread_ = Thread("rollups", [this] { run(); });
}

void Roller::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

bool Roller::pause(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopping_; });
}

void Roller::run() {
  lower_priority(19);
  milliseconds wait = kBetweenRounds;
  while (pause(wait)) {
    wait = kBetweenRounds;
    if (!parts_.ready()) continue;
    const auto began = steady_clock::now();
    if (auto done = round(true); !done) {
      log::warning("query: roll-ups: {}", done.error().message);
      wait = seconds(10);
    }
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
    const auto share = static_cast<int64_t>(options_.rollup_share);
    wait = std::max(wait, took * (100 - share) / share);
  }
}

Result<std::string> Roller::ask(const std::string& sql) {
  store::QueryOptions options;
  options.format = "TSV";
  options.timeout = kStatementTime;
  options.abandoned = [this] {
    std::lock_guard lock(mutex_);
    return stopping_;
  };
  const auto began = steady_clock::now();
  auto answer = parts_.store.query(sql, options);
  if (!answer) doubt_ = steady_clock::now();
  const double took = std::chrono::duration<double>(steady_clock::now() - began).count();
  log::debug("query: roll-ups: {:.3f} s for {}", took, std::string_view(sql).substr(0, 100));
  return answer;
}

Result<std::vector<std::vector<int64_t>>> Roller::numbers_in(const std::string& sql) {
  auto answer = ask(sql);
  if (!answer) return std::move(answer).error();
  std::vector<std::vector<int64_t>> lines;
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

// Whether no statement runs any more whose end nobody saw, of ours and of those that changed rows.
Result<bool> Roller::settled() {
  store::Coverage& coverage = *parts_.store.coverage();
  Moment latest = Moment::min();
  bool doubt = coverage.in_doubt(latest);
  if (doubt_) latest = std::max(latest, *doubt_);
  if (!doubt && !doubt_) return true;
  const std::optional<Moment> ours = doubt_;
  const double age = std::chrono::duration<double>(steady_clock::now() - latest).count();
  auto running =
      numbers_in(fmt::format("SELECT count() FROM system.processes WHERE query_kind NOT IN ('Select', 'Show', "
                             "'Explain') AND elapsed >= {:.3f}",
                             age));
  if (!running) return std::move(running).error();
  if (running->empty() || running->front().front() > 0) return false;
  if (doubt) coverage.nothing_under_way(latest);
  if (ours) {
    doubt_.reset();
    for (auto& [id, state] : projects_) state.next_number = 0;
  }
  return true;
}

Result<> Roller::round(bool patient) {
  store::Coverage* coverage = parts_.store.coverage();
  if (coverage == nullptr) return {};
  auto quiet = settled();
  if (!quiet) return std::move(quiet).error();
  if (!*quiet) return {};
  if (!coverage->trusted()) {
    if (auto verified = verify(); !verified) return verified;
    coverage->trust();
  }
  if (steady_clock::now() >= count_after_ || !patient)
    if (auto counted = count_rows(); !counted) return counted;
  behind_ = 0;
  auto snapshot = parts_.settings.snapshot();
  for (const settings::Project& project : snapshot->projects()) {
    if (projects_[project.id].rows < std::max<uint64_t>(options_.rollup_rows, 1)) continue;
    if (auto looked = look_at(project, patient); !looked) return looked;
  }
  behind_gauge_.set(static_cast<double>(behind_));
  rounds_total_.add();
  if (steady_clock::now() >= sweep_after_)
    if (auto swept = sweep(); !swept) return swept;
  return {};
}

Result<> Roller::count_rows() {
  const auto began = steady_clock::now();
  auto rows = numbers_in("SELECT reinterpretAsInt64(project_id), count() FROM weir_data.events GROUP BY project_id");
  if (!rows) return std::move(rows).error();
  for (auto& [id, state] : projects_) state.rows = 0;
  for (const auto& row : *rows)
    projects_[ProjectId{static_cast<uint64_t>(row.at(0))}].rows = static_cast<uint64_t>(row.at(1));
  const auto now = steady_clock::now();
  count_after_ = now + std::min<steady_clock::duration>(kCountingShare * (now - began), kCountAgain);
  return {};
}

// What the table says is held against the rows and the sums that are there: parts of either may have been lost with a
// disk.
Result<> Roller::verify() {
  next_version_ = 0;
  projects_.clear();
  count_after_ = Moment::min();
  for (const std::string& statement : store::schema_of_rolling())
    if (auto made = ask(statement); !made) return std::move(made).error();
  std::vector<Covered> wrong;
  std::set<ProjectId> ids;
  for (const Covered& covered : parts_.store.coverage()->all()) ids.insert(covered.project);
  for (ProjectId id : ids)
    if (auto verified = verify_project(id, wrong); !verified) return verified;
  if (!wrong.empty())
    log::warning("query: roll-ups: {} days and months do not fit their rows, and are made anew", wrong.size());
  return uncover(wrong);
}

Result<> Roller::verify_project(ProjectId id, std::vector<Covered>& wrong) {
  const std::string project = fmt::format("WHERE project_id = {}", number(id));
  auto noted = numbers_in(fmt::format(
      "SELECT version, max(rows), max(sums) FROM weir_data.rollup_spans {} AND covered = 1 GROUP BY version", project));
  if (!noted) return std::move(noted).error();
  auto sums =
      numbers_in(fmt::format("SELECT version, count() FROM (SELECT project_id, version FROM weir_data.rollups UNION "
                             "ALL SELECT project_id, version FROM weir_data.rollup_times) {} GROUP BY version",
                             project));
  if (!sums) return std::move(sums).error();
  auto numbers = numbers_in(
      fmt::format("SELECT count(), max(number), uniqExact(number) FROM weir_data.visitor_numbers {}", project));
  if (!numbers) return std::move(numbers).error();
  auto quarters =
      numbers_in(fmt::format("SELECT intDiv(toUnixTimestamp(timestamp), {}) AS quarter, count() FROM weir_data.events "
                             "{} GROUP BY quarter ORDER BY "
                             "quarter",
                             kQuarter, project));
  if (!quarters) return std::move(quarters).error();

  std::map<int64_t, std::pair<int64_t, int64_t>> by_version;
  for (const auto& line : *noted) by_version[line.at(0)] = {line.at(1), line.at(2)};
  std::map<int64_t, int64_t> found;
  for (const auto& line : *sums) found[line.at(0)] = line.at(1);
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
  for (const Covered& covered : parts_.store.coverage()->all()) {
    if (covered.project != id) continue;
    const auto& [rows, sums_noted] = by_version[covered.span.version];
    const auto at = found.find(covered.span.version);
    const int64_t there = at == found.end() ? 0 : at->second;
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

Result<> Roller::uncover(std::span<const Covered> wrong) {
  if (wrong.empty()) return {};
  std::string values;
  for (const auto& [project, span] : wrong)
    values += fmt::format("{}({}, {}, {}, {}, 0, {})", values.empty() ? "" : ", ", number(project), span.from, span.to,
                          span.version, kScheme);
  auto noted = ask(
      "INSERT INTO weir_data.rollup_spans (project_id, span_from, span_to, version, covered, scheme) VALUES " + values);
  if (!noted) return std::move(noted).error();
  for (const auto& [project, span] : wrong) parts_.store.coverage()->withdraw(project, span.version);
  return {};
}

Result<> Roller::look_at(const settings::Project& project, bool patient) {
  store::Coverage& coverage = *parts_.store.coverage();
  Project& state = projects_[project.id];
  auto zone = Zone::load(project.time_zone);
  if (!zone) return std::move(zone).error();
  std::optional<int64_t> first_day;
  if (auto covered = cover_outside(project.id, state, first_day); !covered || !first_day) return covered;

  const int64_t today = zone->local_day(parts_.clock.now() / 1000);
  const int64_t first = zone->local_day(*first_day * 86'400);
  std::vector<Span> spans = coverage.spans(project.id);
  std::vector<int64_t> missing;  // the newest first
  std::set<std::pair<Seconds, Seconds>> there;
  for (const Span& span : spans) there.emplace(span.from, span.to);
  auto has = [&](Seconds from, Seconds to) { return there.contains({from, to}) || is_empty(spans, from, to); };
  for (int64_t day = today - 1; day >= first; --day)
    if (!has(zone->start_of_day(day), zone->start_of_day(day + 1))) missing.push_back(day);
  behind_ += missing.size();
  behind_gauge_.set(static_cast<double>(behind_));

  if (steady_clock::now() >= state.number_after) {
    const auto began = steady_clock::now();
    std::vector<int64_t> going_on = {today};
    if (!missing.empty() && missing.front() == today - 1) going_on.push_back(today - 1);
    for (int64_t day : going_on) {
      const Range range{zone->start_of_day(day), zone->start_of_day(day + 1)};
      if (auto numbered = number_visitors(project.id, state, range); !numbered) return numbered;
    }
    state.number_after = steady_clock::now() + kNumberingShare * (steady_clock::now() - began);
  }

  if (auto built = build_missing(project.id, state, *zone, missing, first, today, patient); !built) return built;
  return build_months(project.id, *zone, first, today);
}

// Runs of days that follow each other, the newest first, of about as many rows as one statement should read.
Result<> Roller::build_missing(ProjectId id, Project& state, const Zone& zone, const std::vector<int64_t>& missing,
                               int64_t first, int64_t today, bool patient) {
  if (patient && steady_clock::now() < state.build_after) return {};
  const Moment quiet_since = patient ? steady_clock::now() - options_.rollup_quiet : Moment::max();
  std::vector<int64_t> ready;
  for (int64_t day : missing)
    if (parts_.store.coverage()->touched_at(id, zone.start_of_day(day), zone.start_of_day(day + 1)) <= quiet_since)
      ready.push_back(day);
  const auto a_day = state.rows / static_cast<uint64_t>(std::max<int64_t>(1, today - first)) + 1;
  const auto at_once = static_cast<size_t>(std::clamp<uint64_t>(kRowsAtOnce / a_day, 1, kDaysAtOnce));
  auto is_even = [&](int64_t day) { return zone.start_of_day(day + 1) - zone.start_of_day(day) == 86'400; };
  int built = 0;
  for (size_t i = 0; i < ready.size();) {
    size_t end = i + 1;
    while (end < ready.size() && ready[end] == ready[end - 1] - 1 && end - i < at_once && is_even(ready[end]) &&
           is_even(ready[i]))
      ++end;
    if (patient && ++built > kRunsATurn) break;
    auto done = build_days(id, state, zone, ready[end - 1], ready[i] + 1);
    if (!done && (done.error().code == ErrorCode::kUnavailable || done.error().code == ErrorCode::kTimeout))
      return done;
    if (!done) {  // its rows may be more than the memory is for; other projects are not to suffer
      log::warning("query: roll-ups: days of project {} cannot be summed up: {}", number(id), done.error().message);
      state.build_after = steady_clock::now() + kAfterFailure;
      break;
    }
    i = end;
  }
  return {};
}

Result<> Roller::build_months(ProjectId id, const Zone& zone, int64_t first, int64_t today) {
  const std::vector<Span> spans = parts_.store.coverage()->spans(id);
  std::set<std::pair<Seconds, Seconds>> there;
  for (const Span& span : spans) there.emplace(span.from, span.to);
  for (int64_t end = start_of_month(today); end > first;) {
    const int64_t month = start_of_month(end - 1);
    const std::pair<Seconds, Seconds> whole{zone.start_of_day(month), zone.start_of_day(end)};
    bool known = !there.contains(whole) && !is_empty(spans, whole.first, whole.second);
    for (int64_t day = month; day < end && known; ++day) {
      const std::pair<Seconds, Seconds> span{zone.start_of_day(day), zone.start_of_day(day + 1)};
      known = there.contains(span) || is_empty(spans, span.first, span.second);
    }
    if (known)
      if (auto done = build_month(id, zone, month); !done) return done;
    end = month;
  }
  return {};
}

// Before a project's first day and after its last there is nothing; that is known, too.
Result<> Roller::cover_outside(ProjectId id, Project& state, std::optional<int64_t>& first_day) {
  store::Coverage& coverage = *parts_.store.coverage();
  std::optional<Seconds> begin;  // of what is not empty
  std::optional<Seconds> end;
  for (const Span& span : coverage.spans(id)) {
    if (span.empty && span.from == 0) begin = span.to;
    if (span.empty && span.to == kEver) end = span.from;
  }
  if (begin) first_day = *begin / 86'400;
  if (begin && end) return {};
  if (begin && steady_clock::now() < state.look_after) return {};
  state.look_after = steady_clock::now() + kOutsideEvery;
  if (!begin) {
    auto first = parts_.store.day_with_events(id, 0);
    if (!first) return std::move(first).error();
    if (!*first) return {};
    first_day = **first / kMillisPerDay;
    if (auto done = publish_empty(id, 0, *first_day * 86'400); !done) return done;
  }
  if (!end) {
    auto last = numbers_in(fmt::format(
        "SELECT toInt64(toDate(timestamp)) FROM weir_data.events WHERE project_id = {} ORDER BY project_id DESC, "
        "toDate(timestamp) DESC LIMIT 1",
        number(id)));
    if (!last) return std::move(last).error();
    if (last->empty()) return {};
    if (auto done = publish_empty(id, (last->front().front() + 1) * 86'400, kEver); !done) return done;
  }
  return {};
}

// The visitors of the day that have none get the numbers that follow. One statement, one part: all of them, or none.
Result<> Roller::number_visitors(ProjectId id, Project& state, const Range& day) {
  const uint64_t touched = parts_.store.coverage()->touched(id, day.from, day.to);
  auto numbered = state.numbered.find(day.from);
  if (numbered != state.numbered.end() && numbered->second == std::pair(day.to, touched)) return {};
  const std::string days = fmt::format(
      "SELECT visitor_id FROM weir_data.visitor_days WHERE project_id = {} AND span_from = {}", number(id), day.from);
  const std::string unknown =
      fmt::format("SELECT DISTINCT visitor_id {} AND visitor_id NOT IN ({})", rows_in(id, day.from, day.to), days);
  const std::string numbers = fmt::format("FROM weir_data.visitor_numbers WHERE project_id = {}", number(id));
  if (state.next_number == 0) {
    auto newest = numbers_in("SELECT max(number) " + numbers);
    if (!newest) return std::move(newest).error();
    state.next_number = static_cast<uint32_t>(newest->front().front()) + 1;
  }
  if (state.next_number > kNumbersMax) return Error{ErrorCode::kTooLarge, "a project has more visitors than numbers"};
  constexpr std::string_view kOnePart =
      "SETTINGS max_insert_threads = 1, min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, "
      "enable_shared_storage_snapshot_in_query = 1, insert_deduplicate = 0";
  const std::string fresh =
      fmt::format("{} AND visitor_id NOT IN (SELECT visitor_id {} AND visitor_id IN ({}))", unknown, numbers, unknown);
  const uint32_t first = state.next_number;
  state.next_number = 0;  // until it is known how this ends
  auto given = ask(fmt::format(
      "INSERT INTO weir_data.visitor_numbers (project_id, visitor_id, number) SELECT {}, visitor_id, toUInt32({} + "
      "row_number() OVER (ORDER BY visitor_id)) FROM ({}) {}",
      number(id), first - 1, fresh, kOnePart));
  if (!given) return std::move(given).error();
  auto kept =
      ask(fmt::format("INSERT INTO weir_data.visitor_days (project_id, span_from, visitor_id, number) SELECT {}, {}, "
                      "visitor_id, number {} "
                      "AND visitor_id IN ({}) {}",
                      number(id), day.from, numbers, unknown, kOnePart));
  if (!kept) return std::move(kept).error();
  state.numbered[day.from] = {day.to, touched};
  while (state.numbered.size() > 8) state.numbered.erase(state.numbered.begin());
  return {};
}

Result<uint32_t> Roller::new_version() {
  if (next_version_ == 0) {
    auto newest = numbers_in(
        "SELECT greatest((SELECT max(version) FROM weir_data.rollup_spans), (SELECT max(version) FROM "
        "weir_data.rollups), (SELECT max(version) FROM weir_data.rollup_times))");
    if (!newest) return std::move(newest).error();
    next_version_ = static_cast<uint32_t>(newest->front().front()) + 1;
  }
  return next_version_++;
}

Result<> Roller::publish(ProjectId id, std::span<const Made> made) {
  store::Coverage& coverage = *parts_.store.coverage();
  std::string values;
  std::vector<uint32_t> versions;
  for (const Made& each : made) {
    if (!coverage.publish(id, each.span, each.since)) continue;  // something of it changed
    values += fmt::format("{}({}, {}, {}, {}, 1, {}, {}, {})", values.empty() ? "" : ", ", number(id), each.span.from,
                          each.span.to, each.span.version, each.rows, each.sums, kScheme);
    versions.push_back(each.span.version);
  }
  if (versions.empty()) return {};
  auto noted =
      ask("INSERT INTO weir_data.rollup_spans (project_id, span_from, span_to, version, covered, rows, sums, scheme) "
          "VALUES " +
          values);
  if (!noted) {
    for (uint32_t version : versions) coverage.withdraw(id, version);
    return std::move(noted).error();
  }
  // What was read anew from the table meanwhile did not have them, so that changes did not uncover them.
  std::vector<Covered> forgotten;
  for (const Made& each : made)
    if (std::find(versions.begin(), versions.end(), each.span.version) != versions.end() &&
        !coverage.has(id, each.span.version))
      forgotten.push_back({id, each.span});
  built_total_.add(versions.size() - forgotten.size());
  if (auto done = uncover(forgotten); !done) return done;
  return {};
}

Result<> Roller::publish_empty(ProjectId id, Seconds from, Seconds to) {
  uint64_t since = 0;
  if (from >= to || !parts_.store.coverage()->may_build(id, from, to, since)) return {};
  auto rows = numbers_in("SELECT count() " + rows_in(id, from, std::min(to, kTimesEnd)));
  if (!rows) return std::move(rows).error();
  if (rows->front().front() > 0) return {};
  auto version = new_version();
  if (!version) return std::move(version).error();
  const Made nothing{{from, to, *version, true}, since, 0, 0};
  return publish(id, std::span(&nothing, 1));
}

// Makes the rows of weir_data.rollups: first the rows of the days with all that is known of their visits, then the
// sums.
Result<> Roller::sum_up(ProjectId id, const Zone& zone, std::span<const Range> days, std::span<const uint32_t> places,
                        std::span<const uint32_t> versions) {
  const Range whole{days.front().from, days.back().to};
  const Numbers numbers{{whole.from}, true};
  std::vector<Cut> cuts;
  for (size_t i = 0; i < kCuts; ++i)
    if (static_cast<Cut>(i) != Cut::traffic) cuts.push_back(static_cast<Cut>(i));
  constexpr std::string_view kSettings =
      "SETTINGS max_threads = 1, max_insert_threads = 1, enable_shared_storage_snapshot_in_query = 1, "
      "insert_deduplicate = 0";
  constexpr std::string_view kRolling =
      "session_id, n, start, began, inside, second, kind, name, bounce, took, path, entry_page, exit_page, "
      "visit_channel, "
      "visit_source, "
      "utm_source, utm_medium, visit_campaign, country, region, city, browser, os, device, screen, locale, hostname";
  if (auto emptied = ask("TRUNCATE TABLE weir_data.rolling"); !emptied) return std::move(emptied).error();
  auto placed = ask(fmt::format("INSERT INTO weir_data.rolling ({0}, leads, uniform, here) {1} {2}", kRolling,
                                marked_rows(placed_rows(id, days, numbers, cuts), std::string(kRolling)), kSettings));
  if (!placed) return std::move(placed).error();
  std::vector<Seconds> begins;
  for (const Range& day : days) begins.push_back(day.from);
  auto of_span = [&](std::span<const uint32_t> values) {
    return fmt::format("transform(began, [{}]::Array(Int64), [{}]::Array(UInt32), toUInt32(0))",
                       fmt::join(begins, ", "), fmt::join(values, ", "));
  };
  std::string sources = fmt::format("SELECT {} AS cut, began, {} FROM ({})", static_cast<int>(Cut::traffic),
                                    columns_of_sums(), sums_of_rows(id, Cut::traffic, zone, days, false, numbers));
  for (Cut cut : cuts)
    sources += fmt::format(" UNION ALL SELECT {} AS cut, began, {} FROM ({})", static_cast<int>(cut), columns_of_sums(),
                           sums_of_marked("weir_data.rolling", cut, zone, whole));
  auto made = ask(
      fmt::format("INSERT INTO weir_data.rollups (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, {0} "
                  "FROM ({4}) {5}",
                  columns_of_sums(), number(id), of_span(places), of_span(versions), sources, kSettings));
  if (!made) return std::move(made).error();
  std::vector<Cut> with_times;
  std::copy_if(cuts.begin(), cuts.end(), std::back_inserter(with_times), has_times);
  const std::string times = times_of_rows(id, with_times, {days.begin(), days.end()});
  made = ask(fmt::format(
      "INSERT INTO weir_data.rollup_times (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, {0} FROM "
      "({4}) {5}",
      columns_of_times(), number(id), of_span(places), of_span(versions), times, kSettings));
  if (!made) return std::move(made).error();
  if (auto emptied = ask("TRUNCATE TABLE weir_data.rolling"); !emptied) return std::move(emptied).error();
  return {};
}

// Days that follow each other: their sums are made by one statement.
Result<> Roller::build_days(ProjectId id, Project& state, const Zone& zone, int64_t first, int64_t end) {
  store::Coverage& coverage = *parts_.store.coverage();
  std::vector<Range> days;
  std::vector<uint64_t> since;
  for (int64_t day = first; day < end; ++day) {
    days.push_back({zone.start_of_day(day), zone.start_of_day(day + 1)});
    if (!coverage.may_build(id, days.back().from, days.back().to, since.emplace_back())) return {};
  }
  const Range whole{days.front().from, days.back().to};
  if (auto numbered = number_visitors(id, state, whole); !numbered) return numbered;
  std::vector<uint32_t> versions;
  std::vector<Seconds> begins;
  std::vector<uint32_t> places;
  for (int64_t day = first; day < end; ++day) {
    auto version = new_version();
    if (!version) return std::move(version).error();
    versions.push_back(*version);
    begins.push_back(zone.start_of_day(day));
    places.push_back(part_of_day(day));
  }
  if (auto made = sum_up(id, zone, days, places, versions); !made) return made;
  auto sums =
      numbers_in(fmt::format("SELECT version, count() FROM (SELECT project_id, part, version FROM weir_data.rollups "
                             "UNION ALL SELECT project_id, part, version FROM weir_data.rollup_times) WHERE project_id "
                             "= {} AND part IN ({}) AND version IN ({}) GROUP BY version",
                             number(id), fmt::join(places, ", "), fmt::join(versions, ", ")));
  if (!sums) return std::move(sums).error();
  auto rows = numbers_in(
      fmt::format("SELECT roundDown(toInt64(toUnixTimestamp(timestamp)), [{}]::Array(Int64)) AS began, count() {} "
                  "GROUP BY began",
                  fmt::join(begins, ", "), rows_in(id, whole.from, whole.to)));
  if (!rows) return std::move(rows).error();
  auto count_in = [](const std::vector<std::vector<int64_t>>& lines, int64_t key) {
    for (const auto& line : lines)
      if (line.at(0) == key) return static_cast<uint64_t>(line.at(1));
    return uint64_t{0};
  };
  std::vector<Made> all;
  for (size_t i = 0; i < days.size(); ++i) {
    const uint64_t count = count_in(*rows, days[i].from);
    all.push_back({{days[i].from, days[i].to, versions[i], count == 0}, since[i], count, count_in(*sums, versions[i])});
  }
  if (auto done = publish(id, all); !done) return done;
  for (const Range& day : days) {
    if (state.numbered.erase(day.from) == 0) continue;
    auto dropped = ask(fmt::format("ALTER TABLE weir_data.visitor_days DROP PARTITION ({}, {})", number(id), day.from));
    if (!dropped) return std::move(dropped).error();
  }
  return {};
}

Result<> Roller::build_month(ProjectId id, const Zone& zone, int64_t first_day) {
  const int64_t end_day = start_of_month(add_months(first_day, 1));
  const Range range{zone.start_of_day(first_day), zone.start_of_day(end_day)};
  store::Coverage& coverage = *parts_.store.coverage();
  uint64_t since = 0;
  if (!coverage.may_build(id, range.from, range.to, since)) return {};
  const std::vector<Span> spans = coverage.spans(id);
  std::vector<uint32_t> versions;
  uint32_t first = 0;
  uint32_t last = 0;
  for (int64_t day = first_day; day < end_day; ++day) {
    const Seconds from = zone.start_of_day(day);
    const Seconds to = zone.start_of_day(day + 1);
    const Span* span = find(spans, from, to);
    if (span == nullptr || span->empty) {
      if (!is_empty(spans, from, to)) return {};
      continue;
    }
    versions.push_back(span->version);
    if (day == first_day) first = span->version;
    if (day == end_day - 1) last = span->version;
  }
  if (versions.empty()) return {};
  auto rows = numbers_in("SELECT count() " + rows_in(id, range.from, range.to));
  if (!rows) return std::move(rows).error();
  auto version = new_version();
  if (!version) return std::move(version).error();
  const std::string visits = joined_sums(kVisitSums, first, last);
  auto made = ask(fmt::format(
      "INSERT INTO weir_data.rollups (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, value, "
      "groupBitmapMergeState(visitors), toUInt32(groupBitmapMerge(visitors)), sum(rows), sum(pageviews), "
      "sum(events){4} FROM "
      "weir_data.rollups WHERE project_id = {1} AND part = {5} AND version IN ({6}) AND cut != {7} GROUP BY cut, value "
      "SETTINGS max_threads = 1, max_insert_threads = 1, insert_deduplicate = 0",
      columns_of_sums(), number(id), kPartOfMonths, *version, visits, part_of_day(first_day), fmt::join(versions, ", "),
      static_cast<int>(Cut::hour_of_day)));
  if (!made) return std::move(made).error();
  made = ask(fmt::format(
      "INSERT INTO weir_data.rollup_times (project_id, part, version, cut, {0}) SELECT {1}, {2}, {3}, cut, value, "
      "sum(known_times), sum(time_sum){4} FROM weir_data.rollup_times WHERE project_id = {1} AND part = {5} AND "
      "version IN ({6}) "
      "GROUP BY cut, value SETTINGS max_threads = 1, max_insert_threads = 1, insert_deduplicate = 0",
      columns_of_times(), number(id), kPartOfMonths, *version, joined_sums(kDepthSums, first, last),
      part_of_day(first_day), fmt::join(versions, ", ")));
  if (!made) return std::move(made).error();
  auto sums = numbers_in(fmt::format(
      "SELECT count() FROM (SELECT project_id, part, version FROM weir_data.rollups UNION ALL SELECT project_id, part, "
      "version FROM weir_data.rollup_times) WHERE project_id = {} AND part = {} AND version = {}",
      number(id), kPartOfMonths, *version));
  if (!sums) return std::move(sums).error();
  const Made month{{range.from, range.to, *version, false},
                   since,
                   static_cast<uint64_t>(rows->front().front()),
                   static_cast<uint64_t>(sums->front().front())};
  return publish(id, std::span(&month, 1));
}

// Sums of versions that no span has any more, and that no statement under way may still read.
Result<> Roller::sweep() {
  const Seconds old = parts_.clock.now() / 1000 - 3 * 86'400;
  auto left = numbers_in(fmt::format(
      "SELECT DISTINCT reinterpretAsInt64(project_id), span_from FROM weir_data.visitor_days WHERE span_from < {}",
      old));
  if (!left) return std::move(left).error();
  for (const auto& line : *left) {
    auto dropped = ask(fmt::format("ALTER TABLE weir_data.visitor_days DROP PARTITION ({}, {})",
                                   static_cast<uint64_t>(line.at(0)), line.at(1)));
    if (!dropped) return std::move(dropped).error();
  }
  sweep_after_ = steady_clock::now() + kSweepEvery;
  auto stale = numbers_in(fmt::format(
      "SELECT DISTINCT version FROM (SELECT version FROM weir_data.rollups UNION ALL SELECT version FROM "
      "weir_data.rollup_times) "
      "WHERE version NOT IN (SELECT version FROM weir_data.rollup_spans GROUP BY version HAVING (min(covered) = 1 AND "
      "max(scheme) = {}) OR max(noted_at) > now() - INTERVAL 30 MINUTE)",
      kScheme));
  if (!stale) return std::move(stale).error();
  if (stale->empty()) return {};
  std::vector<int64_t> versions;
  for (const auto& line : *stale) versions.push_back(line.at(0));
  for (std::string_view table : {"rollups", "rollup_times"}) {
    auto gone =
        ask(fmt::format("ALTER TABLE weir_data.{} DELETE WHERE version IN ({})", table, fmt::join(versions, ", ")));
    if (!gone) return std::move(gone).error();
  }
  return {};
}

}  // namespace weir::query
