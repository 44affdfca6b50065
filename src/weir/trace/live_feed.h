#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/ids.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/event/row_watch.h"
#include "weir/trace/row_filter.h"

// What happens in a project right now, to those who watch: their events as server-sent events (text/event-stream).
namespace weir::trace {

struct LiveLimits {
  size_t streams_max = 256;               // at once, in all
  size_t per_caller_max = 16;             // of them, of one caller
  size_t tails_max = 16;                  // of them, with rows
  size_t waiting_bytes_max = 128 * 1024;  // of one stream, not yet taken by its reader
  size_t rows_per_batch_max = 50;         // of a loaded batch, for one stream
};

// One stream's end at the feed. Thread-safe.
class LiveListener {
 public:
  virtual ~LiveListener() = default;
  // What has come since the last call, as text/event-stream. Empty: nothing, and `wake` will be called when there is.
  virtual std::string take() = 0;
  // Whether a call of `wake` is still to come.
  virtual bool waits() const = 0;
  // The feed was closed: after what take() still answers nothing comes.
  virtual bool closed() const = 0;
  // Nothing more is wanted; `wake` is not called any more once this returns.
  virtual void leave() = 0;
};

// Hands what is loaded, and what is counted of it, to whoever watches.
//
// Thread-safe, never blocks on a reader: a stream whose reader is slow is sent the latest counts only, and is told how
// many rows it was not shown. While nobody watches rows, loading them costs one look at a number.
class LiveFeed final : public event::RowWatch {
 public:
  LiveFeed(const LiveLimits& limits, metrics::Registry& registry);
  ~LiveFeed() override;

  struct Wish {
    ProjectId project{};
    std::string caller;             // who asks, for the limit; any text
    std::optional<RowFilter> rows;  // set: rows that fit are wanted besides counts
  };
  // `wake` is called on any thread, without a lock of the feed's held but the stream's own; it must not block nor call
  // the listener. Errors: kLimited (too many of this caller), kOverloaded (too many in all), kUnavailable (closed).
  Result<std::shared_ptr<LiveListener>> listen(Wish wish, std::function<void()> wake);

  // The projects that are watched, each once.
  std::vector<ProjectId> watched() const;
  // Sends `event: name`, `data: json` to all who watch the project. Of each name a reader gets only the latest. `json`
  // has one line.
  void publish(ProjectId project, std::string_view name, std::string_view json);

  std::unique_ptr<Batch> watch() override;

  // Ends all streams; later ones are refused.
  void close();

 private:
  class Listener;
  class Watched;
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace weir::trace
