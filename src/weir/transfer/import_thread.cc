#include "weir/transfer/import_thread.h"

#include <memory>
#include <utility>

#include "weir/base/logging.h"

namespace weir::transfer {

ImportThread::ImportThread(Importer& importer) : importer_(importer), thread_("w-import", [this] { run(); }) {}

void ImportThread::submit(ImportJob job, Done done) {
  auto shared = std::make_shared<Done>(std::move(done));
  bool taken = queue_.try_push({std::move(job), [shared](Result<ImportSummary> r) { (*shared)(std::move(r)); }});
  if (taken) return;
  if (stopped_.load())
    (*shared)(Error{ErrorCode::kUnavailable, "transfer: closing"});
  else
    (*shared)(Error{ErrorCode::kOverloaded, "transfer: too many imports at once"});
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
    auto item = queue_.pop_for(kCheckpointEvery);
    if (item) {
      ImportChunk chunk{item->job.project, item->job.format, item->job.keep_user,
                        std::string_view(item->job.body).substr(item->job.lines_at), item->job.repeats};
      item->done(importer_.import(chunk));
    }
    auto now = std::chrono::steady_clock::now();
    if (!item)
      report(importer_.rest());
    else if (now - last >= kCheckpointEvery)
      report(importer_.checkpoint());
    else
      continue;
    last = now;
    if (!item && stopped_.load()) break;
  }
}

}  // namespace weir::transfer
