#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weir::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

// Only rises. Thread-safe.
class Counter {
 public:
  void add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Rises and falls. Thread-safe.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Counts observations by size. Thread-safe; observing takes no lock.
class Histogram {
 public:
  // `bounds`: upper bounds, rising; a last bucket without bound is added.
  explicit Histogram(std::vector<double> bounds);
  void observe(double value);
  const std::vector<double>& bounds() const { return bounds_; }
  uint64_t bucket(size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<uint64_t>[]> buckets_;
  std::atomic<double> sum_{0};
};

// 100 us to 10 s, in seconds: requests, syncs, inserts, queries.
std::vector<double> seconds_bounds();

// All metrics of one process, written out as Prometheus text. Thread-safe. What it returns lives as long as the
// registry; asking again with the same name and labels returns the same object.
class Registry {
 public:
  Registry();
  ~Registry();
  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::vector<double> bounds,
                       const Labels& labels = {});
  // Calls `refresh` before each write-out, for values that are cheaper to read than to keep. It must not block.
  void before_write(std::function<void()> refresh);
  // Exposition format 0.0.4, with the process metrics (cpu, memory, descriptors, start time).
  std::string text();

 private:
  struct Family;
  Family& family(std::string_view name, std::string_view help, std::string_view type);

  std::mutex mutex_;  // guards families_, refreshers_
  std::map<std::string, std::unique_ptr<Family>, std::less<>> families_;
  std::vector<std::function<void()>> refreshers_;
};

}  // namespace weir::metrics
