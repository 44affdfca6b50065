#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

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

  const EngineOptions options_;
  int wake_fd_ = -1;  // an eventfd, readable once stopping
  std::atomic<int> pid_{0};

  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable changed_;
  bool stopping_ = false;
  bool up_ = false;
  Endpoint endpoint_;
  std::string reason_ = "starting";  // why it is not up
  std::string unconfined_ = "the store has not been started yet";
  Thread thread_;
};

}  // namespace weir::store::engine
