#include "weir/http/head.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::http {
namespace {

HeadScanner::Found scan_whole(std::string_view bytes) { return HeadScanner().scan(bytes); }

// ok, or why not.
std::string verdict(std::string_view head) {
  HeadScanner scanner;
  const auto found = scanner.scan(head);
  if (found == HeadScanner::Found::more) return "more";
  if (found == HeadScanner::Found::bad) return "bad scan";
  Request request;
  Framing framing;
  std::string_view reason;
  if (parse_head(head.substr(0, scanner.size()), request, framing, reason) == HeadVerdict::ok) return "ok";
  return std::string(reason);
}

TEST(HeadScanner, FindsTheEndHoweverTheBytesArrive) {
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
  const std::string all = head + "abc";
  for (size_t step = 1; step <= all.size(); ++step) {
    HeadScanner scanner;
    HeadScanner::Found found = HeadScanner::Found::more;
    for (size_t size = step; found == HeadScanner::Found::more; size += step)
      found = scanner.scan(std::string_view(all).substr(0, size));
    EXPECT_EQ(found, HeadScanner::Found::head);
    EXPECT_EQ(scanner.size(), head.size());
  }
}

TEST(HeadScanner, RefusesWhatNoLaterByteCanRepair) {
  using enum HeadScanner::Found;
  EXPECT_EQ(scan_whole("GET / HTTP/1.1\nHost: a\r\n"), bad);
  EXPECT_EQ(scan_whole("GET / HTTP/1.1\r\nHost: a\n"), bad);
  EXPECT_EQ(scan_whole("GET / HTTP/1.1\r\n Host: a"), bad);
  EXPECT_EQ(scan_whole("GET / HTTP/1.1\r\nA: b\r\n\tc"), bad);
  EXPECT_EQ(scan_whole("\x16\x03\x01\x02"), bad);  // TLS on the plain port
  EXPECT_EQ(scan_whole("\n"), bad);
  EXPECT_EQ(scan_whole(" GET"), bad);
  EXPECT_EQ(scan_whole(""), more);
  EXPECT_EQ(scan_whole("GE"), more);
  EXPECT_EQ(scan_whole("GET / HTTP/1.1\r\n"), more);
  EXPECT_EQ(scan_whole("GET / HTTP/1.1\r\n\r"), more);
}

TEST(ParseHead, ReadsARequest) {
  const std::string head =
      "POST /v1/events?app=a%20b HTTP/1.1\r\nHost: stats.example:8000\r\nX-App:  web \r\nContent-Length: 12\r\n\r\n";
  Request request;
  Framing framing;
  std::string_view reason;
  ASSERT_EQ(parse_head(head, request, framing, reason), HeadVerdict::ok) << reason;
  EXPECT_EQ(request.method, Method::post);
  EXPECT_EQ(request.target, "/v1/events?app=a%20b");
  EXPECT_EQ(request.path, "/v1/events");
  EXPECT_EQ(request.query, "app=a%20b");
  EXPECT_EQ(request.header("x-APP"), "web");
  EXPECT_EQ(request.header("absent"), "");
  EXPECT_EQ(request.headers.size(), 3U);
  EXPECT_EQ(framing.content_length, 12U);
  EXPECT_TRUE(framing.has_body());
  EXPECT_TRUE(framing.keep_alive);
  EXPECT_FALSE(framing.chunked);
}

TEST(ParseHead, KnowsWhoKeepsTheConnection) {
  struct Case {
    const char* lines;
    bool keep;
  };
  for (const Case& c :
       {Case{"HTTP/1.1\r\nHost: a\r\n", true}, Case{"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", false},
        Case{"HTTP/1.1\r\nHost: a\r\nConnection: TE, Close\r\n", false}, Case{"HTTP/1.0\r\n", false},
        Case{"HTTP/1.0\r\nConnection: keep-alive\r\n", true},
        Case{"HTTP/1.0\r\nConnection: keep-alive, close\r\n", false}}) {
    Request request;
    Framing framing;
    std::string_view reason;
    const std::string head = std::string("GET / ") + c.lines + "\r\n";
    ASSERT_EQ(parse_head(head, request, framing, reason), HeadVerdict::ok) << c.lines << reason;
    EXPECT_EQ(framing.keep_alive, c.keep) << c.lines;
  }
}

TEST(ParseHead, RefusesWhateverHasTwoReadings) {
  using namespace std::string_literals;
  const std::string_view bad_lines[] = {
      // Two ways to tell where the body ends.
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length:\r\n",
      "Content-Length: \r\n",
      "Content-Length: +5\r\n",
      "Content-Length: -5\r\n",
      "Content-Length: 5 5\r\n",
      "Content-Length: 0x5\r\n",
      "Content-Length: 5.0\r\n",
      "Content-Length: 99999999999999999999999\r\n",
      "Content-Length: 18446744073709551616\r\n",
      // Transfer-Encoding in disguise.
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding: chunked, chunked\r\n",
      "Transfer-Encoding: gzip, chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: \"chunked\"\r\n",
      "Transfer-Encoding: chunked;q=1\r\n",
      "Transfer-Encoding:\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
      "Transfer-Encoding : chunked\r\n",
      "Transfer-Encoding\t: chunked\r\n",
      "Transfer-Encoding: \013chunked\r\n",
      " Transfer-Encoding: chunked\r\n",
      "A: b\r\n Transfer-Encoding: chunked\r\n",
      "Transfer-Encoding:\r\n chunked\r\n",
      // Names and lines.
      ": empty\r\n",
      "no colon\r\n",
      "Na me: x\r\n",
      "Na(me: x\r\n",
      "Caf\xc3\xa9: x\r\n",
      "A: b\rc\r\n",
      "A: b\nC: d\r\n",
      "A: b\r\r\n",
      "A: \x01\r\n",
      "A: b\x7f\r\n",
      "Host: b\r\n",
      "Origin: a\r\nOrigin: b\r\n",
      "Content-Type: a\r\nContent-Type: b\r\n",
      "Authorization: a\r\nAuthorization: b\r\n",
      "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n",
      "Expect: 200-ok\r\n",
  };
  for (std::string_view lines : bad_lines)
    EXPECT_NE(verdict("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(lines) + "\r\n"), "ok") << lines;
  EXPECT_NE(verdict("GET / HTTP/1.1\r\nHost: a\r\nA: b\0c\r\n\r\n"s), "ok");
  EXPECT_NE(verdict("GET / HTTP/1.1\r\nHost: a\r\nA\0: b\r\n\r\n"s), "ok");
  EXPECT_NE(verdict("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s), "ok");
}

TEST(ParseHead, RefusesOddRequestLinesAndHosts) {
  for (const char* head : {
           "GET http://other/ HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /#part HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET /\tx HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
           "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
           "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
           "GET / http/1.1\r\nHost: a\r\n\r\n",
           "GET /\r\n\r\n",
           "G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n",
           "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
           "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nHost:\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: u@b\r\n\r\n",
           "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       })
    EXPECT_NE(verdict(head), "ok") << head;
}

TEST(ParseHead, TakesWhatIsUnusualButPlain) {
  for (const char* head : {
           "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
           "GET /a?b=\"c\"|{d} HTTP/1.1\r\nHost: a\r\n\r\n",
           "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.0\r\n\r\n",
           "BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nX-Name: caf\xc3\xa9\r\n\r\n",
           "GET / HTTP/1.1\r\nHost: a\r\nEmpty:\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n",
           "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n",
       })
    EXPECT_EQ(verdict(head), "ok") << head;
}

TEST(ParseHead, CountsFields) {
  std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (size_t i = 1; i < kHeadersMax; ++i) head += "a: b\r\n";
  EXPECT_EQ(verdict(head + "\r\n"), "ok");
  EXPECT_EQ(verdict(head + "a: b\r\n\r\n"), "too many headers");
}

}  // namespace
}  // namespace weir::http
