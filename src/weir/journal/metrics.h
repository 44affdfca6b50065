#pragma once

#include "weir/base/metrics.h"
#include "weir/journal/journal.h"

namespace weir::journal {

// What the journal tells Prometheus of one partition. Thread-safe.
struct PartitionMetrics {
  PartitionMetrics(metrics::Registry& registry, Partition partition)
      : PartitionMetrics(registry, metrics::Labels{{"partition", std::string(name_of(partition))}}) {}
  // `of`: the labels that all of them have.
  PartitionMetrics(metrics::Registry& registry, const metrics::Labels& of)
      : append_seconds(registry.histogram("weir_journal_append_seconds", "From append() to its answer.",
                                          metrics::seconds_bounds(), of)),
        sync_seconds(
            registry.histogram("weir_journal_sync_seconds", "One sync of a group.", metrics::seconds_bounds(), of)),
        roll_seconds(registry.histogram("weir_journal_roll_seconds", "Closing a segment and starting the next.",
                                        metrics::seconds_bounds(), of)),
        group_records(registry.histogram("weir_journal_group_records", "Records written with one sync.",
                                         {1, 3, 10, 30, 100, 300, 1000, 3000, 10000}, of)),
        records(registry.counter("weir_journal_records_total", "Records made durable.", of)),
        record_bytes(registry.counter("weir_journal_record_bytes_total", "Their bytes.", of)),
        written_bytes(registry.counter("weir_journal_written_bytes_total", "Bytes of frames written, compressed.", of)),
        refused_full(
            registry.counter("weir_journal_refused_total", "Appends refused, by reason.", refused_for(of, "full"))),
        refused_queue(
            registry.counter("weir_journal_refused_total", "Appends refused, by reason.", refused_for(of, "queue"))),
        refused_deadline(
            registry.counter("weir_journal_refused_total", "Appends refused, by reason.", refused_for(of, "deadline"))),
        refused_failed(
            registry.counter("weir_journal_refused_total", "Appends refused, by reason.", refused_for(of, "failed"))),
        bytes(registry.gauge("weir_journal_bytes", "Bytes of all segments.", of)),
        segments(registry.gauge("weir_journal_segments", "Segments kept.", of)),
        begin_position(registry.gauge("weir_journal_begin_position", "Oldest offset kept.", of)),
        end_position(registry.gauge("weir_journal_end_position", "One past the last durable offset.", of)),
        waiting_bytes(registry.gauge("weir_journal_waiting_bytes", "Bytes waiting to be written.", of)),
        epoch(registry.gauge("weir_journal_epoch", "Number of the present epoch.", of)),
        damaged_records(registry.gauge("weir_journal_damaged_records", "Offsets in damaged ranges.", of)),
        full(registry.gauge("weir_journal_full", "1 while appends are refused for want of space.", of)),
        failed(registry.gauge("weir_journal_failed", "1 after a failed write or sync.", of)) {}

  metrics::Histogram& append_seconds;
  metrics::Histogram& sync_seconds;
  metrics::Histogram& roll_seconds;
  metrics::Histogram& group_records;
  metrics::Counter& records;
  metrics::Counter& record_bytes;
  metrics::Counter& written_bytes;
  metrics::Counter& refused_full;
  metrics::Counter& refused_queue;
  metrics::Counter& refused_deadline;
  metrics::Counter& refused_failed;
  metrics::Gauge& bytes;
  metrics::Gauge& segments;
  metrics::Gauge& begin_position;
  metrics::Gauge& end_position;
  metrics::Gauge& waiting_bytes;
  metrics::Gauge& epoch;
  metrics::Gauge& damaged_records;
  metrics::Gauge& full;
  metrics::Gauge& failed;

 private:
  static metrics::Labels refused_for(metrics::Labels of, const char* reason) {
    of.emplace_back("reason", reason);
    return of;
  }
};

}  // namespace weir::journal
