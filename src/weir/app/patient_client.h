#pragma once

#include <atomic>
#include <chrono>

#include "weir/app/client.h"
#include "weir/app/progress.h"

namespace weir::app {

// Sends requests that may be repeated, and repeats them while the server refuses for the moment: it is starting again,
// or its disk is full. Before the first answer an absent server is told at once. Confined to one thread; keeps
// references.
class PatientClient {
 public:
  PatientClient(const Invocation& invocation, Progress& progress) : invocation_(invocation), progress_(progress) {}

  // How long a request is repeated.
  void set_patience(std::chrono::seconds patience) { patience_ = patience; }
  // Repeating ends when this becomes true.
  void set_stop(const std::atomic<bool>* stop) { stop_ = stop; }
  // Errors: the last answer's.
  Result<IncomingAnswer> send(const ServerRequest& request);

 private:
  bool is_stopped() const { return stop_ != nullptr && stop_->load(); }

  const Invocation& invocation_;
  Progress& progress_;
  std::chrono::seconds patience_{120};
  const std::atomic<bool>* stop_ = nullptr;
  bool answered_ = false;
};

}  // namespace weir::app
