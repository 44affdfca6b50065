#include "weir/load/entry_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"

namespace weir::load {

namespace {
// File header: magic, owner. Group: magic, bytes of its entries, number of entries, CRC32C of the twelve bytes before
// it and of the entries. Entry: key, length, bytes.
constexpr std::string_view kFileMagic = "weirlog1";
constexpr size_t kOwnerBytes = 16;
constexpr size_t kFileHeaderBytes = kFileMagic.size() + kOwnerBytes;
constexpr uint32_t kGroupMagic = 0x31474c57;  // "WLG1"
constexpr size_t kGroupHeaderBytes = 16;
constexpr size_t kEntryHeaderBytes = 12;
constexpr uint64_t kGroupBytesMax = 64 * MiB;
constexpr uint64_t kFileBytesMax = kGroupBytesMax + EntryLog::kFileBytes + 4 * KiB;

Error own(Error error) {
  error.message = "load: " + error.message;
  return error;
}

// The whole group at the front of `bytes`: its size, or 0 when there is none.
size_t group_size(std::string_view bytes) {
  if (bytes.size() < kGroupHeaderBytes || load_le<uint32_t>(bytes.data()) != kGroupMagic) return 0;
  const uint64_t size = load_le<uint32_t>(bytes.data() + 4);
  if (size > bytes.size() - kGroupHeaderBytes) return 0;
  const uint32_t crc = crc32c(bytes.substr(kGroupHeaderBytes, size), crc32c(bytes.substr(0, 12)));
  return crc == load_le<uint32_t>(bytes.data() + 12) ? kGroupHeaderBytes + size : 0;
}

// Calls `visit` for each entry of a whole group. False: the visitor has had enough.
bool visit_group(std::string_view group, const std::function<bool(const LogEntry&)>& visit) {
  uint32_t left = load_le<uint32_t>(group.data() + 8);
  std::string_view rest = group.substr(kGroupHeaderBytes);
  for (; left > 0 && rest.size() >= kEntryHeaderBytes; --left) {
    const size_t size = load_le<uint32_t>(rest.data() + 8);
    if (size > rest.size() - kEntryHeaderBytes) break;
    if (!visit({load_le<uint64_t>(rest.data()), rest.substr(kEntryHeaderBytes, size)})) return false;
    rest.remove_prefix(kEntryHeaderBytes + size);
  }
  return true;
}
}  // namespace

EntryLog::EntryLog(FileSystem& files, std::string directory, std::string name, std::string owner)
    : files_(files), directory_(std::move(directory)), name_(std::move(name)), owner_(std::move(owner)) {
  WEIR_CHECK(owner_.size() == kOwnerBytes || owner_.empty());
}

Result<std::unique_ptr<EntryLog>> EntryLog::open(FileSystem& files, std::string directory, std::string name,
                                                 std::string owner) {
  std::unique_ptr<EntryLog> log(new EntryLog(files, std::move(directory), std::move(name), std::move(owner)));
  if (auto loaded = log->load_parts(); !loaded) return own(std::move(loaded).error());
  return log;
}

std::string EntryLog::path_of(uint64_t number) const {
  return fmt::format("{}/{}-{:08}.log", directory_, name_, number);
}

Result<> EntryLog::load_parts() {
  auto names = files_.list(directory_);
  if (!names) return std::move(names).error();
  for (const std::string& file : *names) {
    std::string_view rest = file;
    if (!rest.starts_with(name_ + "-") || !rest.ends_with(".log")) continue;
    rest = rest.substr(name_.size() + 1, rest.size() - name_.size() - 5);
    Part part;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), part.number);
    if (error != std::errc() || end != rest.data() + rest.size()) continue;
    next_number_ = std::max(next_number_, part.number + 1);
    parts_.push_back(part);
  }
  std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) { return a.number < b.number; });
  for (auto part = parts_.begin(); part != parts_.end();) {
    bool damaged = false;
    uint64_t end = 0;
    auto walked = walk(
        *part,
        [&](const LogEntry& entry) {
          part->key_end = std::max(part->key_end, entry.key + 1);
          return true;
        },
        end, damaged);
    if (!walked) {
      if (walked.error().code != ErrorCode::kCorrupt) return walked;
      log::error("load: {}: {}; it is left alone", path_of(part->number), walked.error().message);
      part = parts_.erase(part);
      continue;
    }
    if (damaged) log::error("load: {}: damaged; what is whole in it counts", path_of(part->number));
    part->size = end;
    part->whole = !damaged;
    ++part;
  }
  return {};
}

Result<> EntryLog::walk(const Part& part, const std::function<bool(const LogEntry&)>& visit, uint64_t& end,
                        bool& damaged) {
  auto content = read_file(files_, path_of(part.number), kFileBytesMax);
  if (!content) return std::move(content).error();
  std::string_view all = *content;
  end = 0;
  damaged = false;
  // Its header was never finished: nothing was appended.
  if (all.size() < kFileHeaderBytes) return {};
  if (!all.starts_with(kFileMagic)) return Error{ErrorCode::kCorrupt, "not a log of ours"};
  if (!owner_.empty() && all.substr(kFileMagic.size(), kOwnerBytes) != owner_)
    return Error{ErrorCode::kCorrupt, "it belongs to another journal"};
  size_t at = kFileHeaderBytes;
  end = at;
  while (at < all.size()) {
    const size_t size = group_size(all.substr(at));
    if (size == 0) {
      ++at;
      continue;
    }
    if (at != end) damaged = true;  // something was between two whole groups
    if (!visit_group(all.substr(at, size), visit)) return {};
    at += size;
    end = at;
  }
  return {};
}

// Begins the next file: whole and durable under its name before anything is appended.
Result<> EntryLog::start_part() {
  last_.reset();
  const uint64_t number = next_number_++;
  if (auto made = replace_file(files_, path_of(number), std::string(kFileMagic) + owner_); !made) return made;
  auto file = files_.open(path_of(number), FileSystem::Mode::write);
  if (!file) return std::move(file).error();
  last_ = *std::move(file);
  parts_.push_back({number, kFileHeaderBytes, 0, true});
  return {};
}

Result<> EntryLog::append(std::span<const LogEntry> entries) {
  WEIR_CHECK(!owner_.empty());
  if (entries.empty()) return {};
  std::string group;
  append_le(group, kGroupMagic);
  group.append(8 + sizeof(uint32_t), '\0');
  uint64_t key_end = 0;
  for (const LogEntry& entry : entries) {
    if (entry.bytes.size() > kEntryBytesMax || group.size() + entry.bytes.size() > kGroupBytesMax)
      return Error{ErrorCode::kTooLarge, fmt::format("load: {}: {} bytes at once", name_, entry.bytes.size())};
    append_le(group, entry.key);
    append_le(group, static_cast<uint32_t>(entry.bytes.size()));
    group.append(entry.bytes);
    key_end = std::max(key_end, entry.key + 1);
  }
  store_le(group.data() + 4, static_cast<uint32_t>(group.size() - kGroupHeaderBytes));
  store_le(group.data() + 8, static_cast<uint32_t>(entries.size()));
  const std::string_view view = group;
  store_le(group.data() + 12, crc32c(view.substr(kGroupHeaderBytes), crc32c(view.substr(0, 12))));

  std::lock_guard lock(mutex_);
  if (last_ == nullptr && !parts_.empty() && parts_.back().whole && parts_.back().size >= kFileHeaderBytes &&
      parts_.back().size < kFileBytes) {
    // What stands behind the last whole group was never durable.
    auto file = files_.open(path_of(parts_.back().number), FileSystem::Mode::write);
    if (!file) return own(std::move(file).error());
    if (auto cut = (*file)->truncate(parts_.back().size); !cut) return own(std::move(cut).error());
    last_ = *std::move(file);
  }
  if (last_ == nullptr || parts_.back().size >= kFileBytes)
    if (auto started = start_part(); !started) return own(std::move(started).error());
  Part& part = parts_.back();
  auto done = last_->write_at(part.size, group);
  if (done) done = last_->sync();
  if (!done) {
    // A failed sync may have dropped pages and would report success next time: this file takes no more.
    part.whole = false;
    part.key_end = std::max(part.key_end, key_end);
    last_.reset();
    return own(std::move(done).error());
  }
  part.size += group.size();
  part.key_end = std::max(part.key_end, key_end);
  return {};
}

Result<> EntryLog::read(const std::function<bool(const LogEntry&)>& visit) {
  std::lock_guard lock(mutex_);
  bool more = true;
  for (const Part& part : parts_) {
    uint64_t end = 0;
    bool damaged = false;
    auto walked = walk(
        part, [&](const LogEntry& entry) { return more = visit(entry); }, end, damaged);
    if (!walked) return own(std::move(walked).error());
    if (!more) break;
  }
  return {};
}

Result<bool> EntryLog::retire_below(uint64_t key) {
  std::lock_guard lock(mutex_);
  bool any = false;
  while (parts_.size() > 1 && parts_.front().key_end <= key) {
    if (auto removed = files_.remove(path_of(parts_.front().number)); !removed) return own(std::move(removed).error());
    parts_.erase(parts_.begin());
    any = true;
  }
  return any;
}

uint64_t EntryLog::bytes() const {
  std::lock_guard lock(mutex_);
  uint64_t sum = 0;
  for (const Part& part : parts_) sum += part.size;
  return sum;
}

}  // namespace weir::load
