#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "weir/base/thread.h"

namespace weir {

// Ends the process when a thread that others wait for stands still, so that its supervisor starts it again: a process
// that is up and answers nothing is worse than one that is away for a second.
//
// A thread takes part from its first beat() on, until it ends. Time is counted in looks of the watchdog, not by a
// clock: a process that was stopped as a whole, or a machine that slept, has missed one look and no more.
class Watchdog {
 public:
  // The calling thread works. It has to say so again within the watchdog's limit, unless it rests.
  static void beat();

  // The calling thread may wait for as long as it likes while one of these lives: for work, or for a disk.
  class Rest {
   public:
    Rest();
    ~Rest() {
      if (!nested_) beat();
    }
    Rest(const Rest&) = delete;
    Rest& operator=(const Rest&) = delete;

   private:
    const bool nested_;  // in another one
  };

  // Looks ten times within `limit`, on a thread of its own. A process has one. Confined to its owner.
  explicit Watchdog(std::chrono::milliseconds limit);
  ~Watchdog();

  // One look at every thread that takes part. Answers the name of one that has not beaten between so many looks behind
  // one another, else nothing. Confined to one thread.
  static constexpr unsigned kLooks = 10;
  static std::string look();

 private:
  void run();

  const std::chrono::milliseconds limit_;
  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace weir
