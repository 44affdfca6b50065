#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/http/message.h"

namespace weir::http {

enum class Cors : uint8_t {
  none,     // no CORS headers: other origins cannot read the answer
  capture,  // any origin, with credentials; nothing secret is answered
  listed,   // only the configured origins (options.origins)
};

struct RouteOptions {
  uint64_t body_bytes_max = 2 << 20;       // as sent
  uint64_t inflated_bytes_max = 16 << 20;  // after undoing the content coding
  Cors cors = Cors::none;
  bool raw_body = false;  // leave Content-Encoding to the handler
};

struct Route {
  Method method;
  std::string path;  // exact, or a prefix when it ends in "/*"
  RouteOptions options;
  Handler handler;
};

// Which handler answers what. Built once, then read by all threads.
// Unknown path: 404; known path, other method: 405 with Allow; OPTIONS is answered here by the route's Cors.
class Router {
 public:
  void add(Method method, std::string path, RouteOptions options, Handler handler);
  // Null when no route has this path; `allowed` then stays empty, else it names the methods of the path.
  const Route* find(Method method, std::string_view path, std::string& allowed) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace weir::http
