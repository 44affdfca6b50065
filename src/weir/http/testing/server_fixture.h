#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

#include "weir/base/bytes.h"
#include "weir/base/testing/eventually.h"
#include "weir/http/server.h"
#include "weir/http/testing/raw_client.h"

namespace weir::http::testing {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

namespace asio = boost::asio;

// A thread that resumes handlers from outside, as the journal's writer does.
class Elsewhere {
 public:
  Elsewhere()
      : thread_([this] {
          for (;;) {
            std::function<void()> work;
            {
              std::unique_lock lock(mutex_);
              filled_.wait(lock, [&] { return stopped_ || (!held_ && !work_.empty()); });
              if (work_.empty()) return;
              work = std::move(work_.front());
              work_.erase(work_.begin());
            }
            work();
          }
        }) {}
  ~Elsewhere() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
      held_ = false;
    }
    filled_.notify_all();
    thread_.join();
  }

  // Ends once this thread has seen it.
  asio::awaitable<void> visit() {
    co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
        [this](auto handler) {
          auto shared = std::make_shared<decltype(handler)>(std::move(handler));
          std::lock_guard lock(mutex_);
          work_.emplace_back([shared] {
            const auto executor = asio::get_associated_executor(*shared);
            asio::post(executor, std::move(*shared));
          });
          filled_.notify_all();
        },
        asio::use_awaitable);
  }
  // While held, visits do not end.
  void hold(bool held) {
    std::lock_guard lock(mutex_);
    held_ = held;
    filled_.notify_all();
  }
  size_t waiting() {
    std::lock_guard lock(mutex_);
    return work_.size();
  }

 private:
  std::mutex mutex_;  // guards the rest
  std::condition_variable filled_;
  std::vector<std::function<void()>> work_;
  bool held_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

// Waits until `condition` holds; false after ten seconds.
template <class Condition>
bool eventually(Condition condition) {
  return weir::testing::eventually(condition, 10s);
}

inline std::string post(std::string_view path, std::string_view body, std::string_view headers = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
inline std::string get(std::string_view path, std::string_view headers = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

inline Response text(std::string body) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options.threads = 2;
    options.drain_timeout = 5s;
    options.origins = {"https://stats.example"};
    options.trusted_proxies = {"127.0.0.1"};
    add_routes();
  }
  ~ServerTest() override { stop(); }

  void add_routes() {
    router.add(Method::post, "/echo", {.body_bytes_max = 4096, .inflated_bytes_max = 100'000, .cors = Cors::capture},
               [](Request& request) -> asio::awaitable<Response> { co_return text(std::move(request.body)); });
    router.add(Method::post, "/raw", {.raw_body = true},
               [](Request& request) -> asio::awaitable<Response> { co_return text(request.body); });
    router.add(Method::get, "/hello", {}, [](Request& request) -> asio::awaitable<Response> {
      co_return text("hello " + std::string(request.query));
    });
    router.add(Method::get, "/who", {}, [](Request& request) -> asio::awaitable<Response> {
      co_return text(request.client_address + (request.secure ? " https" : "") + (request.from_owner ? " owner" : ""));
    });
    router.add(Method::get, "/api", {.cors = Cors::listed},
               [](Request&) -> asio::awaitable<Response> { co_return text("api"); });
    router.add(Method::get, "/empty", {}, [](Request&) -> asio::awaitable<Response> {
      Response response;
      response.status = 204;
      co_return response;
    });
    router.add(Method::get, "/throws", {}, [](Request&) -> asio::awaitable<Response> {
      throw std::runtime_error("out of luck");
      co_return Response();
    });
    router.add(Method::get, "/hungry", {}, [](Request&) -> asio::awaitable<Response> {
      throw std::bad_alloc();
      co_return Response();
    });
    router.add(Method::get, "/elsewhere", {}, [this](Request&) -> asio::awaitable<Response> {
      co_await elsewhere.visit();
      co_return text("back");
    });
    router.add(Method::get, "/last", {}, [](Request&) -> asio::awaitable<Response> {
      Response response = text("last");
      response.close = true;
      co_return response;
    });
    router.add(Method::get, "/large", {},
               [](Request&) -> asio::awaitable<Response> { co_return text(std::string(8 * MiB, 'x')); });
    router.add(Method::get, "/numbers", {}, [](Request&) -> asio::awaitable<Response> {
      Response response = text("");
      response.stream = [n = 0]() mutable -> asio::awaitable<Result<std::string>> {
        ++n;
        co_return n <= 3 ? std::to_string(n) + "\n" : std::string();
      };
      co_return response;
    });
    router.add(Method::get, "/endless", {}, [this](Request&) -> asio::awaitable<Response> {
      Response response = text("");
      response.stream = [this, alive = std::make_shared<Alive>(streams)]() -> asio::awaitable<Result<std::string>> {
        ++pieces;
        co_return std::string(64 * KiB, 'x');
      };
      co_return response;
    });
    router.add(Method::get, "/silent", {}, [this](Request&) -> asio::awaitable<Response> {
      Response response = text("");
      response.stream = [first = true,
                         alive = std::make_shared<Alive>(streams)]() mutable -> asio::awaitable<Result<std::string>> {
        if (std::exchange(first, false)) co_return std::string("begin\n");
        asio::steady_timer timer(co_await asio::this_coro::executor, 1h);
        co_await timer.async_wait(asio::use_awaitable);
        co_return std::string("never");
      };
      co_return response;
    });
    for (const char* when : {"first", "later", "thrown"})
      router.add(Method::get, std::string("/fails/") + when, {},
                 [when = std::string(when)](Request&) -> asio::awaitable<Response> {
                   Response response = text("");
                   response.stream = [when, n = 0]() mutable -> asio::awaitable<Result<std::string>> {
                     if (when == "thrown") throw std::runtime_error("broken source");
                     if (when == "later" && n++ == 0) co_return std::string("begun");
                     co_return Error{ErrorCode::kTimeout, "test: too slow"};
                   };
                   co_return response;
                 });
  }

  // Listens and starts; the address to connect to.
  const std::string& start() {
    auto opened = Server::open(options, clock, registry);
    EXPECT_TRUE(opened) << opened.error().message;
    server = std::move(*opened);
    auto bound = server->listen("127.0.0.1:0", router);
    EXPECT_TRUE(bound) << bound.error().message;
    address = *bound;
    server->start();
    return address;
  }
  void stop() {
    if (server) server->drain();
    server.reset();
  }

  Answer ask(std::string_view request) {
    RawClient client(address);
    client.send(request);
    return client.read();
  }
  // The value of one metric line, 0 when it is not there.
  double metric(const std::string& name) {
    const std::string all = registry.text();
    const size_t at = all.find("\n" + name + " ");
    return at == std::string::npos ? 0 : std::stod(all.substr(at + name.size() + 2));
  }
  double refused(const std::string& reason) { return metric("weir_http_refused_total{reason=\"" + reason + "\"}"); }

  struct Alive {
    explicit Alive(std::atomic<int>& count) : count(count) { ++count; }
    ~Alive() { --count; }
    std::atomic<int>& count;
  };

  SystemClock clock;
  metrics::Registry registry;
  Options options;
  Router router;
  Elsewhere elsewhere;
  std::atomic<int> streams{0};
  std::atomic<int> pieces{0};
  std::string address;
  std::unique_ptr<Server> server;
};

}  // namespace weir::http::testing
