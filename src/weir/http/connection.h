#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/bytes.h"
#include "weir/http/answer.h"
#include "weir/http/chunked.h"
#include "weir/http/head.h"
#include "weir/http/inflate.h"
#include "weir/http/loop.h"
#include "weir/http/message.h"

namespace weir::http {

// One peer, from accept to close: reads requests one after the other, lets the router's handler answer each, writes
// the answers in that order. Confined to its loop's thread.
//
// Buffers live as long as requests do: a connection that has been idle for a second holds none.
class Connection {
 public:
  Connection(Loop& loop, Listener& listener, Listener::Slot slot, Socket socket, Address peer);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves until either side ends it. Never throws.
  static asio::awaitable<void> run(std::unique_ptr<Connection> connection);

  // The loop moved it within its table.
  void set_slot(size_t slot) { slot_ = slot; }
  // The deadline set last has passed: ends the wait under way.
  void expire();
  // No further requests: ends now if idle, else with the answer under way.
  void drain();
  // Ends now.
  void close();

 private:
  // The result of an operation as a value; deferred, because that way awaiting needs no coroutine frame of its own.
  static constexpr auto kAwait = asio::as_tuple(asio::deferred);
  static constexpr size_t kBufferBytes = 8 * KiB;

  enum class Phase : uint8_t { idle, head, body, handler, write, linger };
  // How waiting for bytes ended.
  enum class Input : uint8_t { bytes, ended, expired };
  // What is to be done with the request just read.
  enum class Next : uint8_t { handle, answer, hang_up };

  asio::awaitable<void> serve();

  // Reading a request.
  void start_request(Steady now);
  asio::awaitable<Next> read_head();
  // What the bytes read so far amount to; nothing when more are needed.
  std::optional<Next> scan_head();
  Next begin_request();
  Next parse_request();
  void find_client();
  Next admit_request();
  bool take_buffered_body();
  asio::awaitable<Next> read_body();
  asio::awaitable<Next> read_sized_body();
  asio::awaitable<Next> read_chunked_body();
  asio::awaitable<Next> inflate_body();

  asio::awaitable<Next> take_turn();

  // Answering it.
  Next out_of_memory();
  void handler_failed(std::string_view what);
  void settle_unread_body();
  void compose(BodyEnd end, uint64_t body_bytes);
  bool may_have_body() const;
  asio::awaitable<bool> answer_stream();
  asio::awaitable<Result<std::string>> pull();
  asio::awaitable<Result<std::string>> next_piece();
  asio::awaitable<void> watch_peer();
  void finish_request();
  asio::awaitable<bool> discard_body();
  asio::awaitable<void> linger();

  asio::awaitable<Input> read_some(char* to, size_t room);
  Input input_of(const boost::system::error_code& error);
  // Takes what has arrived by now, without waiting. False when nothing has.
  bool read_now();
  // Sends head_ and `body`; false when the peer does not take it.
  asio::awaitable<bool> send(std::string_view body);
  // As much as the socket takes at once; removes it from both. False on an error.
  bool send_now(std::string_view& head, std::string_view& body);

  // Makes the refusal the answer. `keep`: the connection may go on after it.
  Next refuse(Refusal why, Response response, bool keep = false);
  Next refuse_overloaded();
  Next refuse_slow_body();
  void set_phase(Phase phase, Steady deadline);
  std::string_view input() const { return {buffer_.get() + begin_, end_ - begin_}; }
  void make_room(size_t room);
  bool skip_blank_line();
  void release_buffers();
  // Counts the request's bytes as `bytes` in all; false when that is more than the server may hold, or its tenant.
  bool charge(uint64_t bytes);
  // Gives the turn back, if it has one.
  void leave_service();

  Loop& loop_;
  Shared& shared_;
  Listener& listener_;
  const Listener::Slot listener_slot_;
  Socket socket_;
  const Address peer_;
  const std::string peer_text_;
  size_t slot_;
  Phase phase_ = Phase::idle;
  bool expired_ = false;
  bool closed_ = false;  // by close()

  // Input: [begin_, end_) is read and unused. During a request its head stays at begin_, body_at_ is where the bytes
  // after the head begin that are not used yet.
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t body_at_ = 0;
  HeadScanner scanner_;
  bool blank_line_skipped_ = false;
  bool fresh_ = true;  // nothing was asked yet

  // The request under way.
  Request request_;
  Framing framing_;
  ChunkedDecoder chunked_;
  Coding coding_ = Coding::identity;
  const Route* route_ = nullptr;
  Cors cors_ = Cors::none;
  const Router::Headers* guards_ = nullptr;  // of its path
  std::string allowed_;                      // the methods of a path that has not the one asked for
  bool preflight_ = false;
  bool keep_ = false;
  bool body_complete_ = false;
  uint64_t discard_bytes_ = 0;     // of an unwanted body, to be taken before the next request
  uint64_t unread_bytes_max_ = 0;  // how much of an unread body is still taken, so that the peer sees the answer
  bool counted_ = false;           // its bytes are
  uint64_t tenant_ = 0;
  uint64_t charged_bytes_ = 0;
  uint64_t in_service_bytes_ = 0;

  Response response_;
  std::string head_;  // of the answer
};

}  // namespace weir::http
