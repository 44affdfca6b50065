#include "weir/transfer/ledger.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"

namespace weir::transfer {

namespace {
// A frame of a day's file (docs/formats/imports.md): magic, count, hour of the day, CRC32C of the three fields around
// it, then `count` hashes.
constexpr uint32_t kFrameMagic = 0x314e4c57;  // "WLN1"
constexpr size_t kFrameHeaderBytes = 16;
constexpr uint32_t kFrameLinesMax = 1u << 20;
constexpr size_t kDaysOpenMax = 64;
constexpr size_t kHourBytes = 128;  // of a map's node and its bookkeeping
constexpr size_t kReadBytes = 256 * KiB;

struct FrameHeader {
  uint32_t count;
  uint32_t hour;
  uint32_t crc;
};

uint32_t frame_crc(uint32_t count, uint32_t hour, std::string_view hashes) {
  char fields[8];
  store_le(fields, count);
  store_le(fields + 4, hour);
  return crc32c(hashes, crc32c({fields, sizeof fields}));
}

void append_frame(std::string& out, uint32_t hour, std::span<const uint64_t> hashes) {
  std::string_view bytes(reinterpret_cast<const char*>(hashes.data()), hashes.size_bytes());
  auto count = static_cast<uint32_t>(hashes.size());
  append_le(out, kFrameMagic);
  append_le(out, count);
  append_le(out, hour);
  append_le(out, frame_crc(count, hour, bytes));
  out.append(bytes);
}

// Walks through the frames of one file with large reads.
class Frames {
 public:
  Frames(File& file, uint64_t size) : file_(file), size_(size) {}

  // The next header; false at the end or at bytes that are no frame (position() then stands before them).
  Result<bool> next(FrameHeader& header) {
    if (size_ - position_ < kFrameHeaderBytes) return false;
    auto bytes = view(kFrameHeaderBytes);
    if (!bytes) return std::move(bytes).error();
    const char* p = bytes->data();
    header = {load_le<uint32_t>(p + 4), load_le<uint32_t>(p + 8), load_le<uint32_t>(p + 12)};
    if (load_le<uint32_t>(p) != kFrameMagic || header.count == 0 || header.count > kFrameLinesMax || header.hour > 23)
      return false;
    return size_ - position_ - kFrameHeaderBytes >= uint64_t{header.count} * 8;
  }
  // The hashes of the frame just answered; valid until the next call.
  Result<std::string_view> hashes(const FrameHeader& header) {
    auto bytes = view(kFrameHeaderBytes + size_t{header.count} * 8);
    if (!bytes) return std::move(bytes).error();
    return bytes->substr(kFrameHeaderBytes);
  }
  void skip(const FrameHeader& header) { position_ += kFrameHeaderBytes + uint64_t{header.count} * 8; }
  uint64_t position() const { return position_; }

 private:
  // `count` bytes at the position; the caller has made sure that the file has them.
  Result<std::string_view> view(size_t count) {
    if (position_ < buffer_at_ || position_ + count > buffer_at_ + buffer_.size()) {
      buffer_.resize(std::min<uint64_t>(std::max(count, kReadBytes), size_ - position_));
      buffer_at_ = position_;
      auto got = file_.read_at(position_, buffer_.data(), buffer_.size());
      if (!got) return std::move(got).error();
      buffer_.resize(*got);
      if (*got < count) return Error{ErrorCode::kUnavailable, fmt::format("transfer: {} became shorter", file_.path())};
    }
    return std::string_view(buffer_).substr(position_ - buffer_at_, count);
  }

  File& file_;
  const uint64_t size_;
  uint64_t position_ = 0;
  std::string buffer_;
  uint64_t buffer_at_ = 0;
};
}  // namespace

std::string LineIdentity::id() const {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id(20, '0');
  auto day = static_cast<uint64_t>(hour / 24);
  WEIR_CHECK(hour >= 0 && day <= 0xffff);  // to the year 2149; the importer takes no other times
  uint64_t number = day;
  for (size_t i = 4; i-- > 0; number >>= 4) id[i] = kDigits[number & 15];
  number = hash;
  for (size_t i = 20; i-- > 4; number >>= 4) id[i] = kDigits[number & 15];
  return id;
}

bool LineIdentity::parse(std::string_view id, UnixMillis time, LineIdentity& out) {
  if (id.size() != 20) return false;
  std::string_view day_text = id.substr(0, id.size() - 16);
  int64_t day = 0;
  uint64_t hash = 0;
  auto day_read = std::from_chars(day_text.data(), day_text.data() + day_text.size(), day, 16);
  auto hash_read = std::from_chars(id.data() + day_text.size(), id.data() + id.size(), hash, 16);
  if (day_read.ec != std::errc() || day_read.ptr != day_text.data() + day_text.size() || hash_read.ec != std::errc() ||
      hash_read.ptr != id.data() + id.size() || day != day_of(time))
    return false;
  out = {hour_of(time), hash};
  return true;
}

ImportSalt::ImportSalt(std::string_view bytes) {
  WEIR_CHECK(bytes.size() == kBytes);
  std::memcpy(key_.data(), bytes.data(), kBytes);
}

uint64_t ImportSalt::line(std::string_view bytes) const {
  unsigned char hash[8];
  crypto_shorthash(hash, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), key_.data());
  return load_le<uint64_t>(reinterpret_cast<const char*>(hash));
}

uint64_t ImportSalt::with_ordinal(uint64_t line_hash, uint32_t ordinal) const {
  if (ordinal == 0) return line_hash;
  char both[12];
  store_le(both, line_hash);
  store_le(both + 8, ordinal);
  return line({both, sizeof both});
}

uint64_t ImportSalt::visitor(int64_t day, std::string_view client, std::string_view user_agent) {
  scratch_.clear();
  append_le(scratch_, day);
  append_le(scratch_, static_cast<uint32_t>(client.size()));
  scratch_.append(client).append(user_agent);
  unsigned char hash[8];
  crypto_shorthash(hash, reinterpret_cast<const unsigned char*>(scratch_.data()), scratch_.size(), key_.data() + 16);
  uint64_t value = load_le<uint64_t>(reinterpret_cast<const char*>(hash));
  return value == 0 ? 1 : value;
}

Result<std::unique_ptr<Ledger>> Ledger::open(FileSystem& files, std::string directory) {
  std::unique_ptr<Ledger> ledger(new Ledger(files, std::move(directory)));
  const std::string& dir = ledger->directory_;
  if (auto made = files.make_directory(dir); !made) return std::move(made).error();
  std::string salt_path = dir + "/salt";
  auto salt = read_file(files, salt_path, 4 * KiB);
  if (!salt && salt.error().code != ErrorCode::kNotFound) return std::move(salt).error();
  if (salt) {
    if (salt->size() != ImportSalt::kBytes + 4 || load_le<uint32_t>(salt->data() + ImportSalt::kBytes) !=
                                                      crc32c(std::string_view(*salt).substr(0, ImportSalt::kBytes)))
      return Error{ErrorCode::kCorrupt,
                   fmt::format("transfer: {} is damaged: bring it back from a backup, or remove {} "
                               "to begin anew (files imported before would then count again)",
                               salt_path, dir)};
    ledger->salt_ = ImportSalt(std::string_view(*salt).substr(0, ImportSalt::kBytes));
    return ledger;
  }
  auto names = files.list(dir);
  if (!names) return std::move(names).error();
  for (const std::string& name : *names)
    if (name.ends_with(".lines"))
      return Error{ErrorCode::kCorrupt, fmt::format("transfer: {} is missing beside its ledger: bring it back from a "
                                                    "backup, or remove {} to begin anew (files imported before would "
                                                    "then count again)",
                                                    salt_path, dir)};
  std::string made = random_bytes(ImportSalt::kBytes);
  ledger->salt_ = ImportSalt(made);
  ledger->is_new_ = true;
  append_le(made, crc32c(made));
  if (auto written = replace_file(files, salt_path, made); !written) return std::move(written).error();
  return ledger;
}

std::string Ledger::path_of(int64_t day) const { return directory_ + "/" + format_day(day) + ".lines"; }

// Everything behind the first frame that does not check goes: it is a tail torn by a crash (the journal still has
// those lines), or damage, which is worth telling.
Result<> Ledger::check(Day& day) {
  auto size = day.file->size();
  if (!size) return std::move(size).error();
  Frames frames(*day.file, *size);
  FrameHeader header{};
  while (true) {
    auto more = frames.next(header);
    if (!more) return std::move(more).error();
    if (!*more) break;
    auto hashes = frames.hashes(header);
    if (!hashes) return std::move(hashes).error();
    if (frame_crc(header.count, header.hour, *hashes) != header.crc) break;
    frames.skip(header);
  }
  day.size = frames.position();
  if (day.size == *size) return {};
  log::warning("transfer: {}: cut {} bytes that do not check; lines they stood for are looked up in the journal",
               day.file->path(), *size - day.size);
  cut_bytes_ += *size - day.size;
  if (auto cut = day.file->truncate(day.size); !cut) return cut;
  return day.file->sync();
}

Result<Ledger::Day*> Ledger::day(int64_t number, bool create) {
  if (auto found = days_.find(number); found != days_.end()) return &found->second;
  if (auto closed = close_old_days(); !closed) return std::move(closed).error();
  std::string path = path_of(number);
  Day day;
  auto file = files_.open(path, FileSystem::Mode::write);
  if (file) {
    day.file = *std::move(file);
    if (auto checked = check(day); !checked) return std::move(checked).error();
  } else if (file.error().code == ErrorCode::kNotFound) {
    if (!create) return nullptr;
    auto created = files_.open(path, FileSystem::Mode::create);
    if (!created) return std::move(created).error();
    day.file = *std::move(created);
    if (auto synced = files_.sync_directory(directory_); !synced) return std::move(synced).error();
  } else {
    return std::move(file).error();
  }
  return &days_.emplace(number, std::move(day)).first->second;
}

Result<> Ledger::close_old_days() {
  if (days_.size() < kDaysOpenMax) return {};
  if (auto synced = sync(); !synced) return synced;
  days_.clear();
  return {};
}

Result<> Ledger::read_hour(Day& day, unsigned hour_of_day, LineSet& lines) {
  Frames frames(*day.file, day.size);
  FrameHeader header{};
  while (true) {
    auto more = frames.next(header);
    if (!more) return std::move(more).error();
    if (!*more) break;
    if (header.hour == hour_of_day) {
      auto hashes = frames.hashes(header);
      if (!hashes) return std::move(hashes).error();
      for (size_t at = 0; at < hashes->size(); at += 8) lines.insert(load_le<uint64_t>(hashes->data() + at));
    }
    frames.skip(header);
  }
  return {};
}

Result<Ledger::Hour*> Ledger::hour(int64_t number) {
  if (last_hour_ != nullptr && last_hour_number_ == number) return last_hour_;
  auto found = hours_.find(number);
  if (found == hours_.end()) {
    auto file = day(number / 24, false);
    if (!file) return std::move(file).error();
    Hour hour;
    if (*file != nullptr) {
      if (auto read = read_hour(**file, static_cast<unsigned>(number % 24), hour.lines); !read)
        return std::move(read).error();
    }
    memory_bytes_ += hour.lines.memory_bytes() + kHourBytes;
    found = hours_.emplace(number, std::move(hour)).first;
  }
  found->second.used = ++clock_;
  last_hour_number_ = number;
  last_hour_ = &found->second;
  return last_hour_;
}

Result<bool> Ledger::claim(const LineIdentity& line) {
  auto held = hour(line.hour);
  if (!held) return std::move(held).error();
  LineSet& lines = (*held)->lines;
  size_t before = lines.memory_bytes();
  bool fresh = lines.insert(line.hash);
  memory_bytes_ += lines.memory_bytes() - before;
  return fresh;
}

Result<> Ledger::write(std::span<const LineIdentity> lines) {
  // By day and hour, so that each day's file is written once.
  std::vector<LineIdentity> sorted(lines.begin(), lines.end());
  std::sort(sorted.begin(), sorted.end(), [](const LineIdentity& a, const LineIdentity& b) {
    return a.hour != b.hour ? a.hour < b.hour : a.hash < b.hash;
  });
  std::vector<uint64_t> hashes;
  std::string bytes;
  for (size_t i = 0; i < sorted.size();) {
    int64_t number = sorted[i].hour / 24;
    bytes.clear();
    while (i < sorted.size() && sorted[i].hour / 24 == number) {
      int64_t hour = sorted[i].hour;
      hashes.clear();
      while (i < sorted.size() && sorted[i].hour == hour && hashes.size() < kFrameLinesMax)
        hashes.push_back(sorted[i++].hash);
      append_frame(bytes, static_cast<uint32_t>(hour % 24), hashes);
    }
    auto file = day(number, true);
    if (!file) return std::move(file).error();
    (*file)->dirty = true;
    if (auto written = (*file)->file->write_at((*file)->size, bytes); !written) return written;
    (*file)->size += bytes.size();
  }
  return {};
}

void Ledger::unclaim(std::span<const LineIdentity> lines) {
  for (const LineIdentity& line : lines) {
    auto found = hours_.find(line.hour);
    if (found != hours_.end()) found->second.lines.erase(line.hash);
  }
}

Result<> Ledger::sync() {
  for (auto& [number, day] : days_) {
    if (!day.dirty) continue;
    if (auto synced = day.file->sync_data(); !synced) return synced;
    day.dirty = false;
  }
  return {};
}

void Ledger::forget(size_t bytes) {
  if (memory_bytes_ <= bytes) return;
  std::vector<std::pair<uint64_t, int64_t>> by_use;
  by_use.reserve(hours_.size());
  for (const auto& [number, hour] : hours_) by_use.emplace_back(hour.used, number);
  std::sort(by_use.begin(), by_use.end());
  by_use.pop_back();
  // A quarter below the limit, so that the next hour does not cause the next sweep.
  for (const auto& [used, number] : by_use) {
    if (memory_bytes_ <= bytes / 4 * 3) break;
    drop(hours_.find(number));
  }
}

void Ledger::drop(std::map<int64_t, Hour>::iterator hour) {
  memory_bytes_ -= hour->second.lines.memory_bytes() + kHourBytes;
  if (&hour->second == last_hour_) last_hour_ = nullptr;
  hours_.erase(hour);
}

}  // namespace weir::transfer
