#include "weir/http/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

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
#include "weir/http/testing/raw_client.h"

namespace weir::http {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawClient;
using ::testing::StartsWith;

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

// Waits until `condition` holds; fails the test after ten seconds.
template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string post(std::string_view path, std::string_view body, std::string_view headers = {}) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
std::string get(std::string_view path, std::string_view headers = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(headers) + "\r\n";
}

Response text(std::string body) {
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
      response.stream = [this, first = true,
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

// ---------------------------------------------------------------------------------------------------------------------
// Answers

TEST_F(ServerTest, AnswersOnAKeptConnection) {
  RawClient client(start());
  for (int i = 0; i < 3; ++i) {
    client.send(get("/hello?" + std::to_string(i)));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "hello " + std::to_string(i));
    EXPECT_EQ(answer.headers.at("content-type"), "text/plain");
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_THAT(answer.headers.at("date"), HasSubstr("GMT"));
    EXPECT_FALSE(answer.headers.contains("server"));
    EXPECT_FALSE(answer.headers.contains("connection"));
  }
  EXPECT_EQ(metric("weir_http_connections"), 1);
  EXPECT_TRUE(eventually([&] { return metric("weir_http_request_seconds_count") == 3; }));
  EXPECT_EQ(metric("weir_http_requests_total{class=\"2xx\"}"), 3);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrderHoweverTheyArrive) {
  start();
  const std::string requests =
      post("/echo", "one") + get("/elsewhere") + "\r\n" + post("/echo", "") + get("/hello?4") +
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nfi\r\n2\r\nve\r\n0\r\n\r\n" +
      post("/nowhere", "body") + get("/hello?7");
  for (const size_t step : {requests.size(), size_t{1}, size_t{5}, size_t{64}}) {
    RawClient client(address);
    for (size_t at = 0; at < requests.size(); at += step)
      ASSERT_TRUE(client.send(std::string_view(requests).substr(at, step)));
    for (const char* body : {"one", "back", "", "hello 4", "five"}) {
      const Answer answer = client.read();
      EXPECT_EQ(answer.status, 200);
      EXPECT_EQ(answer.body, body);
    }
    EXPECT_EQ(client.read().status, 404);
    EXPECT_EQ(client.read().body, "hello 7");
  }
}

TEST_F(ServerTest, ManyConnectionsResumedFromAnotherThread) {
  start();
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      std::vector<std::unique_ptr<RawClient>> clients;
      for (int c = 0; c < 8; ++c) clients.push_back(std::make_unique<RawClient>(address));
      for (int round = 0; round < 20; ++round) {
        for (auto& client : clients) client->send(get("/elsewhere"));
        for (auto& client : clients) good += client->read().body == "back" ? 1 : 0;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 4 * 8 * 20);
}

TEST_F(ServerTest, HeadHasTheHeadersOfGetAndNoBody) {
  RawClient client(start());
  client.send("HEAD /hello?x HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello?y"));
  const Answer head = client.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "7");
  EXPECT_EQ(client.read().body, "hello y");
  client.send("HEAD /numbers HTTP/1.1\r\nHost: a\r\n\r\n" + get("/hello?z"));
  EXPECT_EQ(client.read(true).status, 200);
  EXPECT_EQ(client.read().body, "hello z");
  client.send(get("/empty"));
  const Answer empty = client.read();
  EXPECT_EQ(empty.status, 204);
  EXPECT_FALSE(empty.headers.contains("content-length"));
}

TEST_F(ServerTest, ClosesWhenEitherSideWantsTo) {
  start();
  for (const std::string& request :
       {get("/hello", "Connection: close\r\n"), get("/last"), std::string("GET /hello HTTP/1.0\r\n\r\n")}) {
    RawClient client(address);
    client.send(request);
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_TRUE(client.closes());
  }
  RawClient client(address);
  client.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read().headers.at("connection"), "keep-alive");
  client.send(get("/hello"));
  EXPECT_EQ(client.read().status, 200);
}

TEST_F(ServerTest, UnknownPathsAndMethods) {
  start();
  EXPECT_EQ(ask(get("/nothing")).status, 404);
  EXPECT_EQ(ask(get("/nothing")).body, R"({"error":{"code":"not_found","message":"http: no such path"}})");
  const Answer answer = ask(get("/echo"));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.headers.at("allow"), "POST, OPTIONS");
  EXPECT_EQ(ask("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
  EXPECT_EQ(ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204);
}

TEST_F(ServerTest, AHandlersExceptionIsA500AndTheConnectionGoesOn) {
  RawClient client(start());
  client.send(get("/throws") + get("/hello"));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, HasSubstr("\"internal\""));
  EXPECT_THAT(answer.body, Not(HasSubstr("luck")));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(metric("weir_http_requests_total{class=\"5xx\"}"), 1);
}

TEST_F(ServerTest, AContinueIsSentOnlyWhenTheBodyIsWanted) {
  start();
  RawClient client(address);
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 100);
  client.send("hello");
  EXPECT_EQ(client.read().body, "hello");
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read().status, 413);
  EXPECT_TRUE(client.closes());
  RawClient other(address);
  other.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello");
  EXPECT_EQ(other.read().body, "hello");
}

// ---------------------------------------------------------------------------------------------------------------------
// Smuggling

TEST_F(ServerTest, WhateverHasTwoReadingsIsRefusedAndTheConnectionClosed) {
  start();
  const std::string smuggled = get("/hello?smuggled");
  const std::string requests[] = {
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
      "GET /hello HTTP/1.1\nHost: a\n\n",
      "GET /hello HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\nContent-Length: 3\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET /hello HTTP/1.1\r\n\r\n",
      "GET http://a/hello HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /hello#x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /hello\xff HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n",
      "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
      "\r\n\r\n",
      "\r\n\r\n\x00\r\nQUIT\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
  };
  for (const std::string& request : requests) {
    RawClient client(address);
    client.send(request + smuggled);
    bool closed = false;
    const std::string all = client.read_all(closed);
    EXPECT_TRUE(closed) << request;
    EXPECT_THAT(all, StartsWith("HTTP/1.1 400 ")) << request;
    EXPECT_THAT(all, HasSubstr("Connection: close")) << request;
    EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << request;
  }
  EXPECT_EQ(refused("malformed"), std::size(requests));
}

TEST_F(ServerTest, ARefusedHeadIsNotAnsweredByTheRulesOfTheOneBefore) {
  RawClient client(start());
  client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nBAD\n");
  EXPECT_EQ(client.read(true).status, 200);
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("bad_input"));
}

TEST_F(ServerTest, AResetAtEachByteHurtsNobody) {
  start();
  const std::string request = post("/echo", "hello", "Content-Encoding: identity\r\n") + get("/elsewhere");
  for (size_t size = 0; size <= request.size(); ++size) {
    RawClient client(address);
    client.send(request.substr(0, size));
    client.reset();
  }
  EXPECT_EQ(ask(get("/hello")).status, 200);
  EXPECT_TRUE(eventually([&] { return metric("weir_http_connections") == 0; }));
}

// ---------------------------------------------------------------------------------------------------------------------
// Limits

TEST_F(ServerTest, HeadsAndUrlsHaveLimits) {
  options.header_bytes_max = 4096;
  options.target_bytes_max = 1024;
  start();
  EXPECT_EQ(ask(get("/hello", "X: " + std::string(3900, 'x') + "\r\n")).status, 200);
  EXPECT_EQ(ask(get("/hello", "X: " + std::string(4100, 'x') + "\r\n")).status, 431);
  EXPECT_EQ(ask("GET /hello HTTP/1.1\r\nX: " + std::string(5000, 'x')).status, 431);
  std::string many;
  for (int i = 0; i < 500; ++i) many += "a:\r\n";
  EXPECT_EQ(ask(get("/hello", many)).status, 431);
  EXPECT_EQ(ask(get("/hello?" + std::string(1024 - 7, 'x'))).status, 200);
  EXPECT_EQ(ask(get("/hello?" + std::string(1024 - 6, 'x'))).status, 414);
  EXPECT_EQ(ask("GET /" + std::string(3000, 'x')).status, 414);
  EXPECT_EQ(refused("header_size"), 3);
  EXPECT_EQ(refused("url_size"), 2);
}

TEST_F(ServerTest, ABodyOverItsLimitIsRefusedFromTheDeclaredLength) {
  start();
  EXPECT_EQ(ask(post("/echo", std::string(4096, 'x'))).body.size(), 4096U);
  // Early: nothing of the body has been sent.
  const Answer early = ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n");
  EXPECT_EQ(early.status, 413);
  EXPECT_THAT(early.body, HasSubstr("too_large"));
  EXPECT_EQ(ask("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n").status, 413);
  // A small excess is thrown away and the connection goes on.
  RawClient client(address);
  client.send(post("/echo", std::string(60'000, 'x')) + get("/hello"));
  EXPECT_EQ(client.read().status, 413);
  EXPECT_EQ(client.read().status, 200);
  // A large one is not; its sender still gets to read why.
  RawClient large(address);
  large.send(post("/echo", std::string(900'000, 'x')));
  const Answer answer = large.read();
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_EQ(refused("body_size"), 4);
}

TEST_F(ServerTest, AChunkedBodyOverItsLimitIsRefusedFromTheChunksSize) {
  start();
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(ask(head + "1000\r\n" + std::string(4096, 'x') + "\r\n0\r\n\r\n").body.size(), 4096U);
  EXPECT_EQ(ask(head + "1001\r\n").status, 413);
  EXPECT_EQ(ask(head + "fffffffffffffff\r\n").status, 413);
  EXPECT_EQ(ask(head + "1000\r\n" + std::string(4096, 'x') + "\r\n1\r\n").status, 413);
}

TEST_F(ServerTest, BodiesOfAnySizeArriveWhole) {
  router.add(Method::post, "/size", {.body_bytes_max = 4 * MiB}, [](Request& request) -> asio::awaitable<Response> {
    uint64_t sum = 0;
    for (unsigned char c : request.body) sum = sum * 31 + c;
    co_return text(std::to_string(request.body.size()) + " " + std::to_string(sum));
  });
  start();
  RawClient client(address);
  for (size_t size : {size_t{1}, size_t{4000}, size_t{8100}, size_t{8192}, size_t{20'000}, size_t{70'000},
                      size_t{1'000'000}, size_t{4 * MiB}}) {
    std::string body(size, '\0');
    uint64_t sum = 0;
    for (size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 7 + i / 255);
    for (unsigned char c : body) sum = sum * 31 + c;
    const std::string expected = std::to_string(size) + " " + std::to_string(sum);
    client.send(post("/size", body));
    EXPECT_EQ(client.read().body, expected);
    std::string chunked = "POST /size HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (size_t at = 0; at < size; at += 5000) {
      const size_t piece = std::min<size_t>(5000, size - at);
      char line[32];
      std::snprintf(line, sizeof line, "%zx\r\n", piece);
      chunked += line + body.substr(at, piece) + "\r\n";
    }
    client.send(chunked + "0\r\n\r\n");
    EXPECT_EQ(client.read().body, expected);
  }
}

TEST_F(ServerTest, AHeadAsLargeAsAllowedLeavesRoomForAChunkedBody) {
  start();
  RawClient client(address);
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nX: " + std::string(32'000, 'x') +
              "\r\nTransfer-Encoding: chunked\r\n\r\nfa0\r\n" + std::string(4000, 'y') + "\r\n0\r\n\r\n" +
              get("/hello?after"));
  EXPECT_EQ(client.read().body, std::string(4000, 'y'));
  EXPECT_EQ(client.read().body, "hello after");
}

TEST_F(ServerTest, BeyondTheBytesInFlightRequestsAreAnswered503AtOnce) {
  options.in_flight_bytes_max = 1 * MiB;
  options.threads = 1;
  router.add(Method::post, "/hold", {}, [this](Request&) -> asio::awaitable<Response> {
    co_await elsewhere.visit();
    co_return text("held");
  });
  router.add(Method::post, "/inflate", {}, [](Request& request) -> asio::awaitable<Response> {
    co_return text(std::to_string(request.body.size()));
  });
  start();
  elsewhere.hold(true);
  RawClient holder(address);
  holder.send(post("/hold", std::string(900'000, 'x')));
  ASSERT_TRUE(eventually([&] { return elsewhere.waiting() == 1; }));
  // Declared, not sent.
  RawClient client(address);
  client.send("POST /raw HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_GE(std::stoi(answer.headers.at("retry-after")), 5);
  EXPECT_THAT(answer.body, HasSubstr("overloaded"));
  // Chunked: seen as it grows.
  std::string chunked = "POST /raw HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10; ++i) chunked += "8000\r\n" + std::string(0x8000, 'x') + "\r\n";
  EXPECT_EQ(ask(chunked).status, 503);
  // Inflated: likewise.
  EXPECT_EQ(ask(post("/inflate", gzip(std::string(400'000, 'x')), "Content-Encoding: gzip\r\n")).status, 503);
  EXPECT_EQ(ask(post("/raw", "small")).status, 200);
  EXPECT_EQ(refused("overload"), 3);
  elsewhere.hold(false);
  EXPECT_EQ(holder.read().body, "held");
  EXPECT_TRUE(eventually([&] {
    return ask(post("/inflate", gzip(std::string(400'000, 'x')), "Content-Encoding: gzip\r\n")).body == "400000";
  }));
  EXPECT_TRUE(eventually([&] { return ask(post("/raw", std::string(900'000, 'x'))).status == 200; }));
}

TEST_F(ServerTest, BeyondTheMostConnectionsAcceptingPauses) {
  options.connections_max = 2;
  options.threads = 1;
  start();
  auto first = std::make_unique<RawClient>(address);
  RawClient second(address);
  first->send(get("/hello"));
  second.send(get("/hello"));
  EXPECT_EQ(first->read().status, 200);
  EXPECT_EQ(second.read().status, 200);
  RawClient third(address);
  RawClient fourth(address);
  third.send(get("/hello?3"));
  fourth.send(get("/hello?4", "Connection: close\r\n"));
  ASSERT_TRUE(eventually([&] { return refused("connections") == 1; }));
  EXPECT_EQ(metric("weir_http_connections"), 2);
  first.reset();
  EXPECT_EQ(third.read().body, "hello 3");
  second.reset();
  EXPECT_EQ(fourth.read().body, "hello 4");
}

TEST_F(ServerTest, WithoutDescriptorsAcceptingPausesAndRecovers) {
  options.threads = 1;
  start();
  RawClient alive(address);
  alive.send(get("/hello"));
  ASSERT_EQ(alive.read().status, 200);
  // The clients' own descriptors exist before there are none left.
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(std::make_unique<RawClient>(RawClient::Later{}));
  const int next = ::fcntl(0, F_DUPFD_CLOEXEC, 3);
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{static_cast<rlim_t>(next), before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  const auto began = std::chrono::steady_clock::now();
  for (auto& client : clients) {
    client->connect(address);
    client->send(get("/hello"));
  }
  const bool paused = eventually([&] { return refused("descriptors") >= 4; });
  const auto took = std::chrono::steady_clock::now() - began;
  // Those who are in are still served.
  alive.send(get("/hello?alive"));
  const std::string served = alive.read().body;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(paused);
  EXPECT_GE(took, 250ms) << "accepting was tried again and again without a pause";
  EXPECT_EQ(served, "hello alive");
  for (auto& client : clients) EXPECT_EQ(client->read().status, 200);
}

// ---------------------------------------------------------------------------------------------------------------------
// Timeouts

TEST_F(ServerTest, SlowHeadsAreEnded) {
  options.header_timeout = 100ms;
  start();
  RawClient silent(address);
  EXPECT_TRUE(silent.closes());
  RawClient slow(address);
  slow.send("GET /hello HTTP/1.1\r\nHost:");
  EXPECT_EQ(slow.read().status, 408);
  EXPECT_TRUE(slow.closes());
  // A slowloris that sends a byte now and then gains no time by it.
  RawClient dripping(address);
  dripping.send("GET /hello HTTP/1.1\r\n");
  const auto began = std::chrono::steady_clock::now();
  for (int line = 0; line < 400 && !dripping.readable(10ms); ++line) dripping.send("X: y\r\n");
  EXPECT_EQ(dripping.read().status, 408);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
  EXPECT_GE(refused("timeout"), 3);
}

TEST_F(ServerTest, SlowBodiesAreEnded) {
  options.body_timeout = 100ms;
  start();
  for (const char* head :
       {"Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n5\r\nab", "Content-Length: 100\r\n\r\n"}) {
    RawClient client(address);
    client.send(std::string("POST /echo HTTP/1.1\r\nHost: a\r\n") + head);
    EXPECT_EQ(client.read().status, 408) << head;
    EXPECT_TRUE(client.closes());
  }
}

TEST_F(ServerTest, IdleConnectionsAreClosedQuietly) {
  options.idle_timeout = 100ms;
  start();
  RawClient client(address);
  client.send(get("/hello"));
  EXPECT_EQ(client.read().status, 200);
  bool closed = false;
  EXPECT_EQ(client.read_all(closed), "");
  EXPECT_TRUE(closed);
}

TEST_F(ServerTest, AConnectionThatWasIdleForLongStillAnswers) {
  // Longer than it keeps its buffers.
  start();
  RawClient client(address);
  for (int i = 0; i < 2; ++i) {
    client.send(get("/hello?" + std::to_string(i)));
    EXPECT_EQ(client.read().body, "hello " + std::to_string(i));
    ASSERT_FALSE(client.readable(1300ms));
  }
  client.send(get("/hello?2"));
  EXPECT_EQ(client.read().body, "hello 2");
}

TEST_F(ServerTest, APeerThatDoesNotReadIsDropped) {
  options.write_timeout = 100ms;
  start();
  RawClient client(RawClient::Later{});
  client.shrink_window();
  client.connect(address);
  client.send(get("/large"));
  EXPECT_TRUE(eventually([&] { return refused("slow_reader") == 1 && metric("weir_http_connections") == 0; }));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.complete);
}

TEST_F(ServerTest, LargeAnswersArriveWhole) {
  start();
  RawClient client(address);
  client.send(get("/large") + get("/hello"));
  EXPECT_EQ(client.read().body.size(), 8 * MiB);
  EXPECT_EQ(client.read().status, 200);
}

// ---------------------------------------------------------------------------------------------------------------------
// Content codings

TEST_F(ServerTest, BodiesAreInflated) {
  RawClient client(start());
  client.send(post("/echo", gzip("packed text"), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().body, "packed text");
  const std::string text = std::string(90'000, 'a') + "z";
  client.send(post("/echo", gzip(text), "Content-Encoding: x-gzip\r\n"));
  EXPECT_EQ(client.read().body, text);
  client.send(post("/echo", "", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().status, 200);
  client.send(post("/raw", gzip("kept"), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().body, gzip("kept"));
}

TEST_F(ServerTest, LargeBodiesAreInflatedInPieces) {
  router.add(Method::post, "/big", {}, [](Request& request) -> asio::awaitable<Response> {
    co_return text(std::to_string(request.body.size()));
  });
  RawClient client(start());
  client.send(post("/big", gzip(std::string(15 * MiB, 'x')), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().body, std::to_string(15 * MiB));
  client.send(post("/big", gzip(std::string(17 * MiB, 'x')), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().status, 413);
}

TEST_F(ServerTest, BadCodingsAreRefusedAndTheConnectionGoesOn) {
  RawClient client(start());
  client.send(post("/echo", gzip(std::string(100'001, 'x')), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().status, 413);
  client.send(post("/echo", "{}", "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().status, 400);
  client.send(post("/echo", gzip("text").substr(0, 15), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(client.read().status, 400);
  for (const char* coding : {"Content-Encoding: compress\r\n", "Content-Encoding: gzip, gzip\r\n"}) {
    client.send(post("/echo", "x", coding));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 415);
    EXPECT_EQ(answer.headers.at("accept-encoding"), "gzip, deflate, br, zstd");
  }
  client.send(get("/hello"));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(refused("inflated"), 1);
  EXPECT_EQ(refused("coding"), 4);
}

// ---------------------------------------------------------------------------------------------------------------------
// Who asks

TEST_F(ServerTest, CaptureRoutesAnswerAnyOrigin) {
  start();
  const Answer plain = ask(post("/echo", "x", "Origin: https://shop.example\r\n"));
  EXPECT_EQ(plain.headers.at("access-control-allow-origin"), "https://shop.example");
  EXPECT_EQ(plain.headers.at("access-control-allow-credentials"), "true");
  EXPECT_EQ(plain.headers.at("access-control-expose-headers"), "Retry-After");
  EXPECT_EQ(plain.headers.at("vary"), "Origin");
  EXPECT_FALSE(plain.headers.contains("access-control-allow-methods"));
  const Answer null = ask(post("/echo", "x", "Origin: null\r\n"));
  EXPECT_EQ(null.headers.at("access-control-allow-origin"), "null");
  const Answer none = ask(post("/echo", "x"));
  EXPECT_FALSE(none.headers.contains("access-control-allow-origin"));
  EXPECT_EQ(none.headers.at("vary"), "Origin");
  // A browser's SDK has to see errors too.
  const Answer error = ask(post("/echo", std::string(5000, 'x'), "Origin: https://shop.example\r\n"));
  EXPECT_EQ(error.status, 413);
  EXPECT_EQ(error.headers.at("access-control-allow-origin"), "https://shop.example");

  const Answer preflight =
      ask("OPTIONS /echo HTTP/1.1\r\nHost: a\r\nOrigin: https://shop.example\r\nAccess-Control-Request-Method: POST\r\n"
          "Access-Control-Request-Headers: authorization,x-retry-count\r\n\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.headers.at("access-control-allow-origin"), "https://shop.example");
  EXPECT_EQ(preflight.headers.at("access-control-allow-credentials"), "true");
  EXPECT_EQ(preflight.headers.at("access-control-allow-methods"), "GET, POST, OPTIONS");
  EXPECT_EQ(preflight.headers.at("access-control-allow-headers"), "authorization,x-retry-count");
  EXPECT_GE(std::stoi(preflight.headers.at("access-control-max-age")), 600);
}

TEST_F(ServerTest, OtherRoutesAnswerListedOriginsOnly) {
  start();
  EXPECT_EQ(ask(get("/api", "Origin: https://STATS.example\r\n")).headers.at("access-control-allow-origin"),
            "https://STATS.example");
  for (const char* origin : {"https://evil.example", "null", "https://stats.example.evil", "http://stats.example",
                             "https://stats.example:8443"}) {
    const Answer answer = ask(get("/api", std::string("Origin: ") + origin + "\r\n"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_FALSE(answer.headers.contains("access-control-allow-origin")) << origin;
    EXPECT_EQ(answer.headers.at("vary"), "Origin");
    const Answer preflight = ask(std::string("OPTIONS /api HTTP/1.1\r\nHost: a\r\nOrigin: ") + origin + "\r\n\r\n");
    EXPECT_EQ(preflight.status, 204);
    EXPECT_FALSE(preflight.headers.contains("access-control-allow-methods")) << origin;
  }
  const Answer preflight = ask("OPTIONS /api HTTP/1.1\r\nHost: a\r\nOrigin: https://stats.example\r\n\r\n");
  EXPECT_EQ(preflight.headers.at("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  EXPECT_FALSE(ask(get("/hello", "Origin: https://stats.example\r\n")).headers.contains("access-control-allow-origin"));
  EXPECT_EQ(ask("OPTIONS /nothing HTTP/1.1\r\nHost: a\r\nOrigin: x\r\n\r\n").status, 404);
}

TEST_F(ServerTest, ATrustedPeerSaysWhoAsks) {
  start();
  EXPECT_EQ(ask(get("/who")).body, "127.0.0.1");
  EXPECT_EQ(ask(get("/who", "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\nX-Forwarded-Proto: https\r\n")).body,
            "1.2.3.4 https");
}

TEST_F(ServerTest, AnUntrustedPeerDoesNot) {
  options.trusted_proxies = {"10.0.0.0/8"};
  start();
  EXPECT_EQ(ask(get("/who", "X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nX-Forwarded-Proto: https\r\n")).body,
            "127.0.0.1");
}

class UnixSocketTest : public ServerTest {
 protected:
  UnixSocketTest()
      : directory(std::filesystem::path(::testing::TempDir()) / ("weir-http-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(directory);
    path = directory / "weir.sock";
  }
  ~UnixSocketTest() override {
    stop();
    std::filesystem::remove_all(directory);
  }
  Result<> listen_unix() {
    server = std::move(*Server::open(options, clock, registry));
    return server->listen_unix(path, router);
  }
  std::filesystem::path directory;
  std::string path;
};

TEST_F(UnixSocketTest, BelongsToTheOwner) {
  ASSERT_TRUE(listen_unix());
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  server->start();
  RawClient client(path);
  client.send(get("/who", "X-Forwarded-For: 1.2.3.4\r\n"));
  EXPECT_EQ(client.read().body, " owner");
  stop();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(UnixSocketTest, ReplacesAStaleFileButNotALiveOne) {
  ASSERT_TRUE(listen_unix());
  server->start();
  auto first = std::move(server);
  auto second = listen_unix();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  server.reset();
  {
    RawClient client(path);
    client.send(get("/hello"));
    EXPECT_EQ(client.read().status, 200);
  }
  // As after a kill: the file is there, nobody answers.
  std::filesystem::rename(path, path + ".kept");
  first->drain();
  first.reset();
  std::filesystem::rename(path + ".kept", path);
  ASSERT_TRUE(listen_unix());
  server->start();
  RawClient client(path);
  client.send(get("/hello"));
  EXPECT_EQ(client.read().status, 200);
}

TEST_F(UnixSocketTest, NeverReplacesWhatIsNoSocket) {
  std::filesystem::create_directory(path);
  auto result = listen_unix();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kConflict);
  EXPECT_TRUE(std::filesystem::is_directory(path));
  path = directory / std::string(120, 'x');
  EXPECT_EQ(listen_unix().error().code, ErrorCode::kBadInput);
}

// ---------------------------------------------------------------------------------------------------------------------
// Streams

TEST_F(ServerTest, StreamsAreChunked) {
  RawClient client(start());
  client.send(get("/numbers") + get("/hello"));
  const Answer answer = client.read();
  EXPECT_EQ(answer.headers.at("transfer-encoding"), "chunked");
  EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.body, "1\n2\n3\n");
  EXPECT_EQ(client.read().status, 200);
  RawClient old(address);
  old.send("GET /numbers HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Answer plain = old.read();
  EXPECT_EQ(plain.body, "1\n2\n3\n");
  EXPECT_EQ(plain.headers.at("connection"), "close");
  EXPECT_TRUE(plain.complete);
}

TEST_F(ServerTest, AStreamThatFailsIsAnErrorAtFirstAndVisiblyCutOffLater) {
  start();
  const Answer first = ask(get("/fails/first"));
  EXPECT_EQ(first.status, 504);
  EXPECT_THAT(first.body, HasSubstr("too slow"));
  EXPECT_EQ(ask(get("/fails/thrown")).status, 503);
  RawClient client(address);
  client.send(get("/fails/later"));
  const Answer later = client.read();
  EXPECT_EQ(later.status, 200);
  EXPECT_EQ(later.body, "begun");
  EXPECT_FALSE(later.complete);
}

TEST_F(ServerTest, ASlowReaderSlowsTheSource) {
  options.write_timeout = 1s;
  start();
  RawClient client(RawClient::Later{});
  client.shrink_window();
  client.connect(address);
  client.send(get("/endless"));
  EXPECT_TRUE(eventually([&] { return refused("slow_reader") == 1; }));
  // What fits into the kernel's buffers, and no more.
  EXPECT_LT(pieces, 200);
  EXPECT_TRUE(eventually([&] { return streams == 0; }));
}

TEST_F(ServerTest, AVanishedClientEndsItsStream) {
  start();
  {
    RawClient client(address);
    client.send(get("/silent"));
    EXPECT_TRUE(eventually([&] { return streams == 1; }));
  }
  EXPECT_TRUE(eventually([&] { return streams == 0; }));
  RawClient client(address);
  client.send(get("/silent"));
  EXPECT_TRUE(eventually([&] { return streams == 1; }));
  client.reset();
  EXPECT_TRUE(eventually([&] { return streams == 0; }));
  EXPECT_TRUE(eventually([&] { return metric("weir_http_connections") == 0; }));
}

// ---------------------------------------------------------------------------------------------------------------------
// Beginning and end

TEST_F(ServerTest, SaysWhyItCannotListen) {
  start();
  auto other = Server::open(options, clock, registry);
  ASSERT_TRUE(other);
  auto taken = (*other)->listen(address, router);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kConflict);
  EXPECT_THAT(taken.error().message, HasSubstr("--listen"));
  for (const char* bad :
       {"", "8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "::1:8000", "198.51.100.1:8000"}) {
    auto result = (*other)->listen(bad, router);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, ErrorCode::kBadInput) << bad;
  }
  options.trusted_proxies = {"nonsense"};
  EXPECT_FALSE(Server::open(options, clock, registry));
  options.trusted_proxies = {};
  options.origins = {"stats.example"};
  EXPECT_FALSE(Server::open(options, clock, registry));
}

TEST_F(ServerTest, SeveralListenersWithTheirOwnRoutes) {
  Router metrics_only;
  metrics_only.add(Method::get, "/metrics", {},
                   [this](Request&) -> asio::awaitable<Response> { co_return text(registry.text()); });
  server = std::move(*Server::open(options, clock, registry));
  address = *server->listen("127.0.0.1:0", router);
  const std::string other = *server->listen("127.0.0.1:0", metrics_only);
  server->start();
  EXPECT_EQ(ask(get("/metrics")).status, 404);
  EXPECT_EQ(ask(get("/hello")).status, 200);
  std::swap(address, const_cast<std::string&>(other));
  // A connection counts until its coroutine has ended, which may be a moment after its answer.
  EXPECT_TRUE(
      eventually([&] { return ask(get("/metrics")).body.find("weir_http_connections 1\n") != std::string::npos; }));
  EXPECT_EQ(ask(get("/hello")).status, 404);
}

TEST_F(ServerTest, ADrainAnswersWhatIsUnderWayAndClosesTheRest) {
  start();
  elsewhere.hold(true);
  RawClient busy(address);
  busy.send(get("/elsewhere") + get("/hello?too-late"));
  RawClient idle(address);
  idle.send(get("/hello"));
  ASSERT_EQ(idle.read().status, 200);
  RawClient half(address);
  half.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nha");
  ASSERT_TRUE(eventually([&] { return elsewhere.waiting() == 1 && metric("weir_http_connections") == 3; }));

  auto drained = std::async(std::launch::async, [&] { server->drain(); });
  EXPECT_TRUE(idle.closes());
  half.send("lf");
  const Answer answer = half.read();
  EXPECT_EQ(answer.body, "half");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(half.closes());
  EXPECT_EQ(drained.wait_for(0s), std::future_status::timeout);
  elsewhere.hold(false);
  const Answer last = busy.read();
  EXPECT_EQ(last.body, "back");
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(busy.closes());
  drained.get();
  EXPECT_FALSE(RawClient(address).connected());
}

TEST_F(ServerTest, ADrainForcesTheRestInTheEnd) {
  options.drain_timeout = 100ms;
  start();
  RawClient stream(address);
  stream.send(get("/silent"));
  RawClient slow(address);
  slow.send("GET /hello HT");
  ASSERT_TRUE(eventually([&] { return streams == 1 && metric("weir_http_connections") == 2; }));
  server->drain();
  EXPECT_EQ(streams, 0);
  EXPECT_TRUE(stream.closes());
  EXPECT_TRUE(slow.closes());
}

TEST_F(ServerTest, AServerThatNeverStartedEnds) {
  server = std::move(*Server::open(options, clock, registry));
  ASSERT_TRUE(server->listen("127.0.0.1:0", router));
  server->drain();
}

}  // namespace
}  // namespace weir::http
