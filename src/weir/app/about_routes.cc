#include "weir/app/about_routes.h"

#include <utility>

#include "weir/api/answers.h"
#include "weir/app/explainer.h"
#include "weir/base/bytes.h"
#include "weir/base/json_writer.h"

namespace weir::app {

namespace {
using boost::asio::awaitable;
constexpr size_t kWaitingMax = 16;
constexpr uint64_t kExplainBytesMax = 256 * KiB;
// Of one request; more are not looked at.
constexpr size_t kExplainedMax = 100;
}  // namespace

AboutRoutes::AboutRoutes(const Parts& parts) : parts_(parts), workers_("about", 1, kWaitingMax) {}

void AboutRoutes::add(http::Router& router, http::Method method, const char* path, const http::RouteOptions& limits,
                      Answer answer) {
  const api::Access& access = api::access_of(method, path);
  router.add(method, path, limits,
             [this, &access, answer = std::move(answer)](http::Request& request) -> awaitable<http::Response> {
               auto caller = parts_.gate.let_in(request, access);
               if (!caller) co_return api::refusal(caller.error());
               std::function<Result<http::Response>()> work =
                   [answer, query = std::string(request.query), body = std::move(request.body),
                    caller = *std::move(caller)]() -> Result<http::Response> { return answer(query, body, caller); };
               auto response = co_await workers_.run<http::Response>(std::move(work));
               if (!response) co_return http::error_response(response.error());
               co_return *std::move(response);
             });
}

void AboutRoutes::add(http::Router& router) {
  http::RouteOptions nothing;
  nothing.body_bytes_max = 0;
  nothing.cors = http::Cors::listed;
  add(router, http::Method::get, "/api/v1/system", nothing,
      [this](const std::string&, const std::string&, const api::Caller&) {
        return http::json_response(200, parts_.system());
      });
  add(router, http::Method::get, "/api/v1/sql/schema", nothing,
      [this](const std::string&, const std::string&, const api::Caller&) {
        auto schema = parts_.schema();
        return schema ? http::json_response(200, *std::move(schema)) : http::error_response(schema.error());
      });
  http::RouteOptions events;
  events.body_bytes_max = events.inflated_bytes_max = kExplainBytesMax;
  events.cors = http::Cors::listed;
  add(router, http::Method::post, "/api/v1/explain", events,
      [this](const std::string& query, const std::string& body, const api::Caller& caller) {
        return explain(query, body, caller);
      });
}

http::Response AboutRoutes::explain(const std::string& query, const std::string& body, const api::Caller& caller) {
  auto refuse = [](ErrorCode code, std::string message) {
    return http::error_response(Error{code, "explain: " + std::move(message)});
  };
  std::string name;
  if (!http::query_parameter(query, "project", name)) return refuse(ErrorCode::kBadInput, "project is missing");
  auto snapshot = parts_.settings.snapshot();
  auto project = api::project_for(*snapshot, caller, api::Permission::sql, name);
  if (!project) return http::error_response(project.error());
  if (body.find_first_not_of(" \t\r\n") == std::string::npos)
    return refuse(ErrorCode::kBadInput, "body: expected an event");
  auto packs = parts_.packs != nullptr ? parts_.packs->current() : nullptr;
  if (!packs) return refuse(ErrorCode::kUnavailable, "this node has not read the data packs, or does not enrich");

  std::string answer = R"({"events":[)";
  size_t count = 0;
  auto add = [&](auto&& append) {
    if (count > 0) answer.push_back(',');
    append();
    return ++count < kExplainedMax;
  };
  Explainer explainer(std::move(packs), snapshot,
                      {[&](std::string_view json) { return add([&] { answer += json; }); },
                       [&](std::string_view message) {
                         return add([&] {
                           answer.push_back('{');
                           append_json_key(answer, "error");
                           append_json_string(answer, message);
                           answer.push_back('}');
                         });
                       }});
  if (auto used = explainer.use_project((*project)->name); !used) return http::error_response(used.error());
  explainer.explain(body);
  return http::json_response(200, answer + "]}");
}

}  // namespace weir::app
