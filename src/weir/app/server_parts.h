#pragma once

#include <memory>
#include <string>

#include "weir/base/result.h"

namespace weir::app {

struct Invocation;

// The parts of a running weir, built in the order of what they need and stopped from upstream down. Confined to main.
class ServerParts {
 public:
  // Starts everything that the roles ask for; when it returns, events are taken. The store comes up behind it.
  // Errors: one message that says what to do. Keeps `invocation` by reference.
  static Result<std::unique_ptr<ServerParts>> open(const Invocation& invocation);
  ~ServerParts();

  // What to tell the person who started it: where it answers and what to do first.
  std::string greeting() const;

  // From now on /ready says that this process is stopping; everything else goes on. False when there is nothing to wait
  // for, because events are not taken any more anyway.
  bool announce_stop();
  // Drains: readiness goes, open requests are answered, the last sync is done, the insert under way is finished or
  // given up. Returns the exit code: 1 when the journal had failed.
  int stop();

 private:
  struct State;
  explicit ServerParts(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::app
