#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "weir/settings/audit.h"
#include "weir/settings/settings.h"
#include "weir/settings/state.h"

namespace weir::settings::testing {

// A repository that keeps nothing beyond its own life. It passes the contract of repository_contract.h.
class MemoryRepository final : public Repository {
 public:
  struct Kept {
    State state;
    std::vector<Session> sessions;
    std::vector<AuditEntry> log;
  };
  // `kept` outlives the repository, so that a test can open it again.
  MemoryRepository(Clock& clock, std::shared_ptr<Kept> kept = std::make_shared<Kept>())
      : Repository(clock), kept_(std::move(kept)), snapshot_(snapshot_of(kept_->state)) {}

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

  Result<std::vector<Session>> sessions() override {
    std::lock_guard lock(mutex_);
    return kept_->sessions;
  }
  Result<> keep_session(const Session& session) override {
    std::lock_guard lock(mutex_);
    if (closed_) return closed();
    if (snapshot_->user(session.user) == nullptr)
      return Error{ErrorCode::kNotFound, "settings: person: no such person"};
    kept_->sessions.push_back(session);
    return {};
  }
  Result<> note_seen(const std::vector<Session>& sessions) override {
    std::lock_guard lock(mutex_);
    if (closed_) return closed();
    for (Session& kept : kept_->sessions) {
      for (const Session& seen : sessions) {
        if (seen.id != kept.id) continue;
        kept.seen_at = seen.seen_at;
        kept.address = seen.address;
      }
    }
    return {};
  }
  Result<> drop_sessions(const std::vector<std::string>& ids) override {
    std::lock_guard lock(mutex_);
    if (closed_) return closed();
    drop(ids);
    return {};
  }
  Result<> note(const AuditEntry& entry) override {
    std::lock_guard lock(mutex_);
    if (closed_) return closed();
    log({entry});
    return {};
  }
  Result<std::vector<AuditEntry>> audit(int64_t before, size_t limit, std::optional<ProjectId> project) override {
    std::lock_guard lock(mutex_);
    std::vector<AuditEntry> found;
    for (auto entry = kept_->log.rbegin(); entry != kept_->log.rend() && found.size() < limit; ++entry) {
      bool wanted = (before == 0 || entry->number < before) && (!project || entry->project == project);
      if (wanted) found.push_back(*entry);
    }
    return found;
  }

 private:
  static Error closed() { return {ErrorCode::kUnavailable, "settings: closed"}; }

  Result<> change(const Actor& actor, const Edit& edit) override {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return closed();
      State state = kept_->state;
      if (auto edited = edit(state); !edited) return edited;
      sort(state);
      log(audit_entries(kept_->state, state, actor, clock_.now()));
      kept_->state = state;
      snapshot_ = snapshot_of(std::move(state));
      std::erase_if(kept_->sessions, [&](const Session& s) { return snapshot_->user(s.user) == nullptr; });
    }
    if (listener_) listener_();
    return {};
  }
  void drop(const std::vector<std::string>& ids) {
    std::erase_if(kept_->sessions,
                  [&](const Session& s) { return std::find(ids.begin(), ids.end(), s.id) != ids.end(); });
  }
  void log(std::vector<AuditEntry> entries) {
    for (AuditEntry& entry : entries) {
      entry.number = static_cast<int64_t>(kept_->log.size()) + 1;
      kept_->log.push_back(std::move(entry));
    }
  }

  std::function<void()> listener_;
  mutable std::mutex mutex_;  // guards the rest
  std::shared_ptr<Kept> kept_;
  std::shared_ptr<const Snapshot> snapshot_;
  bool closed_ = false;
};

}  // namespace weir::settings::testing
