#include "weir/journal/segmented/index.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::journal::segmented {

namespace {
constexpr std::string_view kMagic = "WEIRIDX1";
constexpr size_t kHeaderBytes = 8 + 4 + 4 + 8 + kHashBytes + 4;
constexpr size_t kEntryBytes = 24;
}  // namespace

void Index::add(const FrameHeader& header, uint64_t position) {
  if (entries_.empty() || position - entries_.back().position >= kStrideBytes)
    entries_.push_back({header.base, newest_, position});
  newest_ = std::max(newest_, header.appended_at);
}

const IndexEntry* Index::find_offset(Offset offset) const {
  auto at = std::upper_bound(entries_.begin(), entries_.end(), offset,
                             [](Offset o, const IndexEntry& entry) { return o < entry.offset; });
  return at == entries_.begin() ? nullptr : &*(at - 1);
}

const IndexEntry* Index::find_time(UnixMillis t) const {
  auto at = std::lower_bound(entries_.begin(), entries_.end(), t,
                             [](const IndexEntry& entry, UnixMillis time) { return entry.newest_before < time; });
  return at == entries_.begin() ? nullptr : &*(at - 1);
}

std::string Index::encode(uint32_t tag, Offset base, std::string_view hash) const {
  std::string out(kMagic);
  append_le(out, kFormatVersion);
  append_le(out, tag);
  append_le(out, base);
  out.append(hash);
  append_le(out, static_cast<uint32_t>(entries_.size()));
  for (const IndexEntry& entry : entries_) {
    append_le(out, entry.offset);
    append_le(out, entry.newest_before);
    append_le(out, entry.position);
  }
  append_le(out, crc32c(out));
  return out;
}

Result<Index> Index::decode(std::string_view bytes, uint32_t tag, Offset base, std::string_view hash) {
  auto bad = [&](std::string_view what) {
    return Error{ErrorCode::kCorrupt, fmt::format("journal: index of {}: {}", base, what)};
  };
  if (bytes.size() < kHeaderBytes + 4 || !bytes.starts_with(kMagic)) return bad("not an index");
  if (crc32c(bytes.substr(0, bytes.size() - 4)) != load_le<uint32_t>(bytes.data() + bytes.size() - 4))
    return bad("checksum");
  const char* at = bytes.data();
  if (load_le<uint32_t>(at + 8) != kFormatVersion || load_le<uint32_t>(at + 12) != tag ||
      load_le<uint64_t>(at + 16) != base || bytes.substr(24, kHashBytes) != hash)
    return bad("of another segment");
  auto count = load_le<uint32_t>(at + 24 + kHashBytes);
  if (bytes.size() != kHeaderBytes + count * kEntryBytes + 4) return bad("length");
  Index index;
  for (uint32_t i = 0; i < count; ++i) {
    const char* entry = at + kHeaderBytes + i * kEntryBytes;
    index.entries_.push_back({load_le<uint64_t>(entry), load_le<int64_t>(entry + 8), load_le<uint64_t>(entry + 16)});
    if (i > 0 && (index.entries_[i].position <= index.entries_[i - 1].position ||
                  index.entries_[i].offset < index.entries_[i - 1].offset))
      return bad("order");
  }
  return index;
}

}  // namespace weir::journal::segmented
