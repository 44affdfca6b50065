#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "weir/journal/journal.h"
#include "weir/journal/segmented/index.h"
#include "weir/journal/segmented/manifest.h"
#include "weir/journal/segmented/segment.h"

namespace weir::journal::segmented {

// What there is of one partition: its segments, where the durable records end, what is damaged. In memory; the
// writer tells it of every sync, readers look here for what they may read. Thread-safe.
class Catalog {
 public:
  // `segments` oldest first; the last one is open unless sealed.
  Catalog(PartitionManifest manifest, std::vector<SegmentInfo> segments, Index open_index);

  const std::string& uuid() const { return uuid_; }
  Partition partition() const { return partition_; }
  uint32_t tag() const { return tag_; }

  Offset begin() const;
  Offset end() const { return end_.load(std::memory_order_acquire); }
  uint32_t epoch() const;
  uint64_t bytes() const;
  PartitionInfo info() const;

  // The segment that holds `offset`, which is below end(), or the first one behind it. Nothing when there is none.
  std::optional<SegmentInfo> segment_at(Offset offset) const;
  std::vector<SegmentInfo> segments() const;
  // Where to begin reading the open segment, if `base` is still the open one.
  std::optional<IndexEntry> open_index_entry(Offset base, Offset offset) const;
  std::optional<IndexEntry> open_index_entry_at(Offset base, UnixMillis t) const;

  // The known damage that covers `offset`.
  std::optional<Damage> damage_at(Offset offset) const;
  // False when it was known already.
  bool add_damage(Damage damage);

  // Waits until a record at or behind `from` is durable, or `wait` is over, or stop().
  bool wait_for(Offset from, std::chrono::milliseconds wait);
  // Ends all waiting, for good.
  void stop();

  // The writer's part.
  void frame_synced(const FrameHeader& header, uint64_t position, const SegmentInfo& open);
  // The open segment is closed. Answers its index.
  Index sealed(const SegmentInfo& segment);
  // A new open segment; a new epoch if it has a number not seen before.
  void started(const SegmentInfo& segment);

  // The part of who keeps the MANIFEST. A change since the last call, with its generation counted up.
  std::optional<PartitionManifest> changed_manifest();
  // What changed_manifest() answered could not be written; it will answer again.
  void manifest_not_saved();
  PartitionManifest manifest() const;
  // Retention: where the journal may begin, all before being sealed, below `loaded` and last written before `before`.
  Offset removable_upto(Offset loaded, UnixMillis before) const;
  // Gives up everything below. The next changed_manifest() says so. Answers the segments that may be deleted once
  // that is durable.
  std::vector<SegmentInfo> give_up(Offset begin);

 private:
  const std::string uuid_;
  const Partition partition_;
  const uint32_t tag_;
  std::atomic<Offset> end_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable grown_;
  PartitionManifest manifest_;
  bool manifest_changed_ = false;
  std::vector<SegmentInfo> segments_;
  Index open_index_;
  bool stopped_ = false;
};

// The index of a sealed segment: from its file, or built anew (and written) when that is missing or wrong.
// Errors: kUnavailable.
Result<Index> load_index(FileSystem& files, const SegmentInfo& segment, uint32_t tag);
// Beside the segment. Best effort: an index can be built again.
void store_index(FileSystem& files, const SegmentInfo& segment, uint32_t tag, const Index& index);
std::string index_path(const SegmentInfo& segment);

}  // namespace weir::journal::segmented
