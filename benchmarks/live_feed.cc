// What the live feed costs loading: batches of rows of one project, with nobody who watches, with streams of all rows,
// and with streams whose filter no row fits. `events` a second is the figure to look at.
// libraries: weir_trace benchmark::benchmark
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "weir/trace/live_feed.h"

namespace {
using namespace weir;

constexpr ProjectId kProject{7};
constexpr size_t kRows = 8'192;  // of a batch

std::vector<event::Row> rows(const std::vector<std::string>& paths) {
  std::vector<event::Row> made(kRows);
  for (size_t i = 0; i < kRows; ++i) {
    event::Row& row = made[i];
    row.project_id = kProject;
    row.name = "pageview";
    row.kind = event::Kind::pageview;
    row.path = paths[i % paths.size()];
    row.country = "DE";
    row.city = "Berlin";
    row.browser = "Firefox";
    row.visitor_id = i;
    row.properties = {{"plan", "pro"}, {"theme", "dark"}};
    row.o = i;
  }
  return made;
}

// Arguments: how many watch; whether by a filter that fits nothing.
void watched(benchmark::State& state) {
  std::vector<std::string> paths;
  for (int i = 0; i < 100; ++i) paths.push_back(fmt::format("/articles/{}/what-happened-then", i));
  const std::vector<event::Row> batch = rows(paths);
  metrics::Registry registry;
  trace::LiveLimits limits;
  limits.per_caller_max = limits.tails_max;
  trace::LiveFeed feed(limits, registry);
  std::vector<std::shared_ptr<trace::LiveListener>> listeners;
  for (int64_t i = 0; i < state.range(0); ++i) {
    trace::RowFilter filter;
    if (state.range(1) != 0 && !filter.add(trace::RowFilter::Op::contains, "path", {"/checkout"}))
      return state.SkipWithError("filter");
    auto listener = feed.listen({kProject, "bench", std::move(filter)}, [] {});
    if (!listener) return state.SkipWithError(listener.error().message.c_str());
    listeners.push_back(*std::move(listener));
  }
  const event::VisitColumns visit;
  for (auto _ : state) {
    auto shown = feed.watch();
    if (shown) {
      for (const event::Row& row : batch)
        if (const size_t number = shown->row(row); number != event::RowWatch::kNotShown) shown->visit(number, visit);
      shown->stored();
    }
    benchmark::DoNotOptimize(shown);
    for (auto& listener : listeners) benchmark::DoNotOptimize(listener->take());
  }
  state.counters["events"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kRows), benchmark::Counter::kIsRate);
  for (auto& listener : listeners) listener->leave();
}
BENCHMARK(watched)
    ->ArgNames({"streams", "filtered"})
    ->Args({0, 0})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({16, 0})
    ->Args({16, 1});

}  // namespace

BENCHMARK_MAIN();
