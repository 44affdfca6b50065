#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/http/testing/server_fixture.h"

namespace weir::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::Answer;
using testing::eventually;
using testing::get;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::post;
using testing::RawClient;
using testing::ServerTest;
using ::testing::StartsWith;
using testing::text;

namespace asio = boost::asio;

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

TEST_F(ServerTest, GuardedPathsCarryTheirHeadersWhateverIsAnswered) {
  router.guard("/g", {{"Cache-Control", "no-store"}, {"X-Frame-Options", "DENY"}});
  router.add(Method::get, "/g/own", {}, [](Request&) -> asio::awaitable<Response> {
    Response response = json_response(200, "{}");
    response.headers.emplace_back("Cache-Control", "max-age=1");
    co_return response;
  });
  router.add(Method::post, "/g/small", {.body_bytes_max = 1}, [](Request&) -> asio::awaitable<Response> {
    throw std::runtime_error("bad luck");
    co_return Response();
  });
  start();
  const std::vector<std::pair<std::string, int>> asked = {
      {get("/g/own"), 200},         {get("/g/nothing"), 404},
      {get("/g/small"), 405},       {post("/g/small", "body"), 413},
      {post("/g/small", "x"), 500}, {"OPTIONS /g/own HTTP/1.1\r\nHost: a\r\n\r\n", 204},
  };
  for (const auto& [request, status] : asked) {
    const Answer answer = ask(request);
    EXPECT_EQ(answer.status, status) << request;
    ASSERT_TRUE(answer.headers.contains("x-frame-options")) << request;
    EXPECT_EQ(answer.headers.at("cache-control"), status == 200 ? "max-age=1" : "no-store") << request;
  }
  // The next request of the connection is looked at anew.
  RawClient client(address);
  client.send("HEAD /g/own HTTP/1.1\r\nHost: a\r\n\r\n" + get("/g/own") + get("/hello"));
  EXPECT_TRUE(client.read(true).headers.contains("x-frame-options"));
  EXPECT_TRUE(client.read().headers.contains("x-frame-options"));
  EXPECT_FALSE(client.read().headers.contains("x-frame-options"));
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

TEST_F(ServerTest, WithoutMemoryTheAnswerIs503) {
  RawClient client(start());
  client.send(get("/hungry"));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.body, HasSubstr("\"overloaded\""));
  EXPECT_TRUE(answer.headers.contains("retry-after"));
  EXPECT_TRUE(client.closes());
  EXPECT_EQ(ask(get("/hello")).status, 200);
  EXPECT_EQ(refused("overload"), 1);
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
      "\r\n\r\n",
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

TEST_F(ServerTest, AProxyProtocolHeaderIsRefusedAlsoFromATrustedPeer) {
  start();
  const std::string v2_signature = "\r\n\r\n\0\r\nQUIT\n"s;
  const std::string v2_tcp4 = v2_signature + "\x21\x11\0\x0c\x01\x02\x03\x04\x7f\0\0\x01\x10\0\0\x50"s;
  const std::string v2_local = v2_signature + "\x20\0\0\0"s;
  for (const std::string& header :
       {std::string("PROXY TCP4 1.2.3.4 127.0.0.1 4096 80\r\n"), std::string("PROXY TCP6 2001:db8::1 ::1 4096 80\r\n"),
        std::string("PROXY UNKNOWN\r\n"), v2_tcp4, v2_local}) {
    RawClient client(address);
    client.send(header + get("/who"));
    bool closed = false;
    const std::string all = client.read_all(closed);
    EXPECT_TRUE(closed) << header;
    EXPECT_THAT(all, StartsWith("HTTP/1.1 400 ")) << header;
    EXPECT_THAT(all, HasSubstr("Connection: close")) << header;
    EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << "the request behind it was answered: " << header;
  }
  EXPECT_EQ(refused("malformed"), 5);
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
