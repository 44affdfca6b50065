#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "weir/base/bytes.h"
#include "weir/http/connection.h"
#include "weir/http/text.h"

// The half of a connection that reads a request: its head, then its body, within their limits and times.
namespace weir::http {

namespace {

using namespace std::chrono_literals;

// Room kept behind a head for the body's next bytes.
constexpr size_t kBodyRoomBytes = 4 * KiB;
// An idle connection keeps its buffers this long: a client in the middle of its work comes back sooner.
constexpr auto kBuffersKept = 1s;
// A body up to this size does not touch the count of bytes in flight.
constexpr uint64_t kUncountedBytes = 4 * KiB;
// A whole request that is not let into service within this is refused. Only a disk that hangs takes so long.
constexpr auto kTurnWait = 5s;
// A body is inflated in pieces of this size, with other connections' work in between.
constexpr uint64_t kInflatePieceBytes = 256 * KiB;

// Makes room for `needed` bytes without ever having more than `bytes_max` plus a page of capacity: std::string at
// least doubles, so the sizes are chosen to end at the limit.
void grow_within(std::string& text, size_t needed, uint64_t bytes_max) {
  if (needed <= text.capacity()) return;
  uint64_t size = bytes_max;
  while (size / 2 >= needed && size / 2 >= text.capacity() * 2 && size > 4 * KiB) size = (size + 1) / 2;
  text.reserve(std::max<size_t>(size, needed));
}

}  // namespace

asio::awaitable<Connection::Next> Connection::read_head() {
  Steady began = request_.received;
  bool idle = true;
  for (;;) {
    if (const auto found = scan_head()) co_return *found;
    const Options& o = shared_.options;
    if (begin_ != end_ || blank_line_skipped_) {
      // The time for a head runs from its first byte.
      if (idle && !fresh_) began = loop_.now();
      idle = false;
      set_phase(Phase::head, began + o.header_timeout);
      make_room(kBodyRoomBytes);
      const Input input = co_await read_some(buffer_.get() + end_, capacity_ - end_);
      if (input == Input::ended) co_return Next::hang_up;
      if (input == Input::expired)
        co_return refuse(Refusal::timeout, error_response(408, "timeout", "http: the request's head came too slowly"));
      continue;
    }
    if (shared_.draining) {
      // What arrived before the drain is still answered.
      if (!read_now()) co_return Next::hang_up;
      continue;
    }
    const Steady until = began + (fresh_ ? o.header_timeout : o.idle_timeout);
    Input input;
    if (buffer_ != nullptr) {
      set_phase(Phase::idle, std::min(until, began + kBuffersKept));
      const auto [error, count] = co_await socket_.async_read_some(asio::buffer(buffer_.get(), capacity_), kAwait);
      begin_ = 0;
      end_ = count;
      input = input_of(error);
    } else {
      set_phase(Phase::idle, until);
      const auto [error] = co_await socket_.async_wait(Socket::wait_read, kAwait);
      input = input_of(error);
      if (input == Input::bytes) make_room(kBufferBytes);
    }
    if (input == Input::bytes) continue;
    if (input == Input::ended && (!shared_.draining || closed_)) co_return Next::hang_up;
    if (input == Input::expired) {
      if (loop_.now() >= until) {
        shared_.metrics.refused(Refusal::timeout);
        co_return Next::hang_up;
      }
      release_buffers();
    }
  }
}

bool Connection::skip_blank_line() {
  // RFC 9112 2.2: one empty line before a request is to be ignored; some clients end a body with one too many.
  if (blank_line_skipped_ || input().empty() || input().front() != '\r') return true;
  if (input().size() < 2) return false;
  if (input()[1] != '\n') return true;  // the scanner refuses it
  begin_ += 2;
  blank_line_skipped_ = true;
  return true;
}

std::optional<Connection::Next> Connection::scan_head() {
  if (begin_ == end_ || !skip_blank_line() || begin_ == end_) return std::nullopt;
  const Options& o = shared_.options;
  const HeadScanner::Found found = scanner_.scan(input());
  if (found == HeadScanner::Found::bad)
    return refuse(Refusal::malformed, error_response(400, "bad_input", "http: not a well-formed request"));
  const size_t size = found == HeadScanner::Found::head ? scanner_.size() : input().size();
  if (!scanner_.has_request_line() && size > o.target_bytes_max + 64)
    return refuse(Refusal::url_size, error_response(414, "too_large", "http: the URL is too long"));
  if (size > o.header_bytes_max)
    return refuse(Refusal::header_size, error_response(431, "too_large", "http: the headers are too long"));
  if (found == HeadScanner::Found::more) return std::nullopt;
  // Before there are views into the buffer: a chunked body is read behind its head.
  if (capacity_ - begin_ - size < kBodyRoomBytes) make_room(kBodyRoomBytes + size);
  return Next::handle;
}

Connection::Next Connection::begin_request() {
  fresh_ = false;
  request_.received = loop_.now();
  request_.body.clear();
  body_at_ = begin_ + scanner_.size();
  const Next next = parse_request();
  if (next != Next::handle) return next;
  find_client();
  return admit_request();
}

Connection::Next Connection::parse_request() {
  std::string_view reason;
  const HeadVerdict verdict = parse_head(input().substr(0, scanner_.size()), request_, framing_, reason);
  keep_ = framing_.keep_alive;
  body_complete_ = verdict == HeadVerdict::ok && !framing_.has_body();
  const std::string message = reason.empty() ? std::string() : "http: " + std::string(reason);
  switch (verdict) {
    case HeadVerdict::ok:
      break;
    case HeadVerdict::bad:
      return refuse(Refusal::malformed, error_response(400, "bad_input", message));
    case HeadVerdict::too_many:
      return refuse(Refusal::header_size, error_response(431, "too_large", message));
    case HeadVerdict::expectation:
      return refuse(Refusal::unknown, error_response(417, "unsupported", message));
  }
  if (request_.target.size() > shared_.options.target_bytes_max)
    return refuse(Refusal::url_size, error_response(414, "too_large", "http: the URL is too long"));
  return Next::handle;
}

void Connection::find_client() {
  request_.from_owner = listener_.from_owner;
  request_.secure = false;
  if (listener_.from_owner || !shared_.proxies.trusts(peer_)) {
    request_.client_address = peer_text_;
    return;
  }
  request_.client_address = shared_.proxies.client(request_, peer_).text();
  request_.secure = TrustedProxies::says_https(request_);
}

// Everything that can be refused before the body is read.
Connection::Next Connection::admit_request() {
  constexpr bool kKeep = true;
  const Router& router = listener_.router;
  guards_ = router.guards_of(request_.path);
  route_ = router.find(request_.method, request_.path, allowed_);
  const Route* speaker = route_ != nullptr ? route_ : router.any_of(request_.path);
  if (speaker != nullptr) cors_ = speaker->options.cors;
  if (route_ == nullptr) {
    if (request_.method == Method::options && (speaker != nullptr || request_.path == "*")) {
      preflight_ = true;
      Response response;
      response.status = 204;
      response.headers.emplace_back("Allow", speaker != nullptr ? allowed_ : "GET, HEAD, POST, OPTIONS");
      response_ = std::move(response);
      return Next::answer;
    }
    if (speaker == nullptr)
      return refuse(Refusal::unknown, error_response(404, "not_found", "http: no such path"), kKeep);
    Response response = error_response(405, "method_not_allowed", "http: this path takes " + allowed_);
    response.headers.emplace_back("Allow", allowed_);
    return refuse(Refusal::unknown, std::move(response), kKeep);
  }
  const RouteOptions& limits = route_->options;
  if (framing_.content_length > limits.body_bytes_max)
    return refuse(
        Refusal::body_size,
        error_response(Error{ErrorCode::kTooLarge, fmt::format("http: body: {} bytes; at most {} are taken",
                                                               framing_.content_length, limits.body_bytes_max)}),
        kKeep);
  if (!limits.raw_body && framing_.has_body()) {
    const auto coding = parse_coding(request_.header("Content-Encoding"));
    if (!coding) {
      Response response = error_response(coding.error());
      response.headers.emplace_back("Accept-Encoding", kCodings);
      return refuse(Refusal::coding, std::move(response), kKeep);
    }
    coding_ = *coding;
  }
  // Small bodies are not counted: connections_max bounds them, and the count is shared by all threads.
  counted_ = framing_.chunked || framing_.content_length > kUncountedBytes || coding_ != Coding::identity;
  if (counted_ && limits.tenant) tenant_ = limits.tenant(request_);
  if (counted_ ? !shared_.in_flight.has_room(tenant_, framing_.content_length)
               : shared_.in_flight.held() >= shared_.options.in_flight_bytes_max)
    return refuse_overloaded();
  return Next::handle;
}

bool Connection::take_buffered_body() {
  if (framing_.chunked || framing_.content_length > end_ - body_at_) return false;
  if (!charge(framing_.content_length)) return false;
  request_.body.assign(buffer_.get() + body_at_, framing_.content_length);
  body_at_ += framing_.content_length;
  body_complete_ = true;
  return true;
}

asio::awaitable<Connection::Next> Connection::read_body() {
  set_phase(Phase::body, request_.received + shared_.options.body_timeout);
  if (framing_.expects_continue && body_at_ == end_) {
    head_ = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool sent = co_await send(std::string_view());
    if (!sent) co_return Next::hang_up;
    set_phase(Phase::body, request_.received + shared_.options.body_timeout);
  }
  framing_.expects_continue = false;
  Next next;
  if (framing_.chunked) {
    next = co_await read_chunked_body();
  } else {
    next = co_await read_sized_body();
  }
  if (next == Next::answer) keep_ = false;
  co_return next;
}

asio::awaitable<Connection::Next> Connection::read_sized_body() {
  std::string& body = request_.body;
  const uint64_t whole = framing_.content_length;
  size_t have = static_cast<size_t>(std::min<uint64_t>(whole, end_ - body_at_));
  if (!charge(have)) co_return refuse_overloaded();
  body.assign(buffer_.get() + body_at_, have);
  body_at_ += have;
  while (have < whole) {
    if (have == body.size()) {
      // Memory follows what has arrived, not what was announced.
      grow_within(body, static_cast<size_t>(std::min<uint64_t>(whole, std::max<uint64_t>(64 * KiB, have * 2))), whole);
      if (!charge(body.capacity())) co_return refuse_overloaded();
      body.resize(static_cast<size_t>(std::min<uint64_t>(whole, body.capacity())));
    }
    const auto [error, count] =
        co_await socket_.async_read_some(asio::buffer(body.data() + have, body.size() - have), kAwait);
    have += count;
    const Input input = input_of(error);
    if (input == Input::ended) co_return Next::hang_up;
    if (input == Input::expired) co_return refuse_slow_body();
  }
  body_complete_ = true;
  co_return Next::handle;
}

asio::awaitable<Connection::Next> Connection::read_chunked_body() {
  chunked_.reset();
  const size_t head_end = body_at_;
  for (;;) {
    std::string_view bytes(buffer_.get() + body_at_, end_ - body_at_);
    const auto state = chunked_.decode(bytes, request_.body, route_->options.body_bytes_max);
    body_at_ = end_ - bytes.size();
    if (state == ChunkedDecoder::State::bad)
      co_return refuse(Refusal::malformed, error_response(400, "bad_input", "http: body: not well-formed chunks"));
    if (state == ChunkedDecoder::State::too_long)
      co_return refuse(Refusal::body_size,
                       error_response(Error{ErrorCode::kTooLarge, fmt::format("http: body: more than {} bytes",
                                                                              route_->options.body_bytes_max)}));
    if (!charge(request_.body.capacity())) co_return refuse_overloaded();
    if (state == ChunkedDecoder::State::done) break;
    body_at_ = end_ = head_end;
    const Input input = co_await read_some(buffer_.get() + end_, capacity_ - end_);
    if (input == Input::ended) co_return Next::hang_up;
    if (input == Input::expired) co_return refuse_slow_body();
  }
  body_complete_ = true;
  co_return Next::handle;
}

asio::awaitable<Connection::Next> Connection::take_turn() {
  const uint64_t bytes = request_.body.size();
  if (bytes == 0) co_return Next::handle;
  set_phase(Phase::handler, Loop::kNever);
  const Steady come = loop_.now();
  const bool ours = co_await loop_.turns().enter(tenant_, bytes, come + kTurnWait);
  shared_.in_flight.waited(loop_.now() - come);
  if (!ours) co_return refuse_overloaded();
  in_service_bytes_ = bytes;
  co_return closed_ ? Next::hang_up : Next::handle;
}

asio::awaitable<Connection::Next> Connection::inflate_body() {
  constexpr bool kKeep = true;
  if (request_.body.empty()) co_return Next::handle;
  const std::string packed = std::move(request_.body);
  const uint64_t bytes_max = route_->options.inflated_bytes_max;
  request_.body.clear();
  auto inflater = Inflater::open(coding_, packed);
  if (!inflater) co_return refuse(Refusal::overload, error_response(inflater.error()), kKeep);
  set_phase(Phase::handler, Loop::kNever);
  // A server that may hold little still inflates, one at a time.
  const uint64_t state_bytes = std::min((*inflater)->state_bytes_max(), shared_.options.in_flight_bytes_max / 4);
  for (;;) {
    auto ended = (*inflater)->next(request_.body, kInflatePieceBytes, bytes_max);
    if (!ended) {
      Refusal why = Refusal::coding;
      if (ended.error().code == ErrorCode::kTooLarge) why = Refusal::inflated;
      if (ended.error().code == ErrorCode::kUnavailable) why = Refusal::overload;
      request_.body = std::string();
      co_return refuse(why, error_response(ended.error()), kKeep);
    }
    if (!charge(packed.capacity() + request_.body.capacity() + (*ended ? 0 : state_bytes))) {
      request_.body = std::string();
      co_return refuse_overloaded();
    }
    if (*ended) break;
    co_await asio::post(loop_.context(), asio::deferred);
    if (closed_) co_return Next::hang_up;
  }
  charge(request_.body.capacity());
  co_return Next::handle;
}

}  // namespace weir::http
