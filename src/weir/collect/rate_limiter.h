#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"

namespace weir::collect {

// A token bucket for each client address and project. Thread-safe.
//
// An IPv6 client is its /64: whoever has one address there has them all. The table holds 64 Ki buckets in 1 MiB and
// never grows; when a place is needed, the fullest bucket of its group goes, which forgets the least.
class RateLimiter {
 public:
  // `rate`: tokens a second; `burst`: a full bucket. Either 0: no limit. Keeps `clock` by reference.
  RateLimiter(double rate, double burst, Clock& clock);

  // Takes a token; false when there is none. An empty address (a Unix socket) is never limited. Project 0 is for
  // requests that name none, or none that exists.
  bool allow(std::string_view address, ProjectId project);

 private:
  static constexpr size_t kGroups = 8192;
  static constexpr size_t kGroupBuckets = 8;
  static constexpr size_t kLocks = 64;

  // A bucket as one moment: when it will be full again. In the past: it is full.
  struct Bucket {
    uint64_t key = 0;
    int64_t full_at_ns = 0;
  };
  struct alignas(64) Lock {
    std::mutex mutex;  // guards the groups whose number modulo kLocks is the lock's
  };

  Clock& clock_;
  const bool limited_;
  const int64_t token_ns_;
  const int64_t room_ns_;  // how far ahead `full_at` may be for a token to be left
  const uint64_t seed_;    // so that nobody can aim at another's group
  std::vector<std::array<Bucket, kGroupBuckets>> groups_;
  std::array<Lock, kLocks> locks_;
};

}  // namespace weir::collect
