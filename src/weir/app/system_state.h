#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "weir/app/status_routes.h"
#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/metrics.h"
#include "weir/enrich/packs.h"
#include "weir/journal/journal.h"
#include "weir/load/loader.h"
#include "weir/load/outcomes.h"
#include "weir/settings/settings.h"
#include "weir/store/store.h"

namespace weir::app {

// How this process does: rates, lag, disk, store, packs. Thread-safe. Keeps the references and pointers.
class SystemState {
 public:
  struct Parts {
    Clock& clock;
    FileSystem& files;
    metrics::Registry& registry;
    settings::Repository& settings;
    std::string data;  // the data directory
    std::vector<std::string> roles;
    std::function<std::vector<Check>()> checks;
    journal::Journal* journal = nullptr;           // these may be absent: another process does it
    std::array<load::Outcomes*, 2> outcomes = {};  // of each partition
    std::array<load::Loader*, 2> loaders = {};     // likewise
    store::Store* store = nullptr;
    const enrich::PackStore* packs = nullptr;
  };
  explicit SystemState(Parts parts);

  // Notes how far everything has come; rates are the differences. Every kSampleEvery, by one caller.
  void sample();
  // docs/http-api.md. Blocking: asks the store and walks over the data directory.
  std::string to_json();

  static constexpr std::chrono::seconds kSampleEvery{5};
  static constexpr size_t kSamples = 121;  // ten minutes of differences

 private:
  struct Sample {
    UnixMillis at = 0;
    std::array<uint64_t, 2> accepted{};
    std::array<uint64_t, 2> rows{};
  };
  struct DiskPart {
    std::string name;
    uint64_t bytes = 0;
  };
  std::vector<DiskPart> disk_parts();

  const Parts parts_;
  const UnixMillis started_at_;
  std::mutex mutex_;  // guards the rest
  std::deque<Sample> samples_;
  std::vector<DiskPart> disk_;
  std::chrono::steady_clock::time_point disk_due_{};
};

}  // namespace weir::app
