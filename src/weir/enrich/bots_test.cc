#include "weir/enrich/bots.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <filesystem>

#include "weir/enrich/packs.h"
#include "weir/enrich/patterns.h"
#include "weir/enrich/testing/recorded.h"

namespace weir::enrich {
namespace {

using event::Traffic;
using testing::content;

constexpr std::string_view kChrome =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 Safari/537.36";

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}

Bots small_bots() {
  return {must(AgentTable::load("# ours\nai\tGPTBot\nlibrary  curl\nmonitor  Uptime-Kuma\napp  posthog-android\n"
                                "ai  Claude\nai  Claude-Code\n")),
          must(IsbotRules::load("(?<! cu)bots?(?:\\b|_)\n^[\\w\\-]+/[\\w.]+$\ncrawl\n[\\w\\d-.]@\n")),
          must(CrawlerList::load(R"([
            {"pattern": "Googlebot\\/", "tags": ["search-engine"], "addition_date": "2026/08/06"},
            {"pattern": "Googlebot\\/9", "tags": ["seo"]},
            {"pattern": "[cC]heck[bB]ot", "tags": ["seo", "monitoring"]},
            {"pattern": "Learnbot", "tags": ["academic", "ai-crawler"]},
            {"pattern": "Pipebot", "tags": ["http-library"]}])"))};
}

TEST(Bots, SaysWhoAndWhy) {
  const Bots bots = small_bots();
  struct Case {
    std::string_view user_agent;
    Traffic traffic;
    std::string_view name;
    std::string_view reason;
  };
  const Case cases[] = {
      {"Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", Traffic::ai_crawler, "GPTBot", "ai: GPTBot"},
      {"claude-code/1.0", Traffic::ai_crawler, "Claude-Code", "ai: Claude-Code"},
      {"curl/7.88.1", Traffic::bot, "curl", "library: curl"},
      {"Uptime-Kuma/1.23", Traffic::monitor, "Uptime-Kuma", "monitor: Uptime-Kuma"},
      {"posthog-android/3.4", Traffic::human, "posthog-android", ""},
      {"Mozilla/5.0 (compatible; Googlebot/2.1)", Traffic::bot, "Googlebot", "crawler: Googlebot (search-engine)"},
      {"Googlebot/9", Traffic::bot, "Googlebot/9", "crawler: Googlebot/9 (seo)"},
      {"checkbot; Googlebot/2.1", Traffic::monitor, "CheckBot", "monitor: CheckBot"},
      {"checkbot; Learnbot", Traffic::ai_crawler, "Learnbot", "ai: Learnbot"},
      {"Pipebot", Traffic::bot, "Pipebot", "library: Pipebot"},
      {"some crawler", Traffic::bot, "", "isbot: crawl"},
      {"NiceBot 1", Traffic::bot, "", "isbot: bot"},
      {"thing/1.0", Traffic::bot, "", "isbot: unusual form"},
      {"who.is@me", Traffic::bot, "", "isbot: @"},
      {kChrome, Traffic::human, "", ""},
      {"Mozilla/5.0 (Linux; Android 12; CUBOT) Chrome/1", Traffic::human, "", ""},
      {"a phone curly/2 of Claudette", Traffic::human, "", ""},
  };
  for (const Case& c : cases) {
    Verdict verdict = bots.verdict(c.user_agent);
    EXPECT_EQ(verdict.traffic, c.traffic) << c.user_agent;
    EXPECT_EQ(verdict.name, c.name) << c.user_agent;
    EXPECT_EQ(verdict.reason, c.reason) << c.user_agent;
  }
}

TEST(Bots, NoUserAgentIsNoEvidence) {
  Verdict verdict = small_bots().verdict("");
  EXPECT_EQ(verdict.traffic, Traffic::human);
  EXPECT_EQ(verdict.reason, "");
}

TEST(Bots, WithoutListsEverybodyIsHuman) {
  EXPECT_EQ(Bots().verdict("Googlebot/2.1").traffic, Traffic::human);
  Bots crawlers_alone(nullptr, nullptr, must(CrawlerList::load(R"([{"pattern": "Googlebot", "tags": []}])")));
  EXPECT_EQ(crawlers_alone.verdict("Googlebot/2.1").reason, "crawler: Googlebot");
  EXPECT_EQ(crawlers_alone.verdict(kChrome).traffic, Traffic::human);
}

TEST(Bots, LooksAtABoundedPiece) {
  std::string far(kUserAgentBytesMax, 'x');
  EXPECT_EQ(small_bots().verdict(far + " crawl").traffic, Traffic::human);
  EXPECT_EQ(small_bots().verdict(" crawl " + far).traffic, Traffic::bot);
  EXPECT_EQ(small_bots().verdict(std::string_view("\xff\x00 crawl", 8)).traffic, Traffic::bot);
}

TEST(Bots, DamagedListsAreRefusedWithTheLine) {
  auto message = [](auto result) { return result ? std::string("loaded") : result.error().message; };
  EXPECT_EQ(message(IsbotRules::load("bot\n(open\n")), "line 2: no regular expression: (open");
  EXPECT_EQ(message(IsbotRules::load("\n")), "no line has a regular expression");
  EXPECT_EQ(message(AgentTable::load("ai GPTBot\nhuman Me\n")),
            "line 2: expected `ai`, `monitor`, `library` or `app` and a token");
  EXPECT_EQ(message(AgentTable::load("ai GPTBot\nlibrary gptbot\n")), "line 2: gptbot stands there twice");
  EXPECT_EQ(message(CrawlerList::load(R"([{"pattern": "a"}, {"tags": []}])")),
            "entry 1: no pattern, or too long, or too many entries");
  EXPECT_EQ(message(CrawlerList::load(R"([{"pattern": "(a"}])")), "entry 0: missing ): (a");
  EXPECT_EQ(message(CrawlerList::load("[]")), "the array is empty");
  EXPECT_TRUE(message(CrawlerList::load("{")).starts_with("no JSON array"));
}

TEST(Patterns, AWordOfAnExpression) {
  EXPECT_EQ(word_of(R"((?<! cu)bots?(?:\b|_))"), "bot");
  EXPECT_EQ(word_of(R"((?:^|[^g])news(?!sapphire))"), "news");
  EXPECT_EQ(word_of(R"((?<! channel/|google/)google(?!(?:wv|app|/google| pixel)))"), "google");
  EXPECT_EQ(word_of(R"(Googlebot\/)"), "Googlebot");
  EXPECT_EQ(word_of(R"([cC]laude[bB]ot)"), "ClaudeBot");
  EXPECT_EQ(word_of(R"(Ahrefs(Bot|SiteAudit))"), "AhrefsBot");
  EXPECT_EQ(word_of(R"((^| )sentry\/)"), "sentry");
  EXPECT_EQ(word_of(R"(^[^ ]{50,}$)"), "");
  EXPECT_EQ(word_of("(?"), "");
  EXPECT_EQ(word_of("a{"), "a");
  EXPECT_EQ(word_of("[\\"), "");
}

// The lists as they ship against what others recorded.
class ShippedBots : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string packs = find_shipped_packs("");
    if (packs.empty() || !std::filesystem::exists(packs + "/isbot.txt")) return;
    auto isbot = must(IsbotRules::load(content(packs + "/isbot.txt")));
    EXPECT_EQ(isbot->rules(), 206U);
    EXPECT_EQ(isbot->rules_with_look_around(), 6U);
    auto crawlers = must(CrawlerList::load(content(packs + "/crawlers.json")));
    EXPECT_EQ(crawlers->size(), 1500U);
    EXPECT_EQ(format_day(day_of(crawlers->newest())), "2026-08-06");
    bots_ = std::make_unique<Bots>(must(AgentTable::load(content(WEIR_TESTS_DIR "/../data/bots/agents.txt"))), isbot,
                                   crawlers);
  }
  static void TearDownTestSuite() { bots_.reset(); }

  static size_t flagged(const std::vector<std::string>& user_agents, bool expected) {
    size_t count = 0;
    for (const std::string& user_agent : user_agents) {
      bool bot = bots_->verdict(user_agent).traffic != Traffic::human;
      if (bot != expected) std::printf("  %s: %s\n", bot ? "flagged" : "not flagged", user_agent.c_str());
      count += bot ? 1 : 0;
    }
    return count;
  }

  static inline std::unique_ptr<Bots> bots_;
};

TEST_F(ShippedBots, FlagsCrawlers) {
  std::string path = testing::recorded("bots/isbot/crawlers.yml");
  if (!bots_ || path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/bots, or there are no packs";
  auto crawlers = testing::listed_in_yaml(path);
  ASSERT_EQ(crawlers.size(), 626U);
  EXPECT_GE(flagged(crawlers, true) * 100, crawlers.size() * 98);
}

TEST_F(ShippedBots, LeavesBrowsersAlone) {
  std::string path = testing::recorded("bots/isbot/browsers.yml");
  if (!bots_ || path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/bots, or there are no packs";
  auto browsers = testing::listed_in_yaml(path);
  ASSERT_EQ(browsers.size(), 555U);
  EXPECT_EQ(flagged(browsers, false), 0U);
}

TEST_F(ShippedBots, LeavesVisitorsAlone) {
  std::string path = testing::recorded("ua/user-agents-npm/user-agents.json.xz");
  if (!bots_ || path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/ua, or there are no packs";
  simdjson::dom::parser parser;
  std::vector<std::string> visitors;
  for (simdjson::dom::element visit : parser.parse(simdjson::padded_string(testing::unpacked(path))).get_array())
    visitors.emplace_back(visit["userAgent"].get_string().value());
  ASSERT_EQ(visitors.size(), 10'000U);
  EXPECT_EQ(flagged(visitors, false), 0U);
}

// The names are robots.txt tokens: put into the form that most crawlers use.
TEST_F(ShippedBots, NamesAiCrawlers) {
  std::string path = testing::recorded("bots/ai-robots.json");
  if (!bots_ || path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/bots, or there are no packs";
  simdjson::dom::parser parser;
  size_t all = 0;
  size_t labelled = 0;
  for (auto [name, robot] : parser.parse(simdjson::padded_string(content(path))).get_object()) {
    std::string user_agent = fmt::format("Mozilla/5.0 (compatible; {}/1.0)", name);
    Verdict verdict = bots_->verdict(user_agent);
    ++all;
    if (verdict.traffic == Traffic::ai_crawler)
      ++labelled;
    else
      std::printf("  %s: %s\n", std::string(name).c_str(), std::string(verdict.reason).c_str());
  }
  ASSERT_EQ(all, 166U);
  EXPECT_GE(labelled * 100, all * 90);
}

TEST_F(ShippedBots, TellsServersSdksFromPhones) {
  if (!bots_) GTEST_SKIP() << "there are no packs";
  for (std::string_view library :
       {"posthog-node/5.70.2", "analytics-node-next/latest", "axios/1.7.2", "Mozilla/5.0 Umami/20.1.0", "curl/8.5.0",
        "python-requests/2.31.0", "Go-http-client/2.0", "posthog-python/3.1.0", "GuzzleHttp/7"}) {
    Verdict verdict = bots_->verdict(library);
    EXPECT_EQ(verdict.traffic, Traffic::bot) << library;
    EXPECT_TRUE(verdict.reason.starts_with("library: ")) << library << ": " << verdict.reason;
  }
  for (std::string_view app : {"posthog-android/3.4.2", "posthog-ios/3.1.0"})
    EXPECT_EQ(bots_->verdict(app).traffic, Traffic::human) << app;
}

TEST_F(ShippedBots, NamesWellKnownOnes) {
  if (!bots_) GTEST_SKIP() << "there are no packs";
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
       "crawler: Googlebot (search-engine)"},
      {"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ChatGPT-User/1.0; +https://openai.com/bot)",
       "ai: ChatGPT-User"},
      {"ChatGPT-User/1.0; +https://openai.com/bot", "ai: ChatGPT-User"},
      {"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
       "crawler: facebookexternalhit (social-preview)"},
      {"Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "monitor: UptimeRobot"},
      {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36",
       "crawler: HeadlessChrome (browser-automation)"},
  };
  for (const auto& [user_agent, reason] : cases) EXPECT_EQ(bots_->verdict(user_agent).reason, reason) << user_agent;
}

}  // namespace
}  // namespace weir::enrich
