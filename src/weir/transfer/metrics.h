#pragma once

#include "weir/base/metrics.h"

namespace weir::transfer {

// What this room counts. The registry must outlive it.
struct Metrics {
  explicit Metrics(metrics::Registry& registry)
      : imported_lines(lines(registry, "imported")),
        already_lines(lines(registry, "already_imported")),
        skipped_lines(lines(registry, "skipped")),
        seeded_events(registry.counter("weir_transfer_seeded_events_total", "Events of seeded histories written.")),
        chunk_seconds(registry.histogram("weir_transfer_chunk_seconds", "Time to import one chunk of a log.",
                                         metrics::seconds_bounds())),
        ledger_bytes(registry.gauge("weir_transfer_ledger_bytes", "Memory held by the ledgers of imported lines.")) {}

  metrics::Counter& imported_lines;
  metrics::Counter& already_lines;
  metrics::Counter& skipped_lines;
  metrics::Counter& seeded_events;
  metrics::Histogram& chunk_seconds;
  metrics::Gauge& ledger_bytes;

 private:
  static metrics::Counter& lines(metrics::Registry& registry, const char* outcome) {
    return registry.counter("weir_transfer_lines_total", "Lines of imported logs by outcome.", {{"outcome", outcome}});
  }
};

}  // namespace weir::transfer
