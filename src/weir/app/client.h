#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "weir/base/http_client.h"
#include "weir/base/result.h"

namespace weir::app {

struct Invocation;

// One request of a command to the running server.
struct ServerRequest {
  std::string method = "GET";
  std::string target = {};  // "/api/v1/projects"
  std::string body = {};
  std::string content_type = "application/json";
  std::chrono::milliseconds timeout{60'000};
  // When set, gets the body of a 2xx answer piece by piece instead of IncomingAnswer::body; false ends the request.
  std::function<bool(std::string_view)> on_body = {};
};

// Asks the server on the data directory's Unix socket or, with --url, the one there with --key (else $WEIR_KEY).
// Only 2xx answers come back. Errors: the server's own code and message; kUnavailable when none is running, whose
// message says how to start it; kUnauthenticated (--url without a key); kBadInput (--url is not a URL).
Result<IncomingAnswer> request(const Invocation& invocation, const ServerRequest& request);

// True when something listens on DATA/weir.sock.
bool server_runs(const std::string& data_directory);

}  // namespace weir::app
