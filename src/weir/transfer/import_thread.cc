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
  queue_.close();
  thread_.join();
}

void ImportThread::checkpoint() {
  if (auto made = importer_.checkpoint(); !made) log::error("{}", made.error().message);
}

void ImportThread::run() {
  lower_priority(5);
  if (auto recovered = importer_.recover(); !recovered) log::error("{}", recovered.error().message);
  auto last = std::chrono::steady_clock::now();
  while (true) {
    auto item = queue_.pop_for(kCheckpointEvery);
    if (item) {
      ImportChunk chunk{item->job.project, item->job.format, item->job.keep_user,
                        std::string_view(item->job.body).substr(item->job.lines_at), item->job.repeats};
      item->done(importer_.import(chunk));
    }
    auto now = std::chrono::steady_clock::now();
    if (now - last >= kCheckpointEvery) {
      checkpoint();
      last = now;
    }
    if (!item && stopped_.load()) break;
  }
  checkpoint();
}

}  // namespace weir::transfer
