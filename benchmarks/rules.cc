// What the operator's rules cost an event that fits none of them, by their number and kind.
//
// libraries: weir_enrich benchmark::benchmark
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "weir/enrich/rules.h"

namespace {

using namespace weir;
using settings::RuleKind;

constexpr enrich::TrafficQuestion kQuestion{
    .project = ProjectId{7},
    .ip = "203.0.113.77",
    .hostname = "www.shop.example",
    .referrer = "https://www.google.com/",
    .path = "/products/garden-chairs",
    .user_agent =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/153.0.0.0 "
        "Safari/537.36"};

settings::TrafficRule rule(RuleKind kind, int64_t i) {
  std::string n = std::to_string(i);
  switch (kind) {
    case RuleKind::address:
      return {.kind = kind, .value = "10." + n + ".0.0/16"};
    case RuleKind::hostname:
      return {.kind = kind, .value = i % 2 == 0 ? "*.staging" + n + ".example" : "test" + n + ".shop.example"};
    case RuleKind::referrer:
      return {.kind = kind, .value = "spam" + n + ".example"};
    case RuleKind::path:
      return {.kind = kind, .value = i % 2 == 0 ? "/admin" + n : "/prod*/edit" + n};
    case RuleKind::user_agent:
      return {.kind = kind, .value = "Monitor" + n};
  }
  return {};
}

void ask(benchmark::State& state, std::vector<settings::TrafficRule> made) {
  enrich::Rules rules(settings::Snapshot({.rules = std::move(made)}));
  for (auto _ : state) {
    auto verdict = rules.verdict(kQuestion);
    benchmark::DoNotOptimize(verdict);
  }
}

void BM_None(benchmark::State& state) { ask(state, {}); }
BENCHMARK(BM_None);

// As operators have them: mostly addresses, a few of each other kind.
void BM_Mixed(benchmark::State& state) {
  std::vector<settings::TrafficRule> made;
  for (int64_t i = 0; i < state.range(0); ++i)
    made.push_back(rule(i % 2 == 0 ? RuleKind::address : static_cast<RuleKind>(1 + i / 2 % 4), i));
  ask(state, std::move(made));
}
BENCHMARK(BM_Mixed)->Arg(10)->Arg(30)->Arg(100)->Arg(1'000);

void BM_OneKind(benchmark::State& state) {
  std::vector<settings::TrafficRule> made;
  for (int64_t i = 0; i < 30; ++i) made.push_back(rule(static_cast<RuleKind>(state.range(0)), i));
  state.SetLabel(std::string(name_of(static_cast<RuleKind>(state.range(0)))));
  ask(state, std::move(made));
}
BENCHMARK(BM_OneKind)->DenseRange(0, 4);

}  // namespace

BENCHMARK_MAIN();
