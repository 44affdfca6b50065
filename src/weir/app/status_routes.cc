#include "weir/app/status_routes.h"

#include <string_view>

#include "weir/base/json_writer.h"

namespace weir::app {

namespace {
using boost::asio::awaitable;

http::Response plain(int status, std::string type, std::string body) {
  http::Response response;
  response.status = status;
  response.content_type = std::move(type);
  response.body = std::move(body);
  return response;
}
}  // namespace

void add_status_routes(http::Router& router, std::function<std::vector<Check>()> checks) {
  router.add(http::Method::get, "/health", {}, [](http::Request&) -> awaitable<http::Response> {
    co_return plain(200, "text/plain; charset=utf-8", "ok\n");
  });
  router.add(http::Method::get, "/ready", {},
             [checks = std::move(checks)](http::Request&) -> awaitable<http::Response> {
               bool ready = true;
               std::string body = "{\"checks\":{";
               for (const Check& check : checks()) {
                 ready = ready && (check.good || !check.needed);
                 append_json_key(body, check.name);
                 append_json_string(body, check.good ? std::string_view("ok") : std::string_view(check.detail));
               }
               body += ready ? "},\"ready\":true}" : "},\"ready\":false}";
               co_return http::json_response(ready ? 200 : 503, std::move(body));
             });
}

void add_metrics_route(http::Router& router, metrics::Registry& registry) {
  router.add(http::Method::get, "/metrics", {}, [&registry](http::Request&) -> awaitable<http::Response> {
    co_return plain(200, "text/plain; version=0.0.4; charset=utf-8", registry.text());
  });
}

}  // namespace weir::app
