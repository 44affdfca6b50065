#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/journal/journal.h"

// The small files beside the segments: docs/formats/journal.md. Text lines with a checksum as the last one. Each is
// replaced whole, the one before it is kept as MANIFEST.previous.
namespace weir::journal::segmented {

// Of the whole journal.
struct JournalManifest {
  std::string uuid;
  std::vector<Partition> partitions;
};

// Of one partition.
struct PartitionManifest {
  std::string uuid;
  Partition partition = Partition::live;
  uint64_t generation = 0;      // rises with every replacement
  Offset begin = 0;             // everything before was given up by retention
  Offset newest = 0;            // base of the newest segment; may lag behind, never leads
  std::vector<Epoch> epochs;    // oldest first
  std::vector<Damage> damaged;  // by rising offset, no overlaps
};

std::string encode(const JournalManifest& manifest);
std::string encode(const PartitionManifest& manifest);
// Errors: kCorrupt, kUnsupported (a later format).
Result<JournalManifest> decode_journal_manifest(std::string_view text);
Result<PartitionManifest> decode_partition_manifest(std::string_view text);

template <class Manifest>
struct Loaded {
  std::optional<Manifest> manifest;  // nothing: neither file is there or readable
  bool previous = false;             // MANIFEST was not usable, this is the one before
  bool seen = false;                 // one of the two files exists
  std::string problem;               // what was wrong with a file, for people
};
// Errors: kUnsupported (a later format), kUnavailable.
Result<Loaded<JournalManifest>> load_journal_manifest(FileSystem& files, const std::string& directory);
Result<Loaded<PartitionManifest>> load_partition_manifest(FileSystem& files, const std::string& directory);

// Makes `text` the directory's MANIFEST, durably, keeping the one before.
Result<> replace_manifest(FileSystem& files, const std::string& directory, const std::string& text);

// Adds a range, merging it with those it touches or overlaps. Empty ranges are ignored. False when it was all known.
bool add_damage(std::vector<Damage>& damaged, Damage damage);

}  // namespace weir::journal::segmented
