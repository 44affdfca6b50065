#pragma once

#include <array>
#include <boost/context/fiber.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace weir::simulation {

// Runs threads as fibers of one real thread, so that who runs when, what each wait answers and what the clocks show
// follows from a seed alone. The code under test is the program's own: threads.cc puts this class behind the functions
// of the C library that std::thread, std::mutex, std::condition_variable, std::future, sleeping and the clocks call.
//
// Another thread may come to run at every lock, unlock, notification and wait. Time stands still while somebody can
// run, but for a microsecond a step; when all wait, it jumps to the first deadline. Confined to one real thread.
class Scheduler {
 public:
  using Address = const void*;  // what threads wait for: a mutex, a condition, a futex
  using Thread = uint64_t;
  static constexpr int64_t kNever = INT64_MAX;
  static constexpr int64_t kReady = INT64_MIN;

  // `stuck` is called when all threads wait for ever, or after `steps_max` steps; it does not return.
  Scheduler(uint64_t seed, uint64_t steps_max, std::function<void(const std::string& why)> stuck);
  ~Scheduler();

  // Returns when `body` and all threads that were begun within it have ended.
  void run(std::function<void()> body);
  // The one whose run() is under way and whose thread asks; else null.
  static Scheduler* current() { return current_; }

  // --- For threads within run().
  int64_t now() const { return now_; }  // nanoseconds since run() began
  uint64_t random() { return random_(); }
  bool chance(double probability) { return static_cast<double>(random() >> 11) * 0x1p-53 < probability; }
  // Lets somebody else run, now and then.
  void maybe_yield() {
    if ((random() & 7) == 0) yield();
  }
  void yield();
  // Waits until wake() or until `deadline` (as now()); false when the deadline came first.
  bool wait(Address on, int64_t deadline);
  // Wakes up to `count` of those that wait, any of them.
  void wake(Address on, size_t count);
  Thread begin(std::function<void()> body);
  void join(Thread thread);
  Thread self() const;

  uint64_t steps() const { return steps_; }
  // Equal for two runs that took the same way.
  uint64_t trace() const { return trace_; }

 private:
  struct Fiber;

  // How many wait, by where they wait: most wakes are for nobody.
  uint32_t& waiting_at(Address on) { return waiting_[reinterpret_cast<uintptr_t>(on) / 8 % waiting_.size()]; }
  size_t pick();
  void suspend();

  static Scheduler* current_;
  std::mt19937_64 random_;
  const uint64_t steps_max_;
  const std::function<void(const std::string&)> stuck_;
  std::vector<std::unique_ptr<Fiber>> fibers_;  // alive
  std::vector<int64_t> runs_from_;              // of each of them: when it may run; kReady: at once
  std::vector<Address> waits_on_;               // of each of them; null: nothing
  std::array<uint32_t, 256> waiting_{};
  size_t running_ = 0;
  boost::context::fiber loop_;
  Thread begun_ = 0;
  int64_t now_ = 0;
  uint64_t steps_ = 0;
  uint64_t trace_ = 0;
};

}  // namespace weir::simulation
