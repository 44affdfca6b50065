#pragma once

#include <cstdint>
#include <string_view>

#include "weir/http/message.h"

// Reading a request's first lines strictly. Two servers in a row that read one byte stream differently can be made to
// disagree on where a request ends (request smuggling), so everything that has two readings is refused.
namespace weir::http {

// Finds where a head ends, as its bytes arrive. Refuses at once what no later byte can repair: a line that ends in a
// bare LF, a folded line, a first byte that begins no method (TLS, binary).
// Confined to its connection.
class HeadScanner {
 public:
  enum class Found : uint8_t { more, head, bad };

  // `bytes` is everything since the request's first byte; earlier calls saw a prefix of it.
  Found scan(std::string_view bytes);
  // Size of the head with its empty line, after Found::head.
  size_t size() const { return at_; }
  // The request line has arrived whole.
  bool has_request_line() const { return line_ > 0; }
  void reset() { at_ = line_ = 0; }

 private:
  size_t at_ = 0;    // everything before was looked at
  size_t line_ = 0;  // where the line being looked at begins
};

// What the head says about the bytes that follow it.
struct Framing {
  uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = false;
  bool http_1_0 = false;
  bool expects_continue = false;
  bool has_body() const { return chunked || content_length > 0; }
};

enum class HeadVerdict : uint8_t {
  ok,
  bad,          // 400
  too_many,     // 431: more header fields than kHeadersMax
  expectation,  // 417: an Expect we do not know
};

inline constexpr size_t kHeadersMax = 128;

// Reads a whole head, as the scanner found it, into `request` (method, target, path, query, headers: views into
// `bytes`) and `framing`. On anything but `ok`, `reason` says what was wrong, without quoting it.
HeadVerdict parse_head(std::string_view bytes, Request& request, Framing& framing, std::string_view& reason);

}  // namespace weir::http
