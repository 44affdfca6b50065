#include "weir/journal/journal.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <future>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

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

namespace {
// The memory of records. One thread fills it and another is done with it, which malloc serves with locks and without
// its threads' caches: 0.5 us a record. Thread-safe.
class Buffers {
 public:
  static constexpr size_t kBytesMax = 8 * KiB;
  static Buffers& all() {
    static Buffers buffers;
    return buffers;
  }
  // An empty text, with memory if there is some.
  std::string take() {
    std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    std::string buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  void give(std::string&& buffer) {
    if (buffer.capacity() < kBytesMin || buffer.capacity() > kBytesMax) return;
    buffer.clear();
    std::lock_guard lock(mutex_);
    if (free_.size() < kKept) free_.push_back(std::move(buffer));
  }

 private:
  static constexpr size_t kBytesMin = 1 * KiB;
  static constexpr size_t kKept = 256;
  Buffers() { free_.reserve(kKept); }
  std::mutex mutex_;
  std::vector<std::string> free_;
};
}  // namespace

Records::~Records() { Buffers::all().give(std::move(bytes_)); }

void Records::reserve(size_t bytes) {
  if (bytes_.capacity() >= bytes) return;
  if (bytes_.empty() && bytes <= Buffers::kBytesMax) bytes_ = Buffers::all().take();
  bytes_.reserve(bytes);
}

namespace {
class Answers;

// A coroutine that waits for its answer. Confined to whoever holds it.
struct Waiter {
  Waiter(const asio::any_io_executor& executor, Answers& a) : work(executor), answers(a) {}
  virtual ~Waiter() = default;
  virtual void resume(Result<Appended> result) = 0;
  const asio::executor_work_guard<asio::any_io_executor> work;
  Answers& answers;
};

// The answers on their way to one event loop. A group's answers come one behind the other: woken for each, the loop's
// thread would be told 6 times a group (measured at 40,000 appends a second), each time with a system call of the
// journal's thread; so it is told once for all that are there when it looks. Thread-safe.
class Answers : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit Answers(asio::execution_context& context) : service(context) {}

  void put(std::unique_ptr<Waiter> waiter, Result<Appended> result) {
    asio::any_io_executor executor;
    {
      std::lock_guard lock(mutex_);
      const bool told = std::exchange(told_, true);
      if (!told) executor = waiter->work.get_executor();
      ready_.push_back({std::move(waiter), std::move(result)});
      if (told) return;
    }
    asio::post(executor, [this] { hand_out(); });
  }

 private:
  struct Answer {
    std::unique_ptr<Waiter> waiter;
    Result<Appended> result;
  };

  void hand_out() {
    std::vector<Answer> answers;
    {
      std::lock_guard lock(mutex_);
      answers.swap(ready_);
      told_ = false;
    }
    for (Answer& answer : answers) {
      auto waiter = std::move(answer.waiter);
      waiter->resume(std::move(answer.result));
    }
  }

  void shutdown() override {
    std::lock_guard lock(mutex_);
    ready_.clear();
  }

  std::mutex mutex_;
  std::vector<Answer> ready_;
  bool told_ = false;
};
}  // namespace

asio::awaitable<Result<Appended>> append(Writer& writer, Records records,
                                         std::chrono::steady_clock::time_point deadline) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Result<Appended>)>(
      [&writer](auto handler, Records waiting, std::chrono::steady_clock::time_point until) {
        using Handler = decltype(handler);
        struct Coroutine : Waiter {
          Coroutine(Handler h, const asio::any_io_executor& executor, Answers& a)
              : Waiter(executor, a), then(std::move(h)) {}
          void resume(Result<Appended> result) override {
            asio::dispatch(work.get_executor(),
                           [h = std::move(then), r = std::move(result)]() mutable { std::move(h)(std::move(r)); });
          }
          Handler then;
        };
        const asio::any_io_executor executor = asio::get_associated_executor(handler);
        auto& answers = asio::use_service<Answers>(asio::query(executor, asio::execution::context));
        // Owned by `done`, which is called exactly once; a plain pointer, because Writer::Done is copyable and a
        // coroutine's handler is not. By way of the event loop also when refused at once, because a handler must not
        // run within its initiation.
        Waiter* waiter = new Coroutine(std::move(handler), executor, answers);
        writer.append(std::move(waiting), until, [waiter](Result<Appended> result) {
          waiter->answers.put(std::unique_ptr<Waiter>(waiter), std::move(result));
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
