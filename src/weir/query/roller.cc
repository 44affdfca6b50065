#include "weir/query/roller.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/logging.h"
#include "weir/query/covered_time.h"

namespace weir::query {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::steady_clock;
using Span = store::Coverage::Span;

namespace {
constexpr milliseconds kBetweenRounds{1'000};
constexpr seconds kAfterError{10};
constexpr minutes kSweepEvery{60};
constexpr minutes kAfterFailure{1};
constexpr seconds kOutsideEvery{2};
constexpr Seconds kDay = 86'400;
// Numbers of visitors of days of which there are no sums after so long are given again when they are needed.
constexpr Seconds kNumbersKept = 3 * kDay;
// What is summed up by one statement, and by how many before other projects have their turn.
constexpr uint64_t kRowsAtOnce = 300'000;
constexpr uint64_t kDaysAtOnce = 60;
constexpr int kRunsATurn = 4;
// The time that these take is so small a part of all.
constexpr int kNumberingShare = 20;
constexpr int kCountingShare = 100;
constexpr minutes kCountAgain{5};
}  // namespace

Roller::Roller(const Options& options, const Parts& parts)
    : options_(options),
      parts_(parts),
      rounds_total_(
          parts.registry.counter("weir_rollup_rounds_total", "Times that all projects' days were looked at.")),
      behind_gauge_(parts.registry.gauge("weir_rollup_days_missing", "Past days that have no sums (yet).")),
      tables_(parts.store, parts.registry, [this] { return stopping(); }) {}

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

bool Roller::stopping() {
  std::lock_guard lock(mutex_);
  return stopping_;
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
    if (auto done = round(); !done) {
      log::warning("query: roll-ups: {}", done.error().message);
      wait = kAfterError;
    }
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
    const auto share = static_cast<int64_t>(options_.rollup_share);
    wait = std::max(wait, took * (100 - share) / share);
  }
}

Result<> Roller::round() {
  auto settled = tables_.settled();
  if (!settled) return std::move(settled).error();
  if (!*settled) return {};
  if (!tables_.coverage().trusted()) {
    maker_.forget();
    projects_.clear();
    count_after_ = Moment::min();
    if (auto verified = tables_.verify(); !verified) return verified;
  }
  if (steady_clock::now() >= count_after_)
    if (auto counted = count_rows(); !counted) return counted;
  behind_ = 0;
  auto snapshot = parts_.settings.snapshot();
  for (const settings::Project& project : snapshot->projects()) {
    if (projects_[project.id].rows < std::max<uint64_t>(options_.rollup_rows, 1)) continue;
    if (auto looked = look_at(project); !looked) return looked;
  }
  behind_gauge_.set(static_cast<double>(behind_));
  rounds_total_.add();
  if (steady_clock::now() >= sweep_after_) {
    sweep_after_ = steady_clock::now() + kSweepEvery;
    if (auto swept = maker_.sweep(parts_.clock.now() / 1000 - kNumbersKept); !swept) return swept;
    if (auto swept = tables_.sweep(); !swept) return swept;
  }
  return parts_.found != nullptr ? parts_.found->sweep() : Result<>();
}

Result<> Roller::count_rows() {
  const auto began = steady_clock::now();
  auto rows =
      tables_.numbers_in("SELECT reinterpretAsInt64(project_id), count() FROM weir_data.events GROUP BY project_id");
  if (!rows) return std::move(rows).error();
  for (auto& [id, state] : projects_) state.rows = 0;
  for (const auto& row : *rows)
    projects_[ProjectId{static_cast<uint64_t>(row.at(0))}].rows = static_cast<uint64_t>(row.at(1));
  const auto now = steady_clock::now();
  count_after_ = now + std::min<steady_clock::duration>(kCountingShare * (now - began), kCountAgain);
  return {};
}

Result<> Roller::look_at(const settings::Project& project) {
  Project& state = projects_[project.id];
  auto zone = Zone::load(project.time_zone);
  if (!zone) return std::move(zone).error();
  std::optional<int64_t> first_day;
  if (auto covered = cover_outside(project.id, state, first_day); !covered || !first_day) return covered;

  const int64_t today = zone->local_day(parts_.clock.now() / 1000);
  const int64_t first = zone->local_day(*first_day * kDay);
  const std::vector<Span> spans = tables_.coverage().spans(project.id);
  const CoveredTime covered(spans);
  std::vector<int64_t> missing;  // the newest first
  for (int64_t day = today - 1; day >= first; --day)
    if (!covered.knows(zone->start_of_day(day), zone->start_of_day(day + 1))) missing.push_back(day);
  behind_ += missing.size();
  behind_gauge_.set(static_cast<double>(behind_));

  std::vector<int64_t> going_on = {today};
  if (!missing.empty() && missing.front() == today - 1) going_on.push_back(today - 1);
  if (auto numbered = number_days(project.id, state, *zone, going_on); !numbered) return numbered;
  const uint64_t a_day = state.rows / static_cast<uint64_t>(std::max<int64_t>(1, today - first)) + 1;
  if (auto made = make_missing(project.id, state, *zone, missing, a_day); !made) return made;
  return make_months(project.id, *zone, first, today);
}

Result<> Roller::number_days(ProjectId id, Project& state, const Zone& zone, std::span<const int64_t> days) {
  const auto began = steady_clock::now();
  if (began < state.number_after) return {};
  for (int64_t day : days)
    if (auto numbered = maker_.number_visitors(id, {zone.start_of_day(day), zone.start_of_day(day + 1)}); !numbered)
      return numbered;
  const auto now = steady_clock::now();
  state.number_after = now + kNumberingShare * (now - began);
  return {};
}

// Runs of days that follow each other, the newest first, of about as many rows as one statement should read.
Result<> Roller::make_missing(ProjectId id, Project& state, const Zone& zone, const std::vector<int64_t>& missing,
                              uint64_t rows_a_day) {
  if (steady_clock::now() < state.build_after) return {};
  const Moment quiet_since = steady_clock::now() - options_.rollup_quiet;
  std::vector<int64_t> ready;
  for (int64_t day : missing)
    if (tables_.coverage().touched_at(id, zone.start_of_day(day), zone.start_of_day(day + 1)) <= quiet_since)
      ready.push_back(day);
  const auto at_once = static_cast<size_t>(std::clamp<uint64_t>(kRowsAtOnce / rows_a_day, 1, kDaysAtOnce));
  auto is_even = [&](int64_t day) { return zone.start_of_day(day + 1) - zone.start_of_day(day) == kDay; };
  int made = 0;
  for (size_t i = 0; i < ready.size() && made < kRunsATurn; ++made) {
    size_t end = i + 1;
    while (end < ready.size() && ready[end] == ready[end - 1] - 1 && end - i < at_once && is_even(ready[end]) &&
           is_even(ready[i]))
      ++end;
    auto done = maker_.make_days(id, zone, ready[end - 1], ready[i] + 1);
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

// Of the months whose days are all known.
Result<> Roller::make_months(ProjectId id, const Zone& zone, int64_t first, int64_t today) {
  const std::vector<Span> spans = tables_.coverage().spans(id);
  const CoveredTime covered(spans);
  for (int64_t end = start_of_month(today); end > first;) {
    const int64_t month = start_of_month(end - 1);
    bool can = !covered.knows(zone.start_of_day(month), zone.start_of_day(end));
    for (int64_t day = month; day < end && can; ++day)
      can = covered.knows(zone.start_of_day(day), zone.start_of_day(day + 1));
    if (can)
      if (auto done = maker_.make_month(id, zone, month); !done) return done;
    end = month;
  }
  return {};
}

// Before a project's first day and after its last there is nothing; that is known, too.
Result<> Roller::cover_outside(ProjectId id, Project& state, std::optional<int64_t>& first_day) {
  std::optional<Seconds> begin;  // of what is not empty
  std::optional<Seconds> end;
  for (const Span& span : tables_.coverage().spans(id)) {
    if (span.empty && span.from == 0) begin = span.to;
    if (span.empty && span.to == RollupTables::kEver) end = span.from;
  }
  if (begin) first_day = *begin / kDay;
  if (begin && end) return {};
  if (begin && steady_clock::now() < state.look_after) return {};
  state.look_after = steady_clock::now() + kOutsideEvery;
  if (!begin) {
    auto first = parts_.store.day_with_events(id, 0);
    if (!first) return std::move(first).error();
    if (!*first) return {};
    first_day = **first / kMillisPerDay;
    if (auto done = tables_.publish_empty(id, 0, *first_day * kDay); !done) return done;
  }
  if (!end) {
    auto last = tables_.numbers_in(fmt::format(
        "SELECT toInt64(toDate(timestamp)) FROM weir_data.events WHERE project_id = {} ORDER BY project_id DESC, "
        "toDate(timestamp) DESC LIMIT 1",
        number(id)));
    if (!last) return std::move(last).error();
    if (last->empty()) return {};
    if (auto done = tables_.publish_empty(id, (last->front().front() + 1) * kDay, RollupTables::kEver); !done)
      return done;
  }
  return {};
}

}  // namespace weir::query
