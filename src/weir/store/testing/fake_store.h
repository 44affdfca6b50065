#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "weir/store/store.h"
#include "weir/store/testing/native_reader.h"

namespace weir::store::testing {

// A store in memory, for tests of what writes into it. Passes the contract of store_contract.h but for SQL: query(),
// user_query() and explain_ast() answer kUnsupported. Fails on demand. Thread-safe.
class FakeStore final : public Store {
 public:
  // What an insert that fails leaves behind. Half of it is what a killed store leaves: it comes back with another
  // life() and has forgotten all tokens.
  enum class Left { nothing, everything, half };

  // The next `times` inserts fail with `error`, leaving `left` of their rows stored.
  void fail_inserts(size_t times, Error error, Left left = Left::nothing);
  // Any block that holds a row for which `refuse` answers true is refused whole with kBadInput; null ends that.
  void refuse_rows(std::function<bool(const StoredRow&)> refuse);
  // While away every call but up() fails with kUnavailable.
  void set_away(bool away);
  // Nobody is told which visits are open; null ends that.
  void hide_open_visits(std::optional<Error> error);
  // Called before each insert, outside of any lock; a test may wait in it.
  void before_insert(std::function<void(const Block&, std::string_view token)> hook);
  // As a restart of the store: another life(), and what it knew about tokens is gone.
  void restart();
  // Takes rows away, as a damaged part does.
  void lose_rows(const std::function<bool(const StoredRow&)>& lost);

  std::vector<StoredRow> rows() const;  // in the order they came
  // The same without a copy, under the store's lock.
  void look(const std::function<void(const std::vector<StoredRow>&)>& at) const;
  size_t row_count() const;
  size_t insert_count() const;              // calls of insert() that reached the store
  std::vector<std::string> tokens() const;  // of the inserts that stored something, in order
  std::map<uint64_t, std::string> project_names() const;

  Result<> migrate() override;
  bool up() const override;
  Result<uint32_t> journal_number(const JournalKey& key) override;
  Result<std::vector<JournalRow>> journals() override;
  Result<> insert(const Block& block, std::string_view token, std::optional<uint64_t> life = std::nullopt) override;
  Result<std::vector<RangeCount>> count_positions(uint32_t p, uint64_t first, uint64_t next, uint64_t step) override;
  Result<std::vector<uint64_t>> positions(uint32_t p, uint64_t first, uint64_t next) override;
  Result<uint64_t> end_position(uint32_t p) override;
  Result<uint64_t> life() override;
  Result<std::vector<OpenVisit>> open_visits(const VisitScope& scope, uint64_t limit) override;
  Result<std::optional<int64_t>> day_with_events(ProjectId project, int64_t time) override;
  Result<> visit_rows(ProjectId project, std::span<const uint64_t> visitors, int64_t from, int64_t until,
                      const std::function<void(const VisitRow&)>& sink) override;
  Result<> rewrite_visits(ProjectId project, std::span<const VisitRow> rows) override;
  Result<std::vector<ProjectDay>> days(std::optional<ProjectId> project, int64_t from, int64_t until) override;
  Result<> enriched_rows(const ProjectDay& of, const std::function<void(EnrichedRow&&)>& sink) override;
  Result<> rewrite_enrichment(const ProjectDay& of, std::span<const EnrichedRow> rows) override;
  Result<> set_project_names(std::span<const std::pair<ProjectId, std::string>> names) override;
  Result<std::string> query(std::string_view sql, const QueryOptions& options) override;
  Result<std::string> user_query(std::string_view sql, const QueryOptions& options,
                                 const std::vector<ProjectId>* projects,
                                 const std::function<bool(std::string_view)>& sink) override;
  Result<std::string> explain_ast(std::string_view sql, const Parameters& parameters) override;
  std::string user_sql_refused() const override { return {}; }
  Result<Health> health() override;

 private:
  Result<> check_away() const;
  void forget_tokens();  // under mutex_

  mutable std::mutex mutex_;  // guards all below
  bool away_ = false;
  uint64_t life_ = 1;
  size_t failures_ = 0;
  Error failure_{ErrorCode::kUnavailable, ""};
  Left left_ = Left::nothing;
  std::function<bool(const StoredRow&)> refuse_;
  std::optional<Error> hidden_;  // open visits
  std::function<void(const Block&, std::string_view)> before_insert_;
  std::vector<StoredRow> rows_;
  std::deque<std::string> recent_tokens_;
  std::vector<std::string> tokens_;
  size_t inserts_ = 0;
  std::vector<JournalRow> journals_;
  std::map<uint64_t, std::string> names_;
};

}  // namespace weir::store::testing
