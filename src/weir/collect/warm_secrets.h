#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/queue.h"
#include "weir/base/result.h"
#include "weir/base/thread.h"
#include "weir/settings/secrets.h"

namespace weir::collect {

// Makes the secrets of a new day or project on a thread of its own ("collect-secrets"), because that writes and syncs
// files, which an I/O thread must not wait for. Afterwards seal() and visitor() for that project and day find
// everything in memory. Thread-safe.
// Full: kOverloaded once kWaitingMax requests wait.
class WarmSecrets {
 public:
  // Keeps `secrets` by reference.
  explicit WarmSecrets(settings::Secrets& secrets);
  // Answers what waits, joins the thread.
  ~WarmSecrets();

  // Errors: kUnavailable (a secret could not be stored, or closing), kOverloaded.
  boost::asio::awaitable<Result<>> warm(ProjectId project, UnixMillis now);

 private:
  static constexpr size_t kWaitingMax = 20'000;
  struct Job {
    ProjectId project;
    UnixMillis now;
    std::function<void(Result<>)> done;
  };
  Result<> make(ProjectId project, UnixMillis now);

  settings::Secrets& secrets_;
  BoundedQueue<Job> jobs_;
  Thread thread_;  // last: it uses the others
};

}  // namespace weir::collect
