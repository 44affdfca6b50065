#include "weir/app/system_state.h"

#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "weir/app/packs_json.h"
#include "weir/collect/metrics.h"

namespace weir::app {

namespace json = boost::json;

namespace {
constexpr std::array kPartitions = {journal::Partition::live, journal::Partition::bulk};
// Walking over the data directory is not done again for so long.
constexpr std::chrono::seconds kDiskEvery{10};
// A file that vanishes meanwhile ends the walk early; more than this is not looked at.
constexpr size_t kFilesMax = 500'000;

// Bytes that the files below `path` take up. What cannot be read counts nothing.
uint64_t bytes_below(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    const auto size = fs::file_size(path, error);
    return error ? 0 : size;
  }
  uint64_t bytes = 0;
  size_t files = 0;
  fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator() && files < kFilesMax; at.increment(error)) {
    ++files;
    std::error_code ignored;
    if (!at->is_regular_file(ignored)) continue;
    const auto size = at->file_size(ignored);
    if (!ignored) bytes += size;
  }
  return bytes;
}

// Bytes of this process's memory that are resident; 0: unknown.
uint64_t resident_bytes(FileSystem& files) {
  auto file = files.open("/proc/self/statm", FileSystem::Mode::read);
  if (!file) return 0;
  std::array<char, 128> text{};
  auto got = (*file)->read_at(0, text.data(), text.size() - 1);
  unsigned long long pages = 0;
  if (!got || std::sscanf(text.data(), "%*u %llu", &pages) != 1) return 0;
  return pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

json::value moment(UnixMillis t) { return t == 0 ? json::value(nullptr) : json::value(format_rfc3339(t)); }
}  // namespace

SystemState::SystemState(Parts parts) : parts_(std::move(parts)), started_at_(parts_.clock.now()) {}

void SystemState::sample() {
  Sample now;
  now.at = parts_.clock.now();
  for (size_t i = 0; i < kPartitions.size(); ++i) {
    if (parts_.journal != nullptr) now.accepted[i] = parts_.journal->writer(kPartitions[i]).end();
    now.rows[i] = parts_.registry
                      .counter("weir_load_rows_total", "Rows inserted.",
                               {{"partition", std::string(journal::name_of(kPartitions[i]))}})
                      .value();
  }
  std::lock_guard lock(mutex_);
  samples_.push_back(now);
  if (samples_.size() > kSamples) samples_.pop_front();
}

std::vector<SystemState::DiskPart> SystemState::disk_parts() {
  {
    std::lock_guard lock(mutex_);
    if (parts_.clock.steady() < disk_due_) return disk_;
  }
  std::vector<DiskPart> found;
  auto names = parts_.files.list(parts_.data);
  if (names)
    for (const std::string& name : *names) found.push_back({name, bytes_below(parts_.data + "/" + name)});
  std::lock_guard lock(mutex_);
  disk_ = found;
  disk_due_ = parts_.clock.steady() + kDiskEvery;
  return found;
}

std::string SystemState::to_json() {
  const UnixMillis now = parts_.clock.now();
  json::object out{{"version", WEIR_VERSION},
                   {"started_at", moment(started_at_)},
                   {"now", moment(now)},
                   {"roles", json::value_from(parts_.roles)},
                   {"memory_bytes", resident_bytes(parts_.files)}};

  json::array checks;
  for (const Check& check : parts_.checks())
    checks.push_back({{"name", check.name}, {"ok", check.good}, {"detail", check.good ? "" : check.detail}});
  out["checks"] = std::move(checks);

  collect::Metrics collected(parts_.registry);
  json::object events;
  for (std::string_view outcome : {"accepted", "rejected", "dropped"}) {
    uint64_t sum = collected.events(collect::Metrics::kUnknownProject, outcome).value();
    for (const settings::Project& project : parts_.settings.snapshot()->projects())
      sum += collected.events(project.name, outcome).value();
    events[outcome] = sum;
  }
  out["collected"] = std::move(events);
  json::object refused;
  for (size_t i = 0; i < collect::kRefusalNames.size(); ++i)
    refused[collect::kRefusalNames[i]] = collected.refusals(static_cast<collect::Refusal>(i));
  out["refused"] = std::move(refused);

  json::array rates;
  {
    std::lock_guard lock(mutex_);
    for (size_t i = 1; i < samples_.size(); ++i) {
      const Sample& a = samples_[i - 1];
      const Sample& b = samples_[i];
      const double seconds = static_cast<double>(std::max<UnixMillis>(b.at - a.at, 1)) / 1000;
      auto rate = [&](uint64_t from, uint64_t to) { return static_cast<double>(to - from) / seconds; };
      rates.push_back({b.at / 1000, rate(a.accepted[0], b.accepted[0]), rate(a.accepted[1], b.accepted[1]),
                       rate(a.rows[0] + a.rows[1], b.rows[0] + b.rows[1])});
    }
  }
  out["rates"] = std::move(rates);

  json::array partitions;
  for (size_t i = 0; i < kPartitions.size() && parts_.journal != nullptr; ++i) {
    const journal::PartitionInfo info = parts_.journal->info(kPartitions[i]);
    json::object one{{"partition", journal::name_of(kPartitions[i])},
                     {"begin", info.begin},
                     {"end", info.end},
                     {"bytes", info.bytes},
                     {"damaged_ranges", info.damaged.size()}};
    if (parts_.loaders[i] != nullptr) {
      const load::Progress progress = parts_.loaders[i]->progress();
      one["loaded"] = progress.loaded;
      one["lag_events"] = progress.end - progress.loaded;
      one["lag_seconds"] = progress.end == progress.loaded || progress.waiting_since == 0
                               ? 0.0
                               : static_cast<double>(std::max<UnixMillis>(now - progress.waiting_since, 0)) / 1000;
      one["compared"] = progress.reconciled;
    }
    if (parts_.outcomes[i] != nullptr) {
      const auto counts = parts_.outcomes[i]->counts();
      json::object outcomes;
      for (size_t k = 1; k < load::kOutcomes; ++k) outcomes[load::name_of(static_cast<load::Outcome>(k))] = counts[k];
      one["without_row"] = std::move(outcomes);
    }
    partitions.push_back(std::move(one));
  }
  out["journal"] = std::move(partitions);

  if (parts_.store != nullptr) {
    json::object store{{"up", parts_.store->up()}, {"sql_refused", parts_.store->user_sql_refused()}};
    auto health = parts_.store->health();
    if (health) {
      store["rows"] = health->rows;
      store["parts"] = health->parts;
      store["bytes"] = health->bytes_on_disk;
      store["rollup_bytes"] = health->rollup_bytes;
      store["detached_parts"] = health->detached_parts;
    } else {
      store["error"] = health.error().message;
    }
    if (auto version = parts_.store->query("SELECT version()", {.format = "TSVRaw"}); version) {
      while (version->ends_with('\n')) version->pop_back();
      store["version"] = *version;
    }
    out["store"] = std::move(store);
  }

  json::array disk;
  for (const DiskPart& part : disk_parts()) disk.push_back({{"name", part.name}, {"bytes", part.bytes}});
  json::object volume{{"path", parts_.data}, {"parts", std::move(disk)}};
  if (auto bytes = parts_.files.total_bytes(parts_.data)) volume["total_bytes"] = *bytes;
  if (auto bytes = parts_.files.free_bytes(parts_.data)) volume["free_bytes"] = *bytes;
  out["disk"] = std::move(volume);

  if (parts_.packs != nullptr)
    if (auto packs = parts_.packs->current()) out["packs"] = json::parse(packs_json(packs->reports, now));
  return json::serialize(out);
}

}  // namespace weir::app
