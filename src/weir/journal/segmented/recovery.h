#pragma once

#include <memory>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/journal/segmented/index.h"
#include "weir/journal/segmented/manifest.h"
#include "weir/journal/segmented/segment.h"

// Bringing one partition's directory into order after whatever happened to it. Runs before any of its threads.
namespace weir::journal::segmented {

struct RecoveryPlan {
  std::string directory;
  std::string uuid;
  Partition partition = Partition::live;
  uint64_t segment_bytes = 0;
  // The journal is being made: a partition without files is a new one. Otherwise that is a loss, and refused.
  bool creating = false;
};

struct Recovered {
  PartitionManifest manifest;         // as it is on disk now
  std::vector<SegmentInfo> segments;  // oldest first, the last one open
  std::unique_ptr<OpenSegment> open;
  Index open_index;
  Offset noted_upto = 0;  // what a frame on disk says is durable
};

// Afterwards: what readers may see is on disk, the tail is clean, damage of acknowledged records is listed and behind
// it a new epoch begun, offsets go on above everything seen. May be interrupted and repeated at any point.
// Errors: kCorrupt (going on could give out offsets twice), kUnsupported (a later format), kOverloaded, kUnavailable.
Result<Recovered> recover(FileSystem& files, Clock& clock, const RecoveryPlan& plan);

// The uuid that the files of a partition name, empty if there are none; and whether any of them holds records.
struct Traces {
  std::string uuid;
  bool segments = false;
  bool records = false;
};
Result<Traces> find_traces(FileSystem& files, const std::string& directory, Partition partition);

}  // namespace weir::journal::segmented
