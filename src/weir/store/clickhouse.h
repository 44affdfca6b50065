#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "weir/base/http_client.h"
#include "weir/store/endpoint.h"
#include "weir/store/metrics.h"
#include "weir/store/options.h"
#include "weir/store/readers.h"
#include "weir/store/store.h"

namespace weir::store {

// The store over ClickHouse's HTTP interface: the private engine and a server of the operator's alike.
// Thread-safe: connections come from a small pool. Keeps `endpoints` and `registry` by reference; they must outlive it.
class ClickHouse final : public Store {
 public:
  ClickHouse(const Options& options, const Endpoints& endpoints, metrics::Registry& registry);
  ~ClickHouse() override;

  Result<> migrate() override;
  bool up() const override;
  void end_background() override { background_ended_ = true; }
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
  Coverage* coverage() override { return &coverage_; }
  Result<std::string> query(std::string_view sql, const QueryOptions& options) override;
  Result<std::string> user_query(std::string_view sql, const QueryOptions& options,
                                 const std::vector<ProjectId>* projects,
                                 const std::function<bool(std::string_view)>& sink) override;
  Result<std::string> explain_ast(std::string_view sql, const Parameters& parameters) override;
  std::string user_sql_refused() const override;
  Result<Health> health() override;

 private:
  using Settings = std::vector<std::pair<std::string, std::string>>;
  struct Request;
  static OutgoingRequest compose(const Endpoint& endpoint, const Request& request, const std::string& query_id);
  Result<IncomingAnswer> send(const Request& request);
  Result<IncomingAnswer> send_to(const Endpoint& endpoint, const Request& request);
  Result<> expect_whole();
  Result<> expect_life(const Endpoint& endpoint, uint64_t life);
  void set_urgency(Urgency urgency, Request& request) const;
  Result<> execute(std::string_view sql, Urgency urgency = Urgency::apart);
  Result<> load_coverage();
  // Uncovers what the roll-ups say of rows that are to change, durably; then changes them.
  Result<> change_rows(std::span<const Coverage::Touched> touched, const std::function<Result<>()>& change);
  Result<std::string> read(std::string_view sql, const QueryOptions& options = {});
  Result<> insert_lines(std::string_view into, std::string_view lines, std::string_view token = {});
  Result<Readers::Lease> lend_reader(const Endpoint& endpoint, const std::vector<ProjectId>& projects);
  void kill(const Endpoint& endpoint, const std::string& query_id);
  std::unique_ptr<HttpClient> take_client();
  void give_client(std::unique_ptr<HttpClient> client);

  const Options options_;
  const Endpoints& endpoints_;
  Metrics metrics_;
  Readers readers_;
  Coverage coverage_;
  std::atomic<bool> last_contact_went_well_{false};
  std::atomic<bool> background_ended_{false};
  std::atomic<uint64_t> user_queries_{0};
  std::mutex journals_mutex_;            // one allocation at a time; guards nothing else
  std::mutex tables_mutex_;              // one migration, one beginning of a life at a time; guards found_whole_
  std::optional<uint64_t> found_whole_;  // Endpoint::start of the server that was looked through
  std::mutex clients_mutex_;             // guards clients_
  std::vector<std::unique_ptr<HttpClient>> clients_;
};

}  // namespace weir::store
