#include "weir/load/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "weir/base/logging.h"
#include "weir/base/queue.h"
#include "weir/base/thread.h"
#include "weir/enrich/enricher.h"
#include "weir/event/record.h"
#include "weir/load/dead_letter_retry.h"
#include "weir/load/inserter.h"
#include "weir/load/ranges.h"
#include "weir/load/reconciler.h"
#include "weir/load/row_maker.h"
#include "weir/load/visit_assigner.h"

namespace weir::load {

namespace {
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr uint64_t kReadBytes = 4 * MiB;
// How long a read waits for the first record before it looks whether it should stop.
constexpr milliseconds kIdleWait{200};
constexpr milliseconds kYield{50};
// A batch that is not full is read on in steps of this: reading each small frame as it comes costs more than its rows.
constexpr milliseconds kReadStep{50};
constexpr uint64_t kFewRecords = 8'192;
// A batch that has so many rows when it is old enough grows on: the store merges half as many parts, which costs it
// more than anything else when events come one by one as fast as they can.
constexpr uint64_t kFloodRows = 10'000;
constexpr size_t kSpareBlocks = 2;  // at the end of a month its batches have two

struct Batch {
  std::vector<Piece> pieces;
  std::vector<DeadLetter> dead;  // records that no row could be made of
  std::vector<Outcomes::Decision> duplicates;
  std::vector<DirtyVisits> dirty;  // of rows whose visits are not certain
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
        visits({d.store, d.healer, d.clock}, which),
        rows({d.settings, d.secrets, d.packs}),
        retry({d.journal, d.store, outcomes, d.healer, inserter, reconciler, visits, rows}, which) {
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
  VisitAssigner visits;
  RowMaker rows;
  DeadLetterRetry retry;
  event::RecordParser parser;

  // Between the threads.
  std::unique_ptr<BoundedQueue<Batch>> queue;
  // Blocks of a flood to build in again: memory that was just given back would be asked for anew.
  std::vector<store::Block> spare;
  std::atomic<bool> doubt{false};
  std::atomic<bool> stopping{false};
  std::mutex mutex;                 // guards spare, comparisons to resent, and the waits below
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
  store::Block take_block();
  void keep_blocks(Batch& batch);
  void insert_loop();
  Result<Resent> resend();
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
      auto done = resend();
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

  if (auto restored = visits.restore(); !restored) return restored;
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
    queue->wait_for_room();  // two batches in memory are enough to have one made while the other is inserted
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
  visits.begin();
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
      if (!deadline) {
        std::lock_guard lock(mutex);
        spare.clear();  // the flood is over
      }
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
  auto visitors = visits.assign(batch.watched.get(), batch.dirty);
  if (batch.begun) deps.healer.batch_holds(partition, std::move(visitors));
  enriching += std::chrono::duration<double>(steady_clock::now() - assigning).count();
  if (deadline) enrich_seconds->observe(enriching);
  for (auto& [month, piece] : open) {
    piece.token = inserter.new_token(piece.p, piece.first, piece.last);
    batch.pieces.push_back(std::move(piece));
  }
  return at;
}

Result<> Loader::State::add_records(const journal::Batch& read, Range range, uint32_t p, std::map<int32_t, Piece>& open,
                                    Batch& batch) {
  rows.refresh();
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
    auto made = rows.make(*event, {p, record.offset});
    if (!made) return std::move(made).error();
    const event::Row& row = **made;
    Piece& piece = open[month_of(row.time)];
    if (piece.block.rows() == 0) {
      piece.block = take_block();
      piece.p = p;
      piece.first = record.offset;
    }
    piece.last = record.offset;
    piece.block.add(row);
    visits.add(piece, row, batch.watched ? batch.watched->row(row) : event::RowWatch::kNotShown);
  }
  return {};
}

store::Block Loader::State::take_block() {
  std::lock_guard lock(mutex);
  if (spare.empty()) return {};
  store::Block block = std::move(spare.back());
  spare.pop_back();
  return block;
}

void Loader::State::keep_blocks(Batch& batch) {
  for (Piece& piece : batch.pieces) {
    if (piece.block.rows() < kFloodRows) continue;
    piece.block.clear();
    std::lock_guard lock(mutex);
    if (spare.size() < kSpareBlocks) spare.push_back(std::move(piece.block));
  }
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
    keep_blocks(*batch);
  }
}

Result<Loader::Resent> Loader::State::resend() {
  DeadLetterRetry::Done done;
  auto tried = retry.run(stopping, done);
  rows_total->add(done.inserted);
  if (!tried) {
    doubt = true;  // whatever was on its way is looked for
    return std::move(tried).error();
  }
  log::info("load: {}: {} dead letters tried again, {} stored", journal::name_of(partition), done.tried, done.stored);
  return Resent{done.tried, done.stored};
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
