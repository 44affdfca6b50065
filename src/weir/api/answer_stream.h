#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"

namespace weir::api {

// Carries an answer from a blocking thread that pushes it to a connection that pulls it.
//
// The writer's side is thread-safe; the reader's is confined to the executor.
// Full: push() waits until the reader has taken something, so a slow reader slows the writer, but no longer than
// `patience`: then the answer is cut off, so that nobody keeps a thread by not reading.
class AnswerStream {
 public:
  AnswerStream(boost::asio::any_io_executor executor, std::chrono::milliseconds patience);
  ~AnswerStream();

  // Writer. False once the reader is gone, or was too slow: stop.
  bool push(std::string_view piece);
  // Writer: the whole answer, in place of push() and finish(). Never waits, however much it is: who calls it answers
  // for the memory until the reader is done.
  void give(std::string answer);
  // Writer: whether the reader is gone.
  bool abandoned() const;
  // Writer: nothing more comes; an error cuts the answer off.
  void finish(Result<> outcome);

  // Reader. What has come since, as soon as there is something; empty at the end.
  // Errors: the writer's; kTimeout when the reader was too slow; kUnavailable when cancelled.
  boost::asio::awaitable<Result<std::string>> next();
  // Reader: true when the whole answer was taken.
  bool ended() const;
  // Reader, or the owner at a stop: the writer's next push() answers false. Thread-safe.
  void cancel();

  static constexpr size_t kWaitingBytesMax = 1 << 20;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::api
