#include "weir/http/loop.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

#include "weir/base/watchdog.h"
#include "weir/http/answer.h"
#include "weir/http/connection.h"

namespace weir::http {

namespace {

using namespace std::chrono_literals;

thread_local const Loop* current_loop = nullptr;

// A quarter of the shortest timeout, so that none is missed by more than that.
std::chrono::milliseconds sweep_period(const Options& o) {
  const auto shortest = std::min({o.header_timeout, o.body_timeout, o.idle_timeout, o.write_timeout});
  return std::clamp<std::chrono::milliseconds>(shortest / 4, 25ms, 250ms);
}

}  // namespace

Loop::Loop(Shared& shared)
    : shared_(shared),
      period_(sweep_period(shared.options)),
      work_(context_.get_executor()),
      sweep_timer_(context_.get_executor()) {
  date_ = format_http_date(shared_.clock.now());
}

Loop::~Loop() = default;

void Loop::run() {
  current_loop = this;
  schedule_sweep();
  context_.run();
  current_loop = nullptr;
}

void Loop::stop() {
  asio::post(context_, [this] { context_.stop(); });
}

bool Loop::is_current() const { return current_loop == this; }

size_t Loop::add(Connection& connection) {
  entries_.push_back({kNever, &connection});
  return entries_.size() - 1;
}

void Loop::remove(size_t slot) {
  entries_[slot] = entries_.back();
  entries_[slot].connection->set_slot(slot);
  entries_.pop_back();
  for (Timer* gate : gates_) gate->cancel();
}

asio::awaitable<void> Loop::pause_accepting() {
  Timer gate(context_.get_executor(), 100ms);
  gates_.push_back(&gate);
  co_await gate.async_wait(asio::as_tuple(asio::deferred));
  std::erase(gates_, &gate);
}

asio::awaitable<void> Loop::rest_after_refusal() {
  ++resting_;
  // Reading and refusing a request takes 10 us.
  Timer timer(context_.get_executor(), std::max<std::chrono::microseconds>(20ms, resting_ * 50us));
  co_await timer.async_wait(asio::as_tuple(asio::deferred));
  --resting_;
}

void Loop::drain() {
  for (Timer* gate : gates_) gate->cancel();
  for (const Entry& entry : entries_) entry.connection->drain();
}

void Loop::close_all() {
  for (const Entry& entry : entries_) entry.connection->close();
}

void Loop::schedule_sweep() {
  sweep_timer_.expires_after(period_);
  sweep_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    sweep();
    schedule_sweep();
  });
}

void Loop::sweep() {
  Watchdog::beat();
  const UnixMillis wall = shared_.clock.now();
  if (wall / 1000 != date_second_) {
    date_second_ = wall / 1000;
    date_ = format_http_date(wall);
  }
  const Steady now = this->now();
  // expire() only cancels what its connection waits for: no connection goes away while we walk.
  // A deadline stays until its connection sets the next: when the wait ended by itself just now, the one after it is
  // ended by the next sweep.
  for (const Entry& entry : entries_)
    if (entry.deadline <= now) entry.connection->expire();
}

}  // namespace weir::http
