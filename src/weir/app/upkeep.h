#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/thread.h"

namespace weir::app {

// Small duties that come round again, on one thread of their own. Confined to the owner.
class Upkeep {
 public:
  explicit Upkeep(std::string thread_name) : thread_name_(std::move(thread_name)) {}
  // `duty` runs at once and then every `period`; it may block, which delays the others. Before start().
  void every(std::chrono::milliseconds period, std::function<void()> duty);
  void start();
  // Lets the duty under way finish. Joins.
  void stop();
  ~Upkeep() { stop(); }

 private:
  struct Duty {
    std::chrono::milliseconds period;
    std::function<void()> run;
    std::chrono::steady_clock::time_point due;
  };
  void run();

  const std::string thread_name_;
  std::vector<Duty> duties_;
  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace weir::app
