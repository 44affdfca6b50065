#include "weir/enrich/user_agent_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weir/enrich/testing/user_agent_data.h"

namespace weir::enrich {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::unique_ptr<UserAgentRules> loaded(std::string_view regexes, std::string_view overlay = {}) {
  auto rules = UserAgentRules::load(regexes, overlay);
  EXPECT_TRUE(rules) << rules.error().message;
  return rules ? std::move(*rules) : nullptr;
}

const ParsedAgent& first(UserAgentParser& parser, std::string_view user_agent, AgentList list) {
  parser.scan(user_agent);
  return parser.first(list);
}

constexpr std::string_view kSmall = R"(
user_agent_parsers:
  - regex: '(Foo)Bar/(\d+)\.(\d+)(?:\.(\d+)|)'
  - regex: '(Foo\w*)/(\d+)'
    family_replacement: 'The $1'
    v2_replacement: '7'
  - regex: '\b(ab)'
os_parsers:
  - regex: 'Windows NT (\d+)'
    os_replacement: 'Windows'
device_parsers:
  - regex: '; (sm-[a-z]\d+)'
    regex_flag: 'i'
    device_replacement: 'Samsung $1'
    brand_replacement: 'Samsung'
)";

TEST(UserAgentRules, TheFirstRuleThatMatchesWinsInEachList) {
  auto rules = loaded(kSmall);
  UserAgentParser parser(*rules);
  parser.scan("FooBar/3.4 (Windows NT 10.0; SM-T520)");
  EXPECT_THAT(parser.first(AgentList::browser).values, ElementsAre("Foo", "3", "4", "", ""));
  EXPECT_EQ(parser.first(AgentList::browser).rule, 0u);
  EXPECT_THAT(parser.first(AgentList::os).values, ElementsAre("Windows", "", "", "", ""));
  EXPECT_THAT(parser.first(AgentList::device).values, ElementsAre("Samsung SM-T520", "Samsung", "SM-T520", "", ""));
  parser.scan("FooBaz/12");
  EXPECT_THAT(parser.first(AgentList::browser).values, ElementsAre("The FooBaz", "12", "7", "", ""));
  EXPECT_EQ(parser.first(AgentList::os).rule, ParsedAgent::kNoRule);
}

TEST(UserAgentRules, ARuleWithoutFixedPiecesIsTriedOnEveryText) {
  auto rules = loaded(kSmall);
  UserAgentParser parser(*rules);
  EXPECT_EQ(first(parser, "x ab", AgentList::browser).family(), "ab");
}

TEST(UserAgentRules, TheOverlayIsAskedFirst) {
  auto rules = loaded(kSmall, "user_agent_parsers:\n  - regex: '(Foo)(?=Bar)'\n    family_replacement: Mine\n");
  UserAgentParser parser(*rules);
  EXPECT_EQ(rules->overlay_size(AgentList::browser), 1u);
  EXPECT_EQ(first(parser, "FooBar/3.4", AgentList::browser).family(), "Mine");
  EXPECT_EQ(first(parser, "FooBaz/3", AgentList::browser).rule, 2u);
}

TEST(UserAgentRules, AWrongRuleIsLeftOutAndNamed) {
  auto rules = loaded(
      "user_agent_parsers:\n  - regex: '(Foo'\n  - regex: 'Foo'\n    nonsense: 'x'\n  - family_replacement: x\n"
      "  - regex: 'Foo'\n    family_replacement: Right\nnonsense:\n  - regex: x\n");
  EXPECT_THAT(rules->warnings(),
              ElementsAre(HasSubstr("regexes.yaml:3: user_agent_parsers[1]: the field nonsense is unknown"),
                          HasSubstr("regexes.yaml:5: user_agent_parsers[2]: the field regex is missing"),
                          HasSubstr("the list nonsense is unknown"),
                          HasSubstr("regexes.yaml:2: user_agent_parsers[0]: the expression does not compile")));
  UserAgentParser parser(*rules);
  const ParsedAgent& browser = first(parser, "Foo", AgentList::browser);
  EXPECT_EQ(browser.family(), "Right");
  EXPECT_EQ(browser.rule, 3u);
}

TEST(UserAgentRules, WhatIsNoRuleFileIsRefusedWithItsLine) {
  auto message = [](std::string_view yaml) {
    auto rules = UserAgentRules::load(yaml, {});
    return rules ? "" : rules.error().message;
  };
  EXPECT_THAT(message("a: [\nb: '"), HasSubstr("regexes.yaml:2: no YAML"));
  EXPECT_THAT(message("- a\n"), HasSubstr("regexes.yaml:1: a mapping"));
  EXPECT_THAT(message("a:\n  - b\n"), HasSubstr("regexes.yaml:2: an entry of a"));
  EXPECT_THAT(message("a:\n  - b:\n      - c\n"), HasSubstr("regexes.yaml:3: a text as the value of b"));
  EXPECT_THAT(message("a:\n  - &x {b: c}\n  - *x\n"), HasSubstr("regexes.yaml:3: an entry of a"));
  EXPECT_EQ(message(""), "");
}

TEST(UserAgentRules, AnExpressionThatRunsAwayIsStopped) {
  auto rules = loaded("user_agent_parsers:\n  - regex: '(x+x+)+y'\n  - regex: 'xxx'\n    family_replacement: X\n");
  UserAgentParser parser(*rules);
  EXPECT_EQ(first(parser, std::string(500, 'x') + " y", AgentList::browser).family(), "X");
}

// The package's own expectations, all of them, exactly. `fields`: what a case calls the values of `list`.
void expect_all(AgentList list, const std::string& file, const std::vector<std::string>& fields) {
  std::string regexes = testing::regexes_yaml();
  std::string cases = testing::recorded_text(file);
  if (regexes.empty() || cases.empty())
    GTEST_SKIP() << "WEIR_TEST_DATA does not hold " << file << ", or the pack regexes.yaml is not there";
  auto rules = loaded(regexes);
  EXPECT_THAT(rules->warnings(), ElementsAre());
  UserAgentParser parser(*rules);
  auto tests = read_rule_file(file, cases);
  ASSERT_TRUE(tests) << tests.error().message;
  size_t wrong = 0;
  size_t checked = 0;
  for (const RuleEntry& test : tests->at(0).entries) {
    const std::string* user_agent = test.find("user_agent_string");
    ASSERT_NE(user_agent, nullptr) << file << ":" << test.line;
    const ParsedAgent& parsed = first(parser, *user_agent, list);
    ++checked;
    for (size_t i = 0; i < fields.size(); ++i) {
      const std::string* wanted = test.find(fields[i]);
      std::string got = parsed.values[i].empty() && i == 0 ? "Other" : parsed.values[i];
      if (got == (wanted == nullptr ? "" : *wanted)) continue;
      if (++wrong <= 10)
        ADD_FAILURE() << file << ":" << test.line << ": " << fields[i] << " of " << *user_agent << " is " << got
                      << " instead of " << (wanted == nullptr ? "" : *wanted) << " (rule " << parsed.rule << ")";
      break;
    }
  }
  EXPECT_EQ(wrong, 0u) << "of " << checked;
  EXPECT_GT(checked, 20u);
}

const std::vector<std::string> kVersions = {"family", "major", "minor", "patch"};
const std::vector<std::string> kVersionsOfOs = {"family", "major", "minor", "patch", "patch_minor"};

TEST(UapCore, Browsers) { expect_all(AgentList::browser, "uap-core-0.18.0/test_ua.yaml.xz", kVersions); }
TEST(UapCore, Firefox) {
  expect_all(AgentList::browser, "uap-core-0.18.0/firefox_user_agent_strings.yaml.xz", kVersions);
}
TEST(UapCore, OperaMini) {
  expect_all(AgentList::browser, "uap-core-0.18.0/opera_mini_user_agent_strings.yaml.xz", kVersions);
}
TEST(UapCore, Podcasts) {
  expect_all(AgentList::browser, "uap-core-0.18.0/podcasting_user_agent_strings.yaml.xz", kVersions);
}
TEST(UapCore, OperatingSystems) { expect_all(AgentList::os, "uap-core-0.18.0/test_os.yaml.xz", kVersionsOfOs); }
TEST(UapCore, MoreOperatingSystems) {
  expect_all(AgentList::os, "uap-core-0.18.0/additional_os_tests.yaml.xz", kVersionsOfOs);
}
TEST(UapCore, Devices) {
  expect_all(AgentList::device, "uap-core-0.18.0/test_device.yaml.xz", {"family", "brand", "model"});
}

}  // namespace
}  // namespace weir::enrich
