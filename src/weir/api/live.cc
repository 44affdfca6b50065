#include "weir/api/live.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "weir/api/access.h"
#include "weir/api/answers.h"
#include "weir/api/metrics.h"
#include "weir/base/json_writer.h"
#include "weir/base/logging.h"
#include "weir/base/thread.h"

namespace weir::api {

namespace asio = boost::asio;
namespace json = boost::json;
using http::Request;
using http::Response;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
constexpr std::string_view kPath = "/api/v1/live";
constexpr size_t kFilterBytesMax = 16 * 1024;
// Counting takes at most this part of the thread, and of the store.
constexpr int kShareOfTime = 10;

Error bad_filter(size_t index, std::string_view what) {
  return {ErrorCode::kBadInput, fmt::format("live: filter[{}]: {}", index, what)};
}

// [["is","name",["signup"]],["contains","path",["/docs"]]]
Result<trace::RowFilter> parse_filter(std::string_view text) {
  trace::RowFilter filter;
  if (text.size() > kFilterBytesMax)
    return Error{ErrorCode::kBadInput, fmt::format("live: filter: at most {} bytes", kFilterBytesMax)};
  json::error_code error;
  json::value parsed = json::parse(text, error);
  if (error || !parsed.is_array())
    return Error{ErrorCode::kBadInput, "live: filter: expected a list such as [[\"is\",\"name\",[\"signup\"]]]"};
  size_t index = 0;
  for (const json::value& value : parsed.as_array()) {
    const json::array* parts = value.if_array();
    if (parts == nullptr || parts->size() != 3 || !parts->at(0).is_string() || !parts->at(1).is_string() ||
        !parts->at(2).is_array())
      return bad_filter(index, "expected [\"is\", \"column\", [\"value\"]]");
    trace::RowFilter::Op op{};
    if (!trace::RowFilter::parse_op(std::string_view(parts->at(0).as_string()), op))
      return bad_filter(index, "expected is, is_not, contains or contains_not");
    std::vector<std::string> values;
    for (const json::value& one : parts->at(2).as_array()) {
      if (!one.is_string()) return bad_filter(index, "values must be texts");
      values.emplace_back(one.as_string());
    }
    if (auto added = filter.add(op, std::string_view(parts->at(1).as_string()), std::move(values)); !added)
      return bad_filter(index, added.error().message);
    ++index;
  }
  return filter;
}

using Alarm = asio::steady_timer;

// One open stream. Confined to its connection's executor.
struct Stream {
  Stream(std::shared_ptr<trace::LiveListener> listener, std::shared_ptr<Alarm> alarm, const LiveOptions& options)
      : listener(std::move(listener)),
        alarm(std::move(alarm)),
        ping_every(options.ping_every),
        ends(steady_clock::now() + options.stream_for) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { listener->leave(); }

  const std::shared_ptr<trace::LiveListener> listener;
  const std::shared_ptr<Alarm> alarm;
  const milliseconds ping_every;
  const steady_clock::time_point ends;
  bool begun = false;
};

// The next piece for the reader. A free function: a coroutine lambda would lose its captures when the connection drops
// the source that made it.
asio::awaitable<Result<std::string>> next_piece(std::shared_ptr<Stream> stream) {
  if (!std::exchange(stream->begun, true)) co_return std::string("retry: 2000\n\n");
  for (;;) {
    std::string text = stream->listener->take();
    if (!text.empty()) co_return text;
    const auto now = steady_clock::now();
    if (stream->listener->closed() || now >= stream->ends) co_return std::string();
    Alarm& timer = *stream->alarm;
    timer.expires_at(std::min(now + stream->ping_every, stream->ends));
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!error) {
      if (steady_clock::now() >= stream->ends) continue;
      co_return std::string(": ping\n\n");
    }
    // Woken by the feed, or cancelled because the reader went away.
    if (stream->listener->waits()) co_return Error{ErrorCode::kUnavailable, "api: cancelled"};
  }
}
}  // namespace

struct Live::State : std::enable_shared_from_this<Live::State> {
  State(const LiveOptions& o, Dependencies d) : options(o), depends(std::move(d)) {}

  Response answer(const Request& request, const Access& access, const asio::any_io_executor& executor);
  void count_loop();
  milliseconds count_due();
  void count(ProjectId project);

  const LiveOptions options;
  const Dependencies depends;

  std::mutex mutex;  // guards newcomers, stopping
  std::condition_variable changed;
  std::vector<ProjectId> newcomers;  // projects with a stream that has no counts yet
  bool stopping = false;

  // Of the counting thread.
  struct Counted {
    std::string sent;
    steady_clock::time_point due{};
  };
  std::map<ProjectId, Counted> counted;
  Thread counter;
};

Live::Live(const LiveOptions& options, Dependencies dependencies)
    : state_(std::make_shared<State>(options, std::move(dependencies))) {
  state_->counter = Thread("live-counts", [s = state_.get()] { s->count_loop(); });
}
Live::~Live() { stop(); }

void Live::stop() {
  state_->depends.feed.close();
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->changed.notify_all();
  }
  state_->counter.join();
}

void Live::add_routes(http::Router& router) {
  http::RouteOptions limits;
  limits.body_bytes_max = 0;
  limits.cors = http::Cors::listed;
  const Access& access = access_of(http::Method::get, kPath);
  metrics::Histogram& seconds = request_seconds(state_->depends.registry, kPath);
  router.add(http::Method::get, std::string(kPath), limits,
             [s = state_, &access, &seconds](Request& request) -> asio::awaitable<Response> {
               auto begin = s->depends.clock.steady();
               asio::any_io_executor executor = co_await asio::this_coro::executor;
               Response response = s->answer(request, access, executor);
               // To its begin; a stream goes on.
               seconds.observe(std::chrono::duration<double>(s->depends.clock.steady() - begin).count());
               co_return response;
             });
}

Response Live::State::answer(const Request& request, const Access& access, const asio::any_io_executor& executor) {
  auto snapshot = depends.settings.snapshot();
  auto caller = depends.gate.let_in(request, access);
  if (!caller) return refusal(caller.error());
  std::string name;
  if (!http::query_parameter(request.query, "project", name))
    return http::error_response(Error{ErrorCode::kBadInput, "live: project is missing"});
  auto found = project_for(*snapshot, *caller, Permission::view, name);
  if (!found) return http::error_response(found.error());
  const settings::Project* project = *found;
  if (!caller->filters().empty())
    return http::error_response(
        Error{ErrorCode::kForbidden, "live: what happens now is of the whole project; this link shows a part of it"});

  trace::LiveFeed::Wish wish{project->id, caller->name(), std::nullopt};
  std::string value;
  if (http::query_parameter(request.query, "rows", value) && value != "no") {
    if (value != "yes") return http::error_response(Error{ErrorCode::kBadInput, "live: rows: expected yes or no"});
    if (!caller->may(Permission::sql, project->id))
      return http::error_response(forbidden(*caller, "with single events"));
    wish.rows.emplace();
  }
  if (http::query_parameter(request.query, "filter", value)) {
    if (!wish.rows) return http::error_response(Error{ErrorCode::kBadInput, "live: filter: is for rows=yes"});
    auto filter = parse_filter(value);
    if (!filter) return http::error_response(filter.error());
    wish.rows = *std::move(filter);
  }

  auto alarm = std::make_shared<Alarm>(executor);
  // Weak, so that the timer ends with its connection, on its thread. While this runs the stream is there: leave()
  // waits.
  auto listener = depends.feed.listen(std::move(wish), [executor, weak = std::weak_ptr<Alarm>(alarm)] {
    asio::post(executor, [weak] {
      if (auto alarm = weak.lock()) alarm->cancel();
    });
  });
  if (!listener) return http::error_response(listener.error());
  {
    std::lock_guard lock(mutex);
    if (std::find(newcomers.begin(), newcomers.end(), project->id) == newcomers.end()) newcomers.push_back(project->id);
    changed.notify_all();
  }
  auto stream = std::make_shared<Stream>(*std::move(listener), std::move(alarm), options);
  Response response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Accel-Buffering", "no");  // nginx hands it on as it comes
  response.stream = [stream = std::move(stream)] { return next_piece(stream); };
  return response;
}

void Live::State::count_loop() {
  milliseconds wait = options.count_every;
  for (;;) {
    {
      std::unique_lock lock(mutex);
      changed.wait_for(lock, wait, [&] { return stopping || !newcomers.empty(); });
      if (stopping) return;
      // They are sent what was counted last at once, and counted anew when it is due.
      for (ProjectId project : std::exchange(newcomers, {})) {
        auto known = counted.find(project);
        if (known != counted.end() && !known->second.sent.empty())
          depends.feed.publish(project, "now", known->second.sent);
      }
    }
    wait = count_due();
  }
}

// Counts what is due. Answers how long to wait for the next.
milliseconds Live::State::count_due() {
  const std::vector<ProjectId> watched = depends.feed.watched();
  std::erase_if(counted,
                [&](const auto& one) { return !std::binary_search(watched.begin(), watched.end(), one.first); });
  // Nobody to count for: a newcomer wakes the thread.
  auto next = steady_clock::now() + std::chrono::minutes(1);
  for (ProjectId project : watched) {
    Counted& one = counted[project];
    const auto begin = steady_clock::now();
    if (begin >= one.due) {
      count(project);
      const auto end = steady_clock::now();
      one.due = end + std::max<steady_clock::duration>(options.count_every, (end - begin) * kShareOfTime);
    }
    next = std::min(next, one.due);
  }
  return std::max(milliseconds(1), std::chrono::ceil<milliseconds>(next - steady_clock::now()));
}

void Live::State::count(ProjectId project) {
  Counted& one = counted[project];
  auto counts = depends.count(project);
  if (!counts) {
    // Readers keep what they have and say that it is old.
    log::debug("live: counting for a project: {}", counts.error().message);
    std::string trouble = "{";
    append_json_key(trouble, "code");
    append_json_string(trouble, name_of(counts.error().code));
    depends.feed.publish(project, "trouble", trouble + "}");
    one.sent.clear();
  } else if (*counts != one.sent) {
    depends.feed.publish(project, "now", *counts);
    one.sent = *std::move(counts);
  }
}

}  // namespace weir::api
