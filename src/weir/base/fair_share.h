#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace weir {

// Shares out a number of bytes, so that no tenant can use them up: a tenant that holds some gets more only while it
// holds at most as much as is free (the dynamic threshold of switches with a shared memory). One that asks without end
// is stopped at a half, two of them at a third each, and whoever comes next always finds room. Nobody counts who is
// active.
//
// What is shared out is as much as is served in good time: it shrinks while what is held waits too long, down to
// kLeastBytes, and grows back. So whoever asks for more than can be served is refused at once instead of waiting.
//
// A tenant is any number; numbers that are equal modulo kCells count as one. Thread-safe, without locks; threads that
// ask at the same moment may exceed a share, never the whole, by what they ask for.
class FairShare {
 public:
  static constexpr uint64_t kLeastBytes = 4 << 20;
  static constexpr std::chrono::milliseconds kWaitMost{50};

  explicit FairShare(uint64_t bytes_max) : bytes_max_(bytes_max), shared_out_(bytes_max) {}

  // Somebody of `tenant` that holds `from` bytes is to hold `to`. False, and nothing changes, when that is more and not
  // to be had. The only one that holds anything may hold all.
  bool resize(uint64_t tenant, uint64_t from, uint64_t to) {
    if (to == from) return true;
    std::atomic<uint64_t>& own = cells_[tenant % kCells];
    const uint64_t more = to - from;  // wraps when less, and so do the sums
    if (to > from && own.load(std::memory_order_relaxed) > from && !has_share(own)) return false;
    const uint64_t sum = held_.fetch_add(more, std::memory_order_relaxed) + more;
    if (to > from && sum > bytes_max_) {
      held_.fetch_sub(more, std::memory_order_relaxed);
      return false;
    }
    own.fetch_add(more, std::memory_order_relaxed);
    return true;
  }

  // Whether resize(tenant, 0, bytes) would succeed now.
  bool has_room(uint64_t tenant, uint64_t bytes) const {
    const std::atomic<uint64_t>& own = cells_[tenant % kCells];
    if (own.load(std::memory_order_relaxed) > 0 && !has_share(own)) return false;
    return held() + bytes <= bytes_max_;
  }

  // Something that is held was served after it had waited so long.
  void waited(std::chrono::nanoseconds how_long) {
    constexpr uint64_t kMore = 64 << 10;
    const uint64_t now = shared_out_.load(std::memory_order_relaxed);
    uint64_t next = now;
    if (how_long > kWaitMost) next = std::max(now - now / 16, std::min(kLeastBytes, bytes_max_));
    if (how_long < kWaitMost / 2) next = std::min(now + kMore, bytes_max_);
    if (next != now) shared_out_.store(next, std::memory_order_relaxed);
  }

  uint64_t held() const { return held_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kCells = 1024;

  bool has_share(const std::atomic<uint64_t>& own) const {
    return own.load(std::memory_order_relaxed) + held() <= shared_out_.load(std::memory_order_relaxed);
  }

  const uint64_t bytes_max_;
  std::atomic<uint64_t> shared_out_;
  std::atomic<uint64_t> held_{0};
  std::array<std::atomic<uint64_t>, kCells> cells_{};
};

}  // namespace weir
