// Limits, slow peers and inflation, over real connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/http/testing/packed.h"
#include "weir/http/testing/server_fixture.h"

namespace weir::http {
namespace {

using namespace std::chrono_literals;
using testing::Answer;
using testing::eventually;
using testing::get;
using ::testing::HasSubstr;
using testing::post;
using testing::RawClient;
using testing::ServerTest;
using testing::text;

namespace asio = boost::asio;

std::string gzip(std::string_view text) { return testing::pack_zlib(text, 15 + 16); }

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

TEST_F(ServerTest, ATenantThatFloodsIsRefusedAtItsShareAndTheOthersAreServed) {
  options.in_flight_bytes_max = 1 * MiB;
  RouteOptions route;
  route.tenant = [](const Request& request) { return std::stoull(std::string(request.header("Tenant"))); };
  router.add(Method::post, "/hold", route, [this](Request&) -> asio::awaitable<Response> {
    co_await elsewhere.visit();
    co_return text("held");
  });
  router.add(Method::post, "/size", route, [](Request& request) -> asio::awaitable<Response> {
    co_return text(std::to_string(request.body.size()));
  });
  start();
  elsewhere.hold(true);
  const std::string body(100'000, 'x');
  const std::string flood = "Tenant: 1\r\n";
  const std::string quiet = "Tenant: 2\r\n";
  // Declared, but for its last byte sent: held.
  std::vector<std::unique_ptr<RawClient>> holders;
  for (bool refused = false; !refused;) {
    ASSERT_LT(holders.size(), 10U);
    holders.push_back(std::make_unique<RawClient>(address));
    const std::string request = post("/size", body, flood);
    holders.back()->send(std::string_view(request).substr(0, request.size() - 1));
    // Only then it is certain that this one is held.
    ASSERT_TRUE(eventually([&] {
      refused = holders.back()->readable(0ms);
      return refused || metric("weir_http_in_flight_bytes") >= static_cast<double>(holders.size() * body.size());
    }));
  }
  EXPECT_GE(holders.size(), 6U) << "refused before it had half";
  const Answer refusal = holders.back()->read();
  EXPECT_EQ(refusal.status, 503);
  EXPECT_GE(std::stoi(refusal.headers.at("retry-after")), 5);
  holders.pop_back();
  // Whole, in chunks and packed: none of the one, all of the other.
  std::string chunks = "Transfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 10; ++i) chunks += "2710\r\n" + std::string(10'000, 'x') + "\r\n";
  chunks += "0\r\n\r\n";
  for (const auto& [tenant, status] : {std::pair{flood, 503}, std::pair{quiet, 200}}) {
    EXPECT_EQ(ask(post("/size", body, tenant)).status, status) << tenant;
    EXPECT_EQ(ask("POST /size HTTP/1.1\r\nHost: a\r\n" + tenant + chunks).status, status) << tenant;
    EXPECT_EQ(ask(post("/size", gzip(body), tenant + "Content-Encoding: gzip\r\n")).status, status) << tenant;
    EXPECT_EQ(ask(post("/size", "small", tenant)).status, 200) << tenant;
  }
  EXPECT_EQ(refused("overload"), 4);
  for (auto& holder : holders) {
    holder->send("x");
    EXPECT_EQ(holder->read().body, "100000");
  }
  EXPECT_TRUE(eventually([&] { return ask(post("/size", body, flood)).status == 200; }));
  EXPECT_TRUE(eventually([&] { return metric("weir_http_in_flight_bytes") == 0; }));
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

}  // namespace
}  // namespace weir::http
