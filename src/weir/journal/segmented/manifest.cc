#include "weir/journal/segmented/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "weir/base/bytes.h"
#include "weir/journal/segmented/format.h"

namespace weir::journal::segmented {

namespace {
constexpr std::string_view kJournalFirstLine = "weir journal 1";
constexpr std::string_view kPartitionFirstLine = "weir journal partition 1";
constexpr uint64_t kManifestBytesMax = 16 * MiB;

std::string with_checksum(std::string text) {
  text += fmt::format("checksum {:08x}\n", crc32c(text));
  return text;
}

// The lines before the checksum line, which is right.
Result<std::vector<std::string_view>> checked_lines(std::string_view text, std::string_view first_line) {
  std::vector<std::string_view> lines;
  size_t start = 0;
  while (start < text.size()) {
    size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return Error{ErrorCode::kCorrupt, "journal: MANIFEST: cut off"};
    std::string_view line = text.substr(start, end - start);
    if (line.starts_with("checksum ")) {
      if (line != fmt::format("checksum {:08x}", crc32c(text.substr(0, start))) || end + 1 != text.size())
        return Error{ErrorCode::kCorrupt, "journal: MANIFEST: checksum"};
      if (lines.empty() || lines[0] != first_line) {
        // Intact, so written by a program: another file or a later format.
        return Error{ErrorCode::kUnsupported,
                     fmt::format("journal: MANIFEST: format `{}` is not `{}`, the only one this program reads",
                                 lines.empty() ? "" : lines[0], first_line)};
      }
      return lines;
    }
    lines.push_back(line);
    start = end + 1;
  }
  return Error{ErrorCode::kCorrupt, text.empty() ? "journal: MANIFEST: empty" : "journal: MANIFEST: cut off"};
}

std::string_view take_word(std::string_view& line) {
  size_t space = line.find(' ');
  std::string_view word = line.substr(0, space);
  line = space == std::string_view::npos ? std::string_view() : line.substr(space + 1);
  return word;
}

template <class T>
bool take_number(std::string_view& line, T& number) {
  std::string_view word = take_word(line);
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

std::optional<Partition> partition_named(std::string_view name) {
  for (Partition partition : {Partition::live, Partition::bulk})
    if (name_of(partition) == name) return partition;
  return std::nullopt;
}

Error bad_line(std::string_view line) {
  return {ErrorCode::kCorrupt, fmt::format("journal: MANIFEST: line `{}`", line)};
}

template <class Manifest>
Result<Loaded<Manifest>> load(FileSystem& files, const std::string& directory,
                              Result<Manifest> (*decode)(std::string_view)) {
  Loaded<Manifest> loaded;
  for (const char* name : {"/MANIFEST", "/MANIFEST.previous"}) {
    auto text = read_file(files, directory + name, kManifestBytesMax);
    if (!text) {
      if (text.error().code == ErrorCode::kUnavailable) return std::move(text).error();
      if (text.error().code != ErrorCode::kNotFound) loaded.seen = true;
      if (loaded.problem.empty()) loaded.problem = text.error().message;
    } else {
      loaded.seen = true;
      auto manifest = decode(*text);
      if (manifest) {
        loaded.manifest = *std::move(manifest);
        return loaded;
      }
      if (manifest.error().code == ErrorCode::kUnsupported) return std::move(manifest).error();
      if (loaded.problem.empty()) loaded.problem = fmt::format("{}: {}", directory, manifest.error().message);
    }
    loaded.previous = true;
  }
  return loaded;
}
}  // namespace

std::string encode(const JournalManifest& manifest) {
  std::string text = fmt::format("{}\nuuid {}\n", kJournalFirstLine, to_hex(manifest.uuid));
  for (Partition partition : manifest.partitions) text += fmt::format("partition {}\n", name_of(partition));
  return with_checksum(std::move(text));
}

std::string encode(const PartitionManifest& manifest) {
  std::string text = fmt::format("{}\nuuid {}\npartition {}\ngeneration {}\nbegin {}\nnewest {}\n", kPartitionFirstLine,
                                 to_hex(manifest.uuid), name_of(manifest.partition), manifest.generation,
                                 manifest.begin, manifest.newest);
  for (const Epoch& epoch : manifest.epochs) text += fmt::format("epoch {} {}\n", epoch.number, epoch.first);
  for (const Damage& damage : manifest.damaged) {
    std::string reason = damage.reason;
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    text += fmt::format("damage {} {} {}\n", damage.first, damage.next, reason);
  }
  return with_checksum(std::move(text));
}

Result<JournalManifest> decode_journal_manifest(std::string_view text) {
  auto lines = checked_lines(text, kJournalFirstLine);
  if (!lines) return std::move(lines).error();
  JournalManifest manifest;
  for (size_t i = 1; i < lines->size(); ++i) {
    std::string_view rest = (*lines)[i];
    std::string_view key = take_word(rest);
    if (key == "uuid") {
      if (!from_hex(rest, manifest.uuid)) return bad_line((*lines)[i]);
    } else if (key == "partition") {
      auto partition = partition_named(rest);
      if (!partition) return bad_line((*lines)[i]);
      manifest.partitions.push_back(*partition);
    } else {
      return bad_line((*lines)[i]);
    }
  }
  if (manifest.uuid.size() != kUuidBytes) return Error{ErrorCode::kCorrupt, "journal: MANIFEST: no uuid"};
  return manifest;
}

Result<PartitionManifest> decode_partition_manifest(std::string_view text) {
  auto lines = checked_lines(text, kPartitionFirstLine);
  if (!lines) return std::move(lines).error();
  PartitionManifest manifest;
  for (size_t i = 1; i < lines->size(); ++i) {
    std::string_view rest = (*lines)[i];
    std::string_view key = take_word(rest);
    bool good = false;
    if (key == "uuid") {
      good = from_hex(rest, manifest.uuid);
    } else if (key == "partition") {
      auto partition = partition_named(rest);
      good = partition.has_value();
      if (good) manifest.partition = *partition;
    } else if (key == "generation") {
      good = take_number(rest, manifest.generation) && rest.empty();
    } else if (key == "begin") {
      good = take_number(rest, manifest.begin) && rest.empty();
    } else if (key == "newest") {
      good = take_number(rest, manifest.newest) && rest.empty();
    } else if (key == "epoch") {
      Epoch epoch{};
      good = take_number(rest, epoch.number) && take_number(rest, epoch.first) && rest.empty();
      manifest.epochs.push_back(epoch);
    } else if (key == "damage") {
      Damage damage{};
      good = take_number(rest, damage.first) && take_number(rest, damage.next) && damage.first < damage.next;
      damage.reason = rest;
      manifest.damaged.push_back(std::move(damage));
    }
    if (!good) return bad_line((*lines)[i]);
  }
  if (manifest.uuid.size() != kUuidBytes) return Error{ErrorCode::kCorrupt, "journal: MANIFEST: no uuid"};
  return manifest;
}

Result<Loaded<JournalManifest>> load_journal_manifest(FileSystem& files, const std::string& directory) {
  return load<JournalManifest>(files, directory, &decode_journal_manifest);
}

Result<Loaded<PartitionManifest>> load_partition_manifest(FileSystem& files, const std::string& directory) {
  return load<PartitionManifest>(files, directory, &decode_partition_manifest);
}

Result<> replace_manifest(FileSystem& files, const std::string& directory, const std::string& text) {
  std::string path = directory + "/MANIFEST";
  auto current = read_file(files, path, kManifestBytesMax);
  // A damaged one is not worth keeping; a first one is written twice, so that losing either file loses nothing.
  bool keep = current && checked_lines(*current, current->substr(0, current->find('\n')));
  if (auto kept = replace_file(files, path + ".previous", keep ? *current : text); !kept) return kept;
  return replace_file(files, path, text);
}

bool add_damage(std::vector<Damage>& damaged, Damage damage) {
  if (damage.first >= damage.next) return false;
  auto at = damaged.begin();
  while (at != damaged.end() && at->next < damage.first) ++at;
  if (at != damaged.end() && at->first <= damage.first && at->next >= damage.next) return false;
  while (at != damaged.end() && at->first <= damage.next) {
    if (at->first < damage.first) damage.reason = at->reason;
    damage.first = std::min(damage.first, at->first);
    damage.next = std::max(damage.next, at->next);
    at = damaged.erase(at);
  }
  damaged.insert(at, std::move(damage));
  return true;
}

}  // namespace weir::journal::segmented
