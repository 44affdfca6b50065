#pragma once

#include <atomic>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/fair_share.h"
#include "weir/http/cors.h"
#include "weir/http/metrics.h"
#include "weir/http/options.h"
#include "weir/http/proxies.h"
#include "weir/http/router.h"
#include "weir/http/turns.h"

namespace weir::http {

namespace asio = boost::asio;

using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, asio::io_context::executor_type>;

class Connection;

// What all threads of one server share. Thread-safe.
struct Shared {
  Shared(const Options& options, Clock& clock, metrics::Registry& registry)
      : options(options), clock(clock), metrics(registry), in_flight(options.in_flight_bytes_max) {}

  const Options options;
  Clock& clock;
  Metrics metrics;
  TrustedProxies proxies;
  Origins origins;
  FairShare in_flight;  // bytes of requests
  std::atomic<bool> draining{false};

  // All open connections, so that a drain can wait for the last one.
  std::mutex mutex;  // guards connections
  std::condition_variable none_left;
  uint64_t connections = 0;
};

// One address that is listened on. Thread-safe.
struct Listener {
  const Router& router;
  const bool from_owner;
  // Each listener has its own count: a flood on the public one must not lock out the owner or the metrics.
  const uint64_t connections_max;
  std::atomic<uint64_t> connections{0};

  // One connection's place among connections_max; given back when it is destroyed.
  class Slot {
   public:
    explicit Slot(Listener& listener) : listener_(&listener) {}
    Slot(Slot&& other) noexcept : listener_(std::exchange(other.listener_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    ~Slot() {
      if (listener_ != nullptr) listener_->connections.fetch_sub(1);
    }

   private:
    Listener* listener_;
  };
  // Nothing when all are taken.
  std::optional<Slot> take_slot() {
    if (connections.fetch_add(1) < connections_max) return Slot(*this);
    connections.fetch_sub(1);
    return std::nullopt;
  }
};

// One thread's share of the server: its io_context, its connections and their deadlines.
//
// Asio timers a request would cost more than the request's parsing. Instead every connection keeps one deadline here,
// and a sweep a few times a second finds those that passed. Confined to its thread, except where said.
class Loop {
 public:
  static constexpr Steady kNever = Steady::max();

  explicit Loop(Shared& shared);
  ~Loop();

  // Thread-safe.
  asio::io_context& context() { return context_; }
  Shared& shared() { return shared_; }

  // Serves until stop(). Runs on the loop's thread.
  void run();
  // Ends run() after what was posted before. Thread-safe.
  void stop();

  // The thread this is called on is this loop's own.
  bool is_current() const;

  size_t add(Connection& connection);
  void remove(size_t slot);
  void set_deadline(size_t slot, Steady deadline) { entries_[slot].deadline = deadline; }

  // Accepting waits here for a free slot or descriptor: 100 ms, or until one of this loop's connections closes.
  asio::awaitable<void> pause_accepting();
  // A connection that was refused waits here before it is read again: 20 ms, or so long that all that wait here take
  // no more than a fifth of the thread. Else those who do not heed Retry-After leave no time for the others.
  asio::awaitable<void> rest_after_refusal();

  // Idle connections end, the others after the answer under way.
  void drain();
  // All connections end now.
  void close_all();

  Turns& turns() { return turns_; }
  // The value of the Date header.
  const std::string& date() const { return date_; }
  Steady now() { return shared_.clock.steady(); }
  bool has_connections() const { return !entries_.empty(); }

 private:
  struct Entry {
    Steady deadline;
    Connection* connection;
  };
  void schedule_sweep();
  void sweep();

  Shared& shared_;
  std::vector<Entry> entries_;
  std::vector<Timer*> gates_;  // see pause_accepting
  uint64_t resting_ = 0;       // see rest_after_refusal
  std::string date_;
  UnixMillis date_second_ = -1;
  std::chrono::milliseconds period_;
  Turns turns_{context_};
  // Declared last: destroying it destroys the coroutines, whose connections remove themselves from `entries_`.
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  Timer sweep_timer_;
};

}  // namespace weir::http
