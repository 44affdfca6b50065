#include "weir/app/upkeep.h"

#include <algorithm>

namespace weir::app {

using std::chrono::steady_clock;

void Upkeep::every(std::chrono::milliseconds period, std::function<void()> duty) {
  duties_.push_back({period, std::move(duty), steady_clock::now()});
}

void Upkeep::start() {
  thread_ = Thread(thread_name_, [this] { run(); });
}

void Upkeep::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void Upkeep::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    auto next =
        std::min_element(duties_.begin(), duties_.end(), [](const Duty& a, const Duty& b) { return a.due < b.due; });
    if (next == duties_.end()) return;
    if (wake_.wait_until(lock, next->due, [&] { return stopping_; })) return;
    lock.unlock();
    next->run();
    next->due = steady_clock::now() + next->period;
    lock.lock();
  }
}

}  // namespace weir::app
