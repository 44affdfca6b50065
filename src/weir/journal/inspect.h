#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/journal/journal.h"

// Looking at a journal's files without opening it for writing: `weir journal inspect | verify | export`. Reads only.
// Works beside a running server too, and then sees what was written completely when it looked.
namespace weir::journal {

// What is known of the sparse index of a sealed segment. It is derived; a missing one is no damage.
enum class IndexState : uint8_t { none, good, missing, bad };
std::string_view name_of(IndexState state);

struct SegmentReport {
  std::string file;
  Offset first = 0;
  Offset next = 0;  // one past its last record
  uint32_t epoch = 0;
  uint64_t bytes = 0;         // of the file
  uint64_t frames_bytes = 0;  // up to the end of the last valid frame
  uint64_t frames = 0;
  uint64_t frames_packed = 0;
  uint64_t payload_bytes = 0;   // as stored
  uint64_t inflated_bytes = 0;  // as records
  UnixMillis created_at = 0;
  UnixMillis first_at = 0;  // appended; 0: no frame was read
  UnixMillis last_at = 0;
  bool sealed = false;
  IndexState index = IndexState::none;
  std::vector<std::string> problems;  // what does not cost records: an unreadable header, a wrong hash
};

struct PartitionReport {
  Partition partition = Partition::live;
  Offset begin = 0;
  Offset end = 0;
  uint64_t bytes = 0;
  uint64_t torn_bytes = 0;  // behind the last valid frame; the next start cuts them off
  std::vector<Epoch> epochs;
  std::vector<SegmentReport> segments;
  std::vector<Damage> damaged;  // listed before or found now
  std::vector<std::string> problems;
};

struct JournalReport {
  std::string uuid;  // 16 bytes
  std::vector<PartitionReport> partitions;
  std::vector<std::string> problems;
  // Every acknowledged record was there and whole, and so was all the rest.
  bool sound() const;
};

// Headers, footers and the open segment only: quick.
// Errors: kNotFound (no journal here), kUnsupported (a later format), kUnavailable.
Result<JournalReport> inspect(FileSystem& files, const std::string& directory);
// Reads and checks every byte.
Result<JournalReport> verify(FileSystem& files, const std::string& directory);

struct ExportedRecord {
  Partition partition;
  uint32_t epoch;
  Offset offset;
  UnixMillis appended_at;
  std::string_view bytes;
};

struct ExportRange {
  Offset first = 0;
  Offset next = UINT64_MAX;
  UnixMillis appended_from = INT64_MIN;
  UnixMillis appended_before = INT64_MAX;
};

// Calls `each` for every readable record of the range in order of offset, until it answers false. Answers the ranges
// that could not be read. Errors: as inspect().
Result<std::vector<Damage>> export_records(FileSystem& files, const std::string& directory, Partition partition,
                                           const ExportRange& range,
                                           const std::function<bool(const ExportedRecord&)>& each);

}  // namespace weir::journal
