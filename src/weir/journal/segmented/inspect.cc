#include "weir/journal/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "weir/journal/segmented/catalog.h"
#include "weir/journal/segmented/codec.h"
#include "weir/journal/segmented/manifest.h"
#include "weir/journal/segmented/scanner.h"
#include "weir/journal/segmented/segment.h"

namespace weir::journal {

std::string_view name_of(IndexState state) {
  switch (state) {
    case IndexState::none:
      return "none";
    case IndexState::good:
      return "good";
    case IndexState::missing:
      return "missing";
    case IndexState::bad:
      return "bad";
  }
  return "";
}

bool JournalReport::sound() const {
  if (!problems.empty()) return false;
  return std::all_of(partitions.begin(), partitions.end(), [](const PartitionReport& partition) {
    return partition.problems.empty() && partition.damaged.empty() &&
           std::all_of(partition.segments.begin(), partition.segments.end(),
                       [](const SegmentReport& segment) { return segment.problems.empty(); });
  });
}

namespace segmented {
namespace {
constexpr size_t kPieceBytes = 1 * MiB;
constexpr std::array<Partition, 2> kPartitions = {Partition::live, Partition::bulk};

std::string directory_of(const std::string& directory, Partition partition) {
  return fmt::format("{}/{}", directory, name_of(partition));
}

// One segment file, opened, with what its header and footer say.
struct Opened {
  std::unique_ptr<File> file;
  std::string name;
  Offset base = 0;
  uint64_t bytes = 0;
  std::optional<SegmentHeader> header;
  std::optional<Footer> footer;
  std::string problem;  // with the header
};

Result<std::vector<Offset>> segment_bases(FileSystem& files, const std::string& directory) {
  auto names = files.list(directory);
  if (!names) return std::move(names).error();
  std::vector<Offset> bases;
  for (const std::string& name : *names)
    if (auto base = parse_segment_name(name)) bases.push_back(*base);
  return bases;
}

Result<Opened> open_segment(FileSystem& files, const std::string& directory, Offset base, uint32_t tag) {
  Opened opened;
  opened.base = base;
  opened.name = segment_name(base);
  auto file = files.open(directory + "/" + opened.name, FileSystem::Mode::read);
  if (!file) return std::move(file).error();
  opened.file = *std::move(file);
  auto size = opened.file->size();
  if (!size) return std::move(size).error();
  opened.bytes = *size;
  Window window(*opened.file, opened.bytes, kSegmentHeaderBytes);
  auto block = window.at(0, kSegmentHeaderBytes);
  if (!block) {
    opened.problem = block.error().message;
  } else {
    auto header = decode_segment_header(*block);
    if (header)
      opened.header = *std::move(header);
    else if (header.error().code == ErrorCode::kUnsupported)
      return std::move(header).error();
    else
      opened.problem = header.error().message;
  }
  if (opened.bytes >= kSegmentHeaderBytes + kFooterBytes) {
    auto bytes = window.at(opened.bytes - kFooterBytes, kFooterBytes);
    if (bytes && bytes->size() == kFooterBytes) opened.footer = decode_footer(bytes->data(), tag);
    if (opened.footer && opened.footer->position != opened.bytes - kFooterBytes) opened.footer.reset();
  }
  return opened;
}

// Checks that a frame's payload really holds its records; hands them over if asked to.
class RecordsOf {
 public:
  // Empty: the records could not be got at.
  std::optional<std::vector<Record>> frame(const ValidFrame& frame) {
    std::vector<Record> records;
    std::string_view payload = frame.payload;
    if (frame.header.codec != Codec::raw) {
      if (!inflate(frame.header.codec, payload, frame.header.inflated_bytes, inflated_)) return std::nullopt;
      payload = inflated_;
    }
    if (!split_records(payload, frame.header.base, frame.header.count, records)) return std::nullopt;
    return records;
  }

 private:
  std::string inflated_;
};

WalkPlan plan_of(const Opened& opened, uint32_t tag, bool newest) {
  WalkPlan plan;
  plan.expected = opened.base;
  plan.epoch = opened.header ? opened.header->epoch : 0;
  plan.previous_crc = opened.header ? opened.header->previous_crc : 0;
  plan.chained = opened.header.has_value();
  plan.tag = tag;
  plan.open_end = newest;
  return plan;
}

enum class Depth { quick, deep };

class PartitionView {
 public:
  PartitionView(FileSystem& files, std::string directory, const std::string& uuid, Partition partition, Depth depth)
      : files_(files), directory_(std::move(directory)), uuid_(uuid), tag_(tag_of(uuid, partition)), depth_(depth) {
    report_.partition = partition;
  }
  Result<PartitionReport> look();

 private:
  Result<> look_at(Offset base, bool newest);
  Result<> read_frames(Opened& opened, bool newest, SegmentReport& segment);
  void check_hash(Opened& opened, SegmentReport& segment);
  void check_index(const Opened& opened, SegmentReport& segment);
  void join(const Opened& opened);

  FileSystem& files_;
  const std::string directory_;
  const std::string& uuid_;
  const uint32_t tag_;
  const Depth depth_;
  PartitionReport report_;
  // Of the segment looked at last.
  uint32_t last_crc_ = 0;
  bool any_ = false;
};

Result<PartitionReport> PartitionView::look() {
  auto loaded = load_partition_manifest(files_, directory_);
  if (!loaded) return std::move(loaded).error();
  if (!loaded->problem.empty()) report_.problems.push_back(loaded->problem);
  if (loaded->manifest) {
    report_.begin = loaded->manifest->begin;
    report_.epochs = loaded->manifest->epochs;
    report_.damaged = loaded->manifest->damaged;
  }
  auto bases = segment_bases(files_, directory_);
  if (!bases) return std::move(bases).error();
  if (bases->empty()) report_.problems.emplace_back("there is no segment");
  if (!loaded->manifest && !bases->empty()) report_.begin = bases->front();
  report_.end = report_.begin;
  for (size_t i = 0; i < bases->size(); ++i) {
    // Given up already, if only the file had been deleted.
    if (i + 1 < bases->size() && (*bases)[i + 1] <= report_.begin) continue;
    if (auto looked = look_at((*bases)[i], i + 1 == bases->size()); !looked) return std::move(looked).error();
  }
  if (loaded->manifest && !bases->empty() && loaded->manifest->newest > bases->back())
    report_.problems.push_back(fmt::format("the newest segment {} is missing", segment_name(loaded->manifest->newest)));
  return std::move(report_);
}

Result<> PartitionView::look_at(Offset base, bool newest) {
  auto opened = open_segment(files_, directory_, base, tag_);
  if (!opened && opened.error().code == ErrorCode::kNotFound) {
    auto manifest = load_partition_manifest(files_, directory_);
    if (manifest && manifest->manifest && manifest->manifest->begin > base) {
      report_.begin = report_.end = manifest->manifest->begin;  // retention was quicker than we
      return {};
    }
  }
  if (!opened) return std::move(opened).error();
  SegmentReport segment;
  segment.file = opened->name;
  segment.first = base;
  segment.bytes = opened->bytes;
  if (!opened->problem.empty()) segment.problems.push_back(opened->problem);
  if (opened->header) {
    segment.epoch = opened->header->epoch;
    segment.created_at = opened->header->created_at;
    bool ours = opened->header->uuid == uuid_ && opened->header->partition == report_.partition;
    if (!ours) {
      segment.problems.push_back(fmt::format("of journal {}, partition {}; this is journal {}",
                                             to_hex(opened->header->uuid), name_of(opened->header->partition),
                                             to_hex(uuid_)));
    }
    if (opened->header->base != base)
      segment.problems.push_back(fmt::format("its header says that it begins at {}", opened->header->base));
    for (const Epoch& epoch : opened->header->epochs) {
      bool known = std::any_of(report_.epochs.begin(), report_.epochs.end(),
                               [&](const Epoch& old) { return old.number == epoch.number; });
      if (ours && !known) report_.epochs.push_back(epoch);
    }
  }
  join(*opened);
  any_ = true;
  if (depth_ == Depth::deep || newest || !opened->footer || !opened->header) {
    if (auto read = read_frames(*opened, newest, segment); !read) return read;
  }
  if (opened->footer) {
    segment.sealed = true;
    segment.next = opened->footer->end;
    segment.frames = opened->footer->frames;
    segment.frames_bytes = opened->footer->position;
    segment.first_at = opened->footer->first_at;
    segment.last_at = opened->footer->last_at;
    last_crc_ = opened->footer->last_crc;
    if (depth_ == Depth::deep) check_hash(*opened, segment);
    check_index(*opened, segment);
  }
  report_.bytes += segment.bytes;
  report_.end = std::max(report_.end, segment.next);
  report_.segments.push_back(std::move(segment));
  return {};
}

// What lies between the segment before and this one.
void PartitionView::join(const Opened& opened) {
  if (opened.base <= report_.end) return;
  if (!any_) {
    add_damage(report_.damaged, {report_.end, opened.base, "the oldest segments are missing"});
    return;
  }
  bool intended = opened.header && !report_.segments.empty() && report_.segments.back().sealed &&
                  opened.header->epoch != report_.segments.back().epoch && opened.header->previous_crc == last_crc_;
  if (!intended) add_damage(report_.damaged, {report_.end, opened.base, "records between two segments are missing"});
}

Result<> PartitionView::read_frames(Opened& opened, bool newest, SegmentReport& segment) {
  Window window(*opened.file, opened.bytes, kPieceBytes);
  RecordsOf records;
  auto walked = walk(window, plan_of(opened, tag_, newest), [&](const ValidFrame& frame) {
    if (depth_ == Depth::deep && frame.header.count > 0 && !records.frame(frame))
      add_damage(report_.damaged, {frame.header.base, frame.header.next(), "payload does not hold its records"});
    return true;
  });
  if (!walked) return std::move(walked).error();
  segment.next = walked->next;
  if (segment.epoch == 0) segment.epoch = walked->epoch;
  segment.frames_bytes = walked->position;
  segment.frames = walked->frames;
  segment.frames_packed = walked->frames_packed;
  segment.payload_bytes = walked->payload_bytes;
  segment.inflated_bytes = walked->inflated_bytes;
  segment.first_at = walked->first_at;
  segment.last_at = walked->last_at;
  segment.sealed = walked->footer.has_value();
  last_crc_ = walked->last_crc;
  for (const Damage& damage : walked->damaged) add_damage(report_.damaged, damage);
  for (const std::string& problem : walked->problems) segment.problems.push_back(problem);
  if (newest) {
    report_.torn_bytes = walked->torn_bytes;
  } else if (!walked->footer) {
    segment.problems.emplace_back(walked->torn ? walked->torn_reason : "it has no footer");
  }
  return {};
}

void PartitionView::check_hash(Opened& opened, SegmentReport& segment) {
  auto hash = hash_file(*opened.file, opened.footer->position);
  if (!hash)
    segment.problems.push_back(hash.error().message);
  else if (*hash != opened.footer->hash)
    segment.problems.emplace_back("the file is not as it was sealed (hash)");
}

void PartitionView::check_index(const Opened& opened, SegmentReport& segment) {
  auto bytes = read_file(files_, directory_ + "/" + index_name(opened.base));
  if (!bytes) {
    segment.index = bytes.error().code == ErrorCode::kNotFound ? IndexState::missing : IndexState::bad;
    return;
  }
  auto index = Index::decode(*bytes, tag_, opened.base, opened.footer->hash);
  segment.index = index ? IndexState::good : IndexState::bad;
}

Result<std::string> uuid_of(FileSystem& files, const std::string& directory, std::vector<std::string>& problems) {
  auto loaded = load_journal_manifest(files, directory);
  if (!loaded) return std::move(loaded).error();
  if (!loaded->problem.empty()) problems.push_back(loaded->problem);
  if (loaded->manifest) return loaded->manifest->uuid;
  for (Partition partition : kPartitions) {
    const std::string part = directory_of(directory, partition);
    if (!files.exists(part)) continue;
    auto manifest = load_partition_manifest(files, part);
    if (!manifest) return std::move(manifest).error();
    if (manifest->manifest) return manifest->manifest->uuid;
    auto bases = segment_bases(files, part);
    if (!bases) return std::move(bases).error();
    for (Offset base : *bases) {
      auto opened = open_segment(files, part, base, 0);
      if (!opened) return std::move(opened).error();
      if (opened->header) return opened->header->uuid;
    }
  }
  return Error{ErrorCode::kNotFound, fmt::format("journal: there is no journal in {}", directory)};
}

Result<JournalReport> look(FileSystem& files, const std::string& directory, Depth depth) {
  JournalReport report;
  auto uuid = uuid_of(files, directory, report.problems);
  if (!uuid) return std::move(uuid).error();
  report.uuid = *std::move(uuid);
  for (Partition partition : kPartitions) {
    const std::string part = directory_of(directory, partition);
    if (!files.exists(part)) {
      report.problems.push_back(fmt::format("{} is missing", part));
      continue;
    }
    auto seen = PartitionView(files, part, report.uuid, partition, depth).look();
    if (!seen) return std::move(seen).error();
    report.partitions.push_back(*std::move(seen));
  }
  return report;
}
}  // namespace
}  // namespace segmented

Result<JournalReport> inspect(FileSystem& files, const std::string& directory) {
  return segmented::look(files, directory, segmented::Depth::quick);
}

Result<JournalReport> verify(FileSystem& files, const std::string& directory) {
  return segmented::look(files, directory, segmented::Depth::deep);
}

Result<std::vector<Damage>> export_records(FileSystem& files, const std::string& directory, Partition partition,
                                           const ExportRange& range,
                                           const std::function<bool(const ExportedRecord&)>& each) {
  using namespace segmented;
  std::vector<std::string> problems;
  auto uuid = uuid_of(files, directory, problems);
  if (!uuid) return std::move(uuid).error();
  const uint32_t tag = tag_of(*uuid, partition);
  const std::string part = directory_of(directory, partition);
  auto bases = segment_bases(files, part);
  if (!bases) return std::move(bases).error();
  std::vector<Damage> damaged;
  RecordsOf records_of;
  bool go_on = true;
  for (size_t i = 0; go_on && i < bases->size(); ++i) {
    const bool newest = i + 1 == bases->size();
    if (!newest && (*bases)[i + 1] <= range.first) continue;
    if ((*bases)[i] >= range.next) break;
    auto opened = open_segment(files, part, (*bases)[i], tag);
    if (!opened && opened.error().code == ErrorCode::kNotFound) continue;  // retention was quicker than we
    if (!opened) return std::move(opened).error();
    if (opened->footer && opened->footer->newest_at < range.appended_from) continue;
    Window window(*opened->file, opened->bytes, kPieceBytes);
    auto walked = walk(window, plan_of(*opened, tag, newest), [&](const ValidFrame& frame) {
      const FrameHeader& header = frame.header;
      if (header.base >= range.next) return go_on = false;
      if (header.next() <= range.first || header.appended_at < range.appended_from ||
          header.appended_at >= range.appended_before)
        return true;
      auto records = records_of.frame(frame);
      if (!records) {
        add_damage(damaged, {header.base, header.next(), "payload does not hold its records"});
        return true;
      }
      for (const Record& record : *records) {
        if (record.offset < range.first || record.offset >= range.next) continue;
        if (!each({partition, header.epoch, record.offset, header.appended_at, record.bytes})) return go_on = false;
      }
      return true;
    });
    if (!walked) return std::move(walked).error();
    for (const Damage& damage : walked->damaged) add_damage(damaged, damage);
    if (go_on && !newest && !walked->footer && walked->next < (*bases)[i + 1])
      add_damage(damaged, {walked->next, (*bases)[i + 1], walked->torn ? walked->torn_reason : "frames are missing"});
  }
  // Only what concerns the range.
  std::erase_if(damaged, [&](const Damage& d) { return d.next <= range.first || d.first >= range.next; });
  return damaged;
}

}  // namespace weir::journal
