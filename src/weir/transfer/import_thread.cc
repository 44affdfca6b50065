#include "weir/transfer/import_thread.h"

#include <memory>
#include <utility>

#include "weir/base/logging.h"

namespace weir::transfer {

ImportThread::ImportThread(Importer& importer) : importer_(importer), thread_("w-import", [this] { run(); }) {}

Result<> ImportThread::queue(Work work) {
  if (queue_.try_push(std::move(work))) return {};
  if (stopped_.load()) return Error{ErrorCode::kUnavailable, "transfer: closing"};
  return Error{ErrorCode::kOverloaded, "transfer: too many imports at once"};
}

void ImportThread::submit(ImportJob job, Done done) {
  auto held = std::make_shared<ImportJob>(std::move(job));
  auto queued = queue([this, held, done] {
    done(importer_.import({held->project, held->format, held->rules, held->fields,
                           std::string_view(held->body).substr(held->lines_at), held->repeats}));
  });
  if (!queued) done(std::move(queued).error());
}

void ImportThread::submit(const SeedJob& job, SeedDone done) {
  auto queued = queue([this, job, done] { done(importer_.seed(job.project, job.plan)); });
  if (!queued) done(std::move(queued).error());
}

void ImportThread::stop() {
  stopped_.store(true);
  importer_.end_soon();
  queue_.close();
  thread_.join();
}

void ImportThread::run() {
  lower_priority(5);
  auto report = [](const Result<>& outcome) {
    if (!outcome) log::error("{}", outcome.error().message);
  };
  report(importer_.recover());
  auto last = std::chrono::steady_clock::now();
  while (true) {
    auto work = queue_.pop_for(kCheckpointEvery);
    if (work) (*work)();
    auto now = std::chrono::steady_clock::now();
    if (!work)
      report(importer_.rest());
    else if (now - last >= kCheckpointEvery)
      report(importer_.checkpoint());
    else
      continue;
    last = now;
    if (!work && stopped_.load()) break;
  }
}

}  // namespace weir::transfer
