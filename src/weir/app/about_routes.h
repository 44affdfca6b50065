#pragma once

#include <functional>
#include <string>

#include "weir/api/gate.h"
#include "weir/api/workers.h"
#include "weir/enrich/packs.h"
#include "weir/http/router.h"
#include "weir/settings/settings.h"

namespace weir::app {

// What weir tells of itself:
// GET /api/v1/system: how this process does, SystemState::to_json().
// GET /api/v1/sql/schema: the views that SQL sees, and the limits of a statement.
// POST /api/v1/explain?project=NAME: what would become of the events in the body, and why; nothing is stored.
//
// Keeps the references; they must outlive it. A thread "about" waits for store and disk.
class AboutRoutes {
 public:
  struct Parts {
    settings::Repository& settings;
    const api::Gate& gate;
    std::function<std::string()> system;          // JSON; blocking
    std::function<Result<std::string>()> schema;  // JSON; blocking
    const enrich::PackStore* packs = nullptr;     // null: this process enriches nothing, and explains nothing
  };
  explicit AboutRoutes(const Parts& parts);
  void add(http::Router& router);
  // Does what is waiting and joins the thread.
  void stop() { workers_.stop(); }

 private:
  http::Response explain(const std::string& query, const std::string& body, const api::Caller& caller);
  // Answers on the worker thread, once the caller was let in.
  using Answer = std::function<http::Response(const std::string& query, const std::string& body, const api::Caller&)>;
  void add(http::Router& router, http::Method method, const char* path, const http::RouteOptions& limits,
           Answer answer);

  const Parts parts_;
  api::Workers workers_;
};

}  // namespace weir::app
