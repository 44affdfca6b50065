#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "weir/api/access.h"
#include "weir/base/result.h"
#include "weir/base/thread.h"

namespace weir::api {

// A few named threads for what callers ask and may take long, shared out so that nobody's questions keep those of
// others waiting. Thread-safe.
//
// Callers take turns, and within a shared link the networks it is asked from. For one caller all threads but one work
// at most.
// Full: kOverloaded once `waiting_max` wait. Before that kLimited: what a caller has waiting, and their network once
// more, must be less than the places left. So one caller gets a third of them, and whoever comes next finds one.
class FairWorkers {
 public:
  struct Work {
    std::function<void()> run;
    // Whether nobody waits for it any more. Then it takes no place that somebody else needs: it is run at once, by
    // whoever needs the place, and must not take long.
    std::function<bool()> abandoned;
  };

  FairWorkers(const std::string& name, size_t threads, size_t waiting_max);
  ~FairWorkers() { stop(); }

  // Runs it some time. Errors: kLimited, kOverloaded (also once stopped).
  Result<> post(const Asker& asker, Work work);

  // Does what is waiting and joins the threads; later calls are refused.
  void stop();

 private:
  // What waits of one network, or of a caller of whom networks are not told apart.
  struct Line {
    uint64_t turn = 0;  // when it was served last, or came; the smallest is next
    std::deque<Work> waiting = {};
  };
  struct Group {
    uint64_t turn = 0;
    size_t waiting = 0;
    size_t running = 0;
    std::map<std::string, Line> lines = {};  // that are not empty
  };
  using Groups = std::map<std::string, Group>;  // of callers with something waiting or running

  void serve();
  // The rest under mutex_.
  Result<> check_room(const Asker& asker) const;
  void add(const Asker& asker, Work work);
  std::vector<Work> take_abandoned();
  Groups::iterator next();
  Work take(Group& group);

  const size_t waiting_max_;
  const size_t running_max_;  // of one caller
  std::mutex mutex_;          // guards what follows but the threads
  std::condition_variable changed_;
  Groups groups_;
  size_t waiting_ = 0;
  uint64_t turn_ = 0;
  bool stopping_ = false;
  std::vector<Thread> threads_;
};

}  // namespace weir::api
