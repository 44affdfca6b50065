#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "weir/base/metrics.h"

namespace weir::api {

// How long the requests of one route took.
inline metrics::Histogram& request_seconds(metrics::Registry& registry, std::string_view route) {
  return registry.histogram("weir_api_request_seconds", "Time to answer a request of the API.",
                            metrics::seconds_bounds(), {{"route", std::string(route)}});
}

}  // namespace weir::api
