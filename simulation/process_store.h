#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "simulation/scheduler.h"
#include "weir/store/testing/fake_store.h"

namespace weir::simulation {

// The store as one process reaches it: calls take time, and one that has died calls no more. What was on its way then
// may still arrive.
class ProcessStore final : public store::Store {
 public:
  // Keeps `store` by reference. `dead` is asked on the calling thread.
  ProcessStore(store::testing::FakeStore& store, std::function<bool()> dead) : store_(store), dead_(std::move(dead)) {}

  Result<> migrate() override {
    return call([&] { return store_.migrate(); });
  }
  bool up() const override { return store_.up(); }
  Result<uint32_t> journal_number(const store::JournalKey& key) override {
    return call([&] { return store_.journal_number(key); });
  }
  Result<std::vector<store::JournalRow>> journals() override {
    return call([&] { return store_.journals(); });
  }
  Result<> insert(const store::Block& block, std::string_view token, std::optional<uint64_t> life) override {
    return call([&] { return store_.insert(block, token, life); });
  }
  Result<std::vector<store::RangeCount>> count_positions(uint32_t p, uint64_t first, uint64_t next,
                                                         uint64_t step) override {
    return call([&] { return store_.count_positions(p, first, next, step); });
  }
  Result<std::vector<uint64_t>> positions(uint32_t p, uint64_t first, uint64_t next) override {
    return call([&] { return store_.positions(p, first, next); });
  }
  Result<uint64_t> end_position(uint32_t p) override {
    return call([&] { return store_.end_position(p); });
  }
  Result<uint64_t> life() override {
    return call([&] { return store_.life(); });
  }
  Result<std::vector<store::OpenVisit>> open_visits(const store::VisitScope& scope, uint64_t limit) override {
    return call([&] { return store_.open_visits(scope, limit); });
  }
  Result<std::optional<int64_t>> day_with_events(ProjectId project, int64_t time) override {
    return call([&] { return store_.day_with_events(project, time); });
  }
  Result<> visit_rows(ProjectId project, std::span<const uint64_t> visitors, int64_t from, int64_t until,
                      const std::function<void(const store::VisitRow&)>& sink) override {
    return call([&] { return store_.visit_rows(project, visitors, from, until, sink); });
  }
  Result<> rewrite_visits(ProjectId project, std::span<const store::VisitRow> rows) override {
    return call([&] { return store_.rewrite_visits(project, rows); });
  }
  Result<std::vector<store::ProjectDay>> days(std::optional<ProjectId> project, int64_t from, int64_t until) override {
    return call([&] { return store_.days(project, from, until); });
  }
  Result<> enriched_rows(const store::ProjectDay& of, const std::function<void(store::EnrichedRow&&)>& sink) override {
    return call([&] { return store_.enriched_rows(of, sink); });
  }
  Result<> rewrite_enrichment(const store::ProjectDay& of, std::span<const store::EnrichedRow> rows) override {
    return call([&] { return store_.rewrite_enrichment(of, rows); });
  }
  Result<> set_project_names(std::span<const std::pair<ProjectId, std::string>> names) override {
    return call([&] { return store_.set_project_names(names); });
  }
  Result<std::string> query(std::string_view sql, const store::QueryOptions& options) override {
    return store_.query(sql, options);
  }
  Result<std::string> user_query(std::string_view sql, const store::QueryOptions& options,
                                 const std::vector<ProjectId>* projects,
                                 const std::function<bool(std::string_view)>& sink) override {
    return store_.user_query(sql, options, projects, sink);
  }
  Result<std::string> explain_ast(std::string_view sql, const store::Parameters& parameters) override {
    return store_.explain_ast(sql, parameters);
  }
  std::string user_sql_refused() const override { return {}; }
  Result<Health> health() override { return store_.health(); }

 private:
  template <class Call>
  auto call(const Call& made) -> decltype(made()) {
    if (dead_()) return gone();
    std::this_thread::sleep_for(std::chrono::microseconds(Scheduler::current()->random() % 2000));
    if (dead_() && Scheduler::current()->chance(0.5)) return gone();
    auto answer = made();
    if (dead_()) return gone();
    return answer;
  }
  static Error gone() { return {ErrorCode::kUnavailable, "store: the process is dead"}; }

  store::testing::FakeStore& store_;
  const std::function<bool()> dead_;
};

}  // namespace weir::simulation
