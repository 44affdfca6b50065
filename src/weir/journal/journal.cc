#include "weir/journal/journal.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>

namespace weir::journal {

namespace asio = boost::asio;

std::string_view name_of(Partition partition) {
  switch (partition) {
    case Partition::live:
      return "live";
    case Partition::bulk:
      return "bulk";
  }
  return "unknown";
}

asio::awaitable<Result<Appended>> append(Writer& writer, Records records,
                                         std::chrono::steady_clock::time_point deadline) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Result<Appended>)>(
      [&writer](auto handler, Records waiting, std::chrono::steady_clock::time_point until) {
        // Writer::Done is copyable, a coroutine's handler is not: shared. Posted also when refused at once, because a
        // handler must not run within its initiation.
        struct Waiter {
          decltype(handler) resume;
          asio::executor_work_guard<asio::associated_executor_t<decltype(handler)>> work;
        };
        auto executor = asio::get_associated_executor(handler);
        auto waiter = std::make_shared<Waiter>(Waiter{std::move(handler), asio::make_work_guard(executor)});
        writer.append(std::move(waiting), until, [waiter = std::move(waiter)](Result<Appended> result) mutable {
          auto where = waiter->work.get_executor();
          asio::post(where, [waiter = std::move(waiter), result = std::move(result)]() mutable {
            auto resume = std::move(waiter->resume);
            waiter.reset();
            std::move(resume)(std::move(result));
          });
        });
      },
      asio::use_awaitable, std::move(records), deadline);
}

Result<Appended> append_and_wait(Writer& writer, Records records, std::chrono::steady_clock::time_point deadline) {
  // Shared: the promise must outlive set_value(), which get() does not wait for.
  auto answered = std::make_shared<std::promise<Result<Appended>>>();
  auto answer = answered->get_future();
  writer.append(std::move(records), deadline,
                [answered = std::move(answered)](Result<Appended> result) { answered->set_value(std::move(result)); });
  return answer.get();
}

}  // namespace weir::journal
