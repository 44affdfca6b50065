#include "weir/app/status_routes.h"

#include <string_view>

#include "weir/base/json_writer.h"

namespace weir::app {

namespace {
using boost::asio::awaitable;

constexpr std::string_view kHome = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>weir</title><style>
:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}
pre{padding:.8rem;border:1px solid #8884;border-radius:.4rem;overflow-x:auto}
</style></head><body>
<h1>weir is running</h1>
<p>It takes events here, keeps them, and answers questions in SQL. Dashboards are not part of this version.</p>
<p>Send an event:</p>
<pre>curl -i http://localhost:8000 -H 'X-App: app' -H 'Content-Type: application/json' \
  -d '{"type":"pageview","path":"/hello"}'</pre>
<p>Ask for it:</p>
<pre>weir query "select timestamp, project, name, path from events order by timestamp desc limit 10"</pre>
</body></html>
)";

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

void add_home_routes(http::Router& router) {
  router.add(http::Method::get, "/", {}, [](http::Request&) -> awaitable<http::Response> {
    http::Response response;
    response.status = 302;
    response.headers.emplace_back("Location", "/ui/");
    co_return response;
  });
  router.add(http::Method::get, "/ui/", {}, [](http::Request&) -> awaitable<http::Response> {
    http::Response response = plain(200, "text/html; charset=utf-8", std::string(kHome));
    response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
    response.headers.emplace_back("Referrer-Policy", "no-referrer");
    co_return response;
  });
}

}  // namespace weir::app
