#include "weir/journal/segmented/segmented_journal.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/journal/segmented/reader.h"
#include "weir/journal/segmented/scanner.h"

namespace weir::journal::segmented {

namespace {
constexpr auto kTick = std::chrono::seconds(1);
constexpr auto kDeadlineTick = std::chrono::milliseconds(100);

std::string directory_of(const std::string& directory, Partition partition) {
  return fmt::format("{}/{}", directory, name_of(partition));
}

struct Identity {
  std::string uuid;
  bool creating = false;
  bool write_manifest = false;
};

// Whose journal this is: from its MANIFEST, else from the partitions' files. A new one only where there are no traces
// of an old one.
Result<Identity> identify(FileSystem& files, const std::string& directory) {
  Identity identity;
  auto loaded = load_journal_manifest(files, directory);
  if (!loaded) return std::move(loaded).error();
  if (loaded->manifest) {
    identity.uuid = loaded->manifest->uuid;
    identity.write_manifest = loaded->previous;
    return identity;
  }
  identity.write_manifest = true;
  bool records = false;
  bool segments = false;
  for (Partition partition : kPartitions) {
    auto traces = find_traces(files, directory_of(directory, partition), partition);
    if (!traces) return std::move(traces).error();
    records = records || traces->records;
    segments = segments || traces->segments;
    if (traces->uuid.empty()) continue;
    if (!identity.uuid.empty() && identity.uuid != traces->uuid)
      return Error{ErrorCode::kCorrupt,
                   fmt::format("journal: {}: MANIFEST is missing, and the partitions are of two journals, {} and {}",
                               directory, to_hex(identity.uuid), to_hex(traces->uuid))};
    identity.uuid = traces->uuid;
  }
  if (identity.uuid.empty() && (records || segments))
    return Error{ErrorCode::kCorrupt, fmt::format("journal: {}: there are segments, but no file says of which journal; "
                                                  "restore its MANIFEST",
                                                  directory)};
  if (loaded->seen && !segments)
    return Error{ErrorCode::kCorrupt, fmt::format("journal: {}: {}, and there is no segment to rebuild it from",
                                                  directory, loaded->problem)};
  if (records) log::error("journal: {}: MANIFEST is rebuilt: {}", directory, loaded->problem);
  identity.creating = !records;
  if (identity.uuid.empty()) identity.uuid = random_bytes(kUuidBytes);
  return identity;
}
}  // namespace

Result<std::unique_ptr<Journal>> SegmentedJournal::open(FileSystem& files, Clock& clock, metrics::Registry& metrics,
                                                        const std::string& directory, const Options& options) {
  if (auto made = files.make_directory(directory); !made) return std::move(made).error();
  auto identity = identify(files, directory);
  if (!identity) return std::move(identity).error();
  std::unique_ptr<SegmentedJournal> journal(new SegmentedJournal(files, clock, directory, identity->uuid, options));
  for (Partition partition : kPartitions) {
    RecoveryPlan plan;
    plan.directory = directory_of(directory, partition);
    plan.uuid = identity->uuid;
    plan.partition = partition;
    plan.segment_bytes = options.segment_bytes;
    plan.creating = identity->creating;
    auto recovered = recover(files, clock, plan);
    if (!recovered) return std::move(recovered).error();
    log::info("journal: {}: records {}..{} in {} segments", name_of(partition), recovered->manifest.begin,
              recovered->open->next(), recovered->segments.size());
    journal->start(partition, *std::move(recovered), metrics);
  }
  if (identity->write_manifest) {
    JournalManifest manifest{identity->uuid, {kPartitions.begin(), kPartitions.end()}};
    if (auto written = replace_manifest(files, directory, encode(manifest)); !written)
      return std::move(written).error();
  }
  SegmentedJournal* self = journal.get();
  journal->watch_space();
  journal->keeper_ = Thread("journal-keeper", [self] { self->keep_house(); });
  journal->timer_ = Thread("journal-timer", [self] { self->watch_deadlines(); });
  return std::unique_ptr<Journal>(std::move(journal));
}

SegmentedJournal::SegmentedJournal(FileSystem& files, Clock& clock, std::string directory, std::string uuid,
                                   const Options& options)
    : files_(files), clock_(clock), directory_(std::move(directory)), uuid_(std::move(uuid)), options_(options) {}

SegmentedJournal::~SegmentedJournal() {
  for (auto& part : parts_) {
    if (!part) continue;
    part->catalog.stop();
    part->preparer.stop();
  }
  stop_threads();
  for (auto& part : parts_)
    if (part) part->writer.reset();
}

void SegmentedJournal::start(Partition partition, Recovered recovered, metrics::Registry& registry) {
  auto part = std::make_unique<Part>(std::move(recovered.manifest), std::move(recovered.segments),
                                     std::move(recovered.open_index), registry);
  part->directory = directory_of(directory_, partition);
  Part* raw = part.get();
  WriterParts writer_parts{files_,
                           clock_,
                           part->catalog,
                           part->preparer,
                           part->metrics,
                           options_,
                           part->directory,
                           [this] { poke(); },
                           [this, raw](SegmentInfo segment, Index index) {
                             std::lock_guard lock(mutex_);
                             indexes_.push_back({raw, std::move(segment), std::move(index)});
                           }};
  part->writer =
      std::make_unique<SegmentedWriter>(std::move(writer_parts), std::move(recovered.open), recovered.noted_upto);
  parts_[static_cast<size_t>(partition)] = std::move(part);
}

SegmentedJournal::Part& SegmentedJournal::part(Partition partition) const {
  auto at = static_cast<size_t>(partition);
  WEIR_CHECK(at < parts_.size());
  return *parts_[at];
}

Writer& SegmentedJournal::writer(Partition partition) { return *part(partition).writer; }

std::unique_ptr<Reader> SegmentedJournal::reader(Partition partition) {
  return std::make_unique<SegmentedReader>(files_, part(partition).catalog);
}

PartitionInfo SegmentedJournal::info(Partition partition) const { return part(partition).catalog.info(); }

void SegmentedJournal::release(Partition partition, Offset loaded) {
  Part& released = part(partition);
  Offset seen = released.released.load();
  while (seen < loaded && !released.released.compare_exchange_weak(seen, loaded)) {
  }
  if (released.catalog.removable_upto(loaded, keep_from()) > released.catalog.begin()) poke();
}

UnixMillis SegmentedJournal::keep_from() const {
  return clock_.now() - std::chrono::duration_cast<std::chrono::milliseconds>(options_.keep).count();
}

Result<> SegmentedJournal::begin_epoch(Partition partition, Offset next) {
  log::critical("journal: {}: a new epoch is begun at {} or above, the end was {}", name_of(partition), next,
                part(partition).catalog.end());
  return part(partition).writer->begin_epoch(next);
}

Result<Offset> SegmentedJournal::offset_at(Partition partition, UnixMillis t) {
  Catalog& catalog = part(partition).catalog;
  for (const SegmentInfo& segment : catalog.segments()) {
    if (segment.newest_at < t || segment.end == segment.base) continue;
    std::optional<IndexEntry> entry;
    if (segment.sealed) {
      auto index = load_index(files_, segment, catalog.tag());
      if (!index) return std::move(index).error();
      if (const IndexEntry* found = index->find_time(t)) entry = *found;
    } else {
      entry = catalog.open_index_entry_at(segment.base, t);
    }
    auto file = files_.open(segment.path, FileSystem::Mode::read);
    if (!file) return std::move(file).error();
    Window window(**file, segment.frames_end, 256 * KiB);
    WalkPlan plan;
    plan.expected = segment.base;
    plan.epoch = segment.epoch;
    plan.tag = catalog.tag();
    if (entry) {
      // Only if a frame really is there.
      Found there = examine(window, entry->position, catalog.tag());
      if (there.kind == Found::Kind::frame && there.frame.header.base == entry->offset) {
        plan.position = entry->position;
        plan.expected = entry->offset;
      }
    }
    std::optional<Offset> first;
    auto walked = walk(window, plan, [&](const ValidFrame& frame) {
      if (frame.header.count > 0 && frame.header.appended_at >= t) first = frame.header.base;
      return !first.has_value();
    });
    if (!walked) return std::move(walked).error();
    if (first) return std::max(*first, catalog.begin());
  }
  return catalog.end();
}

Result<> SegmentedJournal::close() {
  Result<> outcome;
  for (auto& part : parts_)
    if (auto closed = part->writer->close(); !closed && outcome) outcome = std::move(closed);
  for (auto& part : parts_) {
    part->catalog.stop();
    part->preparer.stop();
  }
  stop_threads();
  return outcome;
}

void SegmentedJournal::stop_threads() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    poked_.notify_all();
    stopped_.notify_all();
  }
  keeper_.join();
  timer_.join();
}

void SegmentedJournal::poke() {
  std::lock_guard lock(mutex_);
  poke_ = true;
  poked_.notify_all();
}

void SegmentedJournal::keep_house() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      poked_.wait_for(lock, kTick, [&] { return stop_ || poke_; });
      if (stop_) break;
      poke_ = false;
    }
    watch_space();
    for (auto& part : parts_) keep(*part);
    write_indexes();
  }
  write_indexes();
  for (auto& part : parts_) save_manifest(*part);
}

void SegmentedJournal::keep(Part& part) {
  if (part.preparer.wanted()) {
    auto prepared = prepare_segment(files_, part.directory, options_.segment_bytes);
    if (!prepared)
      log::warning("journal: {}: the next segment could not be made: {}", name_of(part.catalog.partition()),
                   prepared.error().message);
    part.preparer.done(std::move(prepared));
  }
  retire(part);
  PartitionInfo info = part.catalog.info();
  Offset damaged = 0;
  for (const Damage& damage : info.damaged) damaged += damage.next - damage.first;
  part.metrics.bytes.set(static_cast<double>(info.bytes));
  part.metrics.segments.set(info.segments);
  part.metrics.begin_position.set(static_cast<double>(info.begin));
  part.metrics.damaged_records.set(static_cast<double>(damaged));
  part.metrics.waiting_bytes.set(static_cast<double>(part.writer->waiting_bytes()));
}

void SegmentedJournal::write_indexes() {
  while (true) {
    PendingIndex pending{};
    {
      std::lock_guard lock(mutex_);
      if (indexes_.empty()) return;
      pending = std::move(indexes_.front());
      indexes_.pop_front();
    }
    store_index(files_, pending.segment, pending.part->catalog.tag(), pending.index);
  }
}

// The decision is made durable before the first file goes.
void SegmentedJournal::retire(Part& part) {
  const UnixMillis before = clock_.now() - std::chrono::duration_cast<std::chrono::milliseconds>(options_.keep).count();
  Offset begin = part.catalog.removable_upto(part.released.load(), before);
  for (SegmentInfo& gone : part.catalog.give_up(begin)) part.given_up.push_back(std::move(gone));
  if (!save_manifest(part) || part.given_up.empty()) return;
  bool removed_all = true;
  for (const SegmentInfo& gone : part.given_up) {
    for (const std::string& path : {gone.path, index_path(gone)}) {
      if (auto removed = files_.remove(path); !removed) {
        log::error("journal: {}", removed.error().message);
        removed_all = false;
      }
    }
  }
  if (!removed_all) return;
  if (auto synced = files_.sync_directory(part.directory); !synced) log::error("journal: {}", synced.error().message);
  log::info("journal: {}: {} segments before record {} were in the store and old enough, and are gone",
            name_of(part.catalog.partition()), part.given_up.size(), begin);
  part.given_up.clear();
}

// False when there are changes that could not be written.
bool SegmentedJournal::save_manifest(Part& part) {
  auto manifest = part.catalog.changed_manifest();
  if (!manifest) return true;
  auto saved = replace_manifest(files_, part.directory, encode(*manifest));
  if (!saved) {
    log::error("journal: {}: MANIFEST not written: {}", name_of(part.catalog.partition()), saved.error().message);
    part.catalog.manifest_not_saved();
  }
  return saved.has_value();
}

void SegmentedJournal::watch_space() {
  auto free = files_.free_bytes(directory_);
  auto total = files_.total_bytes(directory_);
  if (!free || !total) return;
  auto least = std::max<double>(2.0 * static_cast<double>(options_.segment_bytes),
                                static_cast<double>(*total) * options_.free_percent_min / 100);
  for (auto& part : parts_) part->writer->set_low_space(static_cast<double>(*free) < least);
}

void SegmentedJournal::watch_deadlines() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    stopped_.wait_for(lock, kDeadlineTick, [&] { return stop_; });
    lock.unlock();
    for (auto& part : parts_)
      if (part->writer && part->writer->waiting_bytes() > 0) part->writer->expire(clock_.steady());
    lock.lock();
  }
}

}  // namespace weir::journal::segmented
