#include "weir/http/message.h"

#include <gtest/gtest.h>

#include "weir/http/answer.h"
#include "weir/http/router.h"

namespace weir::http {
namespace {

std::string parameter(std::string_view query, std::string_view name) {
  std::string value = "(unset)";
  return query_parameter(query, name, value) ? value : "(absent)";
}

TEST(QueryParameter, DecodesAndTakesTheFirst) {
  EXPECT_EQ(parameter("app=web", "app"), "web");
  EXPECT_EQ(parameter("a=1&app=b%20c+d&app=2", "app"), "b c d");
  EXPECT_EQ(parameter("app", "app"), "");
  EXPECT_EQ(parameter("app=", "app"), "");
  EXPECT_EQ(parameter("app=a=b", "app"), "a=b");
  EXPECT_EQ(parameter("a%70p=x", "app"), "x");
  EXPECT_EQ(parameter("%zz=1&app=%zz%4", "app"), "%zz%4");
  EXPECT_EQ(parameter("app=%00", "app"), std::string("\0", 1));
  EXPECT_EQ(parameter("", "app"), "(absent)");
  EXPECT_EQ(parameter("&&&", "app"), "(absent)");
  EXPECT_EQ(parameter("apps=1&ap=2", "app"), "(absent)");
}

TEST(ErrorResponse, HasOneShape) {
  const Response response = error_response(Error{ErrorCode::kNotFound, "collect: project: no \"x\""});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(response.body, R"({"error":{"code":"not_found","message":"collect: project: no \"x\""}})");
  EXPECT_TRUE(response.headers.empty());
}

TEST(ErrorResponse, SaysWhenToComeBack) {
  bool different = false;
  std::string first;
  for (int i = 0; i < 100; ++i) {
    const Response response = error_response(Error{ErrorCode::kOverloaded, "full"});
    EXPECT_EQ(response.status, 503);
    ASSERT_EQ(response.headers.size(), 1U);
    EXPECT_EQ(response.headers[0].first, "Retry-After");
    const int seconds = std::stoi(response.headers[0].second);
    EXPECT_GE(seconds, 5);
    EXPECT_LE(seconds, 30);
    if (first.empty()) first = response.headers[0].second;
    different = different || first != response.headers[0].second;
  }
  EXPECT_TRUE(different);
  EXPECT_EQ(error_response(Error{ErrorCode::kLimited, ""}).headers.size(), 1U);
  EXPECT_EQ(error_response(Error{ErrorCode::kTooLarge, ""}).headers.size(), 0U);
}

TEST(ErrorResponse, IsValidJsonWhateverTheMessage) {
  const Response response =
      error_response(Error{ErrorCode::kBadInput, "a\xff\xc0\xaf\xed\xa0\x80z\xe2\x82\xac\xf0\x9f\x98\x80\n"});
  const std::string r = "\xEF\xBF\xBD";
  EXPECT_EQ(response.body, R"({"error":{"code":"bad_input","message":"a)" + r + r + r + r + r + r +
                               "z\xe2\x82\xac\xf0\x9f\x98\x80\\n\"}}");
}

TEST(Answer, DatesAreHttps) {
  EXPECT_EQ(format_http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_http_date(784111777000), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(1709251199999), "Thu, 29 Feb 2024 23:59:59 GMT");
}

TEST(Answer, AHandlersValueCannotBeginAnotherHeader) {
  Response response;
  response.headers.emplace_back("Location", "/a\r\nSet-Cookie: x=y");
  response.content_type = "text/plain\n\nx";
  std::string head;
  append_head(head, response, "now");
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nDate: now\r\nLocation: /a  Set-Cookie: x=y\r\nContent-Type: text/plain  x\r\n");
}

Handler handler() {
  return [](Request&) -> boost::asio::awaitable<Response> { co_return Response(); };
}

TEST(Router, FindsTheBestMatch) {
  Router router;
  router.add(Method::get, "/", {}, handler());
  router.add(Method::post, "/", {}, handler());
  router.add(Method::get, "/ui/*", {}, handler());
  router.add(Method::get, "/ui/api/*", {}, handler());
  router.add(Method::post, "/ui/api/login", {}, handler());
  std::string allowed = "x";
  const auto path_of = [&](Method method, std::string_view path) {
    const Route* route = router.find(method, path, allowed);
    return route == nullptr ? "none" : route->path;
  };
  EXPECT_EQ(path_of(Method::get, "/"), "/");
  EXPECT_EQ(allowed, "");
  EXPECT_EQ(path_of(Method::head, "/"), "/");
  EXPECT_EQ(path_of(Method::post, "/"), "/");
  EXPECT_EQ(path_of(Method::get, "/ui/"), "/ui/*");
  EXPECT_EQ(path_of(Method::get, "/ui/a/b.js"), "/ui/*");
  EXPECT_EQ(path_of(Method::get, "/ui/api/x"), "/ui/api/*");
  EXPECT_EQ(path_of(Method::post, "/ui/api/login"), "/ui/api/login");
  // The exact path has no GET, a prefix above it has.
  EXPECT_EQ(path_of(Method::get, "/ui/api/login"), "/ui/api/*");

  EXPECT_EQ(path_of(Method::get, "/ui"), "none");
  EXPECT_EQ(allowed, "");
  EXPECT_EQ(path_of(Method::get, "/uix/"), "none");
  EXPECT_EQ(path_of(Method::get, ""), "none");
  EXPECT_EQ(path_of(Method::put, "/"), "none");
  EXPECT_EQ(allowed, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(path_of(Method::put, "/ui/api/login"), "none");
  EXPECT_EQ(allowed, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(path_of(Method::other, "/ui/x"), "none");
  EXPECT_EQ(allowed, "GET, HEAD, OPTIONS");
  EXPECT_EQ(router.any_of("/nothing"), nullptr);
  EXPECT_EQ(router.any_of("/ui/x")->path, "/ui/*");
}

}  // namespace
}  // namespace weir::http
