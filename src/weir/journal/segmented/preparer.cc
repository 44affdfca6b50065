#include "weir/journal/segmented/preparer.h"

#include <utility>

namespace weir::journal::segmented {

bool Preparer::order() {
  std::lock_guard lock(mutex_);
  if (state_ != State::idle) return false;
  state_ = State::ordered;
  return true;
}

Result<> Preparer::take() {
  std::unique_lock lock(mutex_);
  if (state_ == State::idle) state_ = State::ordered;
  changed_.wait(lock, [&] { return stopped_ || state_ == State::ready || state_ == State::failed; });
  if (state_ == State::ready) {
    state_ = State::idle;
    return {};
  }
  if (state_ == State::failed) {
    // Ordered again at once: who was refused for want of space comes back.
    state_ = State::ordered;
    return error_;
  }
  return Error{ErrorCode::kUnavailable, "journal: closing"};
}

bool Preparer::wanted() const {
  std::lock_guard lock(mutex_);
  return state_ == State::ordered || state_ == State::failed;
}

void Preparer::done(Result<> outcome) {
  std::lock_guard lock(mutex_);
  if (outcome) {
    state_ = State::ready;
  } else {
    state_ = State::failed;
    error_ = std::move(outcome).error();
  }
  changed_.notify_all();
}

void Preparer::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace weir::journal::segmented
