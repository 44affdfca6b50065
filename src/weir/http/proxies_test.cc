#include "weir/http/proxies.h"

#include <gtest/gtest.h>

namespace weir::http {
namespace {

Address address(std::string_view text) {
  Address out;
  EXPECT_TRUE(parse_address(text, out)) << text;
  return out;
}

TEST(TrustedProxies, MatchesNetworks) {
  const auto proxies = TrustedProxies::parse({"10.0.0.0/8", " 192.0.2.7", "2001:db8::/33", "203.0.113.128/25", ""});
  ASSERT_TRUE(proxies);
  for (const char* text :
       {"10.0.0.1", "10.255.255.255", "::ffff:10.1.1.1", "192.0.2.7", "2001:db8:7fff::1", "203.0.113.128"})
    EXPECT_TRUE(proxies->trusts(address(text))) << text;
  for (const char* text : {"11.0.0.1", "192.0.2.8", "2001:db8:8000::1", "203.0.113.127", "::1", "127.0.0.1"})
    EXPECT_FALSE(proxies->trusts(address(text))) << text;
  EXPECT_TRUE(TrustedProxies::parse({"0.0.0.0/0"})->trusts(address("8.8.8.8")));
  EXPECT_FALSE(TrustedProxies::parse({"0.0.0.0/0"})->trusts(address("2001:db8::1")));
  EXPECT_TRUE(TrustedProxies::parse({"::/0"})->trusts(address("8.8.8.8")));
}

TEST(TrustedProxies, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"10.0.0.0/33", "10.0.0/8", "::1/129", "10.0.0.1/", "10.0.0.1/-1", "proxy.local", "10.0.0.1/8/8"}) {
    const auto proxies = TrustedProxies::parse({text});
    ASSERT_FALSE(proxies) << text;
    EXPECT_NE(proxies.error().message.find(text), std::string::npos);
  }
}

using Headers = std::vector<std::pair<std::string_view, std::string_view>>;

std::string client_of(std::string_view peer, const Headers& headers) {
  static const auto proxies = TrustedProxies::parse({"10.0.0.0/8", "fd00::/8", "127.0.0.1"});
  Request request;
  request.headers = headers;
  return proxies->client(request, address(peer)).text();
}

TEST(TrustedProxies, TheClientIsTheRightMostUntrustedHop) {
  // No header, or nobody to believe.
  EXPECT_EQ(client_of("10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(client_of("198.51.100.9", {{"X-Forwarded-For", "1.2.3.4"}}), "198.51.100.9");
  EXPECT_EQ(client_of("198.51.100.9", {{"Forwarded", "for=1.2.3.4"}}), "198.51.100.9");
  // One proxy; what the client put before is not believed.
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(client_of("::ffff:10.0.0.1", {{"x-forwarded-for", "1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "10.9.9.9, 1.2.3.4"}}), "1.2.3.4");
  // A chain of our own proxies, in one header or several.
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4, 10.0.0.3, 10.0.0.2"}}), "1.2.3.4");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "6.6.6.6, 1.2.3.4"}, {"X-Forwarded-For", "10.0.0.2"}}),
            "1.2.3.4");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "10.0.0.3,10.0.0.2"}}), "10.0.0.3");
  // Garbage ends the walk at the last good hop.
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4, unknown"}}), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4, , 10.0.0.2"}}), "10.0.0.2");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4, fe80::1%eth0"}}), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4\"; rm, 10.0.0.2"}}), "10.0.0.2");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", ""}}), "10.0.0.1");
  // Ways to write an address.
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4:4711"}}), "1.2.3.4");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "1.2.3.4:99999"}}), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "2001:db8::1"}}), "2001:db8::1");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "[2001:db8::1]:443"}}), "2001:db8::1");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "[2001:db8::1"}}), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "[1.2.3.4]"}}), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", "::ffff:1.2.3.4"}}), "1.2.3.4");
  EXPECT_EQ(client_of("fd00::1", {{"X-Forwarded-For", "1.2.3.4, ::ffff:10.0.0.2"}}), "1.2.3.4");
}

TEST(TrustedProxies, ReadsForwardedWhereTheOtherIsAbsent) {
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "for=1.2.3.4;proto=https;by=10.0.0.1"}}), "1.2.3.4");
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "for=6.6.6.6, For=\"[2001:db8::1]:4711\" ; proto=http"}}),
            "2001:db8::1");
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "for=1.2.3.4, for=10.0.0.2"}}), "1.2.3.4");
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "for=\"a,b\";x=1, for=10.0.0.2"}}), "10.0.0.2");
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "for=_hidden"}}), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "for=unknown, for=10.0.0.2"}}), "10.0.0.2");
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "proto=https"}}), "10.0.0.1");
  EXPECT_EQ(client_of("10.0.0.1", {{"Forwarded", "for=6.6.6.6"}, {"X-Forwarded-For", "1.2.3.4"}}), "1.2.3.4");
}

TEST(TrustedProxies, ALongChainIsNotWalkedForEver) {
  std::string chain = "1.2.3.4";
  for (int i = 0; i < 5000; ++i) chain += ",10.0.0.2";
  EXPECT_EQ(client_of("10.0.0.1", {{"X-Forwarded-For", chain}}), "10.0.0.2");
}

TEST(TrustedProxies, TheNearestProxySaysTheScheme) {
  const auto https = [](const Headers& headers) {
    Request request;
    request.headers = headers;
    return TrustedProxies::says_https(request);
  };
  EXPECT_FALSE(https({}));
  EXPECT_TRUE(https({{"X-Forwarded-Proto", "https"}}));
  EXPECT_TRUE(https({{"x-forwarded-proto", "http, HTTPS"}}));
  EXPECT_FALSE(https({{"X-Forwarded-Proto", "https, http"}}));
  EXPECT_FALSE(https({{"X-Forwarded-Proto", "http"}, {"Forwarded", "proto=https"}}));
  EXPECT_TRUE(https({{"Forwarded", "for=1.2.3.4;proto=https"}}));
}

}  // namespace
}  // namespace weir::http
