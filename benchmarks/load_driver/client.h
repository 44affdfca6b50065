#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "load_driver/event_mix.h"
#include "load_driver/histogram.h"
#include "load_driver/ledger.h"
#include "load_driver/response.h"
#include "weir/base/result.h"

namespace weir::bench {

using Nanos = uint64_t;  // on the monotonic clock
Nanos monotonic_now();

struct ClientOptions {
  std::string host = "127.0.0.1";
  uint16_t port = 8000;
  uint32_t connections = 64;
  uint32_t pipeline = 1;       // requests under way on one connection
  double rate = 0;             // requests a second; 0: closed loop
  bool poisson = false;        // open loop: random gaps instead of even ones
  Nanos begin = 0;             // when sending starts
  Nanos measure_from = 0;      // after the warm-up
  Nanos end = 0;               // when sending ends
  uint64_t requests_max = 0;   // 0: no limit; else sending ends after so many
  uint64_t first_request = 0;  // this client sends requests first, first + stride, first + 2 * stride...
  uint64_t stride = 1;
  Nanos timeout = 10'000'000'000;  // a request without answer for this long fails, and its connection is made anew
  bool retry = false;              // send again, with the same ids, what was not answered or answered 429 or 503
};

// What a client saw between measure_from and end; `outcomes`, `sent_*` and the counts of failures are of the whole run.
struct Totals {
  Histogram latency;       // open loop: from the moment a request was due; closed loop: from its sending
  Histogram service_time;  // from its sending
  Histogram refusals;      // from the sending of those answered 429 or 503
  std::array<uint64_t, 600> statuses{};
  std::array<uint64_t, 5> outcomes{};  // of events, by Outcome
  uint64_t requests = 0;               // answered
  uint64_t accepted_events = 0;
  uint64_t broken = 0;  // connections lost with requests under way, unreadable answers, timeouts
  uint64_t connects_failed = 0;
  uint64_t retries = 0;
  uint64_t late_max = 0;  // open loop: most requests that were due and had no free connection
  uint64_t sent_requests = 0;
  uint64_t sent_bytes = 0;
  Nanos first_sent = 0;
  Nanos last_answer = 0;
  Nanos ended = 0;          // when sending ended
  uint64_t never_sent = 0;  // open loop: due before the end and still waiting for a connection then
  Nanos cpu = 0;            // of the client's thread
  std::string first_error;  // body of the first answer that was not 2xx
  void add(const Totals& other);
};

// Sends requests over its connections and reads the answers, all on the thread that calls run().
//
// Closed loop: each connection sends its next request when the answer to the last has come. Open loop: requests are
// due at a fixed rate whatever the server does; those that find no free connection wait, and their latency counts
// from the moment they were due, so a stall of the server cannot hide (no coordinated omission).
class Client {
 public:
  // Keeps `pool` and `ledger` by reference. `ledger` may be null. `stop` ends the sending early.
  Client(const ClientOptions& options, RequestPool& pool, Ledger* ledger, const std::atomic<bool>& stop);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Connects. Errors: kUnavailable (nobody listens).
  Result<> connect();
  // Sends until the end, then waits for the answers still under way. Errors: kUnavailable (the ledger's disk).
  Result<> run();
  const Totals& totals() const { return totals_; }

 private:
  struct Pending {
    uint64_t request;
    Nanos due;
    Nanos sent;
  };
  struct Connection {
    int socket = -1;
    bool up = false;
    bool listed = false;  // in free_
    uint32_t in_flight = 0;
    uint32_t oldest = 0;  // in `pending`, a ring
    std::vector<Pending> pending;
    std::string unsent;
    size_t unsent_from = 0;
    std::string input;
    size_t input_used = 0;
    Nanos connect_again = 0;  // while down
  };
  struct Waiting {
    uint64_t request;
    Nanos due;
    Nanos not_before;
  };

  Result<> open_socket(Connection& c, bool wait);
  void fail(Connection& c);
  void become_free(Connection& c);
  Connection* take_free();
  bool may_send() const { return !stopping_ && (options_.requests_max == 0 || issued_ < options_.requests_max); }
  void send_next(Connection& c, Nanos now);
  void send_request(Connection& c, const Waiting& what, Nanos now);
  void flush(Connection& c);
  void on_readable(Connection& c);
  void on_answer(Connection& c, const ParsedResponse& answer, Nanos now);
  void note(uint64_t request, int status, const BatchAnswer* answer);
  void issue_due(Nanos now);
  void tick(Nanos now);
  Nanos wake_at(Nanos now) const;

  const ClientOptions options_;
  RequestPool& pool_;
  Ledger* ledger_;
  const std::atomic<bool>& stop_;
  Totals totals_;
  int epoll_ = -1;
  std::vector<Connection> connections_;
  std::deque<uint32_t> free_;  // connections that may take a request
  std::deque<Waiting> again_;  // to be sent again
  std::deque<Nanos> due_;      // open loop: due and not sent
  Nanos next_due_ = 0;
  uint64_t issued_ = 0;  // requests that got a number
  uint64_t in_flight_ = 0;
  uint64_t gap_seed_ = 0;
  bool stopping_ = false;
  Nanos next_tick_ = 0;
  std::string ledger_lines_;
  std::optional<Error> ledger_error_;
  UnixMillis wall_offset_ = 0;  // wall time minus monotonic time, milliseconds
};

}  // namespace weir::bench
