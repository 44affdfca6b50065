#include "weir/journal/segmented/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "weir/base/check.h"

// Offsets into the structures: docs/formats/journal.md.
namespace weir::journal::segmented {

uint32_t tag_of(std::string_view uuid, Partition partition) {
  char number[2];
  store_le(number, static_cast<uint16_t>(partition));
  return crc32c({number, sizeof number}, crc32c(uuid));
}

std::string encode(const SegmentHeader& header) {
  WEIR_CHECK(header.uuid.size() == kUuidBytes);
  std::string block;
  block.reserve(kSegmentHeaderBytes);
  block.append(kSegmentMagic, 8);
  append_le(block, kFormatVersion);
  append_le(block, static_cast<uint32_t>(header.partition));
  block.append(header.uuid);
  append_le(block, header.base);
  append_le(block, header.epoch);
  append_le(block, header.previous_crc);
  append_le(block, header.created_at);
  append_le(block, header.begin);
  size_t count = std::min(header.epochs.size(), kEpochsInHeader);
  append_le(block, static_cast<uint32_t>(count));
  for (size_t i = header.epochs.size() - count; i < header.epochs.size(); ++i) {
    append_le(block, header.epochs[i].number);
    append_le(block, header.epochs[i].first);
  }
  WEIR_CHECK(block.size() <= kSegmentHeaderBytes - 4);
  block.resize(kSegmentHeaderBytes - 4);
  append_le(block, crc32c(block));
  return block;
}

Result<SegmentHeader> decode_segment_header(std::string_view block) {
  if (block.size() < kSegmentHeaderBytes)
    return Error{ErrorCode::kCorrupt, fmt::format("journal: segment header: only {} bytes", block.size())};
  const char* at = block.data();
  if (block.substr(0, 8) != std::string_view(kSegmentMagic, 8))
    return Error{ErrorCode::kCorrupt, "journal: segment header: not a segment"};
  // Every format keeps the version and the checksum where they are, so that a later one is told from damage.
  auto version = load_le<uint32_t>(at + 8);
  if (crc32c(block.substr(0, kSegmentHeaderBytes - 4)) != load_le<uint32_t>(at + kSegmentHeaderBytes - 4))
    return Error{ErrorCode::kCorrupt, "journal: segment header: checksum"};
  if (version == 0 || version > kFormatVersion)
    return Error{ErrorCode::kUnsupported, fmt::format("journal: segment header: format {} is later than {}, the latest "
                                                      "this program reads",
                                                      version, kFormatVersion)};
  SegmentHeader header;
  header.partition = static_cast<Partition>(load_le<uint32_t>(at + 12));
  header.uuid = block.substr(16, kUuidBytes);
  header.base = load_le<uint64_t>(at + 32);
  header.epoch = load_le<uint32_t>(at + 40);
  header.previous_crc = load_le<uint32_t>(at + 44);
  header.created_at = load_le<int64_t>(at + 48);
  header.begin = load_le<uint64_t>(at + 56);
  auto count = load_le<uint32_t>(at + 64);
  if (count > kEpochsInHeader) return Error{ErrorCode::kCorrupt, "journal: segment header: too many epochs"};
  for (uint32_t i = 0; i < count; ++i) {
    const char* epoch = at + 68 + i * 12;
    header.epochs.push_back({load_le<uint32_t>(epoch), load_le<uint64_t>(epoch + 4)});
  }
  return header;
}

void encode(FrameHeader& header, uint32_t tag, char* to) {
  store_le(to, kFrameMagic);
  store_le(to + 4, header.payload_bytes);
  store_le(to + 8, header.base);
  store_le(to + 16, header.count);
  store_le(to + 20, header.epoch);
  store_le(to + 24, header.appended_at);
  store_le(to + 32, header.durable_upto);
  store_le(to + 40, static_cast<uint8_t>(header.codec));
  store_le(to + 41, header.schema);
  store_le(to + 42, header.flags);
  store_le(to + 44, header.inflated_bytes);
  store_le(to + 48, header.previous_crc);
  store_le(to + 52, header.payload_crc);
  store_le(to + 56, tag);
  header.crc = crc32c({to, 60});
  store_le(to + 60, header.crc);
}

std::string_view name_of(FrameFault fault) {
  switch (fault) {
    case FrameFault::none:
      return "valid";
    case FrameFault::blank:
      return "zeros instead of a frame";
    case FrameFault::magic:
      return "no frame here";
    case FrameFault::checksum:
      return "frame header checksum";
    case FrameFault::foreign:
      return "frame of another journal or partition";
    case FrameFault::version:
      return "frame of a later format";
    case FrameFault::length:
      return "frame length beyond the limit";
  }
  return "";
}

FrameFault decode_frame_header(const char* at, uint32_t tag, FrameHeader& header) {
  if (load_le<uint32_t>(at) != kFrameMagic) {
    bool blank = std::all_of(at, at + kFrameHeaderBytes, [](char c) { return c == 0; });
    return blank ? FrameFault::blank : FrameFault::magic;
  }
  header.crc = load_le<uint32_t>(at + 60);
  if (crc32c({at, 60}) != header.crc) return FrameFault::checksum;
  if (load_le<uint32_t>(at + 56) != tag) return FrameFault::foreign;
  header.payload_bytes = load_le<uint32_t>(at + 4);
  header.base = load_le<uint64_t>(at + 8);
  header.count = load_le<uint32_t>(at + 16);
  header.epoch = load_le<uint32_t>(at + 20);
  header.appended_at = load_le<int64_t>(at + 24);
  header.durable_upto = load_le<uint64_t>(at + 32);
  header.codec = static_cast<Codec>(load_le<uint8_t>(at + 40));
  header.schema = load_le<uint8_t>(at + 41);
  header.flags = load_le<uint16_t>(at + 42);
  header.inflated_bytes = load_le<uint32_t>(at + 44);
  header.previous_crc = load_le<uint32_t>(at + 48);
  header.payload_crc = load_le<uint32_t>(at + 52);
  if (header.schema != 1 || header.codec > Codec::lz4) return FrameFault::version;
  // Every record takes at least its length field, so the count is bounded by the bytes too.
  if (header.payload_bytes > kPayloadBytesMax || header.inflated_bytes > kPayloadBytesMax ||
      header.count > header.inflated_bytes / sizeof(uint32_t) || header.base > UINT64_MAX - header.count)
    return FrameFault::length;
  return FrameFault::none;
}

std::string encode(const Footer& footer, uint32_t tag) {
  WEIR_CHECK(footer.hash.size() == kHashBytes);
  std::string out;
  out.append(kFooterMagic, 8);
  append_le(out, footer.frames);
  append_le(out, footer.end);
  append_le(out, footer.position);
  append_le(out, footer.first_at);
  append_le(out, footer.last_at);
  append_le(out, footer.newest_at);
  append_le(out, footer.last_crc);
  append_le(out, kFormatVersion);
  out.append(footer.hash);
  append_le(out, tag);
  append_le(out, uint64_t{0});
  append_le(out, crc32c(out));
  WEIR_CHECK(out.size() == kFooterBytes);
  return out;
}

std::optional<Footer> decode_footer(const char* at, uint32_t tag) {
  if (std::string_view(at, 8) != std::string_view(kFooterMagic, 8)) return std::nullopt;
  if (crc32c({at, kFooterBytes - 4}) != load_le<uint32_t>(at + kFooterBytes - 4)) return std::nullopt;
  if (load_le<uint32_t>(at + 80) != tag) return std::nullopt;
  Footer footer;
  footer.frames = load_le<uint64_t>(at + 8);
  footer.end = load_le<uint64_t>(at + 16);
  footer.position = load_le<uint64_t>(at + 24);
  footer.first_at = load_le<int64_t>(at + 32);
  footer.last_at = load_le<int64_t>(at + 40);
  footer.newest_at = load_le<int64_t>(at + 48);
  footer.last_crc = load_le<uint32_t>(at + 56);
  footer.hash = std::string(at + 64, kHashBytes);
  return footer;
}

bool split_records(std::string_view payload, Offset base, uint32_t count, std::vector<Record>& into) {
  size_t before = into.size();
  const char* at = payload.data();
  size_t left = payload.size();
  for (uint32_t i = 0; i < count; ++i) {
    if (left < sizeof(uint32_t)) break;
    auto size = load_le<uint32_t>(at);
    if (size > left - sizeof(uint32_t)) break;
    into.push_back({base + i, {at + sizeof(uint32_t), size}});
    at += sizeof(uint32_t) + size;
    left -= sizeof(uint32_t) + size;
  }
  if (into.size() - before == count && left == 0) return true;
  into.resize(before);
  return false;
}

std::string segment_name(Offset base) { return fmt::format("{:020}.seg", base); }
std::string index_name(Offset base) { return fmt::format("{:020}.idx", base); }

std::optional<Offset> parse_segment_name(std::string_view name) {
  if (name.size() != 24 || !name.ends_with(".seg")) return std::nullopt;
  Offset base = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + 20, base);
  if (error != std::errc() || end != name.data() + 20) return std::nullopt;
  return base;
}

}  // namespace weir::journal::segmented
