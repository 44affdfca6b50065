#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "weir/base/clock.h"

namespace weir::api {

// How often somebody may try a secret: `tries` times in a `window`; then not for 30 seconds, doubled each time up to 15
// minutes, with 10 tries in between. Who is counted is a name: an address, a person, a browser that is known, an
// account, whether there is one or not. Thread-safe; at most 20,000 names are kept.
class Attempts {
 public:
  struct Limit {
    int tries = 10;
    std::chrono::seconds window{60};
  };
  Attempts(Clock& clock, const Limit& limit) : clock_(clock), limit_(limit) {}

  // Counts an attempt. Nothing: go on; else how long to wait.
  std::optional<std::chrono::seconds> count(const std::string& name);
  // The last one was right: it does not count.
  void forgive(const std::string& name);

  // What the attempts of an address are counted under: an IPv6 client is its /64.
  static std::string of_address(std::string_view address);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Tries {
    int count = 0;
    Time since{};
    int blocks = 0;
    Time blocked_until{};
  };
  void make_room(Time now);

  Clock& clock_;
  const Limit limit_;
  std::mutex mutex_;  // guards tries_
  std::unordered_map<std::string, Tries> tries_;
};

}  // namespace weir::api
