#include "weir/transfer/line_event.h"

#include <gtest/gtest.h>

namespace weir::transfer {
namespace {

class LineEventsOf : public ::testing::Test {
 protected:
  const event::Event& of(std::string_view line, KeepUser keep = KeepUser::no) {
    text_.assign(line);
    LogLine parsed;
    EXPECT_EQ(parse_line(text_, LogFormat::automatic, parsed), LineFault::none) << line;
    LineRules rules;
    rules.keep_user = keep;
    return events_.make(parsed, rules);
  }
  const event::Event& of_request(std::string_view request, int status = 200, std::string_view referrer = "-") {
    return of("192.0.2.1 - ann [10/Feb/2012:16:42:07 -0500] \"" + std::string(request) + "\" " +
              std::to_string(status) + " 368 \"" + std::string(referrer) + "\" \"M\"");
  }

  std::string text_;
  LineEvents events_;
};

TEST_F(LineEventsOf, APageview) {
  const event::Event& e = of_request("GET /a?utm_source=x&b=%20 HTTP/1.1", 200, "https://r.example/");
  EXPECT_EQ(e.kind, event::Kind::pageview);
  EXPECT_EQ(e.name, "pageview");
  EXPECT_EQ(e.path, "/a");
  EXPECT_EQ(e.url, "/a?utm_source=x&b=%20");
  EXPECT_EQ(e.hostname, "");
  EXPECT_EQ(e.referrer, "https://r.example/");
  EXPECT_EQ(e.client_time, "10/Feb/2012:16:42:07 -0500");
  EXPECT_EQ(format_rfc3339(e.time), "2012-02-10T21:42:07.000Z");
  EXPECT_EQ(e.time_rule, event::TimeRule::client);
  EXPECT_EQ(e.protocol, "access-log");
  EXPECT_EQ(e.properties, R"({"status":200,"method":"GET","bytes":368,"query":"utm_source=x&b=%20"})");
  EXPECT_EQ(e.title, "");
  EXPECT_EQ(e.user_id, "");
}

TEST_F(LineEventsOf, WhatCountsAsAPageview) {
  EXPECT_EQ(of_request("GET / HTTP/1.1", 304).kind, event::Kind::pageview);
  EXPECT_EQ(of_request("GET / HTTP/1.1", 206).kind, event::Kind::pageview);
  EXPECT_EQ(of_request("GET /").kind, event::Kind::pageview);
  for (int status : {301, 302, 400, 404, 500, 199, 100}) {
    EXPECT_EQ(of_request("GET / HTTP/1.1", status).kind, event::Kind::event) << status;
    EXPECT_EQ(of_request("GET / HTTP/1.1", status).name, "request");
  }
  for (const char* request : {"POST / HTTP/1.1", "HEAD / HTTP/1.1", "get / HTTP/1.1", "GET /style.css HTTP/1.1",
                              "OPTIONS * HTTP/1.1", "-", "\\x16\\x03\\x01"})
    EXPECT_EQ(of_request(request).name, "request") << request;
}

TEST_F(LineEventsOf, AWholeUrlGivesTheHostname) {
  const event::Event& e = of_request("GET http://shop.example:8080/list?page=2 HTTP/1.1");
  EXPECT_EQ(e.hostname, "shop.example");
  EXPECT_EQ(e.path, "/list");
  EXPECT_EQ(e.url, "http://shop.example:8080/list?page=2");
  EXPECT_EQ(of_request("GET https://shop.example HTTP/1.1").path, "/");
}

TEST_F(LineEventsOf, ADoubleSlashIsNoHost) {
  const event::Event& e = of_request("GET //double/slash?x=1 HTTP/1.1");
  EXPECT_EQ(e.path, "//double/slash");
  EXPECT_EQ(e.url, "?x=1");
  EXPECT_EQ(e.hostname, "");
}

TEST_F(LineEventsOf, FragmentsBelongToNeither) {
  const event::Event& e = of_request("GET /a?b=c#frag HTTP/1.1");
  EXPECT_EQ(e.path, "/a");
  EXPECT_EQ(e.properties, R"({"status":200,"method":"GET","bytes":368,"query":"b=c"})");
  EXPECT_EQ(of_request("GET /a#b?c HTTP/1.1").path, "/a");
  EXPECT_EQ(of_request("GET /a#b?c HTTP/1.1").url, "");
}

TEST_F(LineEventsOf, WhatIsNoHttpIsKeptAsWritten) {
  const event::Event& e = of_request(R"(\x16\x03\x01\x22)", 400);
  EXPECT_EQ(e.path, "");
  EXPECT_EQ(e.properties, R"({"status":400,"bytes":368,"request":"\\x16\\x03\\x01\\x22"})");
  EXPECT_EQ(of_request("-", 408).properties, R"({"status":408,"bytes":368})");
}

TEST_F(LineEventsOf, EscapesAreUndone) {
  const event::Event& e = of_request(R"(GET /caf\xC3\xA9?q=\"x\" HTTP/1.1)", 200, R"(http://r/\xE9)");
  EXPECT_EQ(e.path, "/café");
  EXPECT_EQ(e.properties, R"({"status":200,"method":"GET","bytes":368,"query":"q=\"x\""})");
  EXPECT_EQ(e.referrer, "http://r/\xEF\xBF\xBD");
}

TEST_F(LineEventsOf, TheUserIsKeptOnlyWhenAskedFor) {
  std::string line = R"(192.0.2.1 - ann lee [10/Feb/2012:16:42:07 -0500] "GET / HTTP/1.1" 200 1)";
  EXPECT_EQ(of(line).user_id, "");
  EXPECT_EQ(of(line, KeepUser::yes).user_id, "ann lee");
}

TEST_F(LineEventsOf, NothingIsLeftOfTheLineBefore) {
  of_request("GET http://h.example/a?b HTTP/1.1", 200, "https://r.example/");
  const event::Event& e = of_request("-", 408);
  EXPECT_EQ(e.url, "");
  EXPECT_EQ(e.hostname, "");
  EXPECT_EQ(e.path, "");
  EXPECT_EQ(e.referrer, "");
}

class HostOf : public ::testing::Test {
 protected:
  const event::Event& of(std::string_view host, std::string_view scheme, std::string_view request) {
    LogLine line;
    line.host = host;
    line.scheme = scheme;
    line.request = request;
    line.status = 200;
    line.is_decoded = true;
    return events_.make(line, {});
  }
  LineEvents events_;
};

TEST_F(HostOf, FillsHostnameAndUrl) {
  const event::Event& e = of("Shop.Example.:8443", "https", "GET /a?utm_source=x HTTP/1.1");
  EXPECT_EQ(e.hostname, "shop.example");
  EXPECT_EQ(e.url, "https://shop.example/a?utm_source=x");
  EXPECT_EQ(e.path, "/a");
  EXPECT_EQ(of("shop.example", "", "GET / HTTP/1.1").url, "//shop.example/");
  EXPECT_EQ(of("[2001:DB8::1]:80", "http", "GET / HTTP/1.1").url, "http://[2001:db8::1]/");
  EXPECT_EQ(of("2001:db8::1", "http", "GET / HTTP/1.1").hostname, "2001:db8::1");
  EXPECT_EQ(of("shop.example", "https", "GET //x?a HTTP/1.1").url, "https://shop.example//x?a");
}

TEST_F(HostOf, AWholeUrlInTheRequestKnowsBetter) {
  EXPECT_EQ(of("front.example", "https", "GET http://shop.example/a HTTP/1.1").hostname, "shop.example");
}

TEST_F(HostOf, WhatIsNoHostGivesNone) {
  for (std::string_view host :
       {"", "-", "_", "*", "a b", "a/b", "[", "[]", ":80", "\xC3\xA9.example", "a\"b", "..", "%41", "x:y:z"}) {
    const event::Event& e = of(host, "https", "GET /a HTTP/1.1");
    EXPECT_EQ(e.hostname, "") << host;
    EXPECT_EQ(e.url, "") << host;
  }
  EXPECT_EQ(of(std::string(254, 'a'), "https", "GET /a HTTP/1.1").hostname, "");
  EXPECT_EQ(of("shop.example", "https", "OPTIONS * HTTP/1.1").url, "");
}

TEST(LineEvents, TheSitesOwnHostIsThatOfLinesThatNameNone) {
  LineEvents events;
  LineRules rules;
  rules.hostname = hostname_of("WWW.Shop.Example.:443");
  EXPECT_EQ(rules.hostname, "www.shop.example");
  EXPECT_EQ(hostname_of("_"), "");
  EXPECT_EQ(hostname_of("a b"), "");
  auto of = [&](std::string_view host, std::string_view request) -> const event::Event& {
    LogLine line;
    line.host = host;
    line.request = request;
    line.status = 200;
    return events.make(line, rules);
  };
  EXPECT_EQ(of("", "GET /a?b=1 HTTP/1.1").hostname, "www.shop.example");
  EXPECT_EQ(of("", "GET /a?b=1 HTTP/1.1").url, "//www.shop.example/a?b=1");
  EXPECT_EQ(of("_", "GET /a HTTP/1.1").hostname, "www.shop.example");
  EXPECT_EQ(of("blog.example", "GET /a HTTP/1.1").hostname, "blog.example");
  EXPECT_EQ(of("", "GET http://other.example/a HTTP/1.1").hostname, "other.example");
}

class RulesOf : public ::testing::Test {
 protected:
  // The event's name, or the skip's.
  std::string of(std::string_view request, uint16_t status, const LineRules& rules) {
    LogLine line;
    line.request = request;
    line.status = status;
    std::string name(events_.make(line, rules).name);
    auto skip = events_.skip(rules);
    return skip ? "skip " + std::string(name_of(*skip)) : name;
  }
  LineEvents events_;
};

TEST_F(RulesOf, AssetsAreKeptMarkedOrSkipped) {
  for (auto [assets, name] :
       {std::pair{Assets::keep, "request"}, {Assets::mark, "asset"}, {Assets::skip, "skip asset"}}) {
    LineRules rules;
    rules.assets = assets;
    EXPECT_EQ(of("GET /a.css HTTP/1.1", 200, rules), name);
    EXPECT_EQ(of("GET /a.css?v=3 HTTP/1.1", 304, rules), name);
    EXPECT_EQ(of("HEAD /a.png HTTP/1.1", 404, rules), name);
    EXPECT_EQ(of("GET / HTTP/1.1", 200, rules), "pageview");
    for (std::string_view other : {"POST /a.css HTTP/1.1", "GET /feed.xml HTTP/1.1", "GET /manual.pdf HTTP/1.1", "-"})
      EXPECT_EQ(of(other, 200, rules), "request") << other;
  }
}

TEST_F(RulesOf, PagesOnlySaysWhyItLeavesOut) {
  LineRules rules;
  rules.pages_only = true;
  EXPECT_EQ(of("GET /a HTTP/1.1", 200, rules), "pageview");
  EXPECT_EQ(of("GET /a HTTP/1.1", 304, rules), "pageview");
  EXPECT_EQ(of("GET /a.js HTTP/1.1", 200, rules), "skip asset");
  EXPECT_EQ(of("GET /a.js HTTP/1.1", 404, rules), "skip asset");
  EXPECT_EQ(of("GET /a HTTP/1.1", 301, rules), "skip redirect");
  EXPECT_EQ(of("GET /a HTTP/1.1", 404, rules), "skip error");
  EXPECT_EQ(of("POST /a HTTP/1.1", 500, rules), "skip error");
  EXPECT_EQ(of("\\x16\\x03", 400, rules), "skip error");
  EXPECT_EQ(of("POST /a HTTP/1.1", 200, rules), "skip not_page");
  EXPECT_EQ(of("GET /feed.xml HTTP/1.1", 304, rules), "skip not_page");
}

TEST(AssetsNames, AreRead) {
  Assets assets = Assets::keep;
  EXPECT_TRUE(parse_assets("skip", assets));
  EXPECT_EQ(assets, Assets::skip);
  EXPECT_FALSE(parse_assets("drop", assets));
}

}  // namespace
}  // namespace weir::transfer
