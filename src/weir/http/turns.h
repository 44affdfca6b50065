#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <utility>

#include "weir/base/bytes.h"

namespace weir::http {

namespace asio = boost::asio;

using Steady = std::chrono::steady_clock::time_point;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

// Lets whole requests into service a few at a time, in turns between tenants by bytes (start-time fair queueing): the
// queue of one that floods is its own, and behind the handlers, at the journal, none grows. Who comes while there is
// room does not wait. Confined to its loop's thread.
class Turns {
 public:
  // Let in at once by one loop. With less the journal waits for the handlers, and they for it; more brings no higher
  // rate, it only lengthens the way of whoever comes next. Large requests are let in two at a time.
  static constexpr uint64_t kServiceBytes = 512 * KiB;

  // Whatever waits here lives in `context`, which is to be destroyed first.
  explicit Turns(asio::io_context& context) : context_(context) {}

  // Waits for the turn of a request of `bytes`. True: it is in service, until leave(bytes). False: `deadline` came
  // first.
  asio::awaitable<bool> enter(uint64_t tenant, uint64_t bytes, Steady deadline);
  void leave(uint64_t bytes);

 private:
  struct Waiter {
    Timer timer;
    uint64_t bytes;
    bool granted = false;
  };
  // When its service would begin if all tenants were served at the same time, counted in bytes; and a number.
  using Place = std::pair<uint64_t, uint64_t>;
  class Waiting;

  static constexpr size_t kCells = 1024;

  bool has_room() const { return in_service_bytes_ < kServiceBytes || in_service_ < 2; }
  void serve(uint64_t begin, uint64_t bytes);
  // One after the other, with whatever else the loop has to do in between: a journal's answer makes room for many.
  void let_in();

  asio::io_context& context_;
  uint64_t in_service_bytes_ = 0;
  uint64_t in_service_ = 0;
  bool letting_in_ = false;
  uint64_t reached_ = 0;  // the beginning of the latest service
  uint64_t number_ = 0;
  std::array<uint64_t, kCells> ends_{};  // of each tenant's latest service; those that share a cell share turns
  std::map<Place, Waiter*> waiting_;
};

}  // namespace weir::http
