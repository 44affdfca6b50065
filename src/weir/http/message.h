#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/result.h"

// What a handler sees of HTTP. No Beast here: only connection.cc knows it.
namespace weir::http {

enum class Method : uint8_t { get, head, post, put, patch, del, options, other };

// One whole request. Its texts live until the handler's coroutine ends.
struct Request {
  Method method = Method::get;
  std::string_view target;         // as sent
  std::string_view path;           // before '?', not decoded
  std::string_view query;          // after '?', not decoded
  std::string body;                // whole; with content coding undone unless the route wants it raw
  std::string client_address;      // right-most untrusted hop, textual, v4-mapped unwrapped; "" on a Unix socket
  bool from_owner = false;         // came over the Unix socket: who can open it owns this weir
  bool secure = false;             // https at the trusted proxy
  std::chrono::steady_clock::time_point received;

  // First header of that name (any case), or empty. Repeated headers that must be single were refused before.
  std::string_view header(std::string_view name) const;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

// The percent-decoded value of a query parameter ('+' means space); false when it is absent. When it is given twice
// the first counts.
bool query_parameter(std::string_view query, std::string_view name, std::string& value);

// Hands out a long body piece by piece. Not a coroutine's business of the handler: the connection pulls.
// Each call answers the next piece; an empty one ends the body. May block for I/O only on the pool it is run on.
using BodySource = std::function<boost::asio::awaitable<Result<std::string>>()>;

struct Response {
  int status = 200;
  std::string content_type;  // none: no Content-Type header
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  BodySource stream;   // when set: sent chunked instead of `body`
  bool close = false;  // close the connection after this answer
};

// The one shape of an error answer: {"error":{"code":"not_found","message":"..."}} with the status of its code,
// Retry-After (5-30 s, jittered) where trying again helps.
Response error_response(const Error& error);
Response json_response(int status, std::string body);

using Handler = std::function<boost::asio::awaitable<Response>(Request& request)>;

}  // namespace weir::http
