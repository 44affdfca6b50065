#include "weir/trace/live_feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "weir/base/json_writer.h"
#include "weir/event/row_json.h"

namespace weir::trace {

struct LiveFeed::State {
  State(const LiveLimits& l, metrics::Registry& registry)
      : limits(l),
        streams_gauge(registry.gauge("weir_trace_live_streams", "Live streams open.")),
        shown(registry.counter("weir_trace_live_rows_total", "Rows for live streams, by what became of them.",
                               {{"outcome", "shown"}})),
        skipped(registry.counter("weir_trace_live_rows_total", "Rows for live streams, by what became of them.",
                                 {{"outcome", "skipped"}})) {}

  const LiveLimits limits;
  metrics::Gauge& streams_gauge;
  metrics::Counter& shown;
  metrics::Counter& skipped;
  std::atomic<size_t> tails{0};
  mutable std::mutex mutex;  // guards the rest
  std::vector<std::shared_ptr<Listener>> listeners;
  bool closed = false;
};

class LiveFeed::Listener final : public LiveListener {
 public:
  Listener(std::shared_ptr<State> feed, Wish wish, std::function<void()> wake)
      : feed_(std::move(feed)), wish_(std::move(wish)), wake_(std::move(wake)) {}

  const Wish& wish() const { return wish_; }

  std::string take() override {
    std::lock_guard lock(mutex_);
    std::string text;
    for (const auto& [name, json] : latest_) text += fmt::format("event: {}\ndata: {}\n\n", name, json);
    latest_.clear();
    text += std::exchange(rows_, {});
    if (skipped_ > 0) text += fmt::format("event: skipped\ndata: {{\"rows\":{}}}\n\n", std::exchange(skipped_, 0));
    waits_ = text.empty() && !closed_;
    return text;
  }
  bool waits() const override {
    std::lock_guard lock(mutex_);
    return waits_;
  }
  bool closed() const override {
    std::lock_guard lock(mutex_);
    return closed_;
  }
  void leave() override {
    {
      std::lock_guard lock(mutex_);
      wake_ = nullptr;
      waits_ = false;
    }
    std::shared_ptr<Listener> self;  // outlives the lock
    std::lock_guard lock(feed_->mutex);
    auto& all = feed_->listeners;
    auto mine = std::find_if(all.begin(), all.end(), [this](const auto& other) { return other.get() == this; });
    if (mine == all.end()) return;
    self = std::move(*mine);
    all.erase(mine);
    if (wish_.rows) --feed_->tails;
    feed_->streams_gauge.set(static_cast<double>(all.size()));
  }

  void put_latest(std::string_view name, std::string_view json) {
    std::lock_guard lock(mutex_);
    auto same = std::find_if(latest_.begin(), latest_.end(), [&](const auto& one) { return one.first == name; });
    if (same == latest_.end())
      latest_.emplace_back(name, json);
    else
      same->second = json;
    wake();
  }
  // Of one batch.
  void put_rows(std::string_view events, uint64_t rows, uint64_t skipped) {
    std::lock_guard lock(mutex_);
    if (rows_.size() + events.size() > feed_->limits.waiting_bytes_max) {
      skipped += std::exchange(rows, 0);
    } else {
      rows_ += events;
    }
    skipped_ += skipped;
    feed_->shown.add(rows);
    feed_->skipped.add(skipped);
    wake();
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    wake();
  }

 private:
  // Under the mutex.
  void wake() {
    if (std::exchange(waits_, false) && wake_) wake_();
  }

  const std::shared_ptr<State> feed_;
  const Wish wish_;
  mutable std::mutex mutex_;  // guards the rest
  std::function<void()> wake_;
  std::vector<std::pair<std::string, std::string>> latest_;
  std::string rows_;
  uint64_t skipped_ = 0;
  bool waits_ = false;
  bool closed_ = false;
};

// Who watched rows when the batch was begun, and what they are to be shown of it.
class LiveFeed::Watched final : public event::RowWatch::Batch {
 public:
  Watched(std::vector<std::shared_ptr<Listener>> tails, size_t rows_max) : rows_max_(rows_max) {
    for (auto& listener : tails) tails_.push_back({std::move(listener), {}, 0});
  }

  size_t row(const event::Row& row) override {
    const size_t number = rows_.size();
    bool wanted = false;
    for (Tail& tail : tails_) {
      const Wish& wish = tail.listener->wish();
      if (wish.project != row.project_id || !wish.rows->fits(row)) continue;
      if (tail.rows.size() == rows_max_) {
        ++tail.skipped;
        continue;
      }
      tail.rows.push_back(number);
      wanted = true;
    }
    if (!wanted) return kNotShown;
    std::string& out = rows_.emplace_back("{");
    append_json_key(out, "event_id");
    append_json_string(out, row.id.empty() ? fmt::format("w{}-{}", row.p, row.o) : row.id);
    event::append_json_moment(out, "received_at", row.received_at);
    // As text: a number of 64 bits is no number to a browser.
    event::append_json_text(out, "visitor_id", std::to_string(row.visitor_id));
    event::append_row_members(out, row);
    return number;
  }

  void visit(size_t number, const event::VisitColumns& visit) override {
    std::string& out = rows_[number];
    event::append_json_text(out, "session_id", std::to_string(visit.session_id));
    out += fmt::format(",\"visit_seq\":{}", visit.seq);
    event::append_json_text(out, "entry_path", visit.entry_path);
    event::append_json_text(out, "visit_source", visit.source);
    event::append_json_text(out, "visit_channel", visit.channel);
  }

  void stored() override {
    for (Tail& tail : tails_) {
      if (tail.rows.empty() && tail.skipped == 0) continue;
      std::string events;
      for (size_t number : tail.rows) events += fmt::format("event: row\ndata: {}}}\n\n", rows_[number]);
      tail.listener->put_rows(events, tail.rows.size(), tail.skipped);
    }
  }

 private:
  struct Tail {
    std::shared_ptr<Listener> listener;
    std::vector<size_t> rows;  // in rows_
    uint64_t skipped;
  };
  const size_t rows_max_;
  std::vector<Tail> tails_;
  std::vector<std::string> rows_;  // each a JSON object without its end
};

LiveFeed::LiveFeed(const LiveLimits& limits, metrics::Registry& registry)
    : state_(std::make_shared<State>(limits, registry)) {}
LiveFeed::~LiveFeed() {
  close();
  std::vector<std::shared_ptr<Listener>> left;  // outlives the lock; they hold the state, and it them
  std::lock_guard lock(state_->mutex);
  left.swap(state_->listeners);
}

Result<std::shared_ptr<LiveListener>> LiveFeed::listen(Wish wish, std::function<void()> wake) {
  State& s = *state_;
  std::lock_guard lock(s.mutex);
  if (s.closed) return Error{ErrorCode::kUnavailable, "live: this process is stopping"};
  const auto of_caller = std::count_if(s.listeners.begin(), s.listeners.end(),
                                       [&](const auto& other) { return other->wish().caller == wish.caller; });
  if (static_cast<size_t>(of_caller) >= s.limits.per_caller_max)
    return Error{ErrorCode::kLimited, fmt::format("live: {} streams of this caller are open already", of_caller)};
  if (s.listeners.size() >= s.limits.streams_max)
    return Error{ErrorCode::kOverloaded, fmt::format("live: {} streams are open already", s.listeners.size())};
  if (wish.rows && s.tails >= s.limits.tails_max)
    return Error{ErrorCode::kOverloaded, fmt::format("live: {} streams of rows are open already", s.tails.load())};
  if (wish.rows) ++s.tails;
  auto listener = std::make_shared<Listener>(state_, std::move(wish), std::move(wake));
  s.listeners.push_back(listener);
  s.streams_gauge.set(static_cast<double>(s.listeners.size()));
  return std::shared_ptr<LiveListener>(std::move(listener));
}

std::vector<ProjectId> LiveFeed::watched() const {
  std::lock_guard lock(state_->mutex);
  std::vector<ProjectId> projects;
  for (const auto& listener : state_->listeners) projects.push_back(listener->wish().project);
  std::sort(projects.begin(), projects.end());
  projects.erase(std::unique(projects.begin(), projects.end()), projects.end());
  return projects;
}

void LiveFeed::publish(ProjectId project, std::string_view name, std::string_view json) {
  std::lock_guard lock(state_->mutex);
  for (const auto& listener : state_->listeners)
    if (listener->wish().project == project) listener->put_latest(name, json);
}

std::unique_ptr<event::RowWatch::Batch> LiveFeed::watch() {
  if (state_->tails.load(std::memory_order_relaxed) == 0) return nullptr;
  std::vector<std::shared_ptr<Listener>> tails;
  {
    std::lock_guard lock(state_->mutex);
    for (const auto& listener : state_->listeners)
      if (listener->wish().rows) tails.push_back(listener);
  }
  if (tails.empty()) return nullptr;
  return std::make_unique<Watched>(std::move(tails), state_->limits.rows_per_batch_max);
}

void LiveFeed::close() {
  std::lock_guard lock(state_->mutex);
  state_->closed = true;
  for (const auto& listener : state_->listeners) listener->close();
}

}  // namespace weir::trace
