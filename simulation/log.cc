// The diagnostic log of this program, in place of base/logging.cc: without a thread of its own, and with the schedule's
// time. Silent unless configured.
#include <cstdio>

#include "simulation/scheduler.h"
#include "weir/base/logging.h"

namespace weir::log {

namespace {
bool narrating = false;
}

void configure(Level least, Format) { narrating = least == Level::debug; }
bool enabled(Level) { return narrating; }
void write(Level, std::string_view message) {
  if (!narrating) return;
  const simulation::Scheduler* scheduler = simulation::Scheduler::current();
  const double at = scheduler != nullptr ? static_cast<double>(scheduler->now()) / 1e9 : 0;
  fmt::print(stderr, "{:12.6f} {:3} {}\n", at, scheduler != nullptr ? scheduler->self() : 0, message);
}
void flush() {}

}  // namespace weir::log
