#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/metrics.h"

namespace weir::collect {

// Why a whole request was refused.
enum class Refusal : uint8_t {
  content_type,
  project,  // unknown
  key,      // unknown, or not for this
  rate,
  malformed,  // not JSON, or a single event that is wrong
  too_large,
  overloaded,
  unavailable,
  count_
};
inline constexpr std::array<std::string_view, static_cast<size_t>(Refusal::count_)> kRefusalNames = {
    "content_type", "project", "key", "rate", "malformed", "too_large", "overloaded", "unavailable"};

// The room's metrics. Thread-safe.
class Metrics {
 public:
  explicit Metrics(metrics::Registry& registry)
      : registry_(registry),
        request_seconds(registry.histogram("weir_collect_request_seconds",
                                           "From a capture request's arrival to its answer.",
                                           metrics::seconds_bounds())) {
    for (size_t i = 0; i < kRefusalNames.size(); ++i) {
      refused_[i] = &registry.counter("weir_collect_refused_total", "Capture requests refused as a whole.",
                                      {{"reason", std::string(kRefusalNames[i])}});
    }
  }

  // `project` is a name, or kUnknownProject: strangers' names never become labels.
  metrics::Counter& events(std::string_view project, std::string_view outcome) {
    return registry_.counter("weir_collect_events_total", "Events by what became of them at collection.",
                             {{"project", std::string(project)}, {"outcome", std::string(outcome)}});
  }
  metrics::Counter& drops(std::string_view project, std::string_view reason) {
    return registry_.counter("weir_collect_dropped_total", "Events that a policy kept from being stored.",
                             {{"project", std::string(project)}, {"reason", std::string(reason)}});
  }
  void refused(Refusal reason) { refused_[static_cast<size_t>(reason)]->add(); }
  uint64_t refusals(Refusal reason) const { return refused_[static_cast<size_t>(reason)]->value(); }

  static constexpr std::string_view kUnknownProject = "(unknown)";

 private:
  metrics::Registry& registry_;
  std::array<metrics::Counter*, static_cast<size_t>(Refusal::count_)> refused_{};

 public:
  metrics::Histogram& request_seconds;
};

}  // namespace weir::collect
