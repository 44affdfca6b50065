#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::http {

// Undoes `Transfer-Encoding: chunked`, strictly: sizes are plain hexadecimal of at most 15 digits, every line ends in
// CRLF, extensions are skipped up to kExtensionBytesMax a request, trailers up to kTrailerBytesMax.
// Confined to its connection.
class ChunkedDecoder {
 public:
  static constexpr size_t kExtensionBytesMax = 1024;
  static constexpr size_t kTrailerBytesMax = 4096;

  enum class State : uint8_t {
    more,     // all bytes were used, the body goes on
    done,     // the body is complete; what is left in `bytes` follows it
    bad,      // not chunked coding
    too_long  // the body would exceed `body_bytes_max`; told from the chunk's size, before its data
  };

  // Takes bytes from the front of `bytes` and appends the data in them to `body`.
  State decode(std::string_view& bytes, std::string& body, uint64_t body_bytes_max);
  void reset() { *this = ChunkedDecoder(); }

 private:
  enum class At : uint8_t {
    size_first,
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_first,
    trailer,
    trailer_lf,
    end_lf,
  };
  // One byte of anything but chunk data.
  State step(char c, uint64_t body_bytes, uint64_t body_bytes_max);
  State size_ended(uint64_t body_bytes, uint64_t body_bytes_max);

  At at_ = At::size_first;
  unsigned digits_ = 0;
  uint64_t left_ = 0;  // of the chunk
  size_t extension_bytes_ = 0;
  size_t trailer_bytes_ = 0;
};

}  // namespace weir::http
