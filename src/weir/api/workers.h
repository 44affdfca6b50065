#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/queue.h"
#include "weir/base/result.h"
#include "weir/base/thread.h"

namespace weir::api {

// A few named threads for calls that block. Thread-safe.
// Full: kOverloaded once `waiting_max` calls wait for a thread.
class Workers {
 public:
  Workers(const std::string& name, size_t threads, size_t waiting_max);
  ~Workers() { stop(); }

  // Runs `work` on one of the threads and resumes the caller on its own executor with what it answered. When the caller
  // is cancelled meanwhile, `work` still runs to its end.
  template <class T>
  boost::asio::awaitable<Result<T>> run(std::function<Result<T>()> work) {
    auto answer = std::make_shared<std::optional<Result<T>>>();
    std::function<void()> job = [answer, work = std::move(work)] { answer->emplace(work()); };
    Result<> ran = co_await run_any(std::move(job));
    if (!ran) co_return std::move(ran).error();
    co_return std::move(**answer);
  }
  // Runs `work` some time. False when full or stopped.
  bool post(std::function<void()> work) { return queue_.try_push(std::move(work)); }

  // Does what is waiting and joins the threads; later calls are refused. Before the callers' executors end.
  void stop();

 private:
  boost::asio::awaitable<Result<>> run_any(std::function<void()> work);

  BoundedQueue<std::function<void()>> queue_;
  std::vector<Thread> threads_;
};

}  // namespace weir::api
