#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace weir {

// Hands values from any threads to any threads, in order. Thread-safe.
// Full: try_push() answers false; push() waits. Closed: pushes answer false, pops drain what is left, then nothing.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t capacity) : capacity_(capacity) {}

  bool try_push(T value) {
    std::lock_guard lock(mutex_);
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  // Waits until push() would not have to.
  void wait_for_room() {
    std::unique_lock lock(mutex_);
    emptied_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
  }

  bool push(T value) {
    std::unique_lock lock(mutex_);
    emptied_.wait(lock, [&] { return closed_ || items_.size() < capacity_; });
    if (closed_) return false;
    items_.push_back(std::move(value));
    filled_.notify_one();
    return true;
  }

  // Waits for a value; nothing once closed and empty.
  std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  // As pop(), but gives up after `wait`.
  std::optional<T> pop_for(std::chrono::milliseconds wait) {
    std::unique_lock lock(mutex_);
    filled_.wait_for(lock, wait, [&] { return closed_ || !items_.empty(); });
    return take();
  }

  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    filled_.notify_all();
    emptied_.notify_all();
  }

  size_t size() const {
    std::lock_guard lock(mutex_);
    return items_.size();
  }

 private:
  std::optional<T> take() {
    if (items_.empty()) return std::nullopt;
    std::optional<T> value(std::move(items_.front()));
    items_.pop_front();
    emptied_.notify_all();
    return value;
  }

  const size_t capacity_;
  mutable std::mutex mutex_;  // guards items_, closed_
  std::condition_variable filled_;
  std::condition_variable emptied_;
  std::deque<T> items_;
  bool closed_ = false;
};

}  // namespace weir
