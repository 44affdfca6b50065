// What it costs to tell bots and places: with the data packs as weir ships them, and real user agents.
// libraries: weir_enrich simdjson::simdjson benchmark::benchmark
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "weir/enrich/packs.h"
#include "weir/enrich/testing/recorded.h"

namespace {
using namespace weir;
using namespace weir::enrich;

constexpr UnixMillis kNow = 1'790'000'000'000;
constexpr size_t kMany = 1 << 16;

const Packs& packs() {
  static const std::shared_ptr<const Packs> loaded = [] {
    PackStore store({"", find_shipped_packs(""), std::filesystem::temp_directory_path()});
    store.refresh(kNow);
    return store.current();
  }();
  return *loaded;
}

std::vector<std::string> visitors() {
  std::string path = testing::recorded("ua/user-agents-npm/user-agents.json.xz");
  std::vector<std::string> all;
  if (path.empty()) return all;
  simdjson::dom::parser parser;
  for (simdjson::dom::element visit : parser.parse(simdjson::padded_string(testing::unpacked(path))).get_array())
    all.emplace_back(visit["userAgent"].get_string().value());
  return all;
}

std::vector<std::string> crawlers() {
  std::string path = testing::recorded("bots/isbot/crawlers.yml");
  return path.empty() ? std::vector<std::string>{} : testing::listed_in_yaml(path);
}

// What a stranger would send who wants every look to be slow: pieces of real user agents in random order, 512 bytes.
std::vector<std::string> junk() {
  std::vector<std::string> pieces;
  for (const auto& list : {visitors(), crawlers()})
    for (const std::string& text : list)
      for (size_t at = 0; at + 3 < text.size(); at += 7) pieces.push_back(text.substr(at, 3 + at % 5));
  std::vector<std::string> all;
  if (pieces.empty()) return all;
  std::mt19937 random(1);
  for (size_t i = 0; i < 20'000; ++i) {
    std::string text;
    while (text.size() < kUserAgentBytesMax) text += pieces[random() % pieces.size()];
    all.push_back(std::move(text));
  }
  return all;
}

void look_at(benchmark::State& state, const std::vector<std::string>& user_agents) {
  if (user_agents.empty()) {
    state.SkipWithError("WEIR_TEST_DATA is not set");
    return;
  }
  const Bots& bots = packs().bots;
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(bots.verdict(user_agents[at]));
    at = at + 1 == user_agents.size() ? 0 : at + 1;
  }
}

void bots_visitors(benchmark::State& state) { look_at(state, visitors()); }
void bots_crawlers(benchmark::State& state) { look_at(state, crawlers()); }
void bots_junk(benchmark::State& state) { look_at(state, junk()); }

std::vector<std::string> addresses(bool v4) {
  std::mt19937_64 random(1);
  std::vector<std::string> all;
  for (size_t i = 0; i < kMany; ++i)
    all.push_back(v4 ? fmt::format("{}.{}.{}.{}", 1 + random() % 223, random() % 256, random() % 256, random() % 256)
                     : fmt::format("2{:x}{:02x}:{:x}:{:x}::1", random() % 2 == 0 ? 0 : 0xa, random() % 16,
                                   random() % 65536, random() % 65536));
  return all;
}

void find_places(benchmark::State& state, const Places& places, bool v4) {
  auto all = addresses(v4);
  size_t found = 0;
  size_t at = 0;
  for (auto _ : state) {
    found += places.find(all[at]).country.empty() ? 0 : 1;
    at = (at + 1) % kMany;
  }
  state.counters["found"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

void place_city_v4(benchmark::State& state) { find_places(state, packs().places, true); }
void place_city_v6(benchmark::State& state) { find_places(state, packs().places, false); }
Places countries() {
  const Places::Files& files = packs().parts.places;
  return Places({.ranges_ipv4 = files.ranges_ipv4, .ranges_ipv6 = files.ranges_ipv6});
}
void place_country_v4(benchmark::State& state) { find_places(state, countries(), true); }
void place_country_v6(benchmark::State& state) { find_places(state, countries(), false); }

void load_all(benchmark::State& state) {
  for (auto _ : state) {
    PackStore store({"", find_shipped_packs(""), std::filesystem::temp_directory_path()});
    benchmark::DoNotOptimize(store.refresh(kNow));
  }
}
void look_whether_files_changed(benchmark::State& state) {
  PackStore store({"/nonexistent", find_shipped_packs(""), std::filesystem::temp_directory_path()});
  store.refresh(kNow);
  for (auto _ : state) benchmark::DoNotOptimize(store.refresh(kNow));
}

BENCHMARK(bots_visitors);
BENCHMARK(bots_crawlers);
BENCHMARK(bots_junk);
BENCHMARK(place_city_v4);
BENCHMARK(place_city_v6);
BENCHMARK(place_country_v4);
BENCHMARK(place_country_v6);
BENCHMARK(load_all)->Unit(benchmark::kMillisecond);
BENCHMARK(look_whether_files_changed);
}  // namespace

BENCHMARK_MAIN();
