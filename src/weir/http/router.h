#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
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
  // Whose request it is, as far as its head says. What a server can hold and do is shared out among tenants; unset, and
  // 0: all those that are nobody's in particular. Called on the connection's thread; it must not block.
  std::function<uint64_t(const Request&)> tenant = nullptr;
};

struct Route {
  Method method;
  std::string path;  // exact, or a prefix when it ends in "/*"
  RouteOptions options;
  Handler handler;
};

// As on the wire: "GET"; empty for Method::other.
std::string_view name_of(Method method);

// Which handler answers what. Immutable once the server runs.
// Unknown path: 404; known path, other method: 405 with Allow; HEAD is answered by the GET route, without the body;
// OPTIONS is answered by the server from the route's Cors, unless a route asks for OPTIONS itself.
// An exact path goes before a prefix, a longer prefix before a shorter one. Paths are compared as sent: nothing is
// decoded, no dots are resolved.
class Router {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // One handler for a method and path.
  void add(Method method, std::string path, RouteOptions options, Handler handler);
  // Every answer to a path that begins with `prefix` carries these headers, whoever makes it: a handler, or the server
  // that refuses. Where a handler gives one of them itself, its own counts.
  void guard(std::string prefix, Headers headers);
  // Null: none.
  const Headers* guards_of(std::string_view path) const;
  // Null when no route has this path; `allowed` then stays empty, else it names the methods of the path.
  const Route* find(Method method, std::string_view path, std::string& allowed) const;
  // Some route of this path, whatever its method: whose Cors speaks for a preflight and for errors. Null: unknown path.
  const Route* any_of(std::string_view path) const;
  const std::vector<Route>& routes() const { return routes_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Index = std::unordered_map<std::string, std::vector<size_t>, Hash, std::equal_to<>>;

  const Route* pick(const std::vector<size_t>& candidates, Method method, const Route*& any) const;
  // Visits the routes' indexes of each entry that matches, best first, until `visit` answers true.
  template <class Visit>
  void for_each_match(std::string_view path, Visit visit) const;

  std::vector<Route> routes_;
  std::vector<std::pair<std::string, Headers>> guards_;
  Index exact_;
  Index prefixes_;  // by the path without its '*'
};

}  // namespace weir::http
