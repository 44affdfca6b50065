#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "weir/base/clock.h"

namespace weir::api {

// How often somebody may try a secret: 10 times a minute; then not for 30 seconds, doubled each time up to 15 minutes.
// By account, whether there is one or not, and by address. Thread-safe; at most 20,000 names are kept.
class Attempts {
 public:
  explicit Attempts(Clock& clock) : clock_(clock) {}

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
  std::mutex mutex_;  // guards tries_
  std::unordered_map<std::string, Tries> tries_;
};

}  // namespace weir::api
