#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "weir/base/metrics.h"

namespace weir::http {

// Why something was not let through to a handler. One label value each.
enum class Refusal : uint8_t {
  malformed,    // 400: not HTTP as we read it
  header_size,  // 431
  url_size,     // 414
  body_size,    // 413, as sent
  inflated,     // 413, inflated
  coding,       // 415, or 400 for a damaged stream
  timeout,      // 408, or closed where nothing was asked yet
  overload,     // 503: too many bytes held
  unknown,      // 404, 405, 417
  connections,  // not accepted for a while: connections_max reached
  descriptors,  // not accepted for a while: no descriptor or memory left
  slow_reader,  // closed: did not take its answer in time
};
inline constexpr size_t kRefusals = 12;

// All metrics of this room. Thread-safe.
struct Metrics {
  explicit Metrics(metrics::Registry& registry)
      : connections(registry.gauge("weir_http_connections", "Open connections.")),
        in_flight_bytes(registry.gauge("weir_http_in_flight_bytes", "Bytes of requests that are held.")),
        request_seconds(registry.histogram("weir_http_request_seconds",
                                           "From the last byte of a request's head to the last byte of its answer.",
                                           metrics::seconds_bounds())) {
    constexpr const char* kReasons[kRefusals] = {"malformed", "header_size", "url_size",    "body_size",
                                                 "inflated",  "coding",      "timeout",     "overload",
                                                 "unknown",   "connections", "descriptors", "slow_reader"};
    for (size_t i = 0; i < kRefusals; ++i)
      refused_[i] = &registry.counter("weir_http_refused_total", "Requests and connections refused, by reason.",
                                      {{"reason", kReasons[i]}});
    for (size_t i = 0; i < classes_.size(); ++i)
      classes_[i] = &registry.counter("weir_http_requests_total", "Answers, by class of status.",
                                      {{"class", std::to_string(i + 1) + "xx"}});
  }

  void answered(int status) {
    const auto index = static_cast<size_t>(status / 100 - 1);
    if (index < classes_.size()) classes_[index]->add();
  }
  void refused(Refusal why) { refused_[static_cast<size_t>(why)]->add(); }

  metrics::Gauge& connections;
  metrics::Gauge& in_flight_bytes;
  metrics::Histogram& request_seconds;

 private:
  std::array<metrics::Counter*, kRefusals> refused_{};
  std::array<metrics::Counter*, 5> classes_{};
};

}  // namespace weir::http
