#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/metrics.h"
#include "weir/http/router.h"

namespace weir::app {

// One thing that /ready looks at. Those that are not needed are shown, but do not make the server unready.
struct Check {
  std::string name;
  bool good = true;
  bool needed = true;
  std::string detail;  // why it is not good
};

// GET /health: 200 while the process answers. GET /ready: 200 or 503 with a JSON object of the checks. `checks` is
// called on I/O threads and must not block.
void add_status_routes(http::Router& router, std::function<std::vector<Check>()> checks);

// GET /metrics, Prometheus text. Keeps `registry` by reference.
void add_metrics_route(http::Router& router, metrics::Registry& registry);

}  // namespace weir::app
