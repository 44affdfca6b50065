#include "weir/http/chunked.h"

#include <algorithm>

#include "weir/http/text.h"

namespace weir::http {

ChunkedDecoder::State ChunkedDecoder::decode(std::string_view& bytes, std::string& body, uint64_t body_bytes_max) {
  while (!bytes.empty()) {
    if (at_ == At::data) {
      const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      body.append(bytes.substr(0, take));
      bytes.remove_prefix(take);
      left_ -= take;
      if (left_ == 0) at_ = At::data_cr;
      continue;
    }
    const char c = bytes.front();
    bytes.remove_prefix(1);
    if (const State state = step(c, body.size(), body_bytes_max); state != State::more) return state;
  }
  return State::more;
}

ChunkedDecoder::State ChunkedDecoder::step(char c, uint64_t body_bytes, uint64_t body_bytes_max) {
  // Control characters have no place in extensions and trailers; a bare CR among them would be a second line ending.
  const bool control = (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  switch (at_) {
    case At::size_first:
    case At::size: {
      int digit = -1;
      if (c >= '0' && c <= '9') digit = c - '0';
      if (lower(c) >= 'a' && lower(c) <= 'f') digit = lower(c) - 'a' + 10;
      if (digit >= 0) {
        if (++digits_ > 15) return State::bad;
        left_ = left_ * 16 + static_cast<uint64_t>(digit);
        at_ = At::size;
        return State::more;
      }
      if (at_ == At::size_first) return State::bad;
      if (c == '\r') {
        at_ = At::size_lf;
      } else if (c == ';') {
        at_ = At::extension;
      } else {
        return State::bad;
      }
      return State::more;
    }
    case At::extension:
      if (c == '\r') {
        at_ = At::size_lf;
        return State::more;
      }
      return control || ++extension_bytes_ > kExtensionBytesMax ? State::bad : State::more;
    case At::size_lf:
      return c == '\n' ? size_ended(body_bytes, body_bytes_max) : State::bad;
    case At::data_cr:
      at_ = At::data_lf;
      return c == '\r' ? State::more : State::bad;
    case At::data_lf:
      at_ = At::size_first;
      digits_ = 0;
      return c == '\n' ? State::more : State::bad;
    case At::trailer_first:
      if (c == '\r') {
        at_ = At::end_lf;
        return State::more;
      }
      at_ = At::trailer;
      return is_token_char(c) ? State::more : State::bad;
    case At::trailer:
      if (c == '\r') {
        at_ = At::trailer_lf;
        return State::more;
      }
      return control || ++trailer_bytes_ > kTrailerBytesMax ? State::bad : State::more;
    case At::trailer_lf:
      at_ = At::trailer_first;
      return c == '\n' ? State::more : State::bad;
    case At::end_lf:
      return c == '\n' ? State::done : State::bad;
    case At::data:
      break;
  }
  return State::bad;
}

ChunkedDecoder::State ChunkedDecoder::size_ended(uint64_t body_bytes, uint64_t body_bytes_max) {
  if (left_ == 0) {
    at_ = At::trailer_first;
    return State::more;
  }
  if (left_ > body_bytes_max || body_bytes > body_bytes_max - left_) return State::too_long;
  at_ = At::data;
  return State::more;
}

}  // namespace weir::http
