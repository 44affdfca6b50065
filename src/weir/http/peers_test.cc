// Who asks and how they are answered: origins, proxies, the owner's socket, streams.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace weir::http
