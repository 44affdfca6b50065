#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/http/message.h"

namespace weir::http {

// "Fri, 20 Nov 2026 09:01:00 GMT"
std::string format_http_date(UnixMillis t);

// The reason phrase of a status; "Status" for those without one.
std::string_view reason_of(int status);

// How the end of an answer's body is told.
enum class BodyEnd : uint8_t {
  length,   // Content-Length
  chunked,  // Transfer-Encoding
  close,    // HTTP/1.0, length unknown
  none      // 204, 304: there is no body to end
};

// Appends status line, Date and the response's own headers; the caller adds what it knows and the empty line. CR, LF
// and other control characters in a handler's header values become spaces: they would begin a header of their own.
void append_head(std::string& out, const Response& response, std::string_view date);
// Appends those of `guards` that the response does not give itself.
void append_guards(std::string& out, const Response& response,
                   const std::vector<std::pair<std::string, std::string>>& guards);
// Appends Connection where it differs from the protocol's default, and the body's headers.
void append_framing(std::string& out, const Response& response, BodyEnd end, uint64_t body_bytes, bool keep_alive,
                    bool http_1_0);

}  // namespace weir::http
