#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"

// Undoing content codings of bodies that strangers send: never more memory than was granted, never half an answer.
namespace weir::http {

enum class Coding : uint8_t { identity, gzip, deflate, br, zstd };

// What an answer 415 offers in Accept-Encoding.
inline constexpr std::string_view kCodings = "gzip, deflate, br, zstd";

// The coding a Content-Encoding value names; nothing or "identity" is identity.
// Errors: kUnsupported (unknown, or more than one).
Result<Coding> parse_coding(std::string_view content_encoding);

// One body being inflated piece by piece, so that a thread can do other work in between. Confined to its user.
// gzip: any number of members. deflate: zlib's form and the raw one. zstd: any number of frames, windows up to 8 MiB.
// Bytes after the end of the stream are an error, as is a missing end.
class Inflater {
 public:
  // Reads `packed`, which must outlive the inflater.
  // Errors: kUnavailable (no memory for the library's state).
  static Result<std::unique_ptr<Inflater>> open(Coding coding, std::string_view packed);
  virtual ~Inflater() = default;

  // Most memory it may hold for itself, besides what it hands out: windows and tables, of the size the stream asks for.
  virtual uint64_t state_bytes_max() const = 0;

  // Appends at least one and about `piece_bytes` more bytes to `out`, unless the end comes first; true at the end.
  // `out` never holds more than `bytes_max`, and its capacity never exceeds bytes_max plus one buffer of 64 KiB.
  // Errors: kTooLarge (would exceed bytes_max), kBadInput (corrupt or cut short). `out` is then of no use.
  Result<bool> next(std::string& out, uint64_t piece_bytes, uint64_t bytes_max);

 protected:
  struct Step {
    size_t written;
    bool ended;
  };
  // Fills up to `room` bytes at `to`. Writes nothing only at the end of the stream.
  virtual Result<Step> step(char* to, size_t room) = 0;
};

// The whole body at once. Errors as above.
Result<std::string> inflate(Coding coding, std::string_view packed, uint64_t bytes_max);

}  // namespace weir::http
