#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "weir/base/queue.h"
#include "weir/base/result.h"
#include "weir/base/thread.h"
#include "weir/transfer/importer.h"

namespace weir::transfer {

// A chunk that owns what it refers to.
struct ImportJob {
  settings::Project project;
  LogFormat format = LogFormat::automatic;
  LineRules rules;
  std::string fields;  // ImportChunk's
  std::string body;
  size_t lines_at = 0;  // where in the body the lines begin
  std::vector<Repeat> repeats;
};

struct SeedJob {
  settings::Project project;
  SeedPlan plan;
};

// The thread `w-import`, on which the importer lives: recovers at the start, imports chunks in the order they come,
// makes a checkpoint every few seconds and rests when there is nothing to do. Runs at a lower priority than answering.
// Thread-safe.
class ImportThread {
 public:
  using Done = std::function<void(Result<ImportSummary>)>;
  using SeedDone = std::function<void(Result<SeedProgress>)>;

  // `importer` must outlive the thread and belongs to it until stop().
  explicit ImportThread(Importer& importer);
  ~ImportThread() { stop(); }

  // `done` is called once, on the import thread: it must only hand over.
  // Full: kOverloaded, called at once on the calling thread. Stopped: kUnavailable, likewise.
  void submit(ImportJob job, Done done);
  // The next part of a seeded history (Importer::seed), likewise.
  void submit(const SeedJob& job, SeedDone done);
  // Finishes what waits, makes a last checkpoint and joins.
  void stop();

 private:
  using Work = std::function<void()>;
  // Errors: kOverloaded, kUnavailable.
  Result<> queue(Work work);
  void run();

  static constexpr size_t kWaitingMax = 8;
  static constexpr std::chrono::milliseconds kCheckpointEvery{5000};

  Importer& importer_;
  BoundedQueue<Work> queue_{kWaitingMax};
  std::atomic<bool> stopped_{false};
  Thread thread_;
};

}  // namespace weir::transfer
