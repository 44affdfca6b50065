#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/result.h"

namespace weir {

// One outgoing HTTP request.
struct OutgoingRequest {
  std::string method = "GET";
  std::string url;
  std::string unix_socket;  // when set, connect to this path; `url` then only gives Host and target
  std::vector<std::pair<std::string, std::string>> headers;
  // Sent as the body, one behind the other, without being copied together. They must outlive the call.
  std::vector<std::string_view> body;
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds connect_timeout{2'000};
  size_t answer_bytes_max = 256u << 20;
  // When set, gets the answer's body (of a 2xx only) piece by piece instead of Answer::body; false ends the request.
  std::function<bool(std::string_view)> on_body;
  // When set: asked about once a second while the request is under way, whether nobody wants the answer any more; true
  // ends it.
  std::function<bool()> abandoned;
};

struct IncomingAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  // The first header of that lower-case name, or empty.
  std::string_view header(std::string_view name) const;
};

// Blocking HTTP/1.1 client that keeps connections alive. Confined to one thread at a time.
// Redirects are not followed; no proxy of the environment is used.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;

  // Any status is an answer. Errors: kUnavailable (no connection, broken off, abandoned), kTimeout,
  // kTooLarge (the answer).
  Result<IncomingAnswer> send(const OutgoingRequest& request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Percent-encodes everything but unreserved characters.
std::string url_encode(std::string_view text);

}  // namespace weir
