#pragma once

#include "weir/base/metrics.h"

namespace weir::store {

struct Metrics {
  explicit Metrics(metrics::Registry& registry)
      : up(registry.gauge("weir_store_up", "Whether the store answered last time.")),
        query_seconds(registry.histogram("weir_store_query_seconds", "Time of statements that read.",
                                         metrics::seconds_bounds())) {}

  metrics::Gauge& up;
  metrics::Histogram& query_seconds;
};

}  // namespace weir::store
