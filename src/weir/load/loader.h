#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/enrich/packs.h"
#include "weir/event/row_watch.h"
#include "weir/journal/journal.h"
#include "weir/load/dedup.h"
#include "weir/load/options.h"
#include "weir/load/outcomes.h"
#include "weir/load/visit_healer.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"
#include "weir/store/store.h"

namespace weir::load {

struct Dependencies {
  journal::Journal& journal;
  store::Store& store;
  settings::Repository& settings;
  settings::Secrets& secrets;
  std::array<Outcomes*, 2> outcomes;  // of each partition, in the order of their numbers; outlive it
  Dedup& dedup;                       // shared by the loaders of all partitions
  VisitHealer& healer;                // likewise
  const enrich::PackStore* packs;     // null: nothing is looked up; else its first snapshot is waited for
  Clock& clock;
  metrics::Registry& registry;
  event::RowWatch* watch = nullptr;  // who sees rows as they are loaded; null: nobody
};

struct Progress {
  journal::Offset loaded = 0;  // every kept record below this is a row, or has its outcome
  journal::Offset end = 0;     // one past the last durable record
  bool reconciled = false;     // positions were compared since the start, or since the last doubt
  // When the oldest record that is not loaded was appended; 0: not known, or none waits.
  UnixMillis waiting_since = 0;
};

// Moves one journal partition into the store, each record to one row or to one recorded outcome.
//
// Two threads: one reads, enriches and builds blocks, the other inserts them, so that the store works while the next
// batch is made. On start, and after any doubt (the server may have restarted while an insert was under way), the
// positions that should have a row are compared with those that have one, and only the missing are sent. Insert tokens
// guard repetitions within one life of the server only.
//
// An event whose client gave an id that was seen within the last 7 days is a duplicate and becomes no row, whatever
// its time or partition; when it says something else than the first one, it is counted as a conflict besides.
//
// An event that comes in the order of time is assigned to its visit for good; the visits of any other are put right
// behind its insertion (VisitHealer), so that the order of arrival leaves no trace.
//
// A store that holds positions at or above the end that the journal had when it was opened has seen records that the
// journal's disk lost, or an older copy of the journal was put back. Then a new epoch begins above them, and what was
// appended since the opening is appended again there: no position stands for two records.
//
// While the store is away it waits, for ever; nothing is dropped. A row that the store refuses for what is in it is
// found by halving its batch, and its record becomes a dead letter; the others are stored. When the store refuses the
// columns as such, it waits. Public methods are confined to the owner, except progress(),
// replay() and resend(), which are thread-safe.
class Loader {
 public:
  // To be made before anything is appended to the journal that was just opened: its end then is what was recovered.
  // Keeps the dependencies by reference; they must outlive the loader. `yields`: answers true while this loader should
  // leave the store to another one (live comes before bulk); may be empty.
  Loader(const Options& options, Dependencies dependencies, journal::Partition partition, std::function<bool()> yields);
  ~Loader();

  void start();
  // Ends the insert under way, or gives it up when the store does not answer; what is not in the store stays in the
  // journal. Joins the threads.
  void stop();

  Progress progress() const;
  // What a comparison of all positions found, and sent.
  struct Replayed {
    uint64_t begin = 0;  // positions compared: [begin, end)
    uint64_t end = 0;
    uint64_t missing = 0;  // had no row, and have one now
  };
  // Compares all positions again and waits until what was missing is in the store: after the store was restored or
  // changed by hand. Blocking; thread-safe. Errors: kTimeout, kUnavailable (stopping).
  Result<Replayed> replay(std::chrono::milliseconds timeout);
  // What became of the dead letters that were tried again.
  struct Resent {
    uint64_t tried = 0;
    uint64_t stored = 0;  // are rows now; the others stay dead
  };
  // Tries all dead letters of the partition again: after what refused them was mended. Blocking; thread-safe.
  // Errors: kTimeout, kUnavailable (stopping, or the outcomes could not be read or written).
  Result<Resent> resend(std::chrono::milliseconds timeout);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::load
