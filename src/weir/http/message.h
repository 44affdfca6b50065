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
  std::string_view target;     // as sent
  std::string_view path;       // before '?', not decoded
  std::string_view query;      // after '?', not decoded
  std::string body;            // whole; with content coding undone unless the route wants it raw
  std::string client_address;  // right-most untrusted hop, textual, v4-mapped unwrapped; "" on a Unix socket
  bool from_owner = false;     // came over the Unix socket: who can open it owns this weir
  bool secure = false;         // https at the trusted proxy
  std::chrono::steady_clock::time_point received;

  // First header of that name (any case), or empty. Repeated headers that must be single were refused before.
  std::string_view header(std::string_view name) const;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
};

// The percent-decoded value of a query parameter ('+' means space); false when it is absent. When it is given twice
// the first counts.
bool query_parameter(std::string_view query, std::string_view name, std::string& value);

// Hands out a long body piece by piece; the connection pulls. Each call answers the next piece; an empty one ends the
// body. It is asked again only when the piece before was taken by the peer, so a slow reader slows the source. When the
// peer goes away or the server ends, the call under way is cancelled (asio's cancellation) and the source destroyed.
// An error from the first call is answered like any error; a later one cuts the answer off, visibly to the peer.
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
// Retry-After (5-30 s, jittered) where trying again helps. The message may hold anything; what is not UTF-8 is
// replaced.
Response error_response(const Error& error);
// The same shape for a status that has no ErrorCode (405, 408, 414, ...). `code` needs no escaping.
Response error_response(int status, std::string_view code, std::string_view message);
Response json_response(int status, std::string body);

// Runs on its connection's thread and must not block it. Whatever it waits for must resume it through the coroutine's
// executor, as every asio operation does. The request stays valid until it returns; it may move the body out.
// An exception that leaves it is logged and answered 500.
using Handler = std::function<boost::asio::awaitable<Response>(Request& request)>;

}  // namespace weir::http
