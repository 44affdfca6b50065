#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

#include "weir/base/result.h"

namespace weir::journal::segmented {

// Between a partition's writer and the thread that prepares segments: a one-place order book. Thread-safe.
class Preparer {
 public:
  // The writer: the next segment will be wanted. Cheap when it is known already. True when the order is new.
  bool order();
  // The writer: waits for the prepared segment. Errors: kOverloaded (no space just now), kUnavailable (could not be
  // made, or stop()). Afterwards the order is open again.
  Result<> take();
  // The preparing thread: whether something is to be done, which includes what failed before.
  bool wanted() const;
  void done(Result<> outcome);
  // Ends all waiting.
  void stop();

 private:
  enum class State { idle, ordered, ready, failed };
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  State state_ = State::idle;
  Error error_{};
  bool stopped_ = false;
};

}  // namespace weir::journal::segmented
