#include "weir/load/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>

#include "weir/base/logging.h"
#include "weir/base/queue.h"
#include "weir/base/random.h"
#include "weir/base/thread.h"
#include "weir/enrich/enricher.h"
#include "weir/event/record.h"
#include "weir/load/inserter.h"
#include "weir/load/ranges.h"
#include "weir/load/reconciler.h"

namespace weir::load {

namespace {
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint64_t kReadBytes = 4 * MiB;
// How long a read waits for the first record before it looks whether it should stop.
constexpr milliseconds kIdleWait{200};
// Restoring more open visits than this costs more memory than looking at the others' rows costs time.
constexpr uint64_t kRestoredVisitsMax = 200'000;
// Visits that ended longer ago cannot go on, but for events that are a little late.
constexpr UnixMillis kRestoredSilence = 2 * enrich::kVisitSilence;
// The memory is told about a project's other times at most so often a batch, and, where that was in vain, not for a
// while: else a client with a clock of its own could make each event a question.
constexpr int kLooksPerBatch = 4;
constexpr milliseconds kLookAgain{30'000};
constexpr milliseconds kYield{50};
// A batch that is not full is read on in steps of this: reading each small frame as it comes costs more than its rows.
constexpr milliseconds kReadStep{50};
constexpr uint64_t kFewRecords = 8'192;
// A batch that has so many rows when it is old enough grows on: the store merges half as many parts, which costs it
// more than anything else when events come one by one as fast as they can.
constexpr uint64_t kFloodRows = 10'000;

struct Batch {
  std::vector<Piece> pieces;
  std::vector<DeadLetter> dead;  // records that no row could be made of
  std::vector<Outcomes::Decision> duplicates;
  std::vector<DirtyVisits> dirty;  // of rows whose visits are not certain
  int looks = 0;                   // at the store, for visits
  uint32_t epoch = 0;
  uint64_t next = 0;  // all missing records below are in this or an earlier batch
  UnixMillis appended_at = 0;
  uint64_t rows = 0;
  bool begun = false;                               // it holds records: the healer knows of it
  std::unique_ptr<event::RowWatch::Batch> watched;  // null: by nobody
};
}  // namespace

struct Loader::State {
  State(const Options& o, Dependencies d, journal::Partition which, std::function<bool()> yield)
      : options(o),
        deps(d),
        partition(which),
        outcomes(*d.outcomes[static_cast<size_t>(which)]),
        yields(std::move(yield)),
        inserter(options, {d.store, d.journal, outcomes, d.healer, d.clock, d.registry}, which,
                 [this](milliseconds how_long) { return pause(how_long); }),
        reconciler({d.journal, d.store, outcomes}, which),
        visits(d.healer.visits(which)),
        process(random_u64()) {
    d.dedup.begins_at(which, reconciler.recovered_end());
    std::string label(journal::name_of(which));
    auto gauge = [&](std::string_view name, std::string_view help) -> metrics::Gauge& {
      return d.registry.gauge(name, help, {{"partition", label}});
    };
    loaded_gauge = &gauge("weir_load_position", "Every record below this position is in the store.");
    lag_events = &gauge("weir_load_lag_events", "Records in the journal that are not in the store yet.");
    lag_seconds = &gauge("weir_load_lag_seconds", "Age of the oldest record that is not in the store yet.");
    rows_total = &d.registry.counter("weir_load_rows_total", "Rows inserted.", {{"partition", label}});
    doubts_total =
        &d.registry.counter("weir_load_reconciles_total", "Times all positions were compared.", {{"partition", label}});
    enrich_seconds =
        &d.registry.histogram("weir_enrich_seconds", "Time to enrich one batch.", metrics::seconds_bounds());
    conflicts_total = &d.registry.counter("weir_load_id_conflicts_total",
                                          "Duplicates by their id that say something else than the first event.",
                                          {{"partition", label}});
    for (size_t i = 1; i < kOutcomes; ++i)
      outcome_gauges[i] = &d.registry.gauge(
          "weir_load_outcomes", "Positions of the journal that have no row and need none, by what became of them.",
          {{"partition", label}, {"outcome", std::string(name_of(static_cast<Outcome>(i)))}});
    d.registry.before_write([this] { refresh_metrics(); });
  }

  const Options options;
  Dependencies deps;
  const journal::Partition partition;
  Outcomes& outcomes;
  const std::function<bool()> yields;
  Inserter inserter;

  // Of the building thread.
  Reconciler reconciler;
  Reconciler::Found found;  // by the last comparison
  enrich::Visits& visits;
  enrich::Enricher enricher;
  // Rows of the batch being built whose visits are still to be found, and their texts.
  struct Unassigned {
    Piece* piece;
    size_t row;
    enrich::VisitEvent event;     // but for its texts
    size_t at;                    // where they begin
    std::array<size_t, 5> sizes;  // client session, path, source, channel, campaign
    size_t watched;               // its number among the rows that somebody sees
  };
  std::vector<Unassigned> unassigned;
  std::string unassigned_texts;
  std::map<ProjectId, steady_clock::time_point> looked_in_vain;
  event::RecordParser parser;
  std::string opened_text;  // the personal fields opened last: those of one request are the same text
  std::optional<settings::Secrets::Opened> opened_fields;
  const uint64_t process;
  uint64_t pieces_made = 0;

  // Between the threads.
  std::unique_ptr<BoundedQueue<Batch>> queue;
  std::atomic<bool> doubt{false};
  std::atomic<bool> stopping{false};
  std::mutex mutex;                 // guards comparisons to resent, and the waits below
  std::condition_variable stopped;  // stopping was set
  std::condition_variable changed;  // comparisons, loaded or stopping changed
  uint64_t comparisons = 0;
  Replayed compared;
  bool resend_wanted = false;
  uint64_t resends = 0;
  Result<Resent> resent{Resent()};
  std::atomic<uint64_t> loaded{0};
  std::atomic<UnixMillis> pending_since{0};   // when the oldest unloaded record was appended; 0: none known
  std::atomic<UnixMillis> building_since{0};  // likewise, of the batch being built
  std::atomic<bool> reconciled{false};
  Thread builder;

  metrics::Gauge* loaded_gauge;
  metrics::Gauge* lag_events;
  metrics::Gauge* lag_seconds;
  metrics::Counter* rows_total;
  metrics::Counter* doubts_total;
  metrics::Counter* conflicts_total;
  std::array<metrics::Gauge*, kOutcomes> outcome_gauges{};
  metrics::Histogram* enrich_seconds;

  // Waits, or returns false at once when the loader is to stop.
  bool pause(milliseconds how_long) {
    std::unique_lock lock(mutex);
    return !stopped.wait_for(lock, how_long, [&] { return stopping.load(); });
  }

  bool packs_are_read() const { return deps.packs == nullptr || deps.packs->current() != nullptr; }

  // The journal may forget what is below `upto`, once it is old enough.
  void release(uint64_t upto) {
    deps.journal.release(partition, std::min(upto, deps.dedup.safe_below(partition, deps.clock.now())));
  }

  void refresh_metrics() {
    uint64_t end = deps.journal.writer(partition).end();
    uint64_t at = std::min(loaded.load(), end);
    UnixMillis since = pending_since.load();
    loaded_gauge->set(static_cast<double>(at));
    lag_events->set(static_cast<double>(end - at));
    lag_seconds->set(
        at == end || since == 0 ? 0 : static_cast<double>(std::max<UnixMillis>(0, deps.clock.now() - since)) / 1000);
    const auto counts = outcomes.counts();
    for (size_t i = 1; i < kOutcomes; ++i) outcome_gauges[i]->set(static_cast<double>(counts[i]));
  }

  void run();
  Result<> prepare();
  void load_until_doubt();
  bool load_range(journal::Reader& reader, Range range);
  std::optional<uint64_t> fill(journal::Reader& reader, Range range, Batch& batch);
  Result<> add_records(const journal::Batch& read, Range range, uint32_t p, std::map<int32_t, Piece>& open,
                       Batch& batch);
  const event::Row& row_of(const event::Event& event, enrich::Place place, const settings::Project* project);
  const settings::Secrets::Opened* personal_of(const event::Event& event);
  Result<> restore_visits(const store::VisitScope& scope, UnixMillis& from);
  void look_around(ProjectId project, UnixMillis time, Batch& batch);
  void assign_visits(Batch& batch);
  void insert_loop();
  Result<Resent> resend_all();
  Result<bool> resend(const DeadLetter& letter);
};

void Loader::State::run() {
  lower_priority(static_cast<int>(options.nice));
  constexpr milliseconds kFirstWait{100};
  milliseconds wait = kFirstWait;
  while (!stopping) {
    if (auto prepared = prepare(); !prepared) {
      // A store that is starting is no news; one that is not there after seconds is.
      log::write(wait < 16 * kFirstWait ? log::Level::debug : log::Level::warning,
                 fmt::format("load: {}: waiting: {}", journal::name_of(partition), prepared.error().message));
      pause(wait);
      // Packs are read by this process, in seconds, whatever becomes of it: nothing is spared by asking less often.
      if (!packs_are_read()) continue;
      wait = std::min(wait * 2, std::max(options.retry_pause_max, kFirstWait));
      continue;
    }
    wait = kFirstWait;
    bool wanted = false;
    {
      std::lock_guard lock(mutex);
      wanted = std::exchange(resend_wanted, false);
    }
    if (wanted) {
      auto done = resend_all();
      std::lock_guard lock(mutex);
      resent = std::move(done);
      ++resends;
      changed.notify_all();
    }
    load_until_doubt();
  }
}

// Brings the tables up to date and finds out what the store already holds.
Result<> Loader::State::prepare() {
  reconciled = false;
  doubt = false;
  deps.dedup.settled_below(partition, UINT64_MAX);  // nobody inserts until this is done
  // What is loaded before the packs are would not be known to have a place, or a device.
  if (!packs_are_read()) return Error{ErrorCode::kUnavailable, "the data packs are being read"};
  if (auto migrated = deps.store.migrate(); !migrated) return migrated;
  auto now_life = deps.store.life();
  if (!now_life) return std::move(now_life).error();
  inserter.set_life(*now_life);

  auto persist = [this](const std::function<Result<>()>& what) { return inserter.persist(what); };
  if (auto above = reconciler.go_above_the_store(persist); !above) return above;
  const Dedup::Sources sources{
      deps.journal, deps.outcomes,
      [this](journal::Partition of, uint64_t first, uint64_t next) { return reconciler.stored(of, first, next); }};
  auto filled = deps.dedup.fill(sources, deps.clock.now(), [this] { return stopping.load(); });
  if (!filled) return filled;
  auto compared_now = reconciler.compare();
  if (!compared_now) return std::move(compared_now).error();
  found = *std::move(compared_now);

  visits.clear();
  looked_in_vain.clear();
  if (partition == journal::Partition::live) {
    UnixMillis from = deps.clock.now() - kRestoredSilence;
    if (auto restored = restore_visits({std::nullopt, from, INT64_MAX}, from); !restored) {
      // Too many of them for what the store has of memory or disk: loading must not wait for that to change.
      if (!deps.store.up()) return restored;
      log::warning("load: {}: the open visits cannot be read ({}); those of the next events are worked out one by one",
                   journal::name_of(partition), restored.error().message);
      from = deps.clock.now();
    }
    visits.know_all_from(from);
  }
  // What was on its way has arrived or never will.
  deps.healer.batches_dropped(partition);

  uint64_t absent = found.end - found.tail;
  for (Range range : found.missing) absent += range.next - range.first;
  log::info("load: {}: positions {}..{} compared, {} missing, {} visits open", journal::name_of(partition), found.begin,
            found.end, absent, visits.size());
  {
    std::lock_guard lock(mutex);
    ++comparisons;
    compared = {found.begin, found.end, absent};
    loaded = found.missing.empty() ? found.tail : found.missing.front().first;
    changed.notify_all();
  }
  release(loaded);
  doubts_total->add();
  reconciled = true;
  return {};
}

// Takes up visits from the store. `from` rises where they are too many.
Result<> Loader::State::restore_visits(const store::VisitScope& scope, UnixMillis& from) {
  const auto pending = deps.healer.pending();
  auto open = deps.store.open_visits(scope, kRestoredVisitsMax);
  if (!open) return std::move(open).error();
  if (open->size() == kRestoredVisitsMax) from = open->back().last + 1;
  for (store::OpenVisit& v : *open) {
    enrich::VisitState state;
    state.session = v.session_id;
    state.last = v.last;
    state.events = static_cast<uint32_t>(std::min<uint64_t>(v.events, UINT16_MAX));
    state.pageviews = static_cast<uint8_t>(std::min<uint64_t>(v.pageviews, 2));
    state.interactions = static_cast<uint8_t>(std::min<uint64_t>(v.interactions, 2));
    state.entry_path = std::move(v.entry_path);
    state.last_path = std::move(v.last_path);
    state.source = std::move(v.source);
    state.channel = std::move(v.channel);
    state.campaign = std::move(v.campaign);
    visits.restore(v.project_id, enrich::stream_of(v.project_id, v.visitor_id, v.client_session_id), std::move(state),
                   std::binary_search(pending.begin(), pending.end(), std::pair(v.project_id, v.visitor_id)));
  }
  return {};
}

// The memory knows nothing of the project around `time`: history that is imported, a client that was away for long.
// Takes up what the store has of that day, so that the events behind can be assigned as they come. Where that fails
// their visits are worked out afterwards, one by one.
void Loader::State::look_around(ProjectId project, UnixMillis time, Batch& batch) {
  if (batch.looks >= kLooksPerBatch) return;
  auto vain = looked_in_vain.find(project);
  if (vain != looked_in_vain.end() && deps.clock.steady() < vain->second) return;
  ++batch.looks;
  UnixMillis from = time - kRestoredSilence;
  const UnixMillis day_end = (time / kMillisPerDay + 1) * kMillisPerDay;
  auto next_day = deps.store.day_with_events(project, day_end);
  if (next_day)
    if (restore_visits({project, from, day_end}, from)) visits.know(project, from, next_day->value_or(INT64_MAX));
  if (visits.knows(project, time))
    looked_in_vain.erase(project);
  else
    looked_in_vain[project] = deps.clock.steady() + kLookAgain;
}

void Loader::State::load_until_doubt() {
  queue = std::make_unique<BoundedQueue<Batch>>(1);
  auto inserter = Thread::start(fmt::format("insert-{}", journal::name_of(partition)), [this] { insert_loop(); });
  if (!inserter) {
    log::error("load: {}: {}", journal::name_of(partition), inserter.error().message);
    pause(options.retry_pause_max);
    return;
  }
  auto reader = deps.journal.reader(partition);
  std::vector<Range> work = found.missing;
  work.push_back({found.tail, UINT64_MAX});
  for (size_t i = 0; i < work.size() && !stopping && !doubt; ++i)
    if (!load_range(*reader, work[i])) break;
  queue->close();
  inserter->join();
}

// Loads a range; false when the loader is to stop or to compare again.
bool Loader::State::load_range(journal::Reader& reader, Range range) {
  while (range.first < range.next && !stopping && !doubt) {
    if (yields && yields()) {
      pause(kYield);
      continue;
    }
    Batch batch;
    auto next = fill(reader, range, batch);
    if (!next) return false;
    range.first = *next;
    batch.next = range.first;
    if (range.first >= range.next) {
      // The next thing missing begins behind this range.
      auto after = std::find_if(found.missing.begin(), found.missing.end(),
                                [&](Range missing) { return missing.first >= range.next; });
      batch.next = after == found.missing.end() ? std::max(found.tail, range.next) : after->first;
    }
    if (!queue->push(std::move(batch))) return false;
    building_since = 0;
  }
  return !stopping && !doubt;
}

// Reads and enriches records of `range` until the batch is full or old enough. Answers where to read on.
std::optional<uint64_t> Loader::State::fill(journal::Reader& reader, Range range, Batch& batch) {
  std::map<int32_t, Piece> open;  // by month
  unassigned.clear();
  unassigned_texts.clear();
  uint64_t at = range.first;
  uint32_t epoch = 0;
  uint64_t bytes = 0;
  double enriching = 0;
  std::optional<steady_clock::time_point> deadline;
  bool flooded = false;
  while (!stopping && !doubt && at < range.next) {
    milliseconds wait = kIdleWait;
    if (deadline) {
      wait = std::chrono::duration_cast<milliseconds>(*deadline - deps.clock.steady());
      if (wait <= milliseconds::zero()) {
        if (flooded || batch.rows < kFloodRows) break;
        flooded = true;
        *deadline += options.batch_age;
        continue;
      }
    }
    auto read = reader.read(at, kReadBytes, wait);
    if (!read) {
      log::error("load: {}: reading at {}: {}", journal::name_of(partition), at, read.error().message);
      if (read.error().code != ErrorCode::kCorrupt) {
        pause(options.retry_pause_max);
        return std::nullopt;
      }
      // The damage is in the journal's list now: compare again, around it.
      doubt = true;
      return std::nullopt;
    }
    if (read->empty()) {
      at = std::max(at, read->next);
      if (!deadline && at >= range.next) break;
      continue;
    }
    auto number = found.numbers.find(read->epoch);
    if (number == found.numbers.end()) {  // a new epoch began: it needs its number first
      doubt = true;
      return std::nullopt;
    }
    if (deadline && read->epoch != epoch) break;  // a batch never crosses an epoch; these are read again
    if (!deadline) {
      deadline = deps.clock.steady() + options.batch_age;
      batch.epoch = epoch = read->epoch;
      batch.appended_at = read->appended_at;
      building_since = read->appended_at;
      deps.healer.batch_begins(partition);
      batch.begun = true;
      if (deps.watch != nullptr) batch.watched = deps.watch->watch();
      UnixMillis none = 0;
      pending_since.compare_exchange_strong(none, read->appended_at);
    }
    auto began = steady_clock::now();
    if (auto added = add_records(*read, range, number->second, open, batch); !added) {
      log::error("load: {}: {}", journal::name_of(partition), added.error().message);
      doubt = true;
      pause(options.retry_pause_max);
      return std::nullopt;
    }
    enriching += std::chrono::duration<double>(steady_clock::now() - began).count();
    at = std::min(read->next, range.next);
    deps.dedup.decided_below(partition, at);
    batch.rows = 0;
    bytes = 0;
    for (const auto& [month, piece] : open) {
      batch.rows += piece.block.rows();
      bytes += piece.block.bytes();
    }
    if (batch.rows >= options.batch_rows || bytes >= options.batch_bytes) break;
    if (deps.journal.writer(partition).end() < at + kFewRecords) {  // caught up
      auto rest = std::chrono::duration_cast<milliseconds>(*deadline - deps.clock.steady());
      if (rest > milliseconds::zero()) pause(std::min(rest, kReadStep));
    }
  }
  if (stopping || doubt) return std::nullopt;
  const auto assigning = steady_clock::now();
  assign_visits(batch);
  enriching += std::chrono::duration<double>(steady_clock::now() - assigning).count();
  if (deadline) enrich_seconds->observe(enriching);
  for (auto& [month, piece] : open) {
    piece.token = fmt::format("{:016x}:{}:{}:{}-{}", process, ++pieces_made, piece.p, piece.first, piece.last);
    batch.pieces.push_back(std::move(piece));
  }
  return at;
}

Result<> Loader::State::add_records(const journal::Batch& read, Range range, uint32_t p, std::map<int32_t, Piece>& open,
                                    Batch& batch) {
  auto snapshot = deps.settings.snapshot();
  enricher.use(deps.packs != nullptr ? deps.packs->current() : nullptr, snapshot);
  ProjectId project_id{};
  const settings::Project* project = nullptr;
  for (const journal::Record& record : read.records) {
    if (record.offset < range.first) continue;
    if (record.offset >= range.next) break;
    auto event = parser.parse(record.bytes);
    if (!event) {
      batch.dead.push_back(
          {record.offset, read.epoch, deps.clock.now(), event.error().message, std::string(record.bytes)});
      continue;
    }
    if (event->id_given) {
      auto verdict = deps.dedup.judge(*event, partition, record.offset);
      if (!verdict) return std::move(verdict).error();
      if (*verdict != Dedup::Verdict::first) {
        batch.duplicates.push_back({record.offset, Outcome::duplicate});
        // It may have been a row before the store lost it, and others of its visit may have been told so.
        if (record.offset < found.end)
          batch.dirty.push_back({event->project_id, enrich::visitor_of(*event), event->time, event->time});
        if (*verdict == Dedup::Verdict::conflict) conflicts_total->add();
        continue;
      }
    }
    if (event->project_id != project_id) {
      project_id = event->project_id;
      project = snapshot->project(project_id);
    }
    const event::Row& row = row_of(*event, {p, record.offset}, project);
    Piece& piece = open[month_of(row.time)];
    if (piece.block.rows() == 0) {
      piece.p = p;
      piece.first = record.offset;
    }
    piece.last = record.offset;
    piece.block.add(row);
    const size_t watched = batch.watched ? batch.watched->row(row) : event::RowWatch::kNotShown;
    const enrich::VisitEvent visit = enrich::visit_event(row);
    Unassigned& later = unassigned.emplace_back(
        Unassigned{&piece, piece.block.rows() - 1, visit, unassigned_texts.size(), {}, watched});
    size_t i = 0;
    for (std::string_view text : {visit.client_session, visit.path, visit.acquisition.source, visit.acquisition.channel,
                                  visit.acquisition.campaign}) {
      unassigned_texts += text;
      later.sizes[i++] = text.size();
    }
  }
  return {};
}

// In the order of time: events of one moment come over several connections, and stand in the journal as they were
// written.
void Loader::State::assign_visits(Batch& batch) {
  std::vector<uint32_t> order(unassigned.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const enrich::VisitEvent& x = unassigned[a].event;
    const enrich::VisitEvent& y = unassigned[b].event;
    return x.time != y.time ? x.time < y.time : x.hash != y.hash ? x.hash < y.hash : a < b;
  });
  std::vector<uint64_t> visitors;
  visitors.reserve(order.size());
  for (uint32_t index : order) {
    Unassigned& one = unassigned[index];
    enrich::VisitEvent& event = one.event;
    std::string_view rest = std::string_view(unassigned_texts).substr(one.at);
    size_t i = 0;
    for (std::string_view* text : {&event.client_session, &event.path, &event.acquisition.source,
                                   &event.acquisition.channel, &event.acquisition.campaign}) {
      *text = rest.substr(0, one.sizes[i]);
      rest.remove_prefix(one.sizes[i++]);
    }
    if (!visits.knows(event.project, event.time)) look_around(event.project, event.time, batch);
    const enrich::Visits::Assigned assigned = visits.assign(event);
    one.piece->block.set_visit(one.row, assigned.facts);
    if (one.watched != event::RowWatch::kNotShown) batch.watched->visit(one.watched, assigned.facts);
    if (!assigned.certain) batch.dirty.push_back({event.project, event.visitor, event.time, event.time});
    if (visitors.empty() || visitors.back() != event.visitor) visitors.push_back(event.visitor);
  }
  if (batch.begun) deps.healer.batch_holds(partition, std::move(visitors));
  unassigned.clear();
  unassigned_texts.clear();
}

// `project`: the event's, or null when it is gone.
const event::Row& Loader::State::row_of(const event::Event& event, enrich::Place place,
                                        const settings::Project* project) {
  return enricher.enrich(event, place, project != nullptr ? project->ip_policy : settings::IpPolicy::none,
                         personal_of(event));
}

// Null when the event has none, or their key is gone.
const settings::Secrets::Opened* Loader::State::personal_of(const event::Event& event) {
  if (event.personal.empty()) return nullptr;
  if (event.personal != opened_text) {
    auto opened = deps.secrets.open(event.project_id, event.personal);
    opened_text.assign(event.personal);
    opened_fields.reset();
    if (opened) opened_fields.emplace(*std::move(opened));
  }
  return opened_fields ? &*opened_fields : nullptr;
}

void Loader::State::insert_loop() {
  lower_priority(static_cast<int>(options.nice));
  while (auto batch = queue->pop()) {
    if (doubt) continue;  // what is not inserted is found missing
    pending_since = batch->appended_at;
    // What is noted is found again after a kill, what is decided is not looked at any more.
    bool done = inserter.bury(batch->dead) && inserter.persist([&] { return deps.healer.note(batch->dirty); }) &&
                inserter.persist([&] { return outcomes.decide(batch->duplicates); });
    bool refused = false;
    for (const Piece& piece : batch->pieces) done = done && inserter.insert(piece, batch->epoch, refused);
    // What the memory knows of visits counts what was refused.
    if (!done || refused) doubt = true;
    if (!done) continue;
    rows_total->add(batch->rows);
    if (batch->watched && !refused) batch->watched->stored();
    if (batch->begun) deps.healer.batch_ended(partition);
    deps.dedup.settled_below(partition, batch->next);
    {
      std::lock_guard lock(mutex);
      loaded = batch->next;
      changed.notify_all();
    }
    pending_since = building_since.load();
    release(batch->next);
  }
}

// Of the building thread, between two runs of loading.
Result<Loader::Resent> Loader::State::resend_all() {
  auto letters = outcomes.dead_letters();
  if (!letters) return std::move(letters).error();
  Resent done;
  for (const DeadLetter& letter : *letters) {
    if (stopping) return Error{ErrorCode::kUnavailable, "load: stopping"};
    auto stored = resend(letter);
    if (!stored) {
      doubt = true;  // whatever was on its way is looked for
      return std::move(stored).error();
    }
    ++done.tried;
    if (*stored) ++done.stored;
  }
  log::info("load: {}: {} dead letters tried again, {} stored", journal::name_of(partition), done.tried, done.stored);
  return done;
}

Result<bool> Loader::State::resend(const DeadLetter& letter) {
  const journal::PartitionInfo info = deps.journal.info(partition);
  auto epoch = std::find_if(info.epochs.begin(), info.epochs.end(),
                            [&](const journal::Epoch& e) { return e.number == letter.epoch; });
  if (epoch == info.epochs.end()) return false;
  auto p = deps.store.journal_number(reconciler.key_of(partition, *epoch));
  if (!p) return std::move(p).error();
  // An earlier try may have been cut off behind its insert.
  auto present = deps.store.positions(*p, letter.offset, letter.offset + 1);
  if (!present) return std::move(present).error();
  if (present->empty()) {
    auto event = parser.parse(letter.record);
    if (!event) return false;
    store::Block block;
    enricher.use(deps.packs != nullptr ? deps.packs->current() : nullptr, deps.settings.snapshot());
    event::Row row = row_of(*event, {*p, letter.offset}, deps.settings.snapshot()->project(event->project_id));
    row.visit = visits.assign(enrich::visit_event(row)).facts;
    block.add(row);
    const DirtyVisits dirty{event->project_id, enrich::visitor_of(*event), event->time, event->time};
    deps.healer.batch_begins(partition);
    if (auto noted = deps.healer.note({&dirty, 1}); !noted) return std::move(noted).error();
    std::string why;
    const auto token = fmt::format("{:016x}:{}:resent:{}", process, ++pieces_made, letter.offset);
    const Inserted inserted = inserter.try_insert(block, token, why);
    if (inserted == Inserted::refused) {
      deps.healer.batch_ended(partition);
      return false;
    }
    if (inserted == Inserted::unknown)
      return Error{ErrorCode::kUnavailable, "load: the store restarted or the loader stops; try again"};
    rows_total->add(1);
    deps.healer.batch_ended(partition);
  }
  const Outcomes::Decision taken_back{letter.offset, Outcome::row};
  if (auto decided = outcomes.decide({&taken_back, 1}); !decided) return std::move(decided).error();
  return true;
}

Loader::Loader(const Options& options, Dependencies dependencies, journal::Partition partition,
               std::function<bool()> yields)
    : state_(std::make_unique<State>(options, dependencies, partition, std::move(yields))) {}

Loader::~Loader() { stop(); }

void Loader::start() {
  State* s = state_.get();
  s->builder = Thread(s->partition == journal::Partition::live ? "load-live" : "load-bulk", [s] { s->run(); });
}

void Loader::stop() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->stopped.notify_all();
    state_->changed.notify_all();
  }
  state_->builder.join();
}

Progress Loader::progress() const {
  Progress progress;
  progress.end = state_->deps.journal.writer(state_->partition).end();
  progress.loaded = std::min<uint64_t>(state_->loaded.load(), progress.end);
  progress.reconciled = state_->reconciled.load();
  progress.waiting_since = state_->pending_since.load();
  return progress;
}

Result<Loader::Replayed> Loader::replay(milliseconds timeout) {
  State& s = *state_;
  auto deadline = steady_clock::now() + timeout;
  std::unique_lock lock(s.mutex);
  uint64_t before = s.comparisons;
  s.doubt = true;
  auto done = [&] { return s.stopping || (s.comparisons > before && s.loaded >= s.compared.end); };
  if (!s.changed.wait_until(lock, deadline, done))
    return Error{ErrorCode::kTimeout, fmt::format("load: {}: not all is in the store after {} ms",
                                                  journal::name_of(s.partition), timeout.count())};
  if (s.stopping) return Error{ErrorCode::kUnavailable, "load: stopping"};
  return s.compared;
}

Result<Loader::Resent> Loader::resend(milliseconds timeout) {
  State& s = *state_;
  auto deadline = steady_clock::now() + timeout;
  std::unique_lock lock(s.mutex);
  const uint64_t before = s.resends;
  s.resend_wanted = true;
  s.doubt = true;  // ends the run of loading under way; the next one begins with it
  if (!s.changed.wait_until(lock, deadline, [&] { return s.stopping || s.resends > before; }))
    return Error{ErrorCode::kTimeout, fmt::format("load: {}: the store was not there to take dead letters for {} ms",
                                                  journal::name_of(s.partition), timeout.count())};
  if (s.resends == before) return Error{ErrorCode::kUnavailable, "load: stopping"};
  return s.resent;
}

}  // namespace weir::load
