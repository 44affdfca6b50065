// A connection's life, and the half of it that answers; the half that reads is connection_read.cc.
#include "weir/http/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <new>
#include <variant>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/http/text.h"

namespace weir::http {

namespace {

using namespace std::chrono_literals;

// A peer has to take this much within write_timeout.
constexpr size_t kWritePieceBytes = 64 * KiB;
// What is kept of a body's memory for the next request.
constexpr size_t kBodyBytesKept = 16 * KiB;
// An unread body up to this size is taken and thrown away, so that the connection can go on.
constexpr uint64_t kDiscardBytesMax = 64 * KiB;
// How much more of a larger one is taken before closing. A close with bytes unread resets the connection, and the peer
// may lose the answer that says why.
constexpr uint64_t kLingerBytesMax = 1 * MiB;
constexpr auto kLingerTime = 2s;

}  // namespace

Connection::Connection(Loop& loop, Listener& listener, Listener::Slot slot, Socket socket, Address peer)
    : loop_(loop),
      shared_(loop.shared()),
      listener_(listener),
      listener_slot_(std::move(slot)),
      socket_(std::move(socket)),
      peer_(peer),
      peer_text_(listener.from_owner ? std::string() : peer.text()),
      slot_(loop.add(*this)) {
  std::lock_guard lock(shared_.mutex);
  shared_.metrics.connections.set(static_cast<double>(++shared_.connections));
}

Connection::~Connection() {
  leave_service();
  charge(0);
  loop_.remove(slot_);
  std::lock_guard lock(shared_.mutex);
  shared_.metrics.connections.set(static_cast<double>(--shared_.connections));
  if (shared_.connections == 0) shared_.none_left.notify_all();
}

asio::awaitable<void> Connection::run(std::unique_ptr<Connection> connection) {
  try {
    co_await connection->serve();
  } catch (const std::exception& e) {
    log::error("http: connection: {}", e.what());
  }
}

void Connection::expire() {
  expired_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::drain() {
  if (phase_ != Phase::idle && phase_ != Phase::linger) return;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Connection::close() {
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> Connection::serve() {
  start_request(loop_.now());
  for (;;) {
    Next next = Next::hang_up;
    try {
      next = co_await read_head();
      if (next == Next::handle) next = begin_request();
      if (next == Next::handle && !body_complete_ && !take_buffered_body()) next = co_await read_body();
      if (next == Next::handle && counted_ && route_->options.tenant) next = co_await take_turn();
      if (next == Next::handle && coding_ != Coding::identity) next = co_await inflate_body();
      if (next == Next::handle) {
        set_phase(Phase::handler, Loop::kNever);
        try {
          response_ = co_await route_->handler(request_);
        } catch (const std::bad_alloc&) {
          throw;
        } catch (const std::exception& e) {
          handler_failed(e.what());
        } catch (...) {
          handler_failed("unknown exception");
        }
      }
    } catch (const std::bad_alloc&) {
      next = out_of_memory();
    }
    // A handler that came back on another thread would tear the connection's state.
    WEIR_CHECK(loop_.is_current());
    if (next == Next::hang_up) co_return;
    leave_service();
    keep_ = keep_ && !response_.close && !shared_.draining.load(std::memory_order_relaxed);
    settle_unread_body();
    if (response_.stream && request_.method != Method::head) {
      const bool sent = co_await answer_stream();
      if (!sent) co_return;
    } else {
      const bool has_body = may_have_body();
      const BodyEnd end = !has_body ? BodyEnd::none : response_.stream ? BodyEnd::chunked : BodyEnd::length;
      compose(end, response_.body.size());
      std::string_view head = head_;
      std::string_view body = has_body && request_.method != Method::head ? response_.body : std::string_view();
      if (!send_now(head, body)) co_return;
      if (!head.empty() || !body.empty()) {
        head_.erase(0, head_.size() - head.size());
        const bool sent = co_await send(body);
        if (!sent) co_return;
      }
    }
    Steady answered = loop_.now();
    shared_.metrics.request_seconds.observe(std::chrono::duration<double>(answered - request_.received).count());
    if (keep_ && (response_.status == 429 || response_.status == 503)) {
      // Before the rest of its body is taken, which then has come and is one piece. What was taken is let go.
      request_.body = std::string();
      charge(0);
      set_phase(Phase::handler, Loop::kNever);
      co_await loop_.rest_after_refusal();
      answered = loop_.now();
    }
    if (!body_complete_ && keep_) {
      keep_ = co_await discard_body();
      answered = loop_.now();
    }
    if (!body_complete_) {
      co_await linger();
      co_return;
    }
    if (!keep_) co_return;
    finish_request();
    start_request(answered);
  }
}

void Connection::start_request(Steady now) {
  request_.method = Method::get;
  request_.headers.clear();
  request_.received = now;
  framing_ = Framing();
  coding_ = Coding::identity;
  route_ = nullptr;
  cors_ = Cors::none;
  guards_ = nullptr;
  counted_ = false;
  tenant_ = 0;
  preflight_ = keep_ = body_complete_ = false;
  unread_bytes_max_ = kLingerBytesMax;
  scanner_.reset();
  blank_line_skipped_ = false;
}

// ---------------------------------------------------------------------------------------------------------------------
// Answering it

Connection::Next Connection::refuse(Refusal why, Response response, bool keep) {
  shared_.metrics.refused(why);
  keep_ = keep_ && keep;
  response_ = std::move(response);
  return Next::answer;
}

Connection::Next Connection::refuse_overloaded() {
  // At once and without reading on: memory is what we are short of.
  unread_bytes_max_ = kDiscardBytesMax;
  return refuse(Refusal::overload, error_response(Error{ErrorCode::kOverloaded, "http: too many requests under way"}),
                true);
}

Connection::Next Connection::refuse_slow_body() {
  return refuse(Refusal::timeout, error_response(408, "timeout", "http: the request's body came too slowly"));
}

// Wherever it was, what was read of the request is given up, and the connection with it.
Connection::Next Connection::out_of_memory() {
  request_.body = std::string();
  log::error("http: no memory for a request");
  return refuse(Refusal::overload, error_response(Error{ErrorCode::kOverloaded, "http: no memory for this request"}));
}

void Connection::handler_failed(std::string_view what) {
  log::error("http: {}: handler failed: {}", route_->path, what);
  response_ = error_response(500, "internal", "http: this is a fault of ours; it has been logged");
}

// Decides, before the answer is written, whether the connection can go on after a body that was not wanted.
void Connection::settle_unread_body() {
  discard_bytes_ = 0;
  if (body_complete_ || !keep_) return;
  if (framing_.chunked || framing_.expects_continue) {
    // Its end is unknown, or the peer may now send it or not.
    keep_ = false;
    return;
  }
  const uint64_t buffered = std::min<uint64_t>(framing_.content_length, end_ - body_at_);
  body_at_ += static_cast<size_t>(buffered);
  discard_bytes_ = framing_.content_length - buffered;
  if (discard_bytes_ == 0) body_complete_ = true;
  if (discard_bytes_ > kDiscardBytesMax) keep_ = false;
}

bool Connection::may_have_body() const {
  return response_.status >= 200 && response_.status != 204 && response_.status != 304;
}

void Connection::compose(BodyEnd end, uint64_t body_bytes) {
  shared_.metrics.answered(response_.status);
  head_.clear();
  append_head(head_, response_, loop_.date());
  if (guards_ != nullptr) append_guards(head_, response_, *guards_);
  append_cors(head_, cors_, shared_.origins, request_);
  if (preflight_) append_preflight(head_, cors_, shared_.origins, request_, allowed_);
  append_framing(head_, response_, end, body_bytes, keep_, framing_.http_1_0);
  head_ += "\r\n";
}

// One piece of a stream; an exception is its error.
asio::awaitable<Result<std::string>> Connection::next_piece() {
  std::string failure;
  try {
    Result<std::string> piece = co_await response_.stream();
    co_return piece;
  } catch (const std::exception& e) {
    failure = e.what();
  } catch (...) {
    failure = "unknown exception";
  }
  co_return Error{ErrorCode::kUnavailable, "http: stream: " + failure};
}

// Ends when the peer has gone: it reset the connection, or sent its end. A peer that shut only its own side down is
// taken for gone; browsers and libraries do not do that.
asio::awaitable<void> Connection::watch_peer() {
  for (;;) {
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    if (error) co_return;
    char byte;
    const ssize_t count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count < 0 && errno == EAGAIN) continue;
    if (count <= 0) co_return;
    // Its next request is there already; only an error can tell us more.
    co_await socket_.async_wait(Socket::wait_error, kAwait);
    co_return;
  }
}

asio::awaitable<Result<std::string>> Connection::pull() {
  using namespace asio::experimental::awaitable_operators;
  auto first = co_await (next_piece() || watch_peer());
  if (first.index() == 1) {
    closed_ = true;
    co_return Error{ErrorCode::kUnavailable, "http: stream: the peer went away"};
  }
  co_return std::get<0>(std::move(first));
}

asio::awaitable<bool> Connection::answer_stream() {
  set_phase(Phase::handler, Loop::kNever);
  Result<std::string> piece = co_await pull();
  if (closed_) co_return false;
  if (!piece) {
    response_ = error_response(piece.error());
    compose(BodyEnd::length, response_.body.size());
    const bool sent = co_await send(response_.body);
    co_return sent;
  }
  const bool chunked = !framing_.http_1_0;
  if (!chunked) keep_ = false;
  compose(chunked ? BodyEnd::chunked : BodyEnd::close, 0);
  for (;;) {
    const bool last = piece->empty();
    if (chunked) {
      fmt::format_to(std::back_inserter(head_), "{:x}\r\n", piece->size());
      *piece += "\r\n";
    }
    const bool sent = co_await send(*piece);
    if (!sent) co_return false;
    if (last) co_return true;
    head_.clear();
    set_phase(Phase::handler, Loop::kNever);
    piece = co_await pull();
    if (closed_) co_return false;
    if (!piece) {
      // The status is gone already; a body without its end is all that can still be said.
      log::error("{}: answer to {} cut off", piece.error().message, request_.path);
      co_return false;
    }
  }
}

asio::awaitable<bool> Connection::discard_body() {
  set_phase(Phase::body, loop_.now() + shared_.options.body_timeout);
  // The head is not needed any more.
  begin_ = end_ = body_at_ = 0;
  while (discard_bytes_ > 0) {
    // Without a buffer, and without copying.
    const ssize_t count = ::recv(socket_.native_handle(), nullptr, discard_bytes_, MSG_TRUNC | MSG_DONTWAIT);
    if (count > 0) {
      discard_bytes_ -= static_cast<uint64_t>(count);
      continue;
    }
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) co_return false;
    const auto [error] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    if (input_of(error) != Input::bytes) co_return false;
  }
  body_complete_ = true;
  co_return true;
}

asio::awaitable<void> Connection::linger() {
  if (closed_) co_return;
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  set_phase(Phase::linger, loop_.now() + kLingerTime);
  make_room(kBufferBytes);
  for (uint64_t left = unread_bytes_max_; left > 0;) {
    begin_ = end_ = 0;
    const Input input = co_await read_some(buffer_.get(), static_cast<size_t>(std::min<uint64_t>(capacity_, left)));
    if (input != Input::bytes) co_return;
    left -= end_;
  }
}

void Connection::finish_request() {
  charge(0);
  begin_ = body_at_;
  if (begin_ == end_) begin_ = end_ = 0;
  response_ = Response();
  if (request_.body.capacity() > kBodyBytesKept) request_.body = std::string();
}

// ---------------------------------------------------------------------------------------------------------------------
// Bytes

void Connection::set_phase(Phase phase, Steady deadline) {
  phase_ = phase;
  expired_ = false;
  loop_.set_deadline(slot_, deadline);
}

Connection::Input Connection::input_of(const boost::system::error_code& error) {
  if (!error) return Input::bytes;
  if (error == asio::error::operation_aborted && expired_ && !closed_) return Input::expired;
  return Input::ended;
}

asio::awaitable<Connection::Input> Connection::read_some(char* to, size_t room) {
  const auto [error, count] = co_await socket_.async_read_some(asio::buffer(to, room), kAwait);
  end_ += count;
  co_return input_of(error);
}

bool Connection::read_now() {
  if (closed_) return false;
  make_room(kBufferBytes);
  const ssize_t count = ::recv(socket_.native_handle(), buffer_.get() + end_, capacity_ - end_, MSG_DONTWAIT);
  if (count > 0) end_ += static_cast<size_t>(count);
  return count > 0;
}

bool Connection::send_now(std::string_view& head, std::string_view& body) {
  while (!head.empty() || !body.empty()) {
    std::array<iovec, 2> parts{
        {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = body.empty() ? 1 : parts.size();
    const ssize_t count = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN;
    }
    const size_t of_head = std::min(head.size(), static_cast<size_t>(count));
    head.remove_prefix(of_head);
    body.remove_prefix(static_cast<size_t>(count) - of_head);
  }
  return true;
}

asio::awaitable<bool> Connection::send(std::string_view body) {
  std::string_view head = head_;
  set_phase(Phase::write, loop_.now() + shared_.options.write_timeout);
  size_t piece_end = head.size() + body.size();
  for (;;) {
    if (!send_now(head, body)) co_return false;
    const size_t left = head.size() + body.size();
    if (left == 0) co_return true;
    if (piece_end - left >= kWritePieceBytes) {
      piece_end = left;
      set_phase(Phase::write, loop_.now() + shared_.options.write_timeout);
    }
    const auto [error] = co_await socket_.async_wait(Socket::wait_write, kAwait);
    if (!error) continue;
    if (input_of(error) == Input::expired) shared_.metrics.refused(Refusal::slow_reader);
    co_return false;
  }
}

void Connection::make_room(size_t room) {
  if (buffer_ != nullptr && capacity_ - end_ >= room) return;
  const size_t used = end_ - begin_;
  if (buffer_ == nullptr || capacity_ - used < room) {
    const size_t capacity = std::max(kBufferBytes, used * 2 + room);
    auto bigger = std::unique_ptr<char[]>(new char[capacity]);
    if (used > 0) std::memcpy(bigger.get(), buffer_.get() + begin_, used);
    buffer_ = std::move(bigger);
    capacity_ = capacity;
  } else {
    std::memmove(buffer_.get(), buffer_.get() + begin_, used);
  }
  begin_ = 0;
  end_ = used;
}

void Connection::release_buffers() {
  buffer_.reset();
  capacity_ = begin_ = end_ = 0;
  request_ = Request();
  head_ = std::string();
}

bool Connection::charge(uint64_t bytes) {
  if (!counted_) return true;
  if (!shared_.in_flight.resize(tenant_, charged_bytes_, bytes)) return false;
  shared_.metrics.in_flight_bytes.add(static_cast<double>(bytes) - static_cast<double>(charged_bytes_));
  charged_bytes_ = bytes;
  return true;
}

void Connection::leave_service() {
  if (in_service_bytes_ > 0) loop_.turns().leave(std::exchange(in_service_bytes_, 0));
}

}  // namespace weir::http
