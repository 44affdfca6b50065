#pragma once

#include <chrono>
#include <optional>

#include "weir/base/metrics.h"

namespace weir::app {

// Notices when the machine's wall clock is set: it then moved by another time than the monotonic one. Logs and counts
// each step of more than a second (weir_app_clock_steps_total). A machine that slept looks the same. Confined to one
// thread.
class ClockWatch {
 public:
  explicit ClockWatch(metrics::Registry& registry);
  // What both clocks show at this moment; to be called every few seconds. Answers by how much the wall clock was set
  // since the last call, or zero.
  std::chrono::milliseconds look(std::chrono::system_clock::time_point wall,
                                 std::chrono::steady_clock::time_point monotonic);

 private:
  metrics::Counter& steps_;
  std::optional<std::chrono::nanoseconds> apart_;  // wall - monotonic, last time
};

}  // namespace weir::app
