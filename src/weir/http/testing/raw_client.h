#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "weir/http/text.h"

namespace weir::http::testing {

// One answer as it came over the wire.
struct Answer {
  int status = 0;  // 0: none came
  std::string head;
  std::map<std::string, std::string> headers;  // names in lower case; a repeated one joined by ", "
  std::string body;
  bool complete = false;  // the body came to its end
};

// A client that sends exactly the bytes it is given: what a well-behaved library refuses to send is what matters here.
// Confined to its thread. Waiting for bytes ends after ten seconds, as if nothing more came.
class RawClient {
 public:
  // `address` is HOST:PORT with an IPv4 host, or the path of a Unix socket.
  explicit RawClient(const std::string& address);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // A socket that is not connected yet, for tests that must not open descriptors later.
  struct Later {};
  explicit RawClient(Later);
  void connect(const std::string& address);

  bool connected() const { return connected_; }
  int fd() const { return fd_; }

  // False once the peer takes no more.
  bool send(std::string_view bytes);
  // Reads one answer; `to_head`: to a HEAD request, so without a body.
  Answer read(bool to_head = false);
  // Everything until the peer closes; `closed` says whether it did.
  std::string read_all(bool& closed);
  // The peer closed, in order or by a reset. Throws away what comes before.
  bool closes();
  // Something has come, or the peer closed, within `wait`.
  bool readable(std::chrono::milliseconds wait);
  // Sends our end, keeps reading.
  void finish();
  // Drops the connection with a reset.
  void reset();
  // The kernel holds as few unread bytes as it can.
  void shrink_window();

 private:
  // False at the end, on a reset, or after ten seconds.
  bool fill();

  int fd_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  std::string buffer_;
};

inline constexpr int kPatienceMs = 10'000;

inline RawClient::RawClient(const std::string& address) {
  fd_ = ::socket(address.starts_with('/') ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  connect(address);
}

inline RawClient::RawClient(Later) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

inline RawClient::~RawClient() {
  if (fd_ >= 0) ::close(fd_);
}

inline void RawClient::connect(const std::string& address) {
  if (address.starts_with('/')) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    address.copy(at.sun_path, sizeof at.sun_path - 1);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
    return;
  }
  const size_t colon = address.rfind(':');
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &at.sin_addr);
  connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

inline bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

inline bool RawClient::fill() {
  pollfd wait{fd_, POLLIN, 0};
  if (::poll(&wait, 1, kPatienceMs) <= 0) return false;
  char piece[65536];
  const ssize_t count = ::recv(fd_, piece, sizeof piece, 0);
  if (count <= 0) {
    closed_ = true;
    return false;
  }
  buffer_.append(piece, static_cast<size_t>(count));
  return true;
}

inline Answer RawClient::read(bool to_head) {
  Answer answer;
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos)
    if (!fill()) return answer;
  answer.head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
  for (size_t at = answer.head.find("\r\n") + 2; at < answer.head.size();) {
    const size_t stop = answer.head.find("\r\n", at);
    const std::string line = answer.head.substr(at, stop - at);
    at = stop + 2;
    const size_t colon = line.find(':');
    std::string name = line.substr(0, colon);
    for (char& c : name) c = lower(c);
    std::string& value = answer.headers[name];
    value += (value.empty() ? "" : ", ") + std::string(trim(std::string_view(line).substr(colon + 1)));
  }
  if (to_head || answer.status == 204 || answer.status == 304 || answer.status / 100 == 1) {
    answer.complete = true;
    return answer;
  }
  if (answer.headers.contains("transfer-encoding")) {
    for (;;) {
      while ((end = buffer_.find("\r\n")) == std::string::npos)
        if (!fill()) return answer;
      const size_t size = std::stoul(buffer_.substr(0, end), nullptr, 16);
      while (buffer_.size() < end + 2 + size + 2)
        if (!fill()) return answer;
      answer.body += buffer_.substr(end + 2, size);
      buffer_.erase(0, end + 2 + size + 2);
      if (size == 0) break;
    }
    answer.complete = true;
    return answer;
  }
  const bool sized = answer.headers.contains("content-length");
  const size_t size = sized ? std::stoul(answer.headers["content-length"]) : SIZE_MAX;
  while (buffer_.size() < size)
    if (!fill()) break;
  answer.complete = sized ? buffer_.size() >= size : closed_;
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, answer.body.size());
  return answer;
}

inline std::string RawClient::read_all(bool& closed) {
  while (fill()) {
  }
  closed = closed_;
  return std::move(buffer_);
}

inline bool RawClient::closes() {
  bool closed = false;
  read_all(closed);
  return closed;
}

inline bool RawClient::readable(std::chrono::milliseconds wait) {
  pollfd ready{fd_, POLLIN, 0};
  return !buffer_.empty() || ::poll(&ready, 1, static_cast<int>(wait.count())) > 0;
}

inline void RawClient::finish() { ::shutdown(fd_, SHUT_WR); }

inline void RawClient::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd_);
  fd_ = -1;
}

inline void RawClient::shrink_window() {
  const int bytes = 1;
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

}  // namespace weir::http::testing
