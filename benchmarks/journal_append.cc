// libraries: weir_journal benchmark::benchmark
// How fast the journal takes records, and what that costs: callers that wait for their answer, each sending batches of
// realistic JSON records of about 450 bytes, on the machine's own disk (directory: $TMPDIR, else /tmp).
//
//   journal_append --benchmark_filter=Append
//
// cpu_us_per_record is the whole process's CPU, threads of the journal and the callers alike; the callers only copy
// a prepared batch. disk_ratio is bytes of records over bytes written.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <thread>

#include "records.h"
#include "weir/base/logging.h"
#include "weir/journal/open.h"

namespace {

using namespace weir;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Arguments: callers, records a batch, compression: none (0), lz4 (1), zstd (2).
void Append(benchmark::State& state) {
  log::configure(log::Level::warning, log::Format::text);
  const auto callers = static_cast<size_t>(state.range(0));
  const auto records = static_cast<size_t>(state.range(1));
  const char* tmp = std::getenv("TMPDIR");
  std::string pattern = fmt::format("{}/journal-append-XXXXXX", tmp != nullptr ? tmp : "/tmp");
  const std::string directory = mkdtemp(pattern.data());
  SystemClock clock;
  metrics::Registry registry;
  journal::Options options;
  constexpr const char* kCompressions[] = {"none", "lz4", "zstd"};
  options.compression = kCompressions[state.range(2)];
  options.free_percent_min = 0;
  auto opened = journal::open(real_files(), clock, registry, directory + "/journal", options);
  if (!opened) {
    state.SkipWithError(opened.error().message.c_str());
    return;
  }
  journal::Writer& writer = (*opened)->writer(journal::Partition::live);

  std::vector<std::vector<journal::Records>> batches(callers);
  uint64_t bytes = 0;
  uint64_t made = 0;
  for (size_t i = 0; i < callers; ++i) {
    benchmarks::RecordGenerator generator(i);
    for (int j = 0; j < 32; ++j) {
      journal::Records batch;
      for (size_t k = 0; k < records; ++k) batch.add(generator.record());
      bytes += batch.bytes().size();
      made += records;
      batches[i].push_back(std::move(batch));
    }
  }

  uint64_t total = 0;
  std::vector<double> latencies;
  double cpu = 0;
  double wall = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    const auto until = start + std::chrono::seconds(3);
    double cpu_before = cpu_seconds();
    std::mutex mutex;
    std::vector<std::thread> threads;
    threads.reserve(callers);
    for (size_t i = 0; i < callers; ++i) {
      threads.emplace_back([&, i] {
        std::vector<double> mine;
        uint64_t count = 0;
        for (size_t n = 0; std::chrono::steady_clock::now() < until; ++n) {
          auto before = std::chrono::steady_clock::now();
          auto appended =
              journal::append_and_wait(writer, batches[i][n % batches[i].size()], before + std::chrono::minutes(1));
          if (!appended) break;
          mine.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - before).count());
          count += records;
        }
        std::lock_guard lock(mutex);
        total += count;
        latencies.insert(latencies.end(), mine.begin(), mine.end());
      });
    }
    for (std::thread& thread : threads) thread.join();
    cpu += cpu_seconds() - cpu_before;
    wall += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  if (total == 0) {
    state.SkipWithError("nothing was appended");
  } else {
    std::sort(latencies.begin(), latencies.end());
    auto quantile = [&](double q) {
      return latencies[static_cast<size_t>(q * static_cast<double>(latencies.size() - 1))];
    };
    state.counters["records_per_s"] = static_cast<double>(total) / wall;
    state.counters["cpu_us_per_record"] = cpu * 1e6 / static_cast<double>(total);
    state.counters["p50_us"] = quantile(0.5);
    state.counters["p99_us"] = quantile(0.99);
    state.counters["max_us"] = latencies.back();
    auto written =
        static_cast<double>(registry.counter("weir_journal_written_bytes_total", "", {{"partition", "live"}}).value());
    state.counters["disk_ratio"] =
        static_cast<double>(total) * (static_cast<double>(bytes) / static_cast<double>(made)) / written;
    auto& groups = registry.histogram("weir_journal_group_records", "", {}, {{"partition", "live"}});
    uint64_t count = 0;
    for (size_t i = 0; i <= groups.bounds().size(); ++i) count += groups.bucket(i);
    state.counters["records_per_group"] = groups.sum() / static_cast<double>(count);
  }
  if (auto closed = (*opened)->close(); !closed) state.SkipWithError(closed.error().message.c_str());
  opened->reset();
  std::filesystem::remove_all(directory);
}
BENCHMARK(Append)
    ->ArgNames({"callers", "batch", "packed"})
    ->ArgsProduct({{1, 8, 64}, {1}, {0, 1, 2}})
    ->ArgsProduct({{4, 8}, {100}, {0, 1, 2}})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
