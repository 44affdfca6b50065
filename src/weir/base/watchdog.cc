#include "weir/base/watchdog.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "weir/base/check.h"
#include "weir/base/logging.h"

namespace weir {

namespace {

class Pulse;

std::mutex& pulses_mutex() {
  static std::mutex mutex;  // guards pulses()
  return mutex;
}
std::vector<Pulse*>& pulses() {
  static std::vector<Pulse*> all;
  return all;
}

// One thread that takes part.
class Pulse {
 public:
  Pulse() {
    pthread_getname_np(pthread_self(), name_.data(), name_.size());
    std::lock_guard lock(pulses_mutex());
    pulses().push_back(this);
  }
  ~Pulse() {
    std::lock_guard lock(pulses_mutex());
    std::erase(pulses(), this);
  }
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  // Only the thread itself writes: no read-modify-write is needed.
  void beat() { beats_.store((beats_.load(std::memory_order_relaxed) + 2) & ~kResting, std::memory_order_relaxed); }
  // Whether it rested already.
  bool rest() {
    const uint64_t beats = beats_.load(std::memory_order_relaxed);
    beats_.store(beats | kResting, std::memory_order_relaxed);
    return (beats & kResting) != 0;
  }

  // The watchdog's side.
  bool stands_still() {
    const uint64_t beats = beats_.load(std::memory_order_relaxed);
    const bool moved = beats != seen_ || (beats & kResting) != 0;
    seen_ = beats;
    missed_ = moved ? 0 : missed_ + 1;
    return missed_ >= Watchdog::kLooks;
  }
  const char* name() const { return name_.data(); }

 private:
  static constexpr uint64_t kResting = 1;

  std::array<char, 16> name_{};
  std::atomic<uint64_t> beats_{0};
  uint64_t seen_ = 0;
  unsigned missed_ = 0;
};

Pulse& own_pulse() {
  thread_local Pulse pulse;
  return pulse;
}

}  // namespace

void Watchdog::beat() { own_pulse().beat(); }

Watchdog::Rest::Rest() : nested_(own_pulse().rest()) {}

Watchdog::Watchdog(std::chrono::milliseconds limit) : limit_(limit) {
  thread_ = Thread("watchdog", [this] { run(); });
}

Watchdog::~Watchdog() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

std::string Watchdog::look() {
  std::lock_guard lock(pulses_mutex());
  for (Pulse* pulse : pulses())
    if (pulse->stands_still()) return pulse->name();
  return {};
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, limit_ / kLooks, [&] { return stopping_; })) {
    const std::string name = look();
    if (name.empty()) continue;
    log::flush();
    fatal(fmt::format("watchdog: thread {} has stood still for {} ms; ending, so that a new start can go on", name,
                      limit_.count()));
  }
}

}  // namespace weir
