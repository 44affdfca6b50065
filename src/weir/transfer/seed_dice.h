#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "weir/base/check.h"

// Chance for seeded histories, in integers: equal seeds give equal choices on every machine.
namespace weir::transfer::seed {

// A bijection that leaves no trace of its argument (Stafford's mix 13).
constexpr uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
inline constexpr uint64_t kStep = 0x9e3779b97f4a7c15u;

// xoshiro256**.
class Dice {
 public:
  explicit Dice(uint64_t seed) {
    for (uint64_t& part : state_) part = mix(seed += kStep);
  }
  uint64_t roll() {
    uint64_t result = rotate(state_[1] * 5, 7) * 9;
    uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>((roll() >> 32) * n >> 32); }
  bool chance(uint32_t thousandths) { return below(1000) < thousandths; }

 private:
  static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<uint64_t, 4> state_;
};

// One of several, by shares that sum to a thousand.
class Shares {
 public:
  void add(uint16_t what, uint32_t share) { slots_.insert(slots_.end(), share, what); }
  uint16_t at(uint64_t random) const { return slots_[static_cast<size_t>((random >> 32) * slots_.size() >> 32)]; }
  uint16_t pick(Dice& dice) const { return at(dice.roll()); }
  bool is_whole() const { return slots_.size() == 1000; }

 private:
  std::vector<uint16_t> slots_;
};

template <class List>
Shares shares_of(const List& list) {
  Shares shares;
  for (size_t i = 0; i < list.size(); ++i) shares.add(static_cast<uint16_t>(i), list[i]);
  WEIR_CHECK(shares.is_whole());
  return shares;
}

// One of n with weights 1, 1/2, 1/3...
class Zipf {
 public:
  explicit Zipf(size_t n) {
    uint64_t total = 0;
    for (size_t rank = 1; rank <= n; ++rank) ends_.push_back(total += (uint64_t{1} << 24) / rank);
  }
  uint16_t pick(Dice& dice) const {
    if (ends_.size() == 1) return 0;
    uint64_t at = dice.below(static_cast<uint32_t>(ends_.back()));
    return static_cast<uint16_t>(std::upper_bound(ends_.begin(), ends_.end(), at) - ends_.begin());
  }

 private:
  std::vector<uint64_t> ends_;
};

}  // namespace weir::transfer::seed
