#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "weir/settings/limits.h"
#include "weir/settings/rules.h"
#include "weir/settings/state.h"

namespace weir::settings::testing {

// A repository that keeps nothing beyond its own life. It passes the contract of repository_contract.h.
class MemoryRepository final : public Repository {
 public:
  // `kept` outlives the repository, so that a test can open it again.
  MemoryRepository(Clock& clock, std::shared_ptr<State> kept = std::make_shared<State>())
      : clock_(clock), kept_(std::move(kept)), snapshot_(snapshot_of(*kept_)) {}

  std::shared_ptr<const Snapshot> snapshot() const override {
    std::lock_guard lock(mutex_);
    return snapshot_;
  }
  std::string degraded() const override { return ""; }
  void on_change(std::function<void()> listener) override { listener_ = std::move(listener); }

  Result<Project> create_project(std::string_view name) override {
    if (auto fine = check_project_name(name); !fine) return std::move(fine).error();
    Project project;
    project.id = new_project_id();
    project.name = name;
    project.created_at = clock_.now();
    auto done = change([&](State& state) -> Result<> {
      if (snapshot_->project(name) != nullptr) return Error{ErrorCode::kConflict, "settings: exists: " + project.name};
      state.projects.push_back(project);
      return {};
    });
    if (!done) return std::move(done).error();
    return project;
  }

  Result<> change_project(const Project& project) override {
    if (auto fine = check_project(project); !fine) return fine;
    return change([&](State& state) -> Result<> {
      if (snapshot_->project(project.id) == nullptr) return missing(to_string(project.id));
      const Project* same_name = snapshot_->project(project.name);
      if (same_name != nullptr && same_name->id != project.id) {
        return Error{ErrorCode::kConflict, "settings: exists: " + project.name};
      }
      for (Project& kept : state.projects) {
        if (kept.id != project.id) continue;
        UnixMillis created_at = kept.created_at;
        kept = project;
        kept.created_at = created_at;
      }
      return {};
    });
  }

  Result<> delete_project(ProjectId id) override {
    return change([&](State& state) -> Result<> {
      if (std::erase_if(state.projects, [&](const Project& p) { return p.id == id; }) == 0)
        return missing(to_string(id));
      std::erase_if(state.keys, [&](const Key& k) { return k.project == id; });
      std::erase_if(state.names, [&](const OutsideName& n) { return n.project == id; });
      std::erase_if(state.rules, [&](const TrafficRule& r) { return r.project == id; });
      state.retired.push_back(id);
      return {};
    });
  }

  Result<NewKey> create_key(std::string_view name, Scope scope, std::optional<ProjectId> project,
                            UnixMillis expires_at) override {
    if (auto fine = check_key(name, expires_at, clock_.now()); !fine) return std::move(fine).error();
    NewKey made = new_key(name, scope, project, expires_at, clock_.now());
    auto done = change([&](State& state) -> Result<> {
      if (project && snapshot_->project(*project) == nullptr) return missing(to_string(*project));
      state.keys.push_back(made.key);
      return {};
    });
    if (!done) return std::move(done).error();
    return made;
  }

  Result<> delete_key(std::string_view id) override {
    return change([&](State& state) -> Result<> {
      if (std::erase_if(state.keys, [&](const Key& k) { return k.id == id; }) == 0) return missing(id);
      return {};
    });
  }

  Result<> add_outside_name(std::string_view value, ProjectId project) override {
    if (auto fine = check_outside_name(value); !fine) return fine;
    return change([&](State& state) -> Result<> {
      if (snapshot_->project(project) == nullptr) return missing(to_string(project));
      if (snapshot_->project_of_outside_name(value) != nullptr) {
        return Error{ErrorCode::kConflict, "settings: taken: " + std::string(value)};
      }
      state.names.push_back({std::string(value), project});
      return {};
    });
  }

  Result<> delete_outside_name(std::string_view value) override {
    return change([&](State& state) -> Result<> {
      if (std::erase_if(state.names, [&](const OutsideName& n) { return n.value == value; }) == 0)
        return missing(value);
      return {};
    });
  }

  Result<TrafficRule> add_traffic_rule(const TrafficRule& wanted) override {
    auto rule = new_traffic_rule(wanted, clock_.now());
    if (!rule) return rule;
    auto done = change([&](State& state) -> Result<> {
      if (rule->project && snapshot_->project(*rule->project) == nullptr) return missing(to_string(*rule->project));
      for (const TrafficRule& other : state.rules) {
        if (other.project == rule->project && other.kind == rule->kind && other.value == rule->value)
          return Error{ErrorCode::kConflict, "settings: exists: " + rule->value};
      }
      if (state.rules.size() >= kTrafficRulesMax) return Error{ErrorCode::kTooLarge, "settings: too many rules"};
      state.rules.push_back(*rule);
      return {};
    });
    if (!done) return std::move(done).error();
    return rule;
  }

  Result<> delete_traffic_rule(std::string_view id) override {
    return change([&](State& state) -> Result<> {
      if (std::erase_if(state.rules, [&](const TrafficRule& r) { return r.id == id; }) == 0) return missing(id);
      return {};
    });
  }

  Result<> close() override {
    std::lock_guard lock(mutex_);
    closed_ = true;
    return {};
  }

 private:
  static Error missing(std::string_view what) {
    return {ErrorCode::kNotFound, "settings: no such thing: " + std::string(what)};
  }

  template <class Apply>
  Result<> change(Apply&& apply) {
    {
      std::lock_guard lock(mutex_);
      if (closed_) return Error{ErrorCode::kUnavailable, "settings: closed"};
      if (auto applied = apply(*kept_); !applied) return applied;
      std::sort(kept_->projects.begin(), kept_->projects.end(),
                [](const Project& a, const Project& b) { return a.name < b.name; });
      std::sort(kept_->names.begin(), kept_->names.end(),
                [](const OutsideName& a, const OutsideName& b) { return a.value < b.value; });
      snapshot_ = snapshot_of(*kept_);
    }
    if (listener_) listener_();
    return {};
  }

  Clock& clock_;
  std::function<void()> listener_;
  mutable std::mutex mutex_;  // guards the rest
  std::shared_ptr<State> kept_;
  std::shared_ptr<const Snapshot> snapshot_;
  bool closed_ = false;
};

}  // namespace weir::settings::testing
