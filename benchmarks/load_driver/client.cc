#include "load_driver/client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "weir/base/check.h"

namespace weir::bench {
namespace {

constexpr Nanos kMilli = 1'000'000;
constexpr Nanos kReconnectPause = 50 * kMilli;
constexpr Nanos kRetryPause = 100 * kMilli;
constexpr Nanos kTick = 100 * kMilli;
constexpr size_t kInputBytes = 16 * 1024;
constexpr size_t kLedgerBytes = 1 << 20;
constexpr size_t kDueMax = 20'000'000;

Nanos thread_cpu() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<Nanos>(t.tv_sec) * 1'000'000'000 + static_cast<Nanos>(t.tv_nsec);
}

}  // namespace

Nanos monotonic_now() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<Nanos>(t.tv_sec) * 1'000'000'000 + static_cast<Nanos>(t.tv_nsec);
}

void Totals::add(const Totals& other) {
  latency.add(other.latency);
  service_time.add(other.service_time);
  refusals.add(other.refusals);
  for (size_t i = 0; i < statuses.size(); ++i) statuses[i] += other.statuses[i];
  for (size_t i = 0; i < outcomes.size(); ++i) outcomes[i] += other.outcomes[i];
  requests += other.requests;
  accepted_events += other.accepted_events;
  broken += other.broken;
  connects_failed += other.connects_failed;
  retries += other.retries;
  late_max += other.late_max;
  sent_requests += other.sent_requests;
  sent_bytes += other.sent_bytes;
  if (other.first_sent != 0) first_sent = first_sent == 0 ? other.first_sent : std::min(first_sent, other.first_sent);
  last_answer = std::max(last_answer, other.last_answer);
  ended = std::max(ended, other.ended);
  never_sent += other.never_sent;
  cpu += other.cpu;
  if (first_error.empty()) first_error = other.first_error;
}

Client::Client(const ClientOptions& options, RequestPool& pool, Ledger* ledger, const std::atomic<bool>& stop)
    : options_(options), pool_(pool), ledger_(ledger), stop_(stop), gap_seed_(options.first_request + 1) {
  timespec wall{};
  clock_gettime(CLOCK_REALTIME, &wall);
  wall_offset_ = static_cast<UnixMillis>(wall.tv_sec) * 1000 + wall.tv_nsec / 1'000'000 -
                 static_cast<UnixMillis>(monotonic_now() / kMilli);
}

Client::~Client() {
  for (Connection& c : connections_) {
    if (c.socket >= 0) ::close(c.socket);
  }
  if (epoll_ >= 0) ::close(epoll_);
}

Result<> Client::connect() {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return Error{ErrorCode::kUnavailable, std::string("load: epoll: ") + std::strerror(errno)};
  connections_.resize(options_.connections);
  for (Connection& c : connections_) {
    c.pending.resize(options_.pipeline);
    c.input.resize(kInputBytes);
    if (auto opened = open_socket(c, true); !opened) return opened;
  }
  return {};
}

// `wait`: connects before it returns and says what went wrong; otherwise epoll tells how it went.
Result<> Client::open_socket(Connection& c, bool wait) {
  c.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (c.socket < 0) return Error{ErrorCode::kUnavailable, std::string("load: socket: ") + std::strerror(errno)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  if (::inet_pton(AF_INET, options_.host.c_str(), &address.sin_addr) != 1) {
    return Error{ErrorCode::kBadInput, "load: not an IPv4 address: " + options_.host};
  }
  const int on = 1;
  ::setsockopt(c.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (pool_.largest_request() > 8 * 1024) {
    // A whole batch in one send(): starting from 16 KiB the kernel would grow the buffer only in the course of time.
    const int bytes = static_cast<int>(std::min<size_t>(pool_.largest_request() * options_.pipeline * 2, 4u << 20));
    ::setsockopt(c.socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  }
  // On this machine's own addresses a connect() succeeds or fails at once; elsewhere it takes a round trip.
  if (::connect(c.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    ::close(c.socket);
    c.socket = -1;
    c.connect_again = monotonic_now() + kReconnectPause;
    if (!wait) ++totals_.connects_failed;
    return Error{ErrorCode::kUnavailable,
                 fmt::format("load: {}:{}: {}", options_.host, options_.port, std::strerror(error))};
  }
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = static_cast<uint32_t>(&c - connections_.data());
  WEIR_CHECK(::epoll_ctl(epoll_, EPOLL_CTL_ADD, c.socket, &event) == 0);
  c.up = true;
  become_free(c);
  return {};
}

void Client::become_free(Connection& c) {
  if (c.listed || !c.up || c.in_flight >= options_.pipeline) return;
  c.listed = true;
  free_.push_back(static_cast<uint32_t>(&c - connections_.data()));
}

Client::Connection* Client::take_free() {
  while (!free_.empty()) {
    Connection& c = connections_[free_.front()];
    free_.pop_front();
    c.listed = false;
    if (c.up && c.in_flight < options_.pipeline) return &c;
  }
  return nullptr;
}

// The connection is lost, and with it the answers to what is under way on it.
void Client::fail(Connection& c) {
  if (!c.up) return;
  ::close(c.socket);
  c.socket = -1;
  c.up = false;
  c.connect_again = monotonic_now() + kReconnectPause;
  c.unsent.clear();
  c.unsent_from = 0;
  c.input_used = 0;
  if (c.in_flight > 0) ++totals_.broken;
  for (uint32_t i = 0; i < c.in_flight; ++i) {
    const Pending& p = c.pending[(c.oldest + i) % options_.pipeline];
    note(p.request, 0, nullptr);
    if (options_.retry) again_.push_back({p.request, p.due, c.connect_again});
  }
  in_flight_ -= c.in_flight;
  c.in_flight = 0;
  c.oldest = 0;
}

// Writes what became of a request's events into the ledger. With retries, "unanswered" lines precede the final one.
void Client::note(uint64_t request, int status, const BatchAnswer* answer) {
  const uint32_t batch = pool_.batch();
  const bool good = status >= 200 && status < 300;
  std::vector<Outcome> each;
  Outcome all = status == 0 ? Outcome::unanswered : good ? Outcome::accepted : Outcome::refused;
  if (status == 202 && batch == 1 && answer == nullptr) all = Outcome::dropped;
  if (answer != nullptr && (!answer->rejected.empty() || !answer->dropped.empty())) {
    each.assign(batch, good ? Outcome::accepted : Outcome::refused);
    for (const uint32_t i : answer->rejected) {
      if (i < batch) each[i] = Outcome::rejected;
    }
    for (const uint32_t i : answer->dropped) {
      if (i < batch) each[i] = Outcome::dropped;
    }
    for (const Outcome o : each) ++totals_.outcomes[static_cast<size_t>(o)];
  } else {
    totals_.outcomes[static_cast<size_t>(all)] += batch;
  }
  if (ledger_ == nullptr) return;
  std::string id;
  for (uint32_t i = 0; i < batch; ++i) {
    id.clear();
    pool_.append_id(id, request * batch + i);
    append_ledger_line(ledger_lines_, id, status, each.empty() ? all : each[i]);
  }
  if (ledger_lines_.size() >= kLedgerBytes) {
    if (auto written = ledger_->write(ledger_lines_); !written) ledger_error_ = written.error();
    ledger_lines_.clear();
  }
}

void Client::send_next(Connection& c, Nanos now) {
  if (!again_.empty() && !stopping_ && again_.front().not_before <= now) {
    const Waiting what = again_.front();
    again_.pop_front();
    ++totals_.retries;
    send_request(c, what, now);
    return;
  }
  if (!may_send()) return;
  Nanos due = now;
  if (options_.rate > 0) {
    if (due_.empty()) return;
    due = due_.front();
    due_.pop_front();
  }
  send_request(c, {options_.first_request + issued_++ * options_.stride, due, now}, now);
}

void Client::send_request(Connection& c, const Waiting& what, Nanos now) {
  const std::string_view bytes = pool_.request(what.request, wall_offset_ + static_cast<UnixMillis>(now / kMilli));
  c.pending[(c.oldest + c.in_flight) % options_.pipeline] = {what.request, what.due, now};
  ++c.in_flight;
  ++in_flight_;
  ++totals_.sent_requests;
  totals_.sent_bytes += bytes.size();
  if (totals_.first_sent == 0) totals_.first_sent = now;
  if (options_.pipeline > 1 || !c.unsent.empty()) {
    c.unsent.append(bytes);
  } else {
    const ssize_t n = ::send(c.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return fail(c);
    if (n < static_cast<ssize_t>(bytes.size())) c.unsent.assign(bytes.substr(n < 0 ? 0 : static_cast<size_t>(n)));
  }
  become_free(c);
}

void Client::flush(Connection& c) {
  while (c.up && c.unsent_from < c.unsent.size()) {
    const ssize_t n =
        ::send(c.socket, c.unsent.data() + c.unsent_from, c.unsent.size() - c.unsent_from, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return fail(c);
    c.unsent_from += static_cast<size_t>(n);
  }
  c.unsent.clear();
  c.unsent_from = 0;
}

void Client::on_readable(Connection& c) {
  bool drained = false;
  while (c.up && !drained) {
    if (c.input_used == c.input.size()) c.input.resize(c.input.size() * 2);
    const size_t space = c.input.size() - c.input_used;
    const ssize_t n = ::recv(c.socket, c.input.data() + c.input_used, space, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return fail(c);
    drained = static_cast<size_t>(n) < space;
    c.input_used += static_cast<size_t>(n);

    const Nanos now = monotonic_now();
    size_t parsed = 0;
    while (c.up && c.in_flight > 0 && parsed < c.input_used) {
      const ParsedResponse answer = parse_response(std::string_view(c.input).substr(parsed, c.input_used - parsed));
      if (answer.state == ParsedResponse::State::incomplete) break;
      if (answer.state == ParsedResponse::State::broken) return fail(c);
      parsed += answer.bytes;
      on_answer(c, answer, now);
      if (answer.close) return fail(c);
    }
    if (!c.up) return;
    if (parsed < c.input_used && c.in_flight == 0) {  // an answer nobody asked for
      ++totals_.broken;
      return fail(c);
    }
    std::memmove(c.input.data(), c.input.data() + parsed, c.input_used - parsed);
    c.input_used -= parsed;
    for (uint32_t i = c.in_flight; c.up && i < options_.pipeline; ++i) send_next(c, now);
    flush(c);
    if (c.up) become_free(c);
  }
}

void Client::on_answer(Connection& c, const ParsedResponse& answer, Nanos now) {
  const Pending p = c.pending[c.oldest];
  c.oldest = (c.oldest + 1) % options_.pipeline;
  --c.in_flight;
  --in_flight_;
  totals_.last_answer = now;

  const bool good = answer.status >= 200 && answer.status < 300;
  BatchAnswer batch_answer;
  const bool has_list = !answer.body.empty() && parse_batch_answer(answer.body, batch_answer);
  note(p.request, answer.status, has_list ? &batch_answer : nullptr);
  if (!good && totals_.first_error.empty()) {
    totals_.first_error = fmt::format("{} {}", answer.status, answer.body.substr(0, 300));
  }
  const bool refused = answer.status == 429 || answer.status == 503;
  if (options_.retry && refused) again_.push_back({p.request, p.due, now + kRetryPause});
  // Requests that were due within the measured time count, so a stall at its end is not cut off.
  if (p.due >= options_.measure_from && p.due <= options_.end) {
    totals_.latency.record(now - p.due);
    totals_.service_time.record(now - p.sent);
    if (refused) totals_.refusals.record(now - p.sent);
  }
  if (now >= options_.measure_from && now <= options_.end) {
    ++totals_.requests;
    ++totals_.statuses[static_cast<size_t>(answer.status)];
    if (good) {
      totals_.accepted_events += has_list ? batch_answer.accepted : answer.status == 202 ? 0 : pool_.batch();
    }
  }
}

// Open loop: puts what is due by now in line and hands it to free connections.
void Client::issue_due(Nanos now) {
  const double gap = 1e9 / options_.rate;
  while (next_due_ <= now && next_due_ < options_.end && !stopping_) {
    if (due_.size() < kDueMax) due_.push_back(next_due_);
    double step = gap;
    if (options_.poisson) step = -std::log(1 - static_cast<double>(mix(gap_seed_++) >> 11) * 0x1p-53) * gap;
    next_due_ += std::max<Nanos>(1, static_cast<Nanos>(step));
  }
  while (!due_.empty() && may_send()) {
    Connection* c = take_free();
    if (c == nullptr) break;
    send_next(*c, now);
    flush(*c);
  }
  totals_.late_max = std::max<uint64_t>(totals_.late_max, due_.size());
}

// What needs doing now and then: connecting again, timeouts, retries, the ledger.
void Client::tick(Nanos now) {
  next_tick_ = now + kTick;
  if (stop_.load(std::memory_order_relaxed)) stopping_ = true;
  for (Connection& c : connections_) {
    if (!c.up && !stopping_ && now >= c.connect_again) static_cast<void>(open_socket(c, false));
    if (c.up && c.in_flight > 0 && now - c.pending[c.oldest].sent > options_.timeout) fail(c);
  }
  const auto retry_due = [&] { return !again_.empty() && !stopping_ && again_.front().not_before <= now; };
  while (retry_due() || (options_.rate == 0 && may_send())) {
    Connection* c = take_free();
    if (c == nullptr) break;
    send_next(*c, now);
    flush(*c);
  }
  if (ledger_ != nullptr && !ledger_lines_.empty()) {
    if (auto written = ledger_->write(ledger_lines_); !written) ledger_error_ = written.error();
    ledger_lines_.clear();
  }
}

Nanos Client::wake_at(Nanos now) const {
  Nanos at = std::min(next_tick_, stopping_ ? now + kTick : options_.end);
  if (options_.rate > 0 && !stopping_ && may_send() && next_due_ < options_.end) at = std::min(at, next_due_);
  return std::max(at, now);
}

Result<> Client::run() {
  // Without this the kernel may wake us 50 us late, which would count as the server's latency.
  ::prctl(PR_SET_TIMERSLACK, 1);
  Nanos cpu_from = thread_cpu();
  bool measuring = false;
  next_due_ = options_.begin;
  Nanos drain_until = 0;
  std::array<epoll_event, 256> events;
  tick(monotonic_now());
  for (;;) {
    const Nanos now = monotonic_now();
    if (!measuring && now >= options_.measure_from) {
      measuring = true;
      cpu_from = thread_cpu();
    }
    if (now >= options_.end) stopping_ = true;
    if (options_.rate > 0) issue_due(now);
    if (now >= next_tick_) tick(now);
    if (ledger_error_) return *ledger_error_;
    const bool all_sent = stopping_ || (!may_send() && again_.empty());
    if (all_sent && drain_until == 0) {
      drain_until = now + options_.timeout;
      totals_.cpu = thread_cpu() - cpu_from;
      totals_.ended = now;
    }
    if (all_sent && (in_flight_ == 0 || now >= drain_until)) break;
    if (!all_sent) drain_until = 0;

    const Nanos wait = wake_at(now) - now;
    timespec timeout{static_cast<time_t>(wait / 1'000'000'000), static_cast<long>(wait % 1'000'000'000)};
    const int n = ::epoll_pwait2(epoll_, events.data(), events.size(), &timeout, nullptr);
    for (int i = 0; i < n; ++i) {
      Connection& c = connections_[events[static_cast<size_t>(i)].data.u32];
      const uint32_t what = events[static_cast<size_t>(i)].events;
      if (!c.up) continue;
      if ((what & EPOLLOUT) != 0 && !c.unsent.empty()) flush(c);
      if ((what & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) on_readable(c);
    }
  }
  // What was due and could not even be sent has waited at least this long.
  if (options_.rate > 0 && totals_.ended >= options_.end) {
    for (const Nanos due : due_) {
      if (due >= options_.measure_from) totals_.latency.record(monotonic_now() - due);
    }
    totals_.never_sent = due_.size();
  }
  // Whatever is still under way will not be waited for.
  for (Connection& c : connections_) {
    if (c.up && c.in_flight > 0) fail(c);
  }
  if (ledger_ != nullptr && !ledger_lines_.empty()) {
    if (auto written = ledger_->write(ledger_lines_); !written) return written;
    ledger_lines_.clear();
  }
  return {};
}

}  // namespace weir::bench
