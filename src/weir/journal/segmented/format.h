#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/base/clock.h"
#include "weir/journal/journal.h"

// The bytes of a segment, drawn in docs/formats/journal.md: a header of one block, frames, a footer once sealed.
// All functions are pure.
namespace weir::journal::segmented {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr size_t kUuidBytes = 16;
inline constexpr size_t kSegmentHeaderBytes = 4096;
inline constexpr size_t kFrameHeaderBytes = 64;
inline constexpr size_t kFooterBytes = 96;
inline constexpr uint32_t kFrameMagic = 0x31464a57;  // "WJF1"
inline constexpr char kSegmentMagic[] = "WEIRSEG1";
inline constexpr char kFooterMagic[] = "WEIRFTR1";
// No payload is larger, neither as stored nor inflated. Checked before anything is allocated.
inline constexpr uint32_t kPayloadBytesMax = 8 * MiB;
// Frames and footers begin at multiples of this.
inline constexpr uint64_t kAlignment = 8;
constexpr uint64_t aligned(uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Four bytes that differ between journals and between partitions of one, part of every frame: bytes of another file
// in a recycled block do not validate, and nobody outside can write a record that looks like a frame.
uint32_t tag_of(std::string_view uuid, Partition partition);

struct SegmentHeader {
  std::string uuid;
  Partition partition = Partition::live;
  Offset base = 0;
  uint32_t epoch = 0;
  uint32_t previous_crc = 0;  // of the last frame of the segment before
  UnixMillis created_at = 0;
  Offset begin = 0;           // oldest kept offset when this segment was made
  std::vector<Epoch> epochs;  // all so far (the newest kEpochsInHeader); lets the MANIFEST be rebuilt
};
inline constexpr size_t kEpochsInHeader = 320;

std::string encode(const SegmentHeader& header);
// Errors: kCorrupt (not a segment header, or damaged), kUnsupported (a later version).
Result<SegmentHeader> decode_segment_header(std::string_view block);

enum class Codec : uint8_t { raw = 0, zstd = 1, lz4 = 2 };

// What a frame's flags say.
inline constexpr uint16_t kFrameNote = 1;    // no records: carries durable_upto of an idle journal
inline constexpr uint16_t kFrameClosed = 2;  // a note written at a clean close

struct FrameHeader {
  uint32_t payload_bytes = 0;  // as stored, without padding
  Offset base = 0;
  uint32_t count = 0;
  uint32_t epoch = 0;
  UnixMillis appended_at = 0;
  Offset durable_upto = 0;  // everything below was synced when this frame was made
  Codec codec = Codec::raw;
  uint8_t schema = 1;
  uint16_t flags = 0;
  uint32_t inflated_bytes = 0;
  uint32_t previous_crc = 0;  // header CRC of the frame before
  uint32_t payload_crc = 0;
  uint32_t crc = 0;  // of the header; set by encode() and decode

  Offset next() const { return base + count; }
  uint64_t size() const { return kFrameHeaderBytes + aligned(payload_bytes); }
};

// Writes kFrameHeaderBytes to `to` and sets header.crc.
void encode(FrameHeader& header, uint32_t tag, char* to);

enum class FrameFault : uint8_t { none, blank, magic, checksum, foreign, version, length };
// Why a frame is not taken, for people.
std::string_view name_of(FrameFault fault);
// `at` has kFrameHeaderBytes. `none` means that every field is as it was written by this journal, and the lengths are
// within the caps.
FrameFault decode_frame_header(const char* at, uint32_t tag, FrameHeader& header);

struct Footer {
  uint64_t frames = 0;
  Offset end = 0;         // one past the last record
  uint64_t position = 0;  // of the footer: what the hash covers lies before
  UnixMillis first_at = 0;
  UnixMillis last_at = 0;
  UnixMillis newest_at = 0;
  uint32_t last_crc = 0;
  std::string hash;  // XXH3-128 of the file up to the footer, canonical form
};
inline constexpr size_t kHashBytes = 16;

std::string encode(const Footer& footer, uint32_t tag);
std::optional<Footer> decode_footer(const char* at, uint32_t tag);

// Splits an inflated payload into its records. False when lengths and count do not fit exactly.
bool split_records(std::string_view payload, Offset base, uint32_t count, std::vector<Record>& into);

// "00000000000000001812.seg". 20 digits, so that names sort by offset.
std::string segment_name(Offset base);
std::string index_name(Offset base);
std::optional<Offset> parse_segment_name(std::string_view name);

}  // namespace weir::journal::segmented
