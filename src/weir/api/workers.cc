#include "weir/api/workers.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace weir::api {

namespace asio = boost::asio;

namespace {
// Where a coroutine waits for a thread. Confined to the coroutine's executor.
struct Waiting {
  explicit Waiting(const asio::any_io_executor& executor)
      : timer(executor, std::chrono::steady_clock::time_point::max()) {}
  asio::steady_timer timer;
  bool done = false;
};
}  // namespace

Workers::Workers(const std::string& name, size_t threads, size_t waiting_max) : queue_(waiting_max) {
  try {
    for (size_t i = 0; i < threads; ++i) {
      threads_.emplace_back(name, [this] {
        while (auto work = queue_.pop()) (*work)();
      });
    }
  } catch (...) {
    stop();  // those that were started wait for work
    throw;
  }
}

asio::awaitable<Result<>> Workers::run_any(std::function<void()> work) {
  asio::any_io_executor executor = co_await asio::this_coro::executor;
  auto waiting = std::make_shared<Waiting>(executor);
  bool taken = post([waiting, executor, work = std::move(work)] {
    work();
    asio::post(executor, [waiting] {
      waiting->done = true;
      waiting->timer.cancel();
    });
  });
  if (!taken) co_return Error{ErrorCode::kOverloaded, "api: too many requests are waiting"};
  co_await waiting->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!waiting->done) co_return Error{ErrorCode::kUnavailable, "api: cancelled"};
  co_return Result<>();
}

void Workers::stop() {
  queue_.close();
  for (Thread& thread : threads_) thread.join();
}

}  // namespace weir::api
