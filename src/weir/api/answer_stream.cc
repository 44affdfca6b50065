#include "weir/api/answer_stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace weir::api {

namespace asio = boost::asio;

struct AnswerStream::State {
  State(const asio::any_io_executor& executor, std::chrono::milliseconds patience)
      : executor(executor),
        patience(patience),
        arrived(std::make_shared<asio::steady_timer>(executor, std::chrono::steady_clock::time_point::max())) {}

  // Under the mutex: wakes the reader, if it waits, on its own executor.
  void wake() {
    if (!reader_waits) return;
    reader_waits = false;
    asio::post(executor, [arrived = arrived] { arrived->cancel(); });
  }

  const asio::any_io_executor executor;
  const std::chrono::milliseconds patience;
  const std::shared_ptr<asio::steady_timer> arrived;  // confined to the executor
  std::mutex mutex;                                   // guards the rest
  std::condition_variable taken;
  std::string waiting;
  bool reader_waits = false;
  bool cancelled = false;
  bool too_slow = false;
  bool ended = false;  // the reader has had it all
  std::optional<Result<>> outcome;
};

AnswerStream::AnswerStream(asio::any_io_executor executor, std::chrono::milliseconds patience)
    : state_(std::make_unique<State>(executor, patience)) {}
AnswerStream::~AnswerStream() = default;

bool AnswerStream::push(std::string_view piece) {
  State& s = *state_;
  while (!piece.empty()) {
    std::unique_lock lock(s.mutex);
    if (!s.taken.wait_for(lock, s.patience, [&] { return s.cancelled || s.waiting.size() < kWaitingBytesMax; })) {
      s.cancelled = s.too_slow = true;
      s.waiting = std::string();
    }
    if (s.cancelled) return false;
    std::string_view part = piece.substr(0, kWaitingBytesMax - s.waiting.size());
    s.waiting += part;
    piece.remove_prefix(part.size());
    s.wake();
  }
  return true;
}

void AnswerStream::give(std::string answer) {
  std::lock_guard lock(state_->mutex);
  if (!state_->cancelled) state_->waiting = std::move(answer);
  state_->outcome.emplace();
  state_->wake();
}

bool AnswerStream::abandoned() const {
  std::lock_guard lock(state_->mutex);
  return state_->cancelled;
}

void AnswerStream::finish(Result<> outcome) {
  std::lock_guard lock(state_->mutex);
  state_->outcome.emplace(std::move(outcome));
  if (state_->too_slow)
    *state_->outcome = Error{ErrorCode::kTimeout, "api: the reader of the answer takes too little of it"};
  state_->wake();
}

asio::awaitable<Result<std::string>> AnswerStream::next() {
  State& s = *state_;
  while (true) {
    {
      std::lock_guard lock(s.mutex);
      bool finished = s.outcome.has_value();
      if (finished || !s.waiting.empty()) {
        std::string piece = std::move(s.waiting);
        s.waiting.clear();
        s.taken.notify_all();
        if (!piece.empty()) {
          s.ended = finished && s.outcome->has_value();
          co_return piece;
        }
        if (!s.outcome->has_value()) co_return s.outcome->error();
        s.ended = true;
        co_return std::string();
      }
      s.reader_waits = true;
    }
    s.arrived->expires_at(std::chrono::steady_clock::time_point::max());
    co_await s.arrived->async_wait(asio::as_tuple(asio::use_awaitable));
    std::lock_guard lock(s.mutex);
    if (s.reader_waits) {
      s.reader_waits = false;
      co_return Error{ErrorCode::kUnavailable, "api: cancelled"};
    }
  }
}

bool AnswerStream::ended() const {
  std::lock_guard lock(state_->mutex);
  return state_->ended;
}

void AnswerStream::cancel() {
  std::lock_guard lock(state_->mutex);
  state_->cancelled = true;
  state_->taken.notify_all();
}

}  // namespace weir::api
