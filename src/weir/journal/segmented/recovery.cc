#include "weir/journal/segmented/recovery.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/logging.h"
#include "weir/journal/segmented/scanner.h"

namespace weir::journal::segmented {

namespace {
constexpr size_t kPieceBytes = 1 * MiB;
constexpr uint64_t kFirstSegmentBytesMax = 4 * MiB;
// The newest segment is gone and nobody knows how many records it had. More than any segment holds.
constexpr Offset kUnknownExtent = Offset{1} << 32;
constexpr Offset kGroupRecordsMost = 1'000'000;  // as the options allow
constexpr size_t kAsideFilesMax = 64;

// A segment file as it was found.
struct FoundSegment {
  std::string path;
  Offset base = 0;
  uint64_t bytes = 0;
  bool header_valid = false;
  std::string header_problem;
  SegmentHeader header;
};

class Recovery {
 public:
  Recovery(FileSystem& files, Clock& clock, const RecoveryPlan& plan)
      : files_(files),
        clock_(clock),
        plan_(plan),
        name_(name_of(plan.partition)),
        tag_(tag_of(plan.uuid, plan.partition)) {}

  Result<Recovered> run();

 private:
  Result<> load_manifest();
  Result<> find_segments();
  Result<> sort_out_strangers();
  Result<> drop_given_up();
  Result<> merge_headers();
  Result<> look_at_sealed();
  Result<> look_at_newest();
  Result<> cut_tail(const std::string& path, const Walk& walked);
  Result<> rewrite_unproven(const std::string& path, const Walk& walked);
  Result<> close_newest(const FoundSegment& found, const Walk& walked);
  Result<> save_manifest();
  Result<> start_segment();
  Result<> set_aside(const std::string& path, const std::string& name);
  Result<> make_aside();

  Error corrupt(std::string message) const {
    return {ErrorCode::kCorrupt, fmt::format("journal: {}: {}", name_, message)};
  }
  void note_damage(Damage damage) {
    log::critical("journal: {}: records {}..{} are damaged: {}", name_, damage.first, damage.next - 1, damage.reason);
    if (add_damage(recovered_.manifest.damaged, std::move(damage))) manifest_changed_ = true;
  }
  bool known(const Damage& damage) const {
    for (const Damage& old : recovered_.manifest.damaged)
      if (old.first <= damage.first && damage.next <= old.next) return true;
    return false;
  }
  // The tail can not be trusted: the next record begins a new epoch at or above `first`.
  void bump_epoch(Offset first) {
    new_epoch_ = true;
    next_ = std::max(next_, first);
  }

  FileSystem& files_;
  Clock& clock_;
  const RecoveryPlan& plan_;
  const std::string_view name_;
  const uint32_t tag_;
  Recovered recovered_;
  std::vector<FoundSegment> found_;
  bool manifest_changed_ = false;
  bool new_epoch_ = false;
  Offset next_ = 0;
  uint32_t last_crc_ = 0;
};

Result<> Recovery::load_manifest() {
  auto loaded = load_partition_manifest(files_, plan_.directory);
  if (!loaded) return std::move(loaded).error();
  if (!loaded->manifest) {
    manifest_changed_ = true;
    recovered_.manifest.uuid = plan_.uuid;
    recovered_.manifest.partition = plan_.partition;
    if (loaded->seen) log::error("journal: {}: MANIFEST is rebuilt from the segments: {}", name_, loaded->problem);
    return {};
  }
  if (loaded->previous) {
    manifest_changed_ = true;
    log::error("journal: {}: the previous MANIFEST is used: {}", name_, loaded->problem);
  }
  if (loaded->manifest->uuid != plan_.uuid || loaded->manifest->partition != plan_.partition)
    return corrupt(fmt::format("MANIFEST is of journal {}, partition {}; this is journal {}",
                               to_hex(loaded->manifest->uuid), name_of(loaded->manifest->partition),
                               to_hex(plan_.uuid)));
  recovered_.manifest = *std::move(loaded->manifest);
  return {};
}

Result<> Recovery::find_segments() {
  auto names = files_.list(plan_.directory);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    if (name.ends_with(".new")) {
      if (auto removed = files_.remove(plan_.directory + "/" + name); !removed) return removed;
      continue;
    }
    auto base = parse_segment_name(name);
    if (!base) continue;
    FoundSegment found;
    found.base = *base;
    found.path = plan_.directory + "/" + name;
    auto file = files_.open(found.path, FileSystem::Mode::read);
    if (!file) return std::move(file).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    found.bytes = *size;
    std::string block(kSegmentHeaderBytes, '\0');
    auto got = (*file)->read_at(0, block.data(), block.size());
    if (!got) return std::move(got).error();
    block.resize(*got);
    auto header = decode_segment_header(block);
    if (header) {
      found.header_valid = true;
      found.header = *std::move(header);
    } else if (header.error().code == ErrorCode::kUnsupported) {
      return Error{ErrorCode::kUnsupported, fmt::format("journal: {}: {}", found.path, header.error().message)};
    } else {
      found.header_problem = header.error().message;
    }
    found_.push_back(std::move(found));
  }
  return {};
}

Result<> Recovery::make_aside() { return files_.make_directory(plan_.directory + "/aside"); }

Result<> Recovery::set_aside(const std::string& path, const std::string& name) {
  if (auto made = make_aside(); !made) return made;
  if (auto moved = files_.rename(path, plan_.directory + "/aside/" + name); !moved) return moved;
  if (auto synced = files_.sync_directory(plan_.directory + "/aside"); !synced) return synced;
  return files_.sync_directory(plan_.directory);
}

// Segments of other journals, and our own under a wrong name.
Result<> Recovery::sort_out_strangers() {
  auto stranger = [&](const FoundSegment& found) {
    return found.header_valid && (found.header.uuid != plan_.uuid || found.header.partition != plan_.partition);
  };
  if (!found_.empty() && stranger(found_.back()))
    return corrupt(
        fmt::format("the newest segment {} is of journal {}, partition {}; this is journal {}. Put the right "
                    "file back, or take this one away",
                    found_.back().path, to_hex(found_.back().header.uuid), name_of(found_.back().header.partition),
                    to_hex(plan_.uuid)));
  for (size_t i = 0; i < found_.size();) {
    FoundSegment& found = found_[i];
    if (stranger(found)) {
      log::critical("journal: {}: segment {} is of journal {}, partition {}; this is journal {}; it is set aside",
                    name_, found.path, to_hex(found.header.uuid), name_of(found.header.partition), to_hex(plan_.uuid));
      auto moved = set_aside(found.path, fmt::format("{}.{}", segment_name(found.base), to_hex(found.header.uuid)));
      if (!moved) return moved;
      found_.erase(found_.begin() + static_cast<ptrdiff_t>(i));
      continue;
    }
    if (found.header_valid && found.header.base != found.base) {
      std::string right = plan_.directory + "/" + segment_name(found.header.base);
      if (files_.exists(right)) {
        log::critical("journal: {}: segment {} says it begins at {}, where there is one already; it is set aside",
                      name_, found.path, found.header.base);
        if (auto moved = set_aside(found.path, fmt::format("{}.misnamed", segment_name(found.base))); !moved)
          return moved;
        found_.erase(found_.begin() + static_cast<ptrdiff_t>(i));
        continue;
      }
      log::error("journal: {}: segment {} begins at {}: it gets its name back", name_, found.path, found.header.base);
      if (auto renamed = files_.rename(found.path, right); !renamed) return renamed;
      if (auto synced = files_.sync_directory(plan_.directory); !synced) return synced;
      found.path = right;
      found.base = found.header.base;
    }
    ++i;
  }
  std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) { return a.base < b.base; });
  return {};
}

// What retention had decided to delete when it was interrupted.
Result<> Recovery::drop_given_up() {
  bool dropped = false;
  while (found_.size() > 1 && found_[1].base <= recovered_.manifest.begin) {
    if (auto removed = files_.remove(found_.front().path); !removed) return removed;
    if (auto removed = files_.remove(plan_.directory + "/" + index_name(found_.front().base)); !removed) return removed;
    found_.erase(found_.begin());
    dropped = true;
  }
  if (dropped) return files_.sync_directory(plan_.directory);
  return {};
}

// The MANIFEST may be old or gone: what the segments' headers say counts as well.
Result<> Recovery::merge_headers() {
  PartitionManifest& manifest = recovered_.manifest;
  bool rebuilt = manifest.epochs.empty();
  auto learn = [&](const Epoch& epoch) {
    for (const Epoch& old : manifest.epochs)
      if (old.number == epoch.number) return;
    manifest.epochs.push_back(epoch);
    manifest_changed_ = true;
  };
  for (const FoundSegment& found : found_) {
    if (!found.header_valid) continue;
    for (const Epoch& epoch : found.header.epochs) learn(epoch);
    if (found.header.begin > manifest.begin) {
      manifest.begin = found.header.begin;
      manifest_changed_ = true;
    }
  }
  // Without a MANIFEST nothing says that what came before the oldest segment was not given up.
  if (rebuilt && !found_.empty()) manifest.begin = std::max(manifest.begin, found_.front().base);
  std::sort(manifest.epochs.begin(), manifest.epochs.end(),
            [](const Epoch& a, const Epoch& b) { return a.number < b.number; });
  if (!found_.empty()) {
    if (manifest.epochs.empty()) {  // no MANIFEST and no readable header: the frames themselves name their epoch
      manifest.epochs.push_back({1, found_.front().base});
      bump_epoch(0);
    }
    return drop_given_up();
  }
  if (!plan_.creating)
    return corrupt(fmt::format("no segment is left in {}; restore them, or start a new journal in another place",
                               plan_.directory));
  if (manifest.epochs.empty()) {
    manifest.epochs.push_back({1, 0});
    manifest_changed_ = true;
  }
  next_ = manifest.begin;
  return {};
}

Result<> Recovery::look_at_sealed() {
  for (size_t i = 0; i + 1 < found_.size(); ++i) {
    const FoundSegment& found = found_[i];
    const FoundSegment& following = found_[i + 1];
    SegmentInfo info;
    info.path = found.path;
    info.base = found.base;
    info.bytes = found.bytes;
    info.sealed = true;
    info.epoch = found.header_valid ? found.header.epoch : 0;
    info.created_at = found.header_valid ? found.header.created_at : 0;
    if (!found.header_valid) log::error("journal: {}: {}: {}", name_, found.path, found.header_problem);

    auto file = files_.open(found.path, FileSystem::Mode::read);
    if (!file) return std::move(file).error();
    std::optional<Footer> footer;
    if (found.bytes >= kSegmentHeaderBytes + kFooterBytes) {
      char bytes[kFooterBytes];
      auto got = (*file)->read_at(found.bytes - kFooterBytes, bytes, sizeof bytes);
      if (got && *got == sizeof bytes) footer = decode_footer(bytes, tag_);
      if (footer && footer->position != found.bytes - kFooterBytes) footer.reset();
    }
    if (!footer || !found.header_valid) {
      log::warning("journal: {}: {} has no {}, it is read whole", name_, found.path, footer ? "header" : "footer");
      Window window(**file, found.bytes, kPieceBytes);
      WalkPlan plan;
      plan.expected = found.base;
      plan.epoch = info.epoch;
      plan.tag = tag_;
      auto walked = walk(window, plan, [](const ValidFrame&) { return true; });
      if (!walked) return std::move(walked).error();
      for (const Damage& damage : walked->damaged)
        if (!known(damage)) note_damage(damage);
      if (!footer) footer = walked->footer;
      info.epoch = walked->epoch;
      info.end = walked->next;
      info.frames_end = walked->position;
      info.last_crc = walked->last_crc;
      info.last_at = walked->last_at;
      info.newest_at = walked->newest_at;
      if (walked->torn && walked->next < following.base && !known({walked->next, following.base, ""}))
        note_damage({walked->next, following.base, walked->torn_reason});
    }
    if (footer) {
      info.end = footer->end;
      info.frames_end = footer->position;
      info.last_crc = footer->last_crc;
      info.last_at = footer->last_at;
      info.newest_at = footer->newest_at;
      info.hash = footer->hash;
    }
    if (info.last_at == 0) info.last_at = info.newest_at = info.created_at;
    if (info.end > following.base)
      return corrupt(fmt::format("{} ends at {}, behind the beginning of {}", found.path, info.end, following.path));
    if (info.end < following.base) {
      // A new epoch may leave offsets out. The chain shows whether a segment between the two is missing.
      bool intended = following.header_valid && following.header.epoch != info.epoch &&
                      following.header.previous_crc == info.last_crc && footer;
      if (!intended && !known({info.end, following.base, ""}))
        note_damage({info.end, following.base, "records between two segments are missing"});
    }
    recovered_.segments.push_back(std::move(info));
  }
  return {};
}

// Keeps the torn bytes for whoever wants to look, then cuts them off and makes the rest of the file zeros again.
Result<> Recovery::cut_tail(const std::string& path, const Walk& walked) {
  log::warning("journal: {}: {} bytes behind record {} were never acknowledged ({}); they are cut off", name_,
               walked.torn_bytes, walked.next, walked.torn_reason);
  if (auto made = make_aside(); !made) return made;
  const std::string aside = plan_.directory + "/aside";
  auto names = files_.list(aside);
  if (!names) return std::move(names).error();
  std::erase_if(*names, [](const std::string& name) { return !name.starts_with("cut-"); });
  for (size_t i = 0; i + kAsideFilesMax < names->size() + 1; ++i)
    if (auto removed = files_.remove(aside + "/" + (*names)[i]); !removed) return removed;

  auto file = files_.open(path, FileSystem::Mode::write);
  if (!file) return std::move(file).error();
  const std::string kept = fmt::format("{}/cut-{:020}-{}", aside, walked.next, clock_.now());
  if (auto removed = files_.remove(kept); !removed) return removed;
  auto copy = files_.open(kept, FileSystem::Mode::create);
  if (!copy) return std::move(copy).error();
  std::string piece(std::min<uint64_t>(kPieceBytes, walked.torn_bytes), '\0');
  for (uint64_t at = 0; at < walked.torn_bytes;) {
    size_t want = std::min<uint64_t>(piece.size(), walked.torn_bytes - at);
    auto got = (*file)->read_at(walked.position + at, piece.data(), want);
    if (!got) return std::move(got).error();
    if (*got == 0) break;
    if (auto written = (*copy)->write_at(at, std::string_view(piece).substr(0, *got)); !written) return written;
    at += *got;
  }
  if (auto synced = (*copy)->sync(); !synced) return synced;
  if (auto synced = files_.sync_directory(aside); !synced) return synced;

  auto size = (*file)->size();
  if (!size) return std::move(size).error();
  if (auto cut = (*file)->truncate(walked.position); !cut) return cut;
  if (auto filled = (*file)->zero(walked.position, *size - walked.position); !filled) return filled;
  return (*file)->sync();
}

// The last frames may be in the kernel's cache only: their sync was cut short by the end of the process, or failed,
// after which the kernel takes the pages for clean. Written once more they are dirty, and this sync is a true one.
Result<> Recovery::rewrite_unproven(const std::string& path, const Walk& walked) {
  auto file = files_.open(path, FileSystem::Mode::write);
  if (!file) return std::move(file).error();
  std::string piece(std::min<uint64_t>(kPieceBytes, walked.position - walked.unproven_position), '\0');
  for (uint64_t at = walked.unproven_position; at < walked.position;) {
    size_t want = std::min<uint64_t>(piece.size(), walked.position - at);
    auto got = (*file)->read_at(at, piece.data(), want);
    if (!got) return std::move(got).error();
    if (*got == 0) break;
    if (auto written = (*file)->write_at(at, std::string_view(piece).substr(0, *got)); !written) return written;
    at += *got;
  }
  return (*file)->sync();
}

Result<> Recovery::close_newest(const FoundSegment& found, const Walk& walked) {
  SegmentHeader header = found.header;
  if (!found.header_valid) {
    header.uuid = plan_.uuid;
    header.partition = plan_.partition;
    header.base = found.base;
    header.epoch = walked.epoch;
  }
  auto segment = OpenSegment::resume(files_, found.path, header, walked);
  if (!segment) return std::move(segment).error();
  if (auto footer = (*segment)->seal(); !footer) return std::move(footer).error();
  recovered_.segments.push_back((*segment)->info());
  return {};
}

Result<> Recovery::look_at_newest() {
  if (found_.empty()) return {};
  PartitionManifest& manifest = recovered_.manifest;
  const FoundSegment& found = found_.back();
  if (!found.header_valid) log::error("journal: {}: {}: {}", name_, found.path, found.header_problem);
  auto file = files_.open(found.path, FileSystem::Mode::read);
  if (!file) return std::move(file).error();
  Window window(**file, found.bytes, kPieceBytes);
  WalkPlan plan;
  plan.expected = found.base;
  plan.epoch = found.header_valid ? found.header.epoch : 0;
  plan.previous_crc = found.header_valid ? found.header.previous_crc : 0;
  plan.chained = found.header_valid;
  plan.tag = tag_;
  plan.open_end = true;
  auto walked = walk(window, plan, [&](const ValidFrame& frame) {
    recovered_.open_index.add(frame.header, frame.position);
    return true;
  });
  if (!walked) return std::move(walked).error();
  for (const std::string& problem : walked->problems) log::error("journal: {}: {}: {}", name_, found.path, problem);
  next_ = std::max(next_, walked->next);
  last_crc_ = walked->last_crc;

  bool keep_open = found.header_valid && !walked->footer;
  for (const Damage& damage : walked->damaged) {
    if (known(damage)) continue;
    note_damage(damage);
    bump_epoch(walked->next);
  }
  if (walked->doubtful) {
    const Offset above = walked->doubtful_end != 0 ? walked->doubtful_end : walked->next + kGroupRecordsMost;
    note_damage({walked->next, above, "the last group: " + walked->torn_reason + "; it may have been acknowledged"});
    bump_epoch(above);
  }
  if (manifest.newest > found.base) {
    log::critical("journal: {}: the newest segment {} is missing", name_, segment_name(manifest.newest));
    Offset above = manifest.newest + kUnknownExtent;
    note_damage({walked->next, above, "the newest segment is missing; how many records it held is not known"});
    bump_epoch(above);
  }
  if (manifest.begin > walked->next) bump_epoch(manifest.begin);
  for (const Damage& damage : manifest.damaged)  // what an earlier recovery cut off here is spent as well
    if (damage.next > walked->next) bump_epoch(damage.next);
  uint32_t epoch_here = walked->epoch != 0 ? walked->epoch : manifest.epochs.back().number;
  if (manifest.epochs.back().number > epoch_here) {
    // A new epoch had been noted, but its first segment was not made.
    next_ = std::max(next_, manifest.epochs.back().first);
    keep_open = false;
  }
  if (new_epoch_) keep_open = false;

  file->reset();
  if (walked->torn) {
    // Once it is cut off nothing else tells of it.
    if (auto saved = save_manifest(); !saved) return saved;
    if (auto cut = cut_tail(found.path, *walked); !cut) return cut;
  }
  if (auto written = rewrite_unproven(found.path, *walked); !written) return written;

  if (walked->footer) {
    SegmentInfo info;
    info.path = found.path;
    info.base = found.base;
    info.end = walked->next;
    info.epoch = epoch_here;
    info.frames_end = walked->footer->position;
    info.bytes = found.bytes;
    info.last_crc = walked->footer->last_crc;
    info.created_at = found.header_valid ? found.header.created_at : 0;
    info.last_at = walked->frames > 0 ? walked->footer->last_at : info.created_at;
    info.newest_at = walked->frames > 0 ? walked->footer->newest_at : info.created_at;
    info.sealed = true;
    info.hash = walked->footer->hash;
    last_crc_ = walked->footer->last_crc;
    recovered_.segments.push_back(std::move(info));
    return {};
  }
  if (!keep_open) return close_newest(found, *walked);
  auto segment = OpenSegment::resume(files_, found.path, found.header, *walked);
  if (!segment) return std::move(segment).error();
  recovered_.open = *std::move(segment);
  recovered_.segments.push_back(recovered_.open->info());
  recovered_.noted_upto = walked->durable_upto;
  return {};
}

Result<> Recovery::save_manifest() {
  if (!manifest_changed_) return {};
  ++recovered_.manifest.generation;
  auto replaced = replace_manifest(files_, plan_.directory, encode(recovered_.manifest));
  if (replaced) manifest_changed_ = false;
  return replaced;
}

Result<> Recovery::start_segment() {
  PartitionManifest& manifest = recovered_.manifest;
  // A segment without records ended where it began; its name is taken.
  if (!recovered_.open && !recovered_.segments.empty() && recovered_.segments.back().base >= next_) {
    next_ = recovered_.segments.back().base + 1;
    new_epoch_ = true;
  }
  if (new_epoch_) {
    manifest.epochs.push_back({manifest.epochs.back().number + 1, next_});
    manifest_changed_ = true;
    log::warning("journal: {}: epoch {} begins at {}", name_, manifest.epochs.back().number, next_);
  }
  if (auto saved = save_manifest(); !saved) return saved;
  if (recovered_.open) return {};
  const std::string prepared = plan_.directory + "/" + kPreparedName;
  if (!files_.exists(prepared)) {
    // A small one, for a quick start; those behind it have the whole size.
    auto made = prepare_segment(files_, plan_.directory, std::min(plan_.segment_bytes, kFirstSegmentBytesMax));
    if (!made) return made;
  }
  SegmentHeader header;
  header.uuid = plan_.uuid;
  header.partition = plan_.partition;
  header.base = next_;
  header.epoch = manifest.epochs.back().number;
  header.previous_crc = last_crc_;
  header.created_at = clock_.now();
  header.begin = manifest.begin;
  header.epochs = manifest.epochs;
  auto segment = OpenSegment::start(files_, plan_.directory, header);
  if (!segment) return std::move(segment).error();
  recovered_.open = *std::move(segment);
  recovered_.open_index = Index();
  recovered_.noted_upto = next_;
  recovered_.segments.push_back(recovered_.open->info());
  return {};
}

Result<Recovered> Recovery::run() {
  if (auto made = files_.make_directory(plan_.directory); !made) return std::move(made).error();
  for (auto step :
       {&Recovery::load_manifest, &Recovery::find_segments, &Recovery::sort_out_strangers, &Recovery::merge_headers}) {
    if (auto done = (this->*step)(); !done) return std::move(done).error();
  }
  if (!found_.empty() && found_.front().base > recovered_.manifest.begin) {
    Damage missing{recovered_.manifest.begin, found_.front().base, "the oldest segments are missing"};
    if (!known(missing)) note_damage(std::move(missing));
  }
  for (auto step : {&Recovery::look_at_sealed, &Recovery::look_at_newest, &Recovery::start_segment}) {
    if (auto done = (this->*step)(); !done) return std::move(done).error();
  }
  return std::move(recovered_);
}
}  // namespace

Result<Recovered> recover(FileSystem& files, Clock& clock, const RecoveryPlan& plan) {
  return Recovery(files, clock, plan).run();
}

Result<Traces> find_traces(FileSystem& files, const std::string& directory, Partition partition) {
  Traces traces;
  if (!files.exists(directory)) return traces;
  auto manifest = load_partition_manifest(files, directory);
  if (!manifest) return std::move(manifest).error();
  if (manifest->manifest) traces.uuid = manifest->manifest->uuid;
  auto names = files.list(directory);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names) {
    auto base = parse_segment_name(name);
    if (!base) continue;
    traces.segments = true;
    if (*base > 0) traces.records = true;
    auto file = files.open(directory + "/" + name, FileSystem::Mode::read);
    if (!file) return std::move(file).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    Window window(**file, *size, kSegmentHeaderBytes + 1 * MiB);
    auto block = window.at(0, kSegmentHeaderBytes);
    if (!block) return std::move(block).error();
    auto header = decode_segment_header(*block);
    if (!header && header.error().code == ErrorCode::kUnsupported) return std::move(header).error();
    if (!header) {
      traces.records = true;  // not as it was made: there is something to lose
      continue;
    }
    if (traces.uuid.empty()) traces.uuid = header->uuid;
    if (header->partition != partition) traces.records = true;
    if (examine(window, kSegmentHeaderBytes, tag_of(header->uuid, header->partition)).kind != Found::Kind::blank)
      traces.records = true;
  }
  return traces;
}

}  // namespace weir::journal::segmented
