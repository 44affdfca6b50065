#include "weir/http/connection.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <variant>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/logging.h"
#include "weir/http/text.h"

namespace weir::http {

namespace {

using namespace std::chrono_literals;

// The result of an operation as a value; deferred, because that way awaiting needs no coroutine frame of its own.
constexpr auto kAwait = asio::as_tuple(asio::deferred);

constexpr size_t kBufferBytes = 8 * KiB;
// Room kept behind a head for the body's next bytes.
constexpr size_t kBodyRoomBytes = 4 * KiB;
// An idle connection keeps its buffers this long: a client in the middle of its work comes back sooner.
constexpr auto kBuffersKept = 1s;
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
// A body in hand up to this size does not touch the count of bytes in flight.
constexpr uint64_t kUncountedBytes = 4 * KiB;
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
  for (;;) {
    start_request();
    Next next = co_await read_head();
    if (next == Next::handle) next = begin_request();
    if (next == Next::handle && !body_complete_ && !take_buffered_body()) next = co_await read_body();
    if (next == Next::handle && coding_ != Coding::identity) next = co_await inflate_body();
    if (next == Next::hang_up) co_return;

    if (next == Next::handle) {
      set_phase(Phase::handler, Loop::kNever);
      try {
        response_ = co_await route_->handler(request_);
      } catch (const std::exception& e) {
        handler_failed(e.what());
      } catch (...) {
        handler_failed("unknown exception");
      }
      // A handler that came back on another thread would tear the connection's state.
      WEIR_CHECK(loop_.is_current());
    }
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
    shared_.metrics.request_seconds.observe(std::chrono::duration<double>(loop_.now() - request_.received).count());
    if (!body_complete_ && keep_) keep_ = co_await discard_body();
    if (!body_complete_) {
      co_await linger();
      co_return;
    }
    if (!keep_) co_return;
    finish_request();
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Reading a request

// Forgets the request before, so that a head that cannot be read is not answered by that one's rules.
void Connection::start_request() {
  request_.method = Method::get;
  request_.headers.clear();
  request_.received = loop_.now();
  framing_ = Framing();
  coding_ = Coding::identity;
  route_ = nullptr;
  cors_ = Cors::none;
  preflight_ = keep_ = body_complete_ = false;
  unread_bytes_max_ = kLingerBytesMax;
  scanner_.reset();
  blank_line_skipped_ = false;
}

asio::awaitable<Connection::Next> Connection::read_head() {
  Steady began = loop_.now();
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
  if (shared_.in_flight_bytes.load(std::memory_order_relaxed) + framing_.content_length >
      shared_.options.in_flight_bytes_max)
    return refuse_overloaded();
  return Next::handle;
}

bool Connection::take_buffered_body() {
  if (framing_.chunked || framing_.content_length > end_ - body_at_) return false;
  // Small ones are not counted: connections_max bounds them, and the count is shared by all threads.
  if (framing_.content_length > kUncountedBytes && !charge(framing_.content_length)) return false;
  request_.body.assign(buffer_.get() + body_at_, framing_.content_length);
  body_at_ += framing_.content_length;
  body_complete_ = true;
  return true;
}

asio::awaitable<Connection::Next> Connection::read_body() {
  set_phase(Phase::body, request_.received + shared_.options.body_timeout);
  if (framing_.expects_continue && body_at_ == end_) {
    head_ = "HTTP/1.1 100 Continue\r\n\r\n";
    const bool sent = co_await send({});
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
      const Refusal why = ended.error().code == ErrorCode::kTooLarge ? Refusal::inflated : Refusal::coding;
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
  while (discard_bytes_ > 0) {
    // The head is not needed any more.
    begin_ = end_ = body_at_ = 0;
    const Input input =
        co_await read_some(buffer_.get(), static_cast<size_t>(std::min<uint64_t>(capacity_, discard_bytes_)));
    if (input != Input::bytes) co_return false;
    discard_bytes_ -= end_;
    body_at_ = end_;
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
  if (bytes == charged_bytes_) return true;
  const uint64_t more = bytes - charged_bytes_;  // wraps when less, and so does the sum
  const uint64_t sum = shared_.in_flight_bytes.fetch_add(more, std::memory_order_relaxed) + more;
  if (bytes > charged_bytes_ && sum > shared_.options.in_flight_bytes_max) {
    shared_.in_flight_bytes.fetch_sub(more, std::memory_order_relaxed);
    return false;
  }
  charged_bytes_ = bytes;
  return true;
}

}  // namespace weir::http
