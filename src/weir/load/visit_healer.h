#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/ids.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/base/thread.h"
#include "weir/enrich/visits.h"
#include "weir/journal/journal.h"
#include "weir/load/entry_log.h"
#include "weir/store/store.h"

namespace weir::load {

// A stretch of time in which a visitor's stored visits may be wrong: [first, last], of events that came late.
struct DirtyVisits {
  ProjectId project{};
  uint64_t visitor = 0;
  UnixMillis first = 0;
  UnixMillis last = 0;
};

// Puts visits right when events came late, shuffled, or at a time of which the loader's memory knew nothing: reads the
// visitor's rows around them, works out their visits anew (enrich::advance()) and rewrites the columns that differ.
// Positions and the number of rows stay as they are.
//
// What is to be done is durable (docs/formats/outcomes.md) before the rows are: a loader notes it, then inserts. A kill
// at any moment leaves either nothing wrong or something noted; doing it twice does no harm.
//
// Thread-safe, but for visits(). One thread of its own; it works at most a third of the time, so that late events delay
// only their own visits, unless so many of them come that loading has to wait. Full: at kVisitorsMax visitors note()
// waits a moment, then refuses.
// Keeps the references.
class VisitHealer {
 public:
  static constexpr size_t kVisitorsMax = 500'000;

  struct Parts {
    store::Store& store;
    metrics::Registry& registry;
  };
  // Its list stands in `directory`, which must exist. Errors: kUnavailable, kOverloaded.
  static Result<std::unique_ptr<VisitHealer>> open(FileSystem& files, std::string directory,
                                                   const std::string& journal_uuid, const Parts& parts);
  ~VisitHealer();

  void start();
  // What is not done is done after the next start.
  void stop();

  // The visits in memory of a partition's loader; confined to it.
  enrich::Visits& visits(journal::Partition partition) { return visits_[static_cast<size_t>(partition)]; }

  // A loader's batch: begins before its first event is assigned to a visit, and ends when its rows are in the store;
  // batches end in the order they began. Rows that may belong together are on their way until then.
  void batch_begins(journal::Partition partition);
  // Whose rows the batch that began last has, before the first of them is inserted: until it ends, some may be there
  // and others not.
  void batch_holds(journal::Partition partition, std::vector<uint64_t> visitors);
  void batch_ended(journal::Partition partition);
  // None that began will be inserted any more: they are to be built anew.
  void batches_dropped(journal::Partition partition);

  // The same for who changes stored rows in a way that matters to visits (their sources).
  void rewriting_begins();
  void rewriting_ended();

  // To be called before rows are inserted whose visits are uncertain. Durable when it returns. Errors: kUnavailable
  // (also when stopping), kOverloaded (no space, or full).
  Result<> note(std::span<const DirtyVisits> dirty);

  // Visitors whose visits are noted and not put right yet.
  std::vector<std::pair<ProjectId, uint64_t>> pending() const;
  // Waits until nothing is left to do, all batches having ended. False when `timeout` passed before. For tests.
  bool wait_until_healed(std::chrono::milliseconds timeout);

 private:
  using Visitors = std::map<std::pair<ProjectId, uint64_t>, DirtyVisits>;
  using Counts = std::array<uint64_t, 3>;  // of each partition; of rewriting
  struct Note {
    uint64_t number = 0;
    Counts after{};  // what has to end first
    Visitors visitors;
  };

  VisitHealer(std::unique_ptr<EntryLog> log, const Parts& parts);
  Result<> load();
  using Held = std::shared_ptr<const std::vector<uint64_t>>;  // visitors of a batch

  Result<> note_some(std::span<const DirtyVisits> dirty);
  Result<> append_note(Note note, std::unique_lock<std::mutex>& lock);
  static void add(Visitors& visitors, const DirtyVisits& dirty);
  void run();
  void show_pending();
  void gather_ready();
  bool take(Visitors& work, uint64_t& number);
  Result<> heal(const Visitors& work, Visitors& again, Visitors& changed);
  Result<> heal_some(std::span<const DirtyVisits> some, Visitors& again, Visitors& changed);
  Result<> note_seen_in_part(const Visitors& changed);

  const Parts parts_;
  const std::unique_ptr<EntryLog> log_;
  std::array<enrich::Visits, 2> visits_;
  metrics::Counter& rows_total_;
  metrics::Gauge& pending_gauge_;

  mutable std::mutex mutex_;         // guards all below
  std::condition_variable changed_;  // anything below
  uint64_t next_number_ = 1;
  Counts begun_{}, ended_{};
  std::vector<Note> waiting_;  // for batches to end; by number
  Visitors ready_;
  Visitors healing_;
  uint64_t ready_number_ = 0;                  // of the newest note in ready_
  std::array<std::deque<Held>, 2> under_way_;  // batches that began and have not ended
  bool looking_ = false;                       // at stored rows
  std::vector<Held> seen_in_part_;             // batches that were under way meanwhile
  std::atomic<bool> stopping_{false};
  Thread thread_;
};

}  // namespace weir::load
