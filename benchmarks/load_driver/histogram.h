#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace weir::bench {

// Counts durations in nanoseconds in log-linear buckets: 128 to each doubling, so a reported value lies at most 0.8 %
// above the true one. Costs a few instructions a value and 60 KB however long it runs. Confined to one thread.
class Histogram {
 public:
  void record(uint64_t value) {
    ++counts_[index_of(value)];
    ++total_;
    max_ = std::max(max_, value);
    sum_ += static_cast<double>(value);
  }

  void add(const Histogram& other) {
    for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
    total_ += other.total_;
    max_ = std::max(max_, other.max_);
    sum_ += other.sum_;
  }

  uint64_t count() const { return total_; }
  uint64_t max() const { return max_; }
  double mean() const { return total_ == 0 ? 0 : sum_ / static_cast<double>(total_); }

  // The value that `share` (0 to 1) of all values do not exceed; 0 when nothing was recorded.
  uint64_t quantile(double share) const {
    if (total_ == 0) return 0;
    const auto wanted =
        std::clamp<uint64_t>(static_cast<uint64_t>(share * static_cast<double>(total_) + 0.5), 1, total_);
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(highest_of(i), max_);
    }
    return max_;
  }

 private:
  static constexpr unsigned kBits = 7;
  static constexpr uint64_t kLinear = uint64_t{1} << kBits;  // values below 256 have a bucket each

  // Value v with its highest bit at h >= 8 lies in bucket (v >> (h - 7)) of octave h - 7.
  static size_t index_of(uint64_t value) {
    const unsigned shift = std::max<int>(std::bit_width(value) - static_cast<int>(kBits) - 1, 0);
    return static_cast<size_t>(shift * kLinear + (value >> shift));
  }
  static uint64_t highest_of(size_t index) {
    if (index < 2 * kLinear) return index;
    const unsigned shift = static_cast<unsigned>(index / kLinear) - 1;
    const uint64_t mantissa = index - shift * kLinear;
    return ((mantissa + 1) << shift) - 1;
  }

  std::array<uint64_t, (64 - kBits + 1) * kLinear> counts_{};
  uint64_t total_ = 0;
  uint64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace weir::bench
