#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "weir/settings/settings.h"
#include "weir/settings/state.h"

namespace weir::settings::testing {

// A repository that keeps nothing beyond its own life. It passes the contract of repository_contract.h.
class MemoryRepository final : public Repository {
 public:
  // `kept` outlives the repository, so that a test can open it again.
  MemoryRepository(Clock& clock, std::shared_ptr<State> kept = std::make_shared<State>())
      : Repository(clock), kept_(std::move(kept)), snapshot_(snapshot_of(*kept_)) {}

  std::shared_ptr<const Snapshot> snapshot() const override {
    std::lock_guard lock(mutex_);
    return snapshot_;
  }
  std::string degraded() const override { return ""; }
  void on_change(std::function<void()> listener) override { listener_ = std::move(listener); }

  Result<> close() override {
    std::lock_guard lock(mutex_);
    closed_ = true;
    return {};
  }

 private:
  Result<> change(const Edit& edit) override {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return Error{ErrorCode::kUnavailable, "settings: closed"};
      State state = *kept_;
      if (auto edited = edit(state); !edited) return edited;
      sort(state);
      *kept_ = state;
      snapshot_ = snapshot_of(std::move(state));
    }
    if (listener_) listener_();
    return {};
  }

  std::function<void()> listener_;
  mutable std::mutex mutex_;  // guards the rest
  std::shared_ptr<State> kept_;
  std::shared_ptr<const Snapshot> snapshot_;
  bool closed_ = false;
};

}  // namespace weir::settings::testing
