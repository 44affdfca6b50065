#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/base/options.h"

namespace weir::collect {

struct Options {
  std::vector<std::string> projects = {"app", "website"};
  double rate_per_address = 60;
  double burst_per_address = 240;
  uint64_t event_bytes_max = 64 * KiB;
  uint64_t events_max = 50'000;
  uint64_t body_bytes_max = 2 * MiB;
  uint64_t inflated_bytes_max = 16 * MiB;
  std::chrono::milliseconds append_timeout{10'000};
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option("projects", o.projects, any_value, "Projects that are created at the start if they are absent.");
  option("rate_per_address", o.rate_per_address, between(0, 1e9),
         "Requests a second that one address may send to one project; 0: no limit.");
  option("burst_per_address", o.burst_per_address, between(0, 1e9),
         "Requests that one address may send to one project at once, after a pause; 0: no limit.");
  option("event_bytes_max", o.event_bytes_max, between(1 * KiB, 512 * KiB), "Largest single event, as sent.");
  option("events_max", o.events_max, between(1, 1'000'000), "Most events in one request.");
  option("body_bytes_max", o.body_bytes_max, between(1 * KiB, 256 * MiB), "Largest request body, as sent.");
  option("inflated_bytes_max", o.inflated_bytes_max, between(1 * KiB, 1 * GiB),
         "Largest request body after its content coding is undone.");
  option("append_timeout", o.append_timeout, between(10, 600'000),
         "A request whose events are not durable by then is answered 503.");
}

}  // namespace weir::collect
