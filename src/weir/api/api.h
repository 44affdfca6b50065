#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/api/gate.h"
#include "weir/api/options.h"
#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/http/router.h"
#include "weir/query/answer.h"
#include "weir/settings/settings.h"

namespace weir::api {

// A person's SQL statement.
struct SqlQuestion {
  std::string statement;
  std::string format;                              // a format name of ClickHouse's; letters and digits
  std::optional<std::vector<ProjectId>> projects;  // set: sees these projects only
  // The store's own limit for a person's statement ends it before.
  std::chrono::milliseconds timeout = std::chrono::hours(1);
  std::function<bool()> abandoned;  // whether nobody waits for the answer any more
};
// Runs it; the answer's bytes go to `sink` piece by piece, whose `false` ends the statement. Blocking.
using RunSql = std::function<Result<>(const SqlQuestion& question, const std::function<bool(std::string_view)>& sink)>;

// A question to the metric layer, about a project whose settings are in `context`.
struct StatsQuestion {
  std::string body;  // as docs/query.md has it
  query::Context context;
  query::AnswerForm form = query::AnswerForm::json;
  std::function<bool()> abandoned;  // whether nobody waits for the answer any more
};
// Answers it. Blocking.
using RunQuestion = std::function<Result<std::string>(StatsQuestion question)>;

struct Dependencies {
  settings::Repository& settings;
  Clock& clock;
  const Gate& gate;
  Sessions& sessions;
  metrics::Registry& registry;
  RunSql run_sql;                 // empty: /api/v1/sql answers 503 (this node has no store)
  RunQuestion run_question = {};  // empty: likewise for /api/v1/query
};

// The product's API under /api/v1, for the owner (Unix socket) and for keys of the right scope (access.h): projects,
// keys, outside names, rules about traffic, items of reports, questions about numbers, SQL.
//
// Thread-safe. Calls that wait, for the settings database or the store, run on threads of its own: "api-settings",
// `options.threads` "api-sql" and `options.query_threads` "api-query"; full, they answer 503. Callers take turns at the
// last two, and one who asks too much at once is answered 429.
class Api {
 public:
  // Keeps the dependencies' references; they must outlive it.
  Api(const Options& options, Dependencies dependencies);
  ~Api();

  // Adds the routes. The router must not be used for new requests once stop() was called.
  void add_routes(http::Router& router);

  // Ends statements under way and joins the threads. Between the server's drain() and its destruction: what was
  // waiting resumes on the server's executors.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace weir::api
