#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "weir/base/bytes.h"
#include "weir/base/options.h"

namespace weir::journal {

struct Options {
  std::string kind = "segmented";
  uint64_t segment_bytes = 128 * MiB;
  uint64_t group_bytes_max = 4 * MiB;
  uint64_t group_records_max = 10'000;
  uint64_t queue_bytes = 64 * MiB;
  uint64_t record_bytes_max = 1 * MiB;
  std::string compression = "lz4";
  std::chrono::seconds keep{30 * 86'400};
  double free_percent_min = 2;
};

template <class Visitor>
void describe(Visitor& option, Options& o) {
  option("kind", o.kind, one_of({"segmented", "kafka"}), "Where records are kept: in files of our own, or in Kafka.");
  option("segment_bytes", o.segment_bytes, between(1 * MiB, 4 * GiB), "A file of the journal is closed at this size.");
  option("group_bytes_max", o.group_bytes_max, between(64 * KiB, 4 * MiB), "Most bytes written between two syncs.");
  option("group_records_max", o.group_records_max, between(1, 1'000'000), "Most records written between two syncs.");
  option("queue_bytes", o.queue_bytes, between(1 * MiB, 4 * GiB),
         "Most bytes waiting to be written; beyond it appends are refused at once.");
  option("record_bytes_max", o.record_bytes_max, between(1 * KiB, 4 * MiB), "Largest single record.");
  option(
      "compression", o.compression, one_of({"lz4", "zstd", "none"}),
      "How groups of records are packed: `zstd` takes a quarter less room, and two microseconds of CPU an event more.");
  option("keep", o.keep, between(0, 100 * 365 * 86'400.0),
         "Records in the store already are kept in the journal for this long.");
  option("free_percent_min", o.free_percent_min, between(0, 50),
         "Appends are refused below this share of free space on the volume, and below two segments in any case.");
}

}  // namespace weir::journal
