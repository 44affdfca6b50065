// What reading a user agent costs: the mix of real browsers, the many different ones of uap-core's tests, and what a
// stranger may send; with and without the memory of those seen. Needs WEIR_TEST_DATA and the pack regexes.yaml.
// libraries: weir_enrich benchmark::benchmark Boost::json
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <random>

#include "weir/base/check.h"
#include "weir/enrich/testing/user_agent_data.h"
#include "weir/enrich/user_agent.h"

namespace {

using namespace weir;
using namespace weir::enrich;

double resident_mb() {
  size_t total = 0;
  size_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

std::string needed(std::string text, const char* what) {
  if (text.empty()) {
    std::fprintf(stderr, "%s is not there: set WEIR_TEST_DATA, build the packs\n", what);
    std::exit(1);
  }
  return text;
}

std::unique_ptr<UserAgentRules> load() {
  auto rules = UserAgentRules::load(needed(testing::regexes_yaml(), "regexes.yaml"), testing::overlay_yaml());
  WEIR_CHECK(rules.has_value());
  return std::move(*rules);
}

const std::shared_ptr<const UserAgentRules>& rules() {
  static const std::shared_ptr<const UserAgentRules> rules = load();
  return rules;
}

// Drawn from the sampled visits of 2026 by their weights.
const std::vector<std::string>& mix() {
  static const std::vector<std::string> drawn = [] {
    auto rows = boost::json::parse(needed(testing::recorded_text("user-agents-npm/user-agents.json.xz"), "the mix"));
    std::vector<std::string> agents;
    std::vector<double> weights;
    for (const auto& row : rows.as_array()) {
      agents.emplace_back(row.at("userAgent").as_string());
      weights.push_back(row.at("weight").to_number<double>());
    }
    std::mt19937_64 random(1);
    std::discrete_distribution<size_t> draw(weights.begin(), weights.end());
    std::vector<std::string> out;
    for (int i = 0; i < 100'000; ++i) out.push_back(agents[draw(random)]);
    return out;
  }();
  return drawn;
}

const std::vector<std::string>& distinct() {
  static const std::vector<std::string> agents = [] {
    std::vector<std::string> out = mix();
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    std::shuffle(out.begin(), out.end(), std::mt19937_64(1));
    return out;
  }();
  return agents;
}

// The texts of uap-core's tests, each once.
const std::vector<std::string>& diverse() {
  static const std::vector<std::string> agents = [] {
    std::vector<std::string> out;
    for (const char* name : {"test_ua", "test_os", "test_device"}) {
      std::string file = std::string("uap-core-0.18.0/") + name + ".yaml.xz";
      auto lists = read_rule_file(file, needed(testing::recorded_text(file), name));
      WEIR_CHECK(lists.has_value());
      for (const RuleEntry& entry : lists->at(0).entries) out.push_back(*entry.find("user_agent_string"));
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    std::shuffle(out.begin(), out.end(), std::mt19937_64(1));
    return out;
  }();
  return agents;
}

// 512 bytes of words that stand in real user agents, in any order.
const std::vector<std::string>& junk() {
  static const std::vector<std::string> agents = [] {
    std::vector<std::string> words;
    for (const std::string& agent : diverse()) {
      size_t at = 0;
      while (at < agent.size()) {
        size_t end = std::min(agent.find(' ', at), agent.size());
        words.push_back(agent.substr(at, end - at));
        at = end + 1;
      }
    }
    std::mt19937_64 random(2);
    std::vector<std::string> out(5'000);
    for (std::string& agent : out) {
      while (agent.size() < 512) agent += words[random() % words.size()] + " ";
      agent.resize(512);
    }
    return out;
  }();
  return agents;
}

void run(benchmark::State& state, const std::vector<std::string>& agents, UserAgentOptions options) {
  UserAgents finder(rules(), options);
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(finder.find(agents[i]));
    if (++i == agents.size()) i = 0;
  }
  state.counters["hit%"] =
      100.0 * static_cast<double>(finder.hits()) / static_cast<double>(finder.hits() + finder.misses());
  state.counters["cache_KB"] = static_cast<double>(finder.bytes()) / 1e3;
}

constexpr UserAgentOptions kNoMemory{1, 1};

void weighted_mix(benchmark::State& state) { run(state, mix(), {}); }
void distinct_of_the_mix_unremembered(benchmark::State& state) { run(state, distinct(), kNoMemory); }
void tests_of_uap_core(benchmark::State& state) { run(state, diverse(), {}); }
void tests_of_uap_core_unremembered(benchmark::State& state) { run(state, diverse(), kNoMemory); }
void junk_of_512_bytes(benchmark::State& state) { run(state, junk(), {}); }
BENCHMARK(weighted_mix);
BENCHMARK(distinct_of_the_mix_unremembered);
BENCHMARK(tests_of_uap_core);
BENCHMARK(tests_of_uap_core_unremembered);
BENCHMARK(junk_of_512_bytes);

void weighted_mix_with_hints(benchmark::State& state) {
  UserAgents finder(rules());
  const std::string hints =
      R"({"sec-ch-ua":"\"Chromium\";v=\"153\", \"Google Chrome\";v=\"153\", \"Not)A;Brand\";v=\"8\"",)"
      R"("sec-ch-ua-mobile":"?0","sec-ch-ua-platform":"\"macOS\"","sec-ch-ua-platform-version":"\"26.1.0\""})";
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(finder.find(mix()[i], hints));
    if (++i == mix().size()) i = 0;
  }
}
BENCHMARK(weighted_mix_with_hints);

// The package's three lists and the device types, each asked, as the engine alone.
void all_lists(benchmark::State& state, const std::vector<std::string>& agents) {
  UserAgentParser parser(*rules());
  size_t i = 0;
  for (auto _ : state) {
    parser.scan(agents[i]);
    for (size_t list = 0; list < kAgentLists; ++list)
      benchmark::DoNotOptimize(parser.first(static_cast<AgentList>(list)).rule);
    if (++i == agents.size()) i = 0;
  }
}
void all_lists_of_the_mix(benchmark::State& state) { all_lists(state, distinct()); }
void all_lists_of_the_tests(benchmark::State& state) { all_lists(state, diverse()); }
BENCHMARK(all_lists_of_the_mix);
BENCHMARK(all_lists_of_the_tests);

void start_up(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(load());
}
BENCHMARK(start_up)->Unit(benchmark::kMillisecond);

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  // Before anything else takes memory that it could use again.
  double before = resident_mb();
  rules();
  double after = resident_mb();
  malloc_trim(0);
  std::printf("resident: %.1f MB without rules, %.1f MB with them, %.1f MB once freed memory is given back\n", before,
              after, resident_mb());
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
