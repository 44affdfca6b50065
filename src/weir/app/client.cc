#include "weir/app/client.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <cstring>

#include "weir/app/invocation.h"

namespace weir::app {

namespace {
// The error that a server answered: {"error":{"code":"not_found","message":"..."}}.
Error error_of(const IncomingAnswer& answer) {
  std::string code;
  std::string message;
  boost::system::error_code failed;
  boost::json::value body = boost::json::parse(answer.body, failed);
  const boost::json::object* object = failed ? nullptr : body.if_object();
  const boost::json::value* error = object == nullptr ? nullptr : object->if_contains("error");
  if (error != nullptr && error->is_object()) {
    const boost::json::object& fields = error->get_object();
    const boost::json::value* c = fields.if_contains("code");
    const boost::json::value* m = fields.if_contains("message");
    if (c != nullptr && c->is_string()) code = std::string_view(c->get_string());
    if (m != nullptr && m->is_string()) message = std::string_view(m->get_string());
  }
  if (message.empty()) message = fmt::format("the server answered {}", answer.status);
  for (int i = 0; i <= static_cast<int>(ErrorCode::kCorrupt); ++i) {
    if (name_of(static_cast<ErrorCode>(i)) == code) return {static_cast<ErrorCode>(i), std::move(message)};
  }
  return {answer.status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kBadInput, std::move(message)};
}

Result<OutgoingRequest> address(const Invocation& invocation) {
  OutgoingRequest out;
  if (invocation.url.empty()) {
    out.url = "http://weir";
    out.unix_socket = invocation.data_directory() + "/weir.sock";
    return out;
  }
  out.url = invocation.url;
  if (!out.url.starts_with("http://") && !out.url.starts_with("https://")) {
    return Error{ErrorCode::kBadInput, fmt::format("--url {}: expected http://HOST:PORT or https://HOST", out.url)};
  }
  while (out.url.back() == '/') out.url.pop_back();
  std::string key = invocation.key;
  const char* from_environment = std::getenv("WEIR_KEY");  // NOLINT(concurrency-mt-unsafe): nobody writes it
  if (key.empty() && from_environment != nullptr) key = from_environment;
  if (key.empty()) {
    return Error{ErrorCode::kUnauthenticated,
                 "--url needs a key: give --key, or set WEIR_KEY; `weir key create` on the server makes one"};
  }
  if (key.find_first_of("\r\n") != std::string::npos) {
    return Error{ErrorCode::kBadInput, "--key: a key has no line breaks"};
  }
  out.headers.emplace_back("Authorization", "Bearer " + key);
  return out;
}
}  // namespace

bool server_runs(const std::string& data_directory) {
  std::string path = data_directory + "/weir.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return false;
  std::memcpy(address.sun_path, path.data(), path.size());
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return connected;
}

Result<IncomingAnswer> request(const Invocation& invocation, const ServerRequest& request) {
  auto out = address(invocation);
  if (!out) return std::move(out).error();
  if (!out->unix_socket.empty() && !server_runs(invocation.data_directory())) {
    // Who may not enter the directory cannot tell whether it runs.
    if (::access(invocation.data_directory().c_str(), F_OK) == 0 &&
        ::access(invocation.data_directory().c_str(), X_OK) != 0) {
      return Error{ErrorCode::kForbidden, fmt::format("no permission to use {}: run this as the user that weir runs as",
                                                      invocation.data_directory())};
    }
    return Error{ErrorCode::kUnavailable, fmt::format("weir is not running on {} ({}): start it with `weir serve`, or "
                                                      "name its data directory with --data",
                                                      invocation.data_directory(), invocation.config.data_origin)};
  }
  out->method = request.method;
  out->url += request.target;
  if (!request.body.empty()) {
    out->headers.emplace_back("Content-Type", request.content_type);
    out->body.emplace_back(request.body);
  }
  out->timeout = request.timeout;
  out->on_body = request.on_body;
  HttpClient client;
  auto answer = client.send(*out);
  if (!answer) return std::move(answer).error();
  if (answer->status < 200 || answer->status > 299) return error_of(*answer);
  return answer;
}

}  // namespace weir::app
