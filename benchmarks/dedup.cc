// What it costs to tell whether an event's id was seen before, beside N ids of the last days, and the memory it takes.
// libraries: weir_load benchmark::benchmark
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "weir/load/dedup.h"

namespace {

using namespace weir;

constexpr UnixMillis kNow = 1'790'000'000'000;

// An index of its own with `ids` ids in it; made once, the next measure adds to it.
class Index {
 public:
  Index() {
    const char* tmp = std::getenv("TMPDIR");
    std::string pattern = std::string(tmp != nullptr ? tmp : "/tmp") + "/dedup-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    auto opened = load::Dedup::open(real_files(), directory_ + "/dedup", std::string(16, 'u'), {});
    if (opened) dedup_ = *std::move(opened);
  }
  ~Index() {
    dedup_.reset();
    std::filesystem::remove_all(directory_);
  }
  void grow_to(uint64_t ids) {
    while (next_ < ids) judge(next_++);
    dedup_->wait_for_merges();
  }
  uint64_t fresh() { return next_++; }
  load::Dedup::Verdict judge(uint64_t number, journal::Offset again = 0) {
    const std::string id = fmt::format("0192b6f0-7d5c-7aaa-8000-{:012x}", number);
    event::Event event;
    event.project_id = ProjectId{7};
    event.id = id;
    event.id_given = true;
    event.name = "pageview";
    event.url = "https://www.example.com/help/data-weekly-billing-2023?utm_source=partner&utm_medium=referral";
    event.properties = R"({"category":"product","author":"author-1","load_ms":823,"theme":"light"})";
    event.received_at = kNow;
    return *dedup_->judge(event, journal::Partition::live, number + again);
  }
  load::Dedup& dedup() { return *dedup_; }

 private:
  std::string directory_;
  std::unique_ptr<load::Dedup> dedup_;
  uint64_t next_ = 0;
};

Index& index_of(uint64_t ids) {
  static Index index;
  index.grow_to(ids);
  return index;
}

void note(benchmark::State& state, load::Dedup& dedup) {
  state.counters["memory_MB"] = static_cast<double>(dedup.memory_bytes()) / 1e6;
  state.counters["files"] = static_cast<double>(dedup.runs());
  state.counters["ids"] = static_cast<double>(dedup.ids());
}

// With what flushing and merging cost, as loading meets it.
void New(benchmark::State& state) {
  Index& index = index_of(static_cast<uint64_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(index.judge(index.fresh()));
  note(state, index.dedup());
}

void Repeated(benchmark::State& state) {
  Index& index = index_of(static_cast<uint64_t>(state.range(0)));
  uint64_t number = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(
        index.judge(number = (number + 982'451'653) % static_cast<uint64_t>(state.range(0)), 1ULL << 40));
  note(state, index.dedup());
}

BENCHMARK(New)->Arg(0)->Unit(benchmark::kMicrosecond);
BENCHMARK(New)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(Repeated)->Arg(1'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(New)->Arg(10'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(Repeated)->Arg(10'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(New)->Arg(40'000'000)->Unit(benchmark::kMicrosecond);
BENCHMARK(Repeated)->Arg(40'000'000)->Unit(benchmark::kMicrosecond);
}  // namespace

BENCHMARK_MAIN();
