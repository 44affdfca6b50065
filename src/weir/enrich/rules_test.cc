#include "weir/enrich/rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::enrich {
namespace {
using event::Traffic;
using settings::RuleKind;
using settings::RuleLabel;
using settings::TrafficRule;

constexpr ProjectId kWebsite{7};
constexpr ProjectId kApp{8};

Rules rules_of(std::vector<TrafficRule> rules) { return Rules(settings::Snapshot({.rules = std::move(rules)})); }

std::string reason(const Rules& rules, TrafficQuestion question) {
  if (question.project == ProjectId{}) question.project = kWebsite;
  auto verdict = rules.verdict(question);
  return verdict ? std::string(verdict->reason) : "";
}

TEST(Rules, WithoutAnyNothingIsSaid) {
  Rules rules = rules_of({});
  EXPECT_EQ(reason(rules, {.ip = "10.0.0.1", .hostname = "a", .referrer = "b", .path = "/", .user_agent = "c"}), "");
}

TEST(Rules, Addresses) {
  Rules rules = rules_of({{.kind = RuleKind::address, .value = "10.0.0.0/8", .note = "office"},
                          {.kind = RuleKind::address, .value = "2001:db8::/32", .label = RuleLabel::bot},
                          {.kind = RuleKind::address, .value = "192.0.2.7"}});
  for (const char* ip : {"10.0.0.1", "10.255.255.255", "::ffff:10.1.2.3"})
    EXPECT_EQ(reason(rules, {.ip = ip}), "rule: address 10.0.0.0/8 (office)") << ip;
  EXPECT_EQ(reason(rules, {.ip = "2001:db8:1::1"}), "rule: address 2001:db8::/32");
  EXPECT_EQ(rules.verdict({.project = kApp, .ip = "2001:db8::1"})->traffic, Traffic::bot);
  EXPECT_EQ(rules.verdict({.project = kApp, .ip = "192.0.2.7"})->traffic, Traffic::internal);
  for (const char* ip : {"", "11.0.0.1", "192.0.2.8", "2001:db9::1", "::10.0.0.1", "office", "10.0.0.1.", "10.0.0.0/8"})
    EXPECT_EQ(reason(rules, {.ip = ip}), "") << ip;
}

TEST(Rules, Hostnames) {
  Rules rules = rules_of({{.kind = RuleKind::hostname, .value = "staging.example.com"},
                          {.kind = RuleKind::hostname, .value = "*.test.example"},
                          {.kind = RuleKind::hostname, .value = "localhost"}});
  for (const char* host : {"staging.example.com", "a.test.example", "a.b.test.example", "localhost"})
    EXPECT_NE(reason(rules, {.hostname = host}), "") << host;
  for (const char* host : {"", "www.staging.example.com", "test.example", "atest.example", ".com", "localhost.example"})
    EXPECT_EQ(reason(rules, {.hostname = host}), "") << host;
}

TEST(Rules, Referrers) {
  Rules rules = rules_of({{.kind = RuleKind::referrer, .value = "spam.example", .label = RuleLabel::spam}});
  for (const char* referrer : {"https://spam.example", "http://WWW.Spam.example:80/x?y", "//a.b.spam.example/"})
    EXPECT_EQ(reason(rules, {.referrer = referrer}), "rule: referrer spam.example") << referrer;
  for (const char* referrer : {"", "https://notspam.example/", "https://spam.example.com/",
                               "https://a.com/spam.example", "https://a.com/?u=https://spam.example/"})
    EXPECT_EQ(reason(rules, {.referrer = referrer}), "") << referrer;
  EXPECT_EQ(rules.verdict({.project = kWebsite, .referrer = "https://spam.example"})->traffic, Traffic::spam);
}

TEST(Rules, Paths) {
  auto fits = [](std::string value, std::string_view path) {
    return !reason(rules_of({{.kind = RuleKind::path, .value = std::move(value)}}), {.path = path}).empty();
  };
  for (const char* path : {"/admin", "/admin/", "/admin/users/7"}) {
    EXPECT_TRUE(fits("/admin", path)) << path;
    EXPECT_TRUE(fits("/admin/", path)) << path;
  }
  for (const char* path : {"", "/", "/administrator", "/Admin", "/x/admin"}) EXPECT_FALSE(fits("/admin", path)) << path;
  EXPECT_TRUE(fits("/", "/x"));
  EXPECT_TRUE(fits("/admin*", "/administrator"));
  EXPECT_TRUE(fits("*/admin/*", "/x/admin/y"));
  EXPECT_FALSE(fits("*/admin/*", "/x/admin"));
  EXPECT_TRUE(fits("/*/edit", "/posts/7/edit"));
  EXPECT_FALSE(fits("/*/edit", "/posts/7/edit/x"));
  EXPECT_TRUE(fits("/a*b*c", "/aXbXbXc"));
  EXPECT_TRUE(fits("*", "/anything"));
  EXPECT_FALSE(fits("*a*a*a*a*b", "/" + std::string(8'000, 'a')));
  EXPECT_TRUE(fits("**/b", "/a/b"));
  EXPECT_TRUE(fits("/a*a", "/aa"));
  EXPECT_FALSE(fits("/a*a", "/a"));
  EXPECT_FALSE(fits("/a*ab*bc", "/abc"));
}

TEST(Rules, UserAgents) {
  Rules rules = rules_of({{.kind = RuleKind::user_agent, .value = "OurMonitor/", .label = RuleLabel::bot}});
  EXPECT_EQ(reason(rules, {.user_agent = "Mozilla/5.0 (OurMonitor/1.2)"}), "rule: user_agent OurMonitor/");
  EXPECT_EQ(reason(rules, {.user_agent = "Mozilla/5.0 (ourmonitor/1.2)"}), "");
  EXPECT_EQ(reason(rules, {}), "");
}

// Looked for all at once when they are many: at any place, made of usual text or not, short ones among them or none.
TEST(Rules, ManyUserAgents) {
  for (bool short_ones : {false, true}) {
    std::vector<std::string> values = {"HeadlessChrome", "UptimeRobot",     "Mozilla/4",
                                       "curl/",          "Pingdom\xc3\xa4", "Win64; x86"};
    if (short_ones) values.insert(values.end(), {"bot", "0.0"});
    std::vector<TrafficRule> made;
    for (const std::string& value : values) made.push_back({.kind = RuleKind::user_agent, .value = value});
    Rules rules = rules_of(made);
    for (const std::string& value : values) {
      for (size_t before = 0; before < 9; ++before) {
        std::string agent = std::string(before, '-') + value;
        EXPECT_EQ(reason(rules, {.user_agent = agent}), "rule: user_agent " + value) << agent;
        EXPECT_EQ(reason(rules, {.user_agent = agent + " x"}), "rule: user_agent " + value) << agent;
        agent.pop_back();
        EXPECT_EQ(reason(rules, {.user_agent = agent}), "") << agent;
      }
    }
  }
}

TEST(Rules, TheProjectsOwnGoFirstAndThenTheOldest) {
  Rules rules = rules_of({{.kind = RuleKind::path, .value = "/a", .note = "all, old"},
                          {.kind = RuleKind::path, .value = "/a/b", .note = "all, new"},
                          {.project = kWebsite, .kind = RuleKind::user_agent, .value = "curl", .note = "own"},
                          {.project = kWebsite, .kind = RuleKind::path, .value = "/a/b", .note = "own, later"}});
  EXPECT_EQ(reason(rules, {.path = "/a/b"}), "rule: path /a/b (own, later)");
  EXPECT_EQ(reason(rules, {.path = "/a/b", .user_agent = "curl/8"}), "rule: user_agent curl (own)");
  EXPECT_EQ(reason(rules, {.path = "/a/c"}), "rule: path /a (all, old)");
  // Between networks and others, too.
  Rules both = rules_of({{.kind = RuleKind::path, .value = "/a"},
                         {.kind = RuleKind::address, .value = "10.0.0.0/8"},
                         {.kind = RuleKind::address, .value = "10.0.0.1"},
                         {.kind = RuleKind::path, .value = "/b"}});
  EXPECT_EQ(reason(both, {.ip = "10.0.0.1", .path = "/a"}), "rule: path /a");
  EXPECT_EQ(reason(both, {.ip = "10.0.0.1", .path = "/b"}), "rule: address 10.0.0.0/8");
  EXPECT_EQ(reason(rules, {.project = kApp, .path = "/a/b", .user_agent = "curl/8"}), "rule: path /a (all, old)");
}

}  // namespace
}  // namespace weir::enrich
