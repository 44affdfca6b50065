#include "weir/http/turns.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>

namespace weir::http {

// A place in the queue, given up however the waiting ends.
class Turns::Waiting {
 public:
  Waiting(Turns& turns, Place place, Waiter& waiter) : turns_(turns), place_(place), waiter_(waiter) {
    turns_.waiting_.emplace(place_, &waiter_);
  }
  ~Waiting() {
    if (!waiter_.granted) turns_.waiting_.erase(place_);
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  Turns& turns_;
  const Place place_;
  Waiter& waiter_;
};

asio::awaitable<bool> Turns::enter(uint64_t tenant, uint64_t bytes, Steady deadline) {
  uint64_t& end = ends_[tenant % kCells];
  const uint64_t begin = std::max(reached_, end);
  end = begin + bytes;
  if (waiting_.empty() && has_room()) {
    serve(begin, bytes);
    co_return true;
  }
  Waiter waiter{Timer(context_.get_executor(), deadline), bytes};
  const Waiting waiting(*this, {begin, number_++}, waiter);
  co_await waiter.timer.async_wait(asio::as_tuple(asio::deferred));
  co_return waiter.granted;
}

void Turns::serve(uint64_t begin, uint64_t bytes) {
  reached_ = begin;
  in_service_bytes_ += bytes;
  ++in_service_;
}

void Turns::leave(uint64_t bytes) {
  in_service_bytes_ -= bytes;
  --in_service_;
  let_in();
}

void Turns::let_in() {
  if (letting_in_ || waiting_.empty() || !has_room()) return;
  const auto next = waiting_.begin();
  Waiter& waiter = *next->second;
  serve(next->first.first, waiter.bytes);
  waiter.granted = true;
  waiting_.erase(next);
  waiter.timer.cancel();
  letting_in_ = true;
  asio::post(context_, [this] {
    letting_in_ = false;
    let_in();
  });
}

}  // namespace weir::http
