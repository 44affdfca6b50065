#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "weir/base/result.h"
#include "weir/base/thread.h"
#include "weir/store/endpoint.h"

namespace weir::store::engine {

struct EngineOptions {
  std::string data_directory;  // DATA/clickhouse; its parent exists
  std::string library;         // as found by find_library()
  uint64_t memory_bytes = 0;   // 0: default_memory_bytes() of this machine
  std::chrono::milliseconds ping_timeout{10'000};
};

// Keeps a private ClickHouse running: a child process of this one (this program again, see child_main.h) that listens
// on a random port of 127.0.0.1 and answers nobody but who knows a secret of this start.
//
// Thread-safe. One thread of its own, "engine", starts the child, asks it once a second whether it lives, and starts it
// again when it ended or hung (three questions unanswered within ping_timeout each), almost at once the first time,
// then with pauses that grow to 30 s. The child ends when this process does, however it does; a child that a killed
// weir has left behind is given 5 s, then ended, before a new one starts.
//
// A directory that it cannot open, for a reason that lies in its files, is moved aside after kStartsOfTheBroken tries
// ("clickhouse.aside-20261120T160000Z" beside it), and an empty one is begun: the journal fills it again. Nothing is
// deleted. Not for want of space, memory or rights, and at most kSetAsideMax times in a process's life.
class Engine final : public Endpoints {
 public:
  // Returns at once; the child is started behind it.
  // Errors: kUnavailable, kOverloaded (the directory cannot be made).
  static Result<std::unique_ptr<Engine>> start(const EngineOptions& options);
  ~Engine() override;

  Result<Endpoint> endpoint() const override;
  std::string unconfined() const override;
  // Waits until it is up. Errors: kTimeout, with the reason of the last failure.
  Result<> wait_until_up(std::chrono::milliseconds patience) const;
  // Ends the child in order, after at most 15 s by force. Called by the destructor. Close the connections to it first,
  // idle ones too: while there is one it waits 5 s.
  void stop();

  // Moves the directory aside and begins an empty one, though the child runs: its tables are not what they were.
  // Returns at once. Thread-safe.
  void set_aside(const std::string& reason);
  static constexpr int kStartsOfTheBroken = 4;
  static constexpr int kSetAsideMax = 3;

  // Process id of the child, or 0 while there is none.
  int pid() const { return pid_.load(); }

 private:
  struct Child;
  explicit Engine(EngineOptions options);
  void supervise();
  Result<> await_orphan();
  Result<Child> spawn();
  Result<> await_ready(Child& child, const Endpoint& endpoint);
  std::string watch(Child& child, const Endpoint& endpoint);
  void end(Child& child);
  void publish(const Endpoint& endpoint);
  void withdraw(std::string reason);
  bool pause(std::chrono::milliseconds time);
  bool stopping() const;
  std::string wanted_aside() const;
  void move_aside(const std::string& reason);

  const EngineOptions options_;
  int wake_fd_ = -1;  // an eventfd, readable once stopping
  std::atomic<int> pid_{0};

  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable changed_;
  bool stopping_ = false;
  bool up_ = false;
  Endpoint endpoint_;
  std::string reason_ = "starting";  // why it is not up
  std::string set_aside_;            // why the directory is to be moved aside, or empty
  int times_set_aside_ = 0;
  std::string unconfined_ = "the store has not been started yet";
  Thread thread_;
};

// Whether an engine that ended with these words could not read its own files, as far as one can tell. Not what a better
// moment, more room or other rights would mend.
bool speaks_of_broken_files(std::string_view last_words);

}  // namespace weir::store::engine
