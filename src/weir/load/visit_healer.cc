#include "weir/load/visit_healer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>
#include <tuple>
#include <unordered_map>

#include "weir/base/bytes.h"
#include "weir/base/logging.h"

namespace weir::load {

namespace {
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kRewriting = 2;  // behind the partitions
constexpr size_t kItemBytes = 32;
constexpr size_t kItemsAtOnce = 100'000;  // of one entry of the list
// Around what is dirty: a visit that reaches into it began at most so long before, and one that begins in it ends at
// most so long after.
constexpr UnixMillis kReach = enrich::kVisitLength + enrich::kVisitSilence;
// Visitors asked for at once, and how far apart their times may be. The rows of a day stand in the order of their
// visitors: of many that are dirty on one day, those next to each other are asked for together, which reads their part
// of the day. Few that lie far apart cost as much as all of it.
constexpr size_t kVisitorsAtOnce = 10'000;
constexpr UnixMillis kGapMax = 2 * kMillisPerDay;
constexpr size_t kChangesAtOnce = 20'000;
// After each round. The more visitors it was about, the longer it gathers more of them: in a flood of late events each
// round costs the store as much as the events themselves, and the same visitors come again and again.
constexpr milliseconds kPauseMin{200};
constexpr milliseconds kPauseMax{30'000};
constexpr size_t kVisitorsPerPauseMs = 3;
constexpr milliseconds kRetryPause{1'000};
constexpr milliseconds kFullWait{1'000};

std::string encode(const std::map<std::pair<ProjectId, uint64_t>, DirtyVisits>& visitors) {
  std::string bytes;
  for (const auto& [key, dirty] : visitors) {
    append_le<uint64_t>(bytes, number(dirty.project));
    append_le<uint64_t>(bytes, dirty.visitor);
    append_le<int64_t>(bytes, dirty.first);
    append_le<int64_t>(bytes, dirty.last);
  }
  return bytes;
}

// Goes through rows of one or more visitors in their order and finds those whose visit says something else.
class Walk {
 public:
  Walk(std::span<const DirtyVisits> some, std::function<void(store::VisitRow)> changed,
       std::function<void(const DirtyVisits&)> again)
      : changed_(std::move(changed)), again_(std::move(again)) {
    for (const DirtyVisits& dirty : some) windows_[dirty.visitor] = &dirty;
  }

  void take(const store::VisitRow& row) {
    if (!in_stream_ || row.visitor_id != visitor_ || row.client_session_id != client_session_) begin_stream(row);
    if (window_ == nullptr || row.time < window_->first - kReach || row.time > window_->last + kReach) return;
    // Rows before what is dirty are right, so the first visit that begins there is one to begin with.
    if (!started_ && row.visit_seq != 0 && row.time < window_->first && row.time - last_ <= enrich::kVisitSilence) {
      last_ = row.time;
      return;
    }
    started_ = true;
    last_ = row.time;
    enrich::VisitEvent event;
    event.project = row.project_id;
    event.visitor = row.visitor_id;
    event.client_session = row.client_session_id;
    event.time = row.time;
    event.hash = row.hash;
    event.kind = row.kind;
    event.path = row.path;
    event.acquisition = {row.source, row.channel, row.campaign};
    const event::VisitColumns facts = enrich::advance(state_, event, stream_, previous_);
    auto stored = std::tie(row.session_id, row.visit_seq, row.visit_gap_ms, row.visit_bounce, row.entry_path,
                           row.previous_path, row.visit_source, row.visit_channel, row.visit_campaign);
    differs_ = stored != std::tie(facts.session_id, facts.seq, facts.gap_ms, facts.bounce, facts.entry_path,
                                  facts.previous_path, facts.source, facts.channel, facts.campaign);
    if (!differs_) return;
    store::VisitRow change = row;
    change.session_id = facts.session_id;
    change.visit_seq = facts.seq;
    change.visit_gap_ms = facts.gap_ms;
    change.visit_bounce = facts.bounce;
    change.entry_path = facts.entry_path;
    change.previous_path = facts.previous_path;
    change.visit_source = facts.source;
    change.visit_channel = facts.channel;
    change.visit_campaign = facts.campaign;
    changed_(std::move(change));
  }

  // Behind the last row.
  void end_stream() {
    // A chain of visits that reaches the end of what was looked at, and is different there, goes on behind it.
    if (in_stream_ && started_ && differs_ && last_ + enrich::kVisitSilence > window_->last + kReach)
      again_({window_->project, visitor_, last_, last_});
    in_stream_ = false;
  }

 private:
  void begin_stream(const store::VisitRow& row) {
    end_stream();
    in_stream_ = true;
    visitor_ = row.visitor_id;
    client_session_ = row.client_session_id;
    auto at = windows_.find(visitor_);
    window_ = at == windows_.end() ? nullptr : at->second;
    started_ = differs_ = false;
    last_ = INT64_MAX;  // the first row that is looked at may be in the middle of a visit
    state_ = {};
    stream_ = enrich::stream_of(row.project_id, row.visitor_id, row.client_session_id);
  }

  const std::function<void(store::VisitRow)> changed_;
  const std::function<void(const DirtyVisits&)> again_;
  std::map<uint64_t, const DirtyVisits*> windows_;
  bool in_stream_ = false;
  uint64_t visitor_ = 0;
  std::string client_session_;
  const DirtyVisits* window_ = nullptr;
  bool started_ = false;
  bool differs_ = false;
  UnixMillis last_ = 0;
  enrich::VisitState state_;
  uint64_t stream_ = 0;
  std::string previous_;
};
}  // namespace

VisitHealer::VisitHealer(std::unique_ptr<EntryLog> log, const Parts& parts)
    : parts_(parts),
      log_(std::move(log)),
      rows_total_(parts.registry.counter("weir_load_visit_rows_rewritten_total",
                                         "Rows whose visit was written anew after an event came late.")),
      pending_gauge_(parts.registry.gauge("weir_load_visitors_dirty",
                                          "Visitors whose visits are noted as wrong and not put right yet.")) {
  visits_[0].set_peer(visits_[1]);
  visits_[1].set_peer(visits_[0]);
}

VisitHealer::~VisitHealer() { stop(); }

Result<std::unique_ptr<VisitHealer>> VisitHealer::open(FileSystem& files, std::string directory,
                                                       const std::string& journal_uuid, const Parts& parts) {
  auto log = EntryLog::open(files, std::move(directory), "visits", journal_uuid);
  if (!log) return std::move(log).error();
  std::unique_ptr<VisitHealer> healer(new VisitHealer(std::move(*log), parts));
  if (auto loaded = healer->load(); !loaded) return std::move(loaded).error();
  return healer;
}

void VisitHealer::add(Visitors& visitors, const DirtyVisits& dirty) {
  auto [at, added] = visitors.try_emplace({dirty.project, dirty.visitor}, dirty);
  if (added) return;
  at->second.first = std::min(at->second.first, dirty.first);
  at->second.last = std::max(at->second.last, dirty.last);
}

// An entry without bytes says that all up to its number is done.
Result<> VisitHealer::load() {
  uint64_t done = 0;
  std::map<uint64_t, std::string> notes;
  auto read = log_->read([&](const LogEntry& entry) {
    next_number_ = std::max(next_number_, entry.key + 1);
    if (entry.bytes.empty()) {
      done = std::max(done, entry.key);
      notes.erase(notes.begin(), notes.upper_bound(done));
    } else if (entry.key > done) {
      notes[entry.key] = entry.bytes;
    }
    return true;
  });
  if (!read) return read;
  for (const auto& [number, bytes] : notes) {
    for (size_t at = 0; at + kItemBytes <= bytes.size(); at += kItemBytes) {
      const char* item = bytes.data() + at;
      add(ready_, {ProjectId{load_le<uint64_t>(item)}, load_le<uint64_t>(item + 8), load_le<int64_t>(item + 16),
                   load_le<int64_t>(item + 24)});
    }
    ready_number_ = number;
  }
  show_pending();
  if (!ready_.empty()) log::info("load: the visits of {} visitors are to be put right", ready_.size());
  return {};
}

void VisitHealer::start() {
  thread_ = Thread("visits", [this] { run(); });
}

void VisitHealer::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void VisitHealer::batch_begins(journal::Partition partition) {
  std::lock_guard lock(mutex_);
  ++begun_[static_cast<size_t>(partition)];
  under_way_[static_cast<size_t>(partition)].emplace_back();
}

void VisitHealer::batch_holds(journal::Partition partition, std::vector<uint64_t> visitors) {
  auto held = std::make_shared<const std::vector<uint64_t>>(std::move(visitors));
  std::lock_guard lock(mutex_);
  auto& under_way = under_way_[static_cast<size_t>(partition)];
  if (under_way.empty()) return;
  under_way.back() = held;
  if (looking_) seen_in_part_.push_back(std::move(held));
}

void VisitHealer::batch_ended(journal::Partition partition) {
  std::lock_guard lock(mutex_);
  ++ended_[static_cast<size_t>(partition)];
  auto& under_way = under_way_[static_cast<size_t>(partition)];
  if (!under_way.empty()) under_way.pop_front();
  changed_.notify_all();
}

void VisitHealer::rewriting_begins() {
  std::lock_guard lock(mutex_);
  ++begun_[kRewriting];
}

void VisitHealer::rewriting_ended() {
  std::lock_guard lock(mutex_);
  ++ended_[kRewriting];
  changed_.notify_all();
}

void VisitHealer::batches_dropped(journal::Partition partition) {
  std::lock_guard lock(mutex_);
  ended_[static_cast<size_t>(partition)] = begun_[static_cast<size_t>(partition)];
  under_way_[static_cast<size_t>(partition)].clear();
  changed_.notify_all();
}

Result<> VisitHealer::note(std::span<const DirtyVisits> dirty) {
  while (!dirty.empty()) {
    const auto some = dirty.first(std::min(dirty.size(), kItemsAtOnce));
    if (auto noted = note_some(some); !noted) return noted;
    dirty = dirty.subspan(some.size());
  }
  return {};
}

// The number is taken, and what is noted waits for its batch, before it is in the list: so nothing above it can be said
// to be done before. When it does not reach the list, its rows are not inserted, and it does no harm.
Result<> VisitHealer::note_some(std::span<const DirtyVisits> dirty) {
  Note note;
  for (const DirtyVisits& some : dirty) add(note.visitors, some);
  std::unique_lock lock(mutex_);
  auto has_room = [&] {
    gather_ready();
    return stopping_.load() || ready_.size() + healing_.size() < kVisitorsMax;
  };
  if (!changed_.wait_for(lock, kFullWait, has_room))
    return Error{ErrorCode::kOverloaded,
                 fmt::format("load: the visits of {} visitors are to be put right first", ready_.size())};
  if (stopping_) return Error{ErrorCode::kUnavailable, "load: stopping"};
  return append_note(std::move(note), lock);
}

Result<> VisitHealer::append_note(Note note, std::unique_lock<std::mutex>& lock) {
  const std::string bytes = encode(note.visitors);
  const LogEntry entry{next_number_, bytes};
  note.number = next_number_++;
  note.after = begun_;
  waiting_.push_back(std::move(note));
  show_pending();
  lock.unlock();
  return log_->append({&entry, 1});
}

// A batch is not inserted at once, nor read at once: of its rows some may have been looked at and others not. Who was
// found to be wrong then was perhaps right, and is looked at again when the batch has ended. (Who was not changed is
// right: what is inserted is right, or noted.)
Result<> VisitHealer::note_seen_in_part(const Visitors& changed) {
  std::unique_lock lock(mutex_);
  looking_ = false;
  const std::vector<Held> batches = std::exchange(seen_in_part_, {});
  if (changed.empty()) return {};
  std::unordered_map<uint64_t, std::vector<const DirtyVisits*>> by_visitor;
  for (const auto& [key, dirty] : changed) by_visitor[dirty.visitor].push_back(&dirty);
  Note note;
  for (const Held& batch : batches) {
    for (uint64_t visitor : *batch) {
      auto found = by_visitor.find(visitor);
      if (found == by_visitor.end()) continue;
      for (const DirtyVisits* dirty : found->second) add(note.visitors, *dirty);
      by_visitor.erase(found);
    }
  }
  if (note.visitors.empty()) return {};
  return append_note(std::move(note), lock);
}

std::vector<std::pair<ProjectId, uint64_t>> VisitHealer::pending() const {
  std::lock_guard lock(mutex_);
  std::vector<std::pair<ProjectId, uint64_t>> visitors;
  auto add_all = [&](const Visitors& some) {
    for (const auto& [key, dirty] : some) visitors.push_back(key);
  };
  for (const Note& note : waiting_) add_all(note.visitors);
  add_all(ready_);
  add_all(healing_);
  std::sort(visitors.begin(), visitors.end());
  visitors.erase(std::unique(visitors.begin(), visitors.end()), visitors.end());
  return visitors;
}

// Under mutex_.
void VisitHealer::show_pending() {
  size_t visitors = ready_.size() + healing_.size();
  for (const Note& note : waiting_) visitors += note.visitors.size();
  pending_gauge_.set(static_cast<double>(visitors));
}

bool VisitHealer::wait_until_healed(milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [&] { return waiting_.empty() && ready_.empty() && healing_.empty(); });
}

// Under mutex_: what waited only for batches that have ended can be worked at.
void VisitHealer::gather_ready() {
  auto is_ready = [&](const Note& note) {
    return std::equal(ended_.begin(), ended_.end(), note.after.begin(), std::greater_equal<>());
  };
  auto end = std::find_if_not(waiting_.begin(), waiting_.end(), is_ready);
  for (auto note = waiting_.begin(); note != end; ++note) {
    for (const auto& [key, dirty] : note->visitors) add(ready_, dirty);
    ready_number_ = note->number;
  }
  waiting_.erase(waiting_.begin(), end);
}

// Under mutex_: moves what is ready into `work`; false when there is nothing.
bool VisitHealer::take(Visitors& work, uint64_t& number) {
  gather_ready();
  if (ready_.empty()) return false;
  work = std::exchange(ready_, {});
  healing_ = work;
  number = ready_number_;
  looking_ = true;
  for (const auto& batches : under_way_)
    std::copy_if(batches.begin(), batches.end(), std::back_inserter(seen_in_part_),
                 [](const Held& batch) { return batch != nullptr; });
  return true;
}

void VisitHealer::run() {
  constexpr int kNice = 19;
  lower_priority(kNice);
  std::unique_lock lock(mutex_);
  while (true) {
    Visitors work;
    uint64_t number = 0;
    changed_.wait(lock, [&] { return stopping_.load() || take(work, number); });
    if (stopping_) return;
    lock.unlock();
    const auto began = steady_clock::now();
    Visitors again;
    Visitors changed;
    auto healed = heal(work, again, changed);
    if (auto noted = note_seen_in_part(changed); !noted && healed) healed = noted;
    if (healed && again.empty()) {
      const LogEntry done{number, {}};
      healed = log_->append({&done, 1});
      if (healed)
        if (auto retired = log_->retire_below(number); !retired)
          log::warning("load: the list of visits to put right: {}", retired.error().message);
    }
    if (!healed && !stopping_) log::warning("load: visits could not be put right yet: {}", healed.error().message);
    const auto took = std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
    lock.lock();
    if (!healed)
      for (const auto& [key, dirty] : healing_) add(ready_, dirty);
    else
      for (const auto& [key, dirty] : again) add(ready_, dirty);
    healing_.clear();
    show_pending();
    changed_.notify_all();
    const milliseconds gathering(work.size() / kVisitorsPerPauseMs);
    const milliseconds pause = healed ? std::max({kPauseMin, 2 * took, std::min(gathering, kPauseMax)}) : kRetryPause;
    // Who waits for room is not to wait for a pause.
    changed_.wait_for(lock, pause, [&] {
      gather_ready();
      return stopping_.load() || ready_.size() >= kVisitorsMax / 2;
    });
    if (stopping_) return;
  }
}

// `again`: visitors who need another look, at later times. `changed`: those whose rows were written, and around when.
Result<> VisitHealer::heal(const Visitors& work, Visitors& again, Visitors& changed) {
  std::vector<DirtyVisits> all;
  all.reserve(work.size());
  for (const auto& [key, dirty] : work) all.push_back(dirty);
  std::sort(all.begin(), all.end(), [](const DirtyVisits& a, const DirtyVisits& b) {
    const UnixMillis day_a = a.first / kMillisPerDay;
    const UnixMillis day_b = b.first / kMillisPerDay;
    return std::tie(a.project, day_a, a.visitor) < std::tie(b.project, day_b, b.visitor);
  });
  for (size_t first = 0; first < all.size();) {
    size_t next = first + 1;
    UnixMillis last = all[first].last;
    while (next < all.size() && next - first < kVisitorsAtOnce && all[next].project == all[first].project &&
           all[next].first <= last + kGapMax)
      last = std::max(last, all[next++].last);
    if (stopping_) return Error{ErrorCode::kUnavailable, "load: stopping"};
    if (auto healed = heal_some(std::span(all).subspan(first, next - first), again, changed); !healed) return healed;
    first = next;
  }
  return {};
}

Result<> VisitHealer::heal_some(std::span<const DirtyVisits> some, Visitors& again, Visitors& changed) {
  std::vector<uint64_t> visitors;
  UnixMillis first = some.front().first;
  UnixMillis last = some.front().last;
  for (const DirtyVisits& dirty : some) {
    visitors.push_back(dirty.visitor);
    first = std::min(first, dirty.first);
    last = std::max(last, dirty.last);
  }
  const ProjectId project = some.front().project;
  std::vector<store::VisitRow> changes;
  Result<> written;
  auto write = [&] {
    if (!written || changes.empty()) return;
    written = parts_.store.rewrite_visits(project, changes);
    if (written) rows_total_.add(changes.size());
    changes.clear();
  };
  Walk walk(
      some,
      [&](store::VisitRow change) {
        add(changed, {project, change.visitor_id, change.time, change.time});
        changes.push_back(std::move(change));
        if (changes.size() >= kChangesAtOnce) write();
      },
      [&](const DirtyVisits& dirty) { add(again, dirty); });
  auto read =
      parts_.store.visit_rows(project, visitors, first - kReach, last + kReach + 1, [&](const store::VisitRow& row) {
        if (written) walk.take(row);
      });
  if (!read) return read;
  walk.end_stream();
  write();
  return written;
}

}  // namespace weir::load
