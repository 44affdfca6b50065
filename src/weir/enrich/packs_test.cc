#include "weir/enrich/packs.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "weir/base/files.h"
#include "weir/enrich/testing/recorded.h"

namespace weir::enrich {
namespace {

using testing::content;
using testing::recorded;

constexpr UnixMillis kNow = 1'790'000'000'000;  // 2026-09-21
constexpr std::string_view kRanges =
    "# Generated: Thu, 25 Jun 2026 04:33:59 GMT\n134744072,134744072,US\n134744073,134744073,CA\n";

// An operator's directory and a shipped one, with files that are replaced as operators and packages do it.
class PackStoreTest : public ::testing::Test {
 protected:
  PackStoreTest() {
    std::string pattern = ::testing::TempDir() + "packs-XXXXXX";
    root_ = mkdtemp(pattern.data());
    for (const char* directory : {"/own", "/shipped", "/tmp"}) std::filesystem::create_directory(root_ + directory);
  }
  ~PackStoreTest() override { std::filesystem::remove_all(root_); }

  void put(const std::string& name, std::string_view bytes) {
    ASSERT_TRUE(replace_file(real_files(), root_ + "/" + name, bytes));
  }
  void remove(const std::string& name) { std::filesystem::remove(root_ + "/" + name); }
  PackStore store() { return PackStore({root_ + "/own", root_ + "/shipped", root_ + "/tmp"}); }
  // As a watcher does: it takes a file that looked the same twice.
  static bool look_twice(PackStore& store) {
    bool first = store.refresh(kNow);
    return store.refresh(kNow) || first;
  }
  static const PackReport& report(const Packs& packs, std::string_view name) {
    auto found = std::find_if(packs.reports.begin(), packs.reports.end(),
                              [name](const PackReport& report) { return report.name == name; });
    if (found == packs.reports.end()) throw std::runtime_error("no report");
    return *found;
  }
  static std::string country(const PackStore& store, std::string_view ip) {
    return std::string(store.current()->places.find(ip).country);
  }

  std::string root_;
};

TEST_F(PackStoreTest, WithoutFilesEverythingIsUnknown) {
  PackStore packs = store();
  EXPECT_EQ(packs.current(), nullptr);
  EXPECT_TRUE(packs.refresh(kNow));
  auto now = packs.current();
  ASSERT_NE(now, nullptr);
  EXPECT_EQ(now->reports.size(), pack_kinds().size());
  for (const PackReport& report : now->reports) EXPECT_EQ(report.state, PackState::missing) << report.name;
  EXPECT_EQ(now->places.find("8.8.8.8").country, "");
  EXPECT_EQ(now->bots.verdict("Googlebot/2.1").traffic, event::Traffic::human);
  EXPECT_FALSE(packs.refresh(kNow));
  EXPECT_EQ(packs.current(), now);
}

TEST_F(PackStoreTest, ShippedFilesComeWithTheirOrigin) {
  put("shipped/country-ipv4.txt", kRanges);
  put("shipped/isbot.txt", "bot\n");
  put("shipped/packs.json", R"json({"packs": [{"file": "isbot.txt", "source": "isbot (npm)", "version": "5.2.3",
      "licence": "Unlicense", "credit": "isbot", "date": "2026-05"}]})json");
  PackStore packs = store();
  packs.refresh(kNow);
  auto now = packs.current();
  const PackReport& isbot = report(*now, "isbot.txt");
  EXPECT_EQ(isbot.state, PackState::ok);
  EXPECT_EQ(isbot.path, root_ + "/shipped/isbot.txt");
  EXPECT_FALSE(isbot.own);
  EXPECT_EQ(isbot.source, "isbot (npm)");
  EXPECT_EQ(isbot.version, "5.2.3");
  EXPECT_EQ(isbot.credit, "isbot");
  EXPECT_EQ(isbot.contents, "1 rules, 0 of them with look-around");
  EXPECT_EQ(isbot.bytes, 4U);
  EXPECT_EQ(format_day(day_of(isbot.date)), "2026-05-01");
  EXPECT_TRUE(isbot.old(kNow));
  const PackReport& ranges = report(*now, "country-ipv4.txt");
  EXPECT_EQ(format_day(day_of(ranges.date)), "2026-06-25");
  EXPECT_FALSE(ranges.old(kNow));
  EXPECT_TRUE(ranges.old(kNow + 3 * kMillisPerDay));
  EXPECT_EQ(now->bots.verdict("a bot").reason, "isbot: bot");
}

TEST_F(PackStoreTest, TheOperatorsFileGoesFirstAndMayComeAndGo) {
  put("shipped/country-ipv4.txt", kRanges);
  PackStore packs = store();
  packs.refresh(kNow);
  auto before = packs.current();
  EXPECT_EQ(country(packs, "8.8.8.8"), "US");

  put("own/country-ipv4.txt", "134744072,134744072,DE\n");
  EXPECT_FALSE(packs.refresh(kNow)) << "a file seen for the first time may still be written";
  EXPECT_EQ(country(packs, "8.8.8.8"), "US");
  EXPECT_TRUE(packs.refresh(kNow));
  EXPECT_EQ(country(packs, "8.8.8.8"), "DE");
  EXPECT_TRUE(report(*packs.current(), "country-ipv4.txt").own);
  EXPECT_EQ(before->places.find("8.8.8.8").country, "US") << "who holds the old snapshot goes on with it";

  put("own/country-ipv4.txt", "134744072,134744072,FR\n");
  EXPECT_TRUE(look_twice(packs));
  EXPECT_EQ(country(packs, "8.8.8.8"), "FR");
  EXPECT_FALSE(look_twice(packs));

  remove("own/country-ipv4.txt");
  EXPECT_TRUE(look_twice(packs));
  EXPECT_EQ(country(packs, "8.8.8.8"), "US");
  remove("shipped/country-ipv4.txt");
  EXPECT_TRUE(look_twice(packs));
  EXPECT_EQ(country(packs, "8.8.8.8"), "");
  EXPECT_EQ(report(*packs.current(), "country-ipv4.txt").state, PackState::missing);
}

TEST_F(PackStoreTest, ADamagedFileKeepsTheOneBefore) {
  put("own/isbot.txt", "bot\n");
  PackStore packs = store();
  packs.refresh(kNow);
  put("own/isbot.txt", "bot\n(open\n");
  EXPECT_TRUE(look_twice(packs));
  auto now = packs.current();
  EXPECT_EQ(report(*now, "isbot.txt").state, PackState::damaged);
  EXPECT_EQ(report(*now, "isbot.txt").reason,
            root_ + "/own/isbot.txt: line 2: no regular expression: (open; the one before stays in use");
  EXPECT_EQ(now->bots.verdict("a bot").reason, "isbot: bot");
  EXPECT_FALSE(look_twice(packs)) << "judged once";
  put("own/isbot.txt", "crawl\n");
  EXPECT_TRUE(look_twice(packs));
  EXPECT_EQ(report(*packs.current(), "isbot.txt").state, PackState::ok);
  EXPECT_EQ(packs.current()->bots.verdict("crawl").reason, "isbot: crawl");
}

TEST_F(PackStoreTest, ADamagedFileAtTheStartGivesWayToTheShippedOne) {
  put("own/isbot.txt", "(open\n");
  put("shipped/isbot.txt", "bot\n");
  put("shipped/crawlers.json", "[");
  PackStore packs = store();
  packs.refresh(kNow);
  auto now = packs.current();
  EXPECT_EQ(report(*now, "isbot.txt").state, PackState::damaged);
  EXPECT_TRUE(report(*now, "isbot.txt").reason.ends_with("; the one that weir came with is used instead"));
  EXPECT_EQ(now->bots.verdict("a bot").reason, "isbot: bot");
  EXPECT_EQ(report(*now, "crawlers.json").state, PackState::damaged);
  EXPECT_EQ(report(*now, "crawlers.json").path, "");
}

TEST_F(PackStoreTest, AFileThatGrowsIsLeftAlone) {
  PackStore packs = store();
  packs.refresh(kNow);
  std::string path = root_ + "/own/country-ipv4.txt";
  std::ofstream file(path);
  for (std::string_view line : {"134744072,134744072,US\n", "134744073,134744073,CA\n", "134744074,134744074,MX\n"}) {
    file << line << std::flush;
    EXPECT_FALSE(packs.refresh(kNow));
  }
  EXPECT_TRUE(packs.refresh(kNow));
  EXPECT_EQ(country(packs, "8.8.8.10"), "MX");
}

TEST_F(PackStoreTest, MapsCopiesThatSurviveACutFile) {
  std::string city = recorded("geo/GeoLite2-City-Test.mmdb");
  if (city.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
  put("own/city.mmdb", content(city));
  PackStore packs = store();
  packs.refresh(kNow);
  auto before = packs.current();
  EXPECT_EQ(report(*before, "city.mmdb").contents, "GeoLite2-City");
  EXPECT_EQ(before->places.find("81.2.69.142").city, "London");
  std::filesystem::resize_file(root_ + "/own/city.mmdb", 4096);
  EXPECT_TRUE(look_twice(packs));
  EXPECT_EQ(report(*packs.current(), "city.mmdb").state, PackState::damaged);
  EXPECT_EQ(packs.current()->places.find("81.2.69.142").city, "London");
  remove("own/city.mmdb");
  EXPECT_TRUE(look_twice(packs));
  EXPECT_EQ(packs.current()->places.find("81.2.69.142").city, "");
  EXPECT_EQ(before->places.find("81.2.69.142").city, "London") << "valid as long as it is held";
}

TEST_F(PackStoreTest, TellsItsStateToPrometheus) {
  put("shipped/country-ipv4.txt", kRanges);
  put("shipped/isbot.txt", "(open\n");
  PackStore packs = store();
  packs.refresh(kNow);
  metrics::Registry registry;
  show_packs(*packs.current(), kNow, registry);
  std::string text = registry.text();
  auto has = [&text](std::string_view line) { return text.find(line) != std::string::npos; };
  EXPECT_TRUE(has("weir_enrich_pack_ok{pack=\"country-ipv4.txt\"} 1\n")) << text;
  EXPECT_TRUE(has("weir_enrich_pack_ok{pack=\"isbot.txt\"} 0\n")) << text;
  EXPECT_TRUE(has("weir_enrich_pack_ok{pack=\"crawlers.json\"} 0\n")) << text;
  EXPECT_TRUE(has("weir_enrich_pack_age_seconds{pack=\"country-ipv4.txt\"} ")) << text;
  EXPECT_FALSE(has("spam.txt")) << "nobody misses what weir does not come with";
}

class RecognisePack : public PackStoreTest {
 protected:
  std::string name(const std::string& path) {
    auto kind = recognise_pack(path);
    return kind ? std::string((*kind)->name) : std::string(name_of(kind.error().code));
  }
  std::string name_of_text(std::string_view text) {
    put("own/any", text);
    return name(root_ + "/own/any");
  }
};

TEST_F(RecognisePack, ByWhatIsInIt) {
  EXPECT_EQ(name_of_text("user_agent_parsers:\n  - regex: 'a'\nos_parsers:\n  - regex: 'b'\ndevice_parsers:\n"),
            "regexes.yaml");
  EXPECT_EQ(name_of_text("// ===BEGIN ICANN DOMAINS===\nac\n// ===END ICANN DOMAINS===\n"), "public_suffix_list.dat");
  EXPECT_EQ(name_of_text(kRanges), "country-ipv4.txt");
  EXPECT_EQ(name_of_text("2001:200::,2001:201::,JP\n"), "country-ipv6.txt");
  EXPECT_EQ(name_of_text("# ours\nai GPTBot\n"), "agents.txt");
  EXPECT_EQ(name_of_text(R"([{"pattern": "a", "tags": []}])"), "crawlers.json");
  EXPECT_EQ(name_of_text("spam.example\nxn--e1afmkfd.example\nпример.example\n"), "spam.txt");
  EXPECT_EQ(name_of_text("(?<! cu)bots?\ncrawl\n"), "isbot.txt");
  for (std::string_view other : {"", "hello world\n", "{}", "[1]", "\xab\xcd\xefMaxMind.com", "bot (\ncrawl\n"})
    EXPECT_EQ(name_of_text(other), "bad_input") << other;
  EXPECT_EQ(name(root_ + "/none"), "not_found");
}

TEST_F(RecognisePack, MmdbFilesByTheirRecords) {
  std::string city = recorded("geo/GeoLite2-City-Test.mmdb");
  if (city.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
  EXPECT_EQ(name(city), "city.mmdb");
  EXPECT_EQ(name(recorded("geo/GeoLite2-Country-Test.mmdb")), "country.mmdb");
  EXPECT_EQ(name(recorded("geo/GeoLite2-ASN-Test.mmdb")), "bad_input");
}

// Every shipped file is recognised as what it is, and wholly good.
TEST_F(RecognisePack, WhatWeirComesWith) {
  const std::string shipped = find_shipped_packs("");
  if (shipped.empty()) GTEST_SKIP() << "there are no packs";
  for (const PackKind& kind : pack_kinds()) {
    std::string path = fmt::format("{}/{}", shipped, kind.name);
    if (!kind.shipped || !std::filesystem::exists(path)) continue;
    EXPECT_EQ(name(path), kind.name);
    PackParts parts;
    auto facts = kind.load({path, "", PlaceFile::Check::sample}, parts);
    EXPECT_TRUE(facts) << kind.name << ": " << facts.error().message;
  }
}

}  // namespace
}  // namespace weir::enrich
