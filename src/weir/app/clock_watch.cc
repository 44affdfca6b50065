#include "weir/app/clock_watch.h"

#include "weir/base/logging.h"

namespace weir::app {

using std::chrono::milliseconds;

ClockWatch::ClockWatch(metrics::Registry& registry)
    : steps_(registry.counter("weir_app_clock_steps_total", "Times the wall clock was set by more than a second.")) {}

milliseconds ClockWatch::look(std::chrono::system_clock::time_point wall,
                              std::chrono::steady_clock::time_point monotonic) {
  const std::chrono::nanoseconds apart = wall.time_since_epoch() - monotonic.time_since_epoch();
  const auto step = std::chrono::duration_cast<milliseconds>(apart - apart_.value_or(apart));
  apart_ = apart;
  if (std::chrono::abs(step) <= std::chrono::seconds(1)) return milliseconds(0);
  steps_.add();
  if (step.count() > 0)
    log::warning("app: the clock was set forward by {} ms, or the machine slept", step.count());
  else
    log::warning(
        "app: the clock was set back by {} ms: events carry the latest time seen until it has caught up, or until weir "
        "is started again",
        -step.count());
  return step;
}

}  // namespace weir::app
