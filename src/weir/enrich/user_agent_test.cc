#include "weir/enrich/user_agent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "weir/base/json_writer.h"
#include "weir/enrich/testing/user_agent_data.h"

namespace weir::enrich {
namespace {

// Rules are immutable: all tests share them. Null without uap-core.
std::shared_ptr<const UserAgentRules> shared_rules() {
  static const std::shared_ptr<const UserAgentRules> rules = []() -> std::shared_ptr<const UserAgentRules> {
    std::string regexes = testing::regexes_yaml();
    if (regexes.empty()) return nullptr;
    auto loaded = UserAgentRules::load(regexes, testing::overlay_yaml());
    EXPECT_TRUE(loaded) << loaded.error().message;
    if (!loaded) return nullptr;
    EXPECT_THAT((*loaded)->warnings(), ::testing::IsEmpty());
    return std::move(*loaded);
  }();
  return rules;
}

class UserAgentsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (shared_rules() == nullptr) GTEST_SKIP() << "the pack regexes.yaml is not there";
    agents_ = std::make_unique<UserAgents>(shared_rules());
  }
  // "browser version | os version | device"
  std::string shown(std::string_view user_agent, std::string_view hints = {}, std::string_view screen = {}) {
    const Agent& agent = agents_->find(user_agent, hints, screen);
    auto with = [](std::string_view name, std::string_view version) {
      return std::string(name) + (version.empty() ? "" : " ") + std::string(version);
    };
    return with(agent.browser, agent.browser_version) + " | " + with(agent.os, agent.os_version) + " | " +
           std::string(agent.device);
  }
  std::unique_ptr<UserAgents> agents_;
};

constexpr std::string_view kChromeOnWindows =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36";
constexpr std::string_view kChromeOnMac =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 "
    "Safari/537.36";
constexpr std::string_view kChromeFrozen =
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Mobile Safari/537.36";
constexpr std::string_view kSafariOnMac =
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.4 "
    "Safari/605.1.15";

TEST_F(UserAgentsTest, NamesArePeoples) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {kChromeOnWindows, "Chrome 147 | Windows 10 | desktop"},
      {kChromeOnMac, "Chrome 147 | macOS 10.15 | desktop"},
      {kSafariOnMac, "Safari 18.4 | macOS 10.15 | desktop"},
      {kChromeFrozen, "Chrome 147 | Android 10 | phone"},
      {"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 "
       "Safari/537.36 Edg/147.0.0.0",
       "Edge 147 | Windows 10 | desktop"},
      {"Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0", "Firefox 149 | Linux | desktop"},
      {"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0",
       "Firefox 149 | Linux | desktop"},
      {"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
       "Chrome 147 | ChromeOS | desktop"},
      {"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 "
       "Mobile Safari/537.36",
       "Samsung Internet 29 | Android 10 | phone"},
      {"Mozilla/5.0 (Android 16; Mobile; rv:149.0) Gecko/149.0 Firefox/149.0", "Firefox 149 | Android 16 | phone"},
      {"Mozilla/5.0 (Linux; Android 14; SM-X710) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
       "Chrome 147 | Android 14 | tablet"},
      {"Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer 11 | Windows 7 | desktop"},
      // Safari's own fetches, of icons say, name WebKit's build.
      {"MobileSafari/9537.53 CFNetwork/672.0.8 Darwin/14.0.0", "Safari | iOS 7.0 | phone"},
      {"Safari/9537.73.11 CFNetwork/673.0.3 Darwin/13.0.0 (x86_64) (MacBookPro8%2C1)", "Safari | macOS 10.9 | desktop"},
      // iOS: the number in the system's place stopped at 18_6 and 18_7; Safari's goes on.
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
       "Mobile/15E148 Safari/604.1",
       "Safari 17.4 | iOS 17.4 | phone"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.6.1 "
       "Mobile/15E148 Safari/604.1",
       "Safari 26.6 | iOS 26.6 | phone"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.7 "
       "Mobile/15E148 Safari/604.1",
       "Safari 18.7 | iOS 18.7 | phone"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 26_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
       "CriOS/147.0.7727.55 Mobile/15E148 Safari/604.1",
       "Chrome 147 | iOS 26.2 | phone"},
      {"Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 "
       "Mobile/15E148 Safari/604.1",
       "Safari 17.4 | iPadOS 17.4 | tablet"},
      {"Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 "
       "Mobile/15E148 Safari/604.1",
       "Safari 12.1 | iOS 12.5 | tablet"},
      {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/147 "
       "Version/11.1.1 "
       "Safari/605.1.15",
       "Chrome 147 | iPadOS | tablet"},
      // What stands inside other programs.
      {"Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/UQ1A.240105.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Version/4.0 Chrome/147.0.0.0 Mobile Safari/537.36",
       "Android WebView 147 | Android 14 | phone"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
       "Safari (in-app) | iOS 17.4 | phone"},
      {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E219 "
       "Instagram 325.0.3.34.90 (iPhone15,2; iOS 17_4; en_US; en; scale=3.00; 1179x2556; 586204567)",
       "Instagram 325 | iOS 17.4 | phone"},
      // What came after the package's release, and what it takes for Chrome.
      {"Mozilla/5.0 (Linux; arm_64; Android 14; SM-F7310) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.6367.120 "
       "YaSearchBrowser/24.66.1 BroPP/1.0 YaSearchApp/24.66.1 webOmni SA/3 Mobile Safari/537.36",
       "Yandex Browser 24.66 | Android 14 | phone"},
      {"Mozilla/5.0 (Linux; Android 12; GRL-LX9; HMSCore 6.15.4.312) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Chrome/114.0.5735.196 HuaweiBrowser/16.0.6.300 Mobile Safari/537.36",
       "Huawei Browser 16 | Android 12 | phone"},
      {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.6 "
       "Safari/605.1.15 Ddg/26.6",
       "DuckDuckGo 26 | macOS 10.15 | desktop"},
      // Everything else with a screen.
      {"Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/108.0.5359.211 Safari/537.36 "
       "WebAppManager",
       "Chrome 108 | webOS | tv"},
      {"Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/5.0 "
       "Chrome/85.0.4183.93 TV Safari/537.36",
       "Samsung Internet 5 | Tizen 7 | tv"},
      {"Mozilla/5.0 (PlayStation; PlayStation 5/9.00) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 "
       "Safari/605.1.15",
       "PlayStation Browser | PlayStation | console"},
      {"Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/38.3.0 "
       "Chrome/136.0.0.0 VR Safari/537.36",
       "Meta Quest Browser 38 | Meta Horizon OS | wearable"},
      {"Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
       "Firefox 48 | KaiOS 2.5 | phone"},
      // Bots are the business of the column traffic.
      {"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) "
       "Chrome/147.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
       "Googlebot 2 | Android 6 | "},
      {"curl/8.5.0", "curl 8 |  | "},
      {"", " |  | "},
  };
  for (const auto& [user_agent, wanted] : cases) EXPECT_EQ(shown(user_agent), wanted) << user_agent;
}

TEST_F(UserAgentsTest, HintsTellWhatUserAgentsNoLongerDo) {
  const std::pair<std::pair<std::string_view, std::string_view>, std::string_view> cases[] = {
      {{kChromeOnWindows, R"({"sec-ch-ua-platform":"\"Windows\"","sec-ch-ua-platform-version":"\"15.0.0\""})"},
       "Chrome 147 | Windows 11 | desktop"},
      {{kChromeOnWindows, R"({"sec-ch-ua-platform":"\"Windows\"","sec-ch-ua-platform-version":"\"10.0.0\""})"},
       "Chrome 147 | Windows 10 | desktop"},
      {{kChromeOnWindows, R"({"sec-ch-ua-platform":"\"Windows\"","sec-ch-ua-platform-version":"\"0.3.0\""})"},
       "Chrome 147 | Windows 8.1 | desktop"},
      {{kChromeOnMac, R"({"sec-ch-ua-platform":"\"macOS\"","sec-ch-ua-platform-version":"\"26.1.0\""})"},
       "Chrome 147 | macOS 26.1 | desktop"},
      {{kChromeFrozen,
        R"({"sec-ch-ua-platform":"\"Android\"","sec-ch-ua-platform-version":"\"15.0.0\"","sec-ch-ua-mobile":"?1"})"},
       "Chrome 147 | Android 15 | phone"},
      // A tablet that was asked for a computer's pages, by the model of the hints.
      {{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
        R"({"sec-ch-ua-model":"\"BRAVIA 4K VH2\""})"},
       "Chrome 147 | Android 10 | tv"},
      {{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
        R"({"sec-ch-ua-platform":"\"Chrome OS\"","sec-ch-ua-mobile":"?0"})"},
       "Chrome 147 | ChromeOS | desktop"},
      {{kChromeOnMac, R"({"sec-ch-ua":"\"Not)A;Brand\";v=\"8\", \"Chromium\";v=\"147\", \"Brave\";v=\"147\""})"},
       "Brave 147 | macOS 10.15 | desktop"},
      {{kChromeOnMac, R"({"sec-ch-ua":"\"Best Browser Ever\";v=\"8\", \"Chromium\";v=\"147\""})"},
       "Chrome 147 | macOS 10.15 | desktop"},
      // What the user agent itself calls itself is not taken back.
      {{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 YaBrowser/25.12.0.0 "
        "Safari/537.36",
        R"({"sec-ch-ua":"\"Google Chrome\";v=\"142\""})"},
       "Yandex Browser 25.12 | Linux | desktop"},
      {{kChromeFrozen, R"({"sec-ch-ua-form-factors":"\"Tablet\""})"}, "Chrome 147 | Android 10 | tablet"},
      {{"Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/X; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
        "Chrome/147.0.0.0 Mobile Safari/537.36",
        R"({"x-requested-with":"com.instagram.android"})"},
       "Instagram | Android 14 | phone"},
      {{kChromeFrozen, R"({"x-requested-with":"XMLHttpRequest"})"}, "Chrome 147 | Android 10 | phone"},
      {{kChromeOnMac, "no JSON"}, "Chrome 147 | macOS 10.15 | desktop"},
      // Without a user agent.
      {{"",
        R"({"sec-ch-ua":"\"Google Chrome\";v=\"147\"","sec-ch-ua-mobile":"?1","sec-ch-ua-platform":"\"Android\""})"},
       "Chrome 147 | Android | phone"},
  };
  for (const auto& [given, wanted] : cases) EXPECT_EQ(shown(given.first, given.second), wanted) << given.second;
}

TEST_F(UserAgentsTest, AnIpadThatCallsItselfAMacIsToldByItsScreen) {
  EXPECT_EQ(shown(kSafariOnMac, "", "820x1180"), "Safari 18.4 | iPadOS 18.4 | tablet");
  EXPECT_EQ(shown(kSafariOnMac, "", "1440x900"), "Safari 18.4 | macOS 10.15 | desktop");
  EXPECT_EQ(shown(kChromeOnMac, "", "820x1180"), "Chrome 147 | macOS 10.15 | desktop");
}

TEST_F(UserAgentsTest, EachColumnSaysWhatDecidedIt) {
  const Agent& plain = agents_->find(kChromeOnWindows);
  EXPECT_THAT(plain.browser_reason.text(), ::testing::StartsWith("regexes.yaml: user_agent_parsers["));
  EXPECT_THAT(plain.os_reason.text(), ::testing::StartsWith("regexes.yaml: os_parsers["));
  EXPECT_THAT(plain.device_reason.text(), ::testing::StartsWith("overlay.yaml: device_type_parsers["));
  const Agent& hinted = agents_->find(
      kChromeOnWindows,
      R"({"sec-ch-ua":"\"Brave\";v=\"1\"","sec-ch-ua-platform":"\"Windows\"","sec-ch-ua-platform-version":"\"15.0.0\"",)"
      R"("sec-ch-ua-form-factors":"\"Desktop\""})");
  EXPECT_EQ(hinted.browser_reason.text(), "sec-ch-ua");
  EXPECT_EQ(hinted.os_reason.text(), "sec-ch-ua-platform-version");
  EXPECT_EQ(hinted.device_reason.text(), "sec-ch-ua-form-factors");
  EXPECT_EQ(agents_->find(kSafariOnMac, "", "820x1180").device_reason.text(), "screen");
  EXPECT_EQ(agents_->find("").browser_reason.text(), "");
}

TEST_F(UserAgentsTest, RemembersAndForgetsWithinItsLimits) {
  UserAgents agents(shared_rules(), {100, 40'000});
  for (int i = 0; i < 1'000; ++i) agents.find("Thing/" + std::to_string(i));
  EXPECT_EQ(agents.entries(), 100u);
  EXPECT_EQ(agents.misses(), 1'000u);
  agents.find("Thing/999");
  agents.find("Thing/900");
  EXPECT_EQ(agents.hits(), 2u);
  for (int i = 0; i < 1'000; ++i) agents.find(std::string(500, 'x') + std::to_string(i), std::string(2'000, '{'));
  EXPECT_LE(agents.bytes(), 40'000u);
  EXPECT_LT(agents.entries(), 20u);
  agents.find("Thing/900");
  EXPECT_EQ(agents.hits(), 2u);
}

TEST_F(UserAgentsTest, HintsAndScreenArePartOfWhatIsRemembered) {
  EXPECT_EQ(shown(kSafariOnMac), "Safari 18.4 | macOS 10.15 | desktop");
  EXPECT_EQ(shown(kSafariOnMac, "", "768x1024"), "Safari 18.4 | iPadOS 18.4 | tablet");
  EXPECT_EQ(shown(kSafariOnMac, R"({"sec-ch-ua-form-factors":"\"XR\""})"), "Safari 18.4 | macOS 10.15 | wearable");
  EXPECT_EQ(shown(kSafariOnMac), "Safari 18.4 | macOS 10.15 | desktop");
  EXPECT_EQ(agents_->misses(), 3u);
}

TEST_F(UserAgentsTest, TextsAreValidUtf8AndShortWhateverIsSent) {
  const std::string smiley = "\xf0\x9f\x98\x80";
  std::string name;
  for (int i = 0; i < 40; ++i) name += smiley;
  for (size_t pad = 0; pad < 4; ++pad) {
    const Agent& agent = agents_->find(std::string(pad, 'a') + name + "/1 CFNetwork/1 Darwin/20.0.0");
    EXPECT_TRUE(simdjson::validate_utf8(agent.browser.data(), agent.browser.size())) << agent.browser;
    EXPECT_LE(agent.browser.size(), 64u);
    EXPECT_GT(agent.browser.size(), 10u);
  }
}

TEST_F(UserAgentsTest, WhatIsTooLongIsCutOrIgnored) {
  std::string long_agent = std::string(kChromeOnWindows) + std::string(10'000, ' ') + "Edg/147.0.0.0";
  EXPECT_EQ(shown(long_agent), "Chrome 147 | Windows 10 | desktop");
  std::string long_hints = R"({"sec-ch-ua-form-factors":"\"Tablet\"","x":")" + std::string(3'000, 'x') + "\"}";
  EXPECT_EQ(shown(kChromeOnWindows, long_hints), "Chrome 147 | Windows 10 | desktop");
}

// Other people's expectations.

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return out;
}

using Aliases = std::map<std::string, std::string, std::less<>>;
std::string alias(const Aliases& aliases, std::string_view name) {
  auto known = aliases.find(lower(name));
  return known == aliases.end() ? lower(name) : known->second;
}

// Two names of one thing. Of a browser's editions for phones, computers, televisions and for being inside another
// program the family counts.
const Aliases& browser_aliases() {
  static const Aliases aliases = {{"360 phone browser", "360 browser"},
                                  {"aloha browser", "aloha"},
                                  {"android webview", "chrome"},
                                  {"baidu spark", "baidu browser"},
                                  {"chrome mobile", "chrome"},
                                  {"chrome mobile ios", "chrome"},
                                  {"chrome webview", "chrome"},
                                  {"duckduckgo privacy browser", "duckduckgo"},
                                  {"firefox mobile", "firefox"},
                                  {"fireweb navigator", "fireweb"},
                                  {"heytapbrowser", "oppo browser"},
                                  {"huawei browser mobile", "huawei browser"},
                                  {"ie mobile", "internet explorer"},
                                  {"maui wap browser", "maui"},
                                  {"microsoft edge", "edge"},
                                  {"mobile safari", "safari"},
                                  {"mobile silk", "amazon silk"},
                                  {"oculus browser", "meta quest browser"},
                                  {"odin", "vidaa browser"},
                                  {"openwave mobile browser", "openwave"},
                                  {"opera devices", "opera"},
                                  {"opera mobile", "opera"},
                                  {"opera next", "opera"},
                                  {"opera tv", "opera"},
                                  {"pocketbook browser", "pocketbook"},
                                  {"puffin web browser", "puffin"},
                                  {"safari (in-app)", "safari"},
                                  {"samsung browser", "samsung internet"},
                                  {"seraphic sraf", "sraf"},
                                  {"sogou mobile browser", "sogou browser"},
                                  {"uc browser mini", "uc browser"},
                                  {"uc browser turbo", "uc browser"},
                                  {"yandex browser lite", "yandex browser"}};
  return aliases;
}

// Our names to the families of the expectations.
const Aliases& os_aliases() {
  static const Aliases aliases = {{"chromeos", "chrome os"},
                                  {"harmonyos", "android"},
                                  {"ipados", "ios"},
                                  {"kaios", "firefox os"},
                                  {"linux", "gnu/linux"},
                                  {"macos", "mac"},
                                  {"meta horizon os", "android"},
                                  {"pico os", "android"},
                                  {"tvos", "ios"},
                                  {"watchos", "ios"},
                                  {"webos", "gnu/linux"},
                                  {"windows ce", "windows mobile"},
                                  {"windows phone", "windows mobile"}};
  return aliases;
}

const Aliases& device_aliases() {
  static const Aliases aliases = {{"smartphone", "phone"},    {"feature phone", "phone"},
                                  {"phablet", "phone"},       {"car browser", "car"},
                                  {"smart speaker", "other"}, {"smart display", "other"},
                                  {"peripheral", "other"},    {"portable media player", "other"}};
  return aliases;
}

// Agreement in percent, and what differs most when it is too little.
struct Tally {
  size_t right = 0;
  size_t all = 0;
  std::map<std::string, size_t> wrong;

  void add(bool agrees, std::string_view ours, std::string_view theirs) {
    ++all;
    if (agrees)
      ++right;
    else
      ++wrong[std::string(ours) + " instead of " + std::string(theirs)];
  }
  double percent() const { return all == 0 ? 0 : 100.0 * static_cast<double>(right) / static_cast<double>(all); }
  std::string text() const {
    std::vector<std::pair<size_t, std::string>> worst;
    for (const auto& [what, count] : wrong) worst.emplace_back(count, what);
    std::sort(worst.rbegin(), worst.rend());
    std::string out = std::to_string(right) + " of " + std::to_string(all);
    for (size_t i = 0; i < worst.size() && i < 10; ++i)
      out += "\n  " + std::to_string(worst[i].first) + " times " + worst[i].second;
    return out;
  }
};

struct Agreement {
  Tally browser, os, device;
};

std::string_view text_of(simdjson::dom::element object, std::string_view outer, std::string_view inner) {
  std::string_view text;
  if (object[outer][inner].get_string().get(text)) return {};
  return text;
}

void compare(simdjson::dom::element expected, const Agent& agent, Agreement& agreement) {
  std::string_view browser = text_of(expected, "client", "name");
  if (text_of(expected, "client", "type") == "browser")
    agreement.browser.add(alias(browser_aliases(), agent.browser) == alias(browser_aliases(), browser), agent.browser,
                          browser);
  std::string_view os = text_of(expected, "os", "name");
  std::string_view family;
  if (!os.empty() && !expected["os_family"].get_string().get(family))
    agreement.os.add(alias(os_aliases(), agent.os) == lower(family) || lower(agent.os) == lower(os), agent.os, os);
  std::string_view device = text_of(expected, "device", "type");
  if (!device.empty()) agreement.device.add(alias(device_aliases(), device) == agent.device, agent.device, device);
}

// Calls on_case for each object of a .jsonl file.
template <class OnCase>
void for_each_case(const std::string& lines, OnCase&& on_case) {
  simdjson::dom::parser parser;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    simdjson::dom::element object;
    ASSERT_FALSE(parser.parse(line).get(object)) << line;
    on_case(object);
  }
}

TEST_F(UserAgentsTest, AgreesWithDeviceDetector) {
  std::string cases = testing::recorded_text("device-detector-sample/cases.jsonl.xz");
  if (cases.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold device-detector-sample";
  Agreement agreement;
  for_each_case(cases, [&](simdjson::dom::element object) {
    compare(object, agents_->find(std::string_view(object["user_agent"])), agreement);
  });
  EXPECT_GE(agreement.browser.percent(), 98.5) << agreement.browser.text();
  EXPECT_GE(agreement.os.percent(), 98.5) << agreement.os.text();
  EXPECT_GE(agreement.device.percent(), 95.5) << agreement.device.text();
  EXPECT_GT(agreement.device.all, 7'000u);
}

// The hints as the record keeps them, of headers as fixtures spell them, or of what scripts read from
// navigator.userAgentData.
std::string hints_of(simdjson::dom::element headers) {
  std::string out;
  auto add = [&](std::string_view name, std::string_view value) {
    out += out.empty() ? "{" : ",";
    append_json_string(out, name);
    out += ":";
    append_json_string(out, value);
  };
  auto quoted = [](std::string_view text) { return "\"" + std::string(text) + "\""; };
  for (auto [key, value] : headers.get_object()) {
    std::string name = lower(key);
    if (name.starts_with("http-")) name = name.substr(5);
    std::string_view text;
    simdjson::dom::array list;
    if (!value.get_string().get(text)) {
      if (name == "mobile") add("sec-ch-ua-mobile", text == "1" ? "?1" : "?0");
      if (name == "model") add("sec-ch-ua-model", quoted(text));
      if (name == "platform") add("sec-ch-ua-platform", quoted(text));
      if (name == "platformversion") add("sec-ch-ua-platform-version", quoted(text));
      if (name.find('-') != std::string::npos) add(name, text);
    } else if (!value.get_array().get(list)) {
      std::string brands;
      for (simdjson::dom::element brand : list)
        brands += (brands.empty() ? "" : ", ") + quoted(std::string_view(brand["brand"])) +
                  ";v=" + quoted(std::string_view(brand["version"]));
      add(name == "brands" ? "sec-ch-ua" : "sec-ch-ua-full-version-list", brands);
    }
  }
  return out.empty() ? out : out + "}";
}

TEST_F(UserAgentsTest, AgreesWithDeviceDetectorAboutHints) {
  std::string cases = testing::recorded_text("device-detector-sample/client-hints.jsonl.xz");
  if (cases.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold device-detector-sample";
  Agreement agreement;
  Tally versions;
  for_each_case(cases, [&](simdjson::dom::element object) {
    const Agent& agent = agents_->find(std::string_view(object["user_agent"]), hints_of(object["headers"]));
    compare(object, agent, agreement);
    // Theirs has all numbers that were said, ours begins it. A kernel's is not shown.
    std::string_view version = text_of(object, "os", "version");
    if (!version.empty() && agent.os != "Linux")
      versions.add(version == agent.os_version || version.starts_with(std::string(agent.os_version) + "."),
                   agent.os_version, version);
  });
  EXPECT_EQ(agreement.browser.right, agreement.browser.all) << agreement.browser.text();
  EXPECT_EQ(agreement.os.right, agreement.os.all) << agreement.os.text();
  EXPECT_EQ(versions.right, versions.all) << versions.text();
  EXPECT_GE(agreement.device.percent(), 96) << agreement.device.text();
  EXPECT_EQ(agreement.os.all + 1, 83u);
}

TEST_F(UserAgentsTest, AgreesWithVisitsOf2026AboutTheDevice) {
  std::string visits = testing::recorded_text("user-agents-npm/user-agents.json.xz");
  if (visits.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold user-agents-npm";
  simdjson::dom::parser parser;
  simdjson::dom::array rows;
  ASSERT_FALSE(parser.parse(visits).get_array().get(rows));
  const Aliases aliases = {{"mobile", "phone"}};
  Tally tally;
  for (simdjson::dom::element row : rows) {
    const Agent& agent = agents_->find(std::string_view(row["userAgent"]));
    std::string_view category = row["deviceCategory"];
    tally.add(alias(aliases, category) == agent.device, agent.device, category);
    EXPECT_NE(agent.browser, "") << std::string_view(row["userAgent"]);
    EXPECT_NE(agent.os, "") << std::string_view(row["userAgent"]);
  }
  EXPECT_EQ(tally.right, tally.all) << tally.text();
  EXPECT_EQ(tally.all, 10'000u);
}

// What the overlay changes of the package's own expectations, as a list to be read when either changes: each line a
// list, how many cases, what the package says and what the overlay makes of it.
TEST_F(UserAgentsTest, TheOverlaysDifferencesAreKnown) {
  std::string regexes = testing::regexes_yaml();
  auto package = UserAgentRules::load(regexes, {});
  ASSERT_TRUE(package);
  UserAgentParser without(**package);
  UserAgentParser with(*shared_rules());
  std::map<std::string, size_t> differences;
  const std::pair<AgentList, std::string_view> files[] = {{AgentList::browser, "test_ua"}, {AgentList::os, "test_os"}};
  for (const auto& file_of_list : files) {
    const AgentList list = file_of_list.first;
    std::string file = "uap-core-0.18.0/" + std::string(file_of_list.second) + ".yaml.xz";
    std::string cases = testing::recorded_text(file);
    if (cases.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold " << file;
    auto tests = read_rule_file(file, cases);
    ASSERT_TRUE(tests) << tests.error().message;
    for (const RuleEntry& test : tests->at(0).entries) {
      const std::string& user_agent = *test.find("user_agent_string");
      auto said = [&](UserAgentParser& parser) {
        parser.scan(user_agent);
        const ParsedAgent& parsed = parser.first(list);
        return parsed.family().empty() ? "Other" : parsed.family();
      };
      std::string theirs = said(without);
      std::string ours = said(with);
      if (theirs != ours) ++differences[std::string(name_of(list)) + ": " + theirs + " -> " + ours];
    }
  }
  std::string text;
  for (const auto& [what, count] : differences) text += std::to_string(count) + " " + what + "\n";
  std::string known = testing::content(WEIR_TESTS_DIR "/data/user_agents/overlay_differences.txt");
  EXPECT_EQ(text, known) << "tests/data/user_agents/overlay_differences.txt is to be changed";
}

}  // namespace
}  // namespace weir::enrich
