#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "weir/api/api.h"
#include "weir/api/gate.h"
#include "weir/api/people.h"
#include "weir/settings/testing/memory_repository.h"

namespace weir::api::testing {

namespace asio = boost::asio;
namespace json = boost::json;
using http::Method;
using settings::Scope;

// Much longer than anything here takes; then a test fails instead of hanging.
inline constexpr std::chrono::seconds kPatience{30};

struct Answer {
  int status = 0;
  std::string body;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string stream_error;

  json::value parsed() const { return json::parse(body); }
  std::string header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return "";
  }
};

// The routes over a repository in memory, called as the server calls them: from an I/O thread.
class ApiTest : public ::testing::Test {
 protected:
  ApiTest() : io_thread_([this] { io_.run(); }) {
    make_api();
    website_ = *settings_.create_project("website");
    app_ = *settings_.create_project("app");
  }
  ~ApiTest() override {
    api_->stop();
    people_->stop();
    work_.reset();
    io_.stop();
    io_thread_.join();
  }

  void make_api(Options options = {}) {
    if (api_) api_->stop();
    if (people_) people_->stop();
    router_ = std::make_unique<http::Router>();
    RunSql run = [this](const SqlQuestion& question, const std::function<bool(std::string_view)>& sink) {
      return run_sql_(question, sink);
    };
    api_ = std::make_unique<Api>(options,
                                 Dependencies{settings_, clock_, gate_, sessions_, registry_, run, run_question_});
    api_->add_routes(*router_);
    people_ = std::make_unique<People>(People::Dependencies{settings_, clock_, gate_, sessions_, registry_, sealer_});
    people_->add_routes(*router_);
  }

  std::string key(Scope scope, std::optional<ProjectId> project = std::nullopt, UnixMillis expires_at = 0) {
    auto made = settings_.create_key("test", scope, project, expires_at);
    EXPECT_TRUE(made) << made.error().message;
    return made->secret;
  }

  // As the owner when `secret` is empty.
  Answer call(Method method, std::string target, std::string body = "", const std::string& secret = "",
              std::function<bool(const std::string&)> on_piece = {}) {
    return call_with(method, std::move(target), std::move(body), secret.empty() ? "" : "Bearer " + secret,
                     secret.empty(), std::move(on_piece));
  }
  Answer call_with(Method method, std::string target, std::string body, std::string authorization, bool owner,
                   std::function<bool(const std::string&)> on_piece = {}) {
    auto answer = asio::co_spawn(
        io_, drive(method, std::move(target), std::move(body), std::move(authorization), owner, std::move(on_piece)),
        asio::use_future);
    return answer.get();
  }

  // The answer's head, and what its body comes from, which nobody reads until pull().
  http::Response open(Method method, std::string target, std::string body, const std::string& secret = "") {
    auto response = asio::co_spawn(io_, begin(method, std::move(target), std::move(body), secret, secret.empty()),
                                   asio::use_future);
    if (response.wait_for(kPatience) == std::future_status::ready) return response.get();
    ADD_FAILURE() << "no answer begins";
    return {};
  }
  Result<std::string> pull(http::Response& response) {
    auto piece = asio::co_spawn(io_, next_piece(response.stream), asio::use_future);
    return *piece.get();
  }
  static asio::awaitable<std::optional<Result<std::string>>> next_piece(http::BodySource source) {
    Result<std::string> piece = co_await source();
    co_return piece;
  }
  asio::awaitable<http::Response> begin(Method method, std::string target, std::string body, std::string secret,
                                        bool owner) {
    http::Request request;
    request.method = method;
    request.path = request.target = target;
    request.body = std::move(body);
    request.from_owner = owner;
    request.client_address = address_;
    std::string authorization = "Bearer " + secret;
    if (!owner) request.headers.emplace_back("authorization", authorization);
    std::string allowed;
    const http::Route* route = router_->find(method, request.path, allowed);
    http::Response response = co_await route->handler(request);
    co_return response;
  }

  // Any request: `headers` as they are sent.
  using Headers = std::vector<std::pair<std::string, std::string>>;
  Answer ask(Method method, std::string target, std::string body, Headers headers, bool secure = false) {
    return begin_ask(method, std::move(target), std::move(body), std::move(headers), secure).get();
  }
  std::future<Answer> begin_ask(Method method, std::string target, std::string body, Headers headers,
                                bool secure = false) {
    return asio::co_spawn(
        io_, drive_headers(method, std::move(target), std::move(body), std::move(headers), secure, address_),
        asio::use_future);
  }
  asio::awaitable<Answer> drive_headers(Method method, std::string target, std::string body, Headers headers,
                                        bool secure, std::string address) {
    http::Request request;
    request.method = method;
    request.target = target;
    request.path = std::string_view(target).substr(0, target.find('?'));
    if (target.find('?') != std::string::npos) request.query = std::string_view(target).substr(target.find('?') + 1);
    request.body = std::move(body);
    request.secure = secure;
    request.client_address = std::move(address);
    for (const auto& [name, value] : headers) request.headers.emplace_back(name, value);
    std::string allowed;
    const http::Route* route = router_->find(method, request.path, allowed);
    Answer answer;
    if (route == nullptr) co_return answer;
    http::Response response = co_await route->handler(request);
    answer.status = response.status;
    answer.content_type = response.content_type;
    answer.headers = response.headers;
    answer.body = response.body;
    while (response.stream) {
      Result<std::string> piece = co_await response.stream();
      if (!piece || piece->empty()) break;
      answer.body += *piece;
    }
    co_return answer;
  }

  asio::awaitable<Answer> drive(Method method, std::string target, std::string body, std::string authorization,
                                bool owner, std::function<bool(const std::string&)> on_piece) {
    http::Request request;
    request.method = method;
    request.target = target;
    request.path = std::string_view(target).substr(0, target.find('?'));
    if (target.find('?') != std::string::npos) request.query = std::string_view(target).substr(target.find('?') + 1);
    request.body = std::move(body);
    request.from_owner = owner;
    if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
    std::string allowed;
    const http::Route* route = router_->find(method, request.path, allowed);
    Answer answer;
    if (route == nullptr) co_return answer;
    http::Response response = co_await route->handler(request);
    answer.status = response.status;
    answer.content_type = response.content_type;
    answer.headers = response.headers;
    answer.body = response.body;
    while (response.stream) {
      Result<std::string> piece = co_await response.stream();
      if (!piece) answer.stream_error = piece.error().message;
      if (!piece || piece->empty()) break;
      answer.body += *piece;
      if (on_piece && !on_piece(*piece)) break;
    }
    co_return answer;
  }

  ManualClock clock_{1'790'000'000'000};
  settings::testing::MemoryRepository settings_{clock_};
  Sessions sessions_{settings_, clock_};
  Gate gate_{settings_, sessions_, clock_, {}};
  metrics::Registry registry_;
  settings::Sealer sealer_{std::string(32, 'k')};
  std::function<Result<>(const SqlQuestion&, const std::function<bool(std::string_view)>&)> run_sql_;
  RunQuestion run_question_;  // empty: no store; set it before make_api()
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<People> people_;
  std::string address_ = "192.0.2.1";
  settings::Project website_;
  settings::Project app_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::thread io_thread_;
};

}  // namespace weir::api::testing
