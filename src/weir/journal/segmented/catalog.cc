#include "weir/journal/segmented/catalog.h"

#include <algorithm>

#include "weir/base/check.h"
#include "weir/base/logging.h"

namespace weir::journal::segmented {

Catalog::Catalog(PartitionManifest manifest, std::vector<SegmentInfo> segments, Index open_index)
    : uuid_(manifest.uuid),
      partition_(manifest.partition),
      tag_(tag_of(manifest.uuid, manifest.partition)),
      end_(segments.empty() ? manifest.begin : segments.back().end),
      manifest_(std::move(manifest)),
      segments_(std::move(segments)),
      open_index_(std::move(open_index)) {
  WEIR_CHECK(!segments_.empty() && !manifest_.epochs.empty());
}

Offset Catalog::begin() const {
  std::lock_guard lock(mutex_);
  return manifest_.begin;
}

uint32_t Catalog::epoch() const {
  std::lock_guard lock(mutex_);
  return manifest_.epochs.back().number;
}

uint64_t Catalog::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t bytes = 0;
  for (const SegmentInfo& segment : segments_) bytes += segment.bytes;
  return bytes;
}

PartitionInfo Catalog::info() const {
  std::lock_guard lock(mutex_);
  PartitionInfo info;
  info.partition = partition_;
  info.begin = manifest_.begin;
  info.end = end_.load(std::memory_order_relaxed);
  for (const SegmentInfo& segment : segments_) info.bytes += segment.bytes;
  info.segments = static_cast<uint32_t>(segments_.size());
  info.epochs = manifest_.epochs;
  info.damaged = manifest_.damaged;
  return info;
}

std::optional<SegmentInfo> Catalog::segment_at(Offset offset) const {
  std::lock_guard lock(mutex_);
  auto at = std::upper_bound(segments_.begin(), segments_.end(), offset,
                             [](Offset o, const SegmentInfo& segment) { return o < segment.base; });
  if (at != segments_.begin() && (at - 1)->end > offset) --at;
  // Segments without records (closed right after they were started) hold nothing to read.
  while (at != segments_.end() && at->end <= offset) ++at;
  if (at == segments_.end()) return std::nullopt;
  return *at;
}

std::vector<SegmentInfo> Catalog::segments() const {
  std::lock_guard lock(mutex_);
  return segments_;
}

std::optional<IndexEntry> Catalog::open_index_entry(Offset base, Offset offset) const {
  std::lock_guard lock(mutex_);
  if (segments_.back().base != base || segments_.back().sealed) return std::nullopt;
  const IndexEntry* entry = open_index_.find_offset(offset);
  if (entry == nullptr) return std::nullopt;
  return *entry;
}

std::optional<IndexEntry> Catalog::open_index_entry_at(Offset base, UnixMillis t) const {
  std::lock_guard lock(mutex_);
  if (segments_.back().base != base || segments_.back().sealed) return std::nullopt;
  const IndexEntry* entry = open_index_.find_time(t);
  if (entry == nullptr) return std::nullopt;
  return *entry;
}

std::optional<Damage> Catalog::damage_at(Offset offset) const {
  std::lock_guard lock(mutex_);
  for (const Damage& damage : manifest_.damaged)
    if (damage.first <= offset && offset < damage.next) return damage;
  return std::nullopt;
}

bool Catalog::add_damage(Damage damage) {
  std::lock_guard lock(mutex_);
  if (!segmented::add_damage(manifest_.damaged, std::move(damage))) return false;
  manifest_changed_ = true;
  return true;
}

bool Catalog::wait_for(Offset from, std::chrono::milliseconds wait) {
  if (end() > from) return true;
  std::unique_lock lock(mutex_);
  grown_.wait_for(lock, wait, [&] { return stopped_ || end_.load(std::memory_order_relaxed) > from; });
  return end_.load(std::memory_order_relaxed) > from;
}

void Catalog::stop() {
  std::lock_guard lock(mutex_);
  stopped_ = true;
  grown_.notify_all();
}

void Catalog::frame_synced(const FrameHeader& header, uint64_t position, const SegmentInfo& open) {
  std::lock_guard lock(mutex_);
  SegmentInfo& last = segments_.back();
  last.end = open.end;
  last.frames_end = open.frames_end;
  last.bytes = open.bytes;
  last.last_crc = open.last_crc;
  last.last_at = open.last_at;
  last.newest_at = open.newest_at;
  open_index_.add(header, position);
  end_.store(header.next(), std::memory_order_release);
  if (header.count > 0) grown_.notify_all();
}

Index Catalog::sealed(const SegmentInfo& segment) {
  std::lock_guard lock(mutex_);
  segments_.back() = segment;
  Index index = std::move(open_index_);
  open_index_ = Index();
  return index;
}

void Catalog::started(const SegmentInfo& segment) {
  std::lock_guard lock(mutex_);
  segments_.push_back(segment);
  open_index_ = Index();
  if (segment.epoch > manifest_.epochs.back().number) manifest_.epochs.push_back({segment.epoch, segment.base});
  manifest_.newest = segment.base;
  manifest_changed_ = true;
  end_.store(std::max(end(), segment.base), std::memory_order_release);
}

std::optional<PartitionManifest> Catalog::changed_manifest() {
  std::lock_guard lock(mutex_);
  if (!manifest_changed_) return std::nullopt;
  manifest_changed_ = false;
  ++manifest_.generation;
  return manifest_;
}

void Catalog::manifest_not_saved() {
  std::lock_guard lock(mutex_);
  manifest_changed_ = true;
}

PartitionManifest Catalog::manifest() const {
  std::lock_guard lock(mutex_);
  return manifest_;
}

Offset Catalog::removable_upto(Offset loaded, UnixMillis before) const {
  std::lock_guard lock(mutex_);
  // A clock that ran ahead and was put right leaves times from the future. What was appended before a later segment
  // was made is not younger than that segment, so the later ones' times bound the earlier ones'.
  std::vector<UnixMillis> last_at(segments_.size());
  UnixMillis bound = INT64_MAX;
  for (size_t i = segments_.size(); i-- > 0;) {
    last_at[i] = std::min(segments_[i].last_at, bound);
    bound = std::min(bound, segments_[i].created_at);
  }
  Offset upto = manifest_.begin;
  for (size_t i = 0; i + 1 < segments_.size(); ++i) {
    const SegmentInfo& segment = segments_[i];
    if (!segment.sealed || segment.end > loaded || last_at[i] >= before) break;
    upto = segments_[i + 1].base;
  }
  return std::max(upto, manifest_.begin);
}

std::vector<SegmentInfo> Catalog::give_up(Offset begin) {
  std::lock_guard lock(mutex_);
  std::vector<SegmentInfo> gone;
  if (begin <= manifest_.begin) return gone;
  manifest_.begin = begin;
  manifest_changed_ = true;
  while (segments_.size() > 1 && segments_[1].base <= begin) {
    gone.push_back(std::move(segments_.front()));
    segments_.erase(segments_.begin());
  }
  return gone;
}

std::string index_path(const SegmentInfo& segment) {
  return parent_directory(segment.path) + "/" + index_name(segment.base);
}

void store_index(FileSystem& files, const SegmentInfo& segment, uint32_t tag, const Index& index) {
  if (auto stored = replace_file(files, index_path(segment), index.encode(tag, segment.base, segment.hash)); !stored)
    log::warning("journal: index not written: {}", stored.error().message);
}

Result<Index> load_index(FileSystem& files, const SegmentInfo& segment, uint32_t tag) {
  if (auto bytes = read_file(files, index_path(segment)); bytes) {
    auto index = Index::decode(*bytes, tag, segment.base, segment.hash);
    if (index) return index;
    log::warning("{}; built anew", index.error().message);
  }
  auto file = files.open(segment.path, FileSystem::Mode::read);
  if (!file) return std::move(file).error();
  Window window(**file, segment.frames_end, 1 * MiB);
  Index index;
  WalkPlan plan;
  plan.expected = segment.base;
  plan.epoch = segment.epoch;
  plan.tag = tag;
  auto walked = walk(window, plan, [&](const ValidFrame& frame) {
    index.add(frame.header, frame.position);
    return true;
  });
  if (!walked) return std::move(walked).error();
  if (!segment.hash.empty()) store_index(files, segment, tag, index);
  return index;
}

}  // namespace weir::journal::segmented
