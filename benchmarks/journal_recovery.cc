// libraries: weir_journal benchmark::benchmark
// How long a journal takes to open after a kill, with a nearly full open segment of 128 MiB: the worst there is, as
// sealed segments are not read again. Its records are realistic JSON of about 450 bytes, 100 a group. On the machine's
// own disk (directory: $TMPDIR, else /tmp).
//
// cached 1: as after a kill of the process. cached 0: the files are not in memory, as after a power cut.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "records.h"
#include "weir/base/logging.h"
#include "weir/journal/open.h"

namespace {

using namespace weir;

constexpr double kFull = 0.97;
constexpr const char* kCompressions[] = {"none", "lz4"};

Result<std::unique_ptr<journal::Journal>> open_journal(const std::string& directory, const std::string& compression,
                                                       metrics::Registry& registry) {
  static SystemClock clock;
  journal::Options options;
  options.compression = compression;
  options.free_percent_min = 0;
  return journal::open(real_files(), clock, registry, directory, options);
}

// Answers how many records it holds, or why there is none. Nothing is closed: the end is that of a killed process.
Result<uint64_t> fill_segment(const std::string& directory, const std::string& compression) {
  metrics::Registry registry;
  auto opened = open_journal(directory, compression, registry);
  if (!opened) return std::move(opened).error();
  journal::Writer& writer = (*opened)->writer(journal::Partition::live);
  auto& written = registry.counter("weir_journal_written_bytes_total", "", {{"partition", "live"}});
  benchmarks::RecordGenerator generator(1);
  const auto full = static_cast<uint64_t>(kFull * static_cast<double>(journal::Options().segment_bytes));
  while (written.value() < full) {
    journal::Records batch;
    for (int i = 0; i < 100; ++i) batch.add(generator.record());
    auto appended =
        journal::append_and_wait(writer, std::move(batch), std::chrono::steady_clock::now() + std::chrono::minutes(1));
    if (!appended) return std::move(appended).error();
  }
  return writer.end();
}

void forget_files(const std::string& directory) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    if (auto file = real_files().open(entry.path(), FileSystem::Mode::write)) {
      (void)(*file)->sync();
      (*file)->forget();
    }
  }
}

// Arguments: compression: none (0), lz4 (1); whether the files are in memory.
void Recover(benchmark::State& state) {
  log::configure(log::Level::warning, log::Format::text);
  const std::string compression = kCompressions[state.range(0)];
  const char* tmp = std::getenv("TMPDIR");
  std::string pattern = fmt::format("{}/journal-recovery-XXXXXX", tmp != nullptr ? tmp : "/tmp");
  const std::string directory = mkdtemp(pattern.data());
  const std::string journal_directory = directory + "/journal";
  auto filled = fill_segment(journal_directory, compression);
  if (!filled) state.SkipWithError(filled.error().message.c_str());
  for (auto _ : state) {
    state.PauseTiming();
    if (state.range(1) == 0) forget_files(journal_directory);
    metrics::Registry registry;
    state.ResumeTiming();
    auto opened = open_journal(journal_directory, compression, registry);
    state.PauseTiming();
    if (!opened || (*opened)->writer(journal::Partition::live).end() != *filled) {
      state.SkipWithError("it was not recovered whole");
      break;
    }
    opened->reset();
    state.ResumeTiming();
  }
  if (filled) state.counters["records"] = static_cast<double>(*filled);
  std::filesystem::remove_all(directory);
}
BENCHMARK(Recover)
    ->ArgNames({"packed", "cached"})
    ->ArgsProduct({{0, 1}, {0, 1}})
    ->Iterations(5)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
