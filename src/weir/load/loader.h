#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/journal/journal.h"
#include "weir/load/options.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"
#include "weir/store/store.h"

namespace weir::load {

struct Dependencies {
  journal::Journal& journal;
  store::Store& store;
  settings::Repository& settings;
  settings::Secrets& secrets;
  Clock& clock;
  metrics::Registry& registry;
};

struct Progress {
  journal::Offset loaded = 0;  // every kept record below this is a row
  journal::Offset end = 0;     // one past the last durable record
  bool reconciled = false;     // positions were compared since the start, or since the last doubt
};

// Moves one journal partition into the store, each record to one row.
//
// Two threads: one reads, enriches and builds blocks, the other inserts them, so that the store works while the next
// batch is made. On start, and after any doubt (the server may have restarted while an insert was under way), the
// positions that should have a row are compared with those that have one, and only the missing are sent. Insert tokens
// guard repetitions within one life of the server only.
//
// While the store is away it waits, for ever; nothing is dropped. Public methods are confined to the owner, except
// progress() and reconcile(), which are thread-safe.
class Loader {
 public:
  // Keeps the dependencies by reference; they must outlive the loader. `yields`: answers true while this loader should
  // leave the store to another one (live comes before bulk); may be empty.
  Loader(const Options& options, Dependencies dependencies, journal::Partition partition, std::function<bool()> yields);
  ~Loader();

  void start();
  // Ends the insert under way, or gives it up when the store does not answer; what is not in the store stays in the
  // journal. Joins the threads.
  void stop();

  Progress progress() const;
  // Compares all positions again, soon: after the store was restored or changed by hand.
  void reconcile();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::load
