#include "weir/collect/collector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "weir/collect/sender.h"

namespace weir::collect {

namespace asio = boost::asio;

namespace {
constexpr std::string_view kProtocol = "native";
// Most that the events of one request may come to as records. The largest body of ordinary events stays below it; many
// tiny events under long headers would not.
constexpr size_t kRecordsBytesMax = 48 * MiB;

Refusal refusal_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUnsupported:
      return Refusal::content_type;
    case ErrorCode::kNotFound:
      return Refusal::project;
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kForbidden:
      return Refusal::key;
    case ErrorCode::kLimited:
      return Refusal::rate;
    case ErrorCode::kTooLarge:
      return Refusal::too_large;
    case ErrorCode::kOverloaded:
      return Refusal::overloaded;
    case ErrorCode::kBadInput:
    case ErrorCode::kConflict:
      return Refusal::malformed;
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimeout:
    case ErrorCode::kCorrupt:
      return Refusal::unavailable;
  }
  return Refusal::unavailable;
}

// Empty: each event names its own.
std::string project_name(const http::Request& request) {
  std::string name(request.header("X-App"));
  if (name.empty()) http::query_parameter(request.query, "app", name);
  return name;
}

const settings::Project* find_project(const settings::Snapshot& settings, std::string_view name) {
  const settings::Project* project = settings.project(name);
  return project != nullptr ? project : settings.project_of_outside_name(name);
}
}  // namespace

// What the collector keeps for a project while it runs. A renamed project counts on under its new name.
struct Collector::ProjectState {
  std::string name;  // guarded by states_mutex_
  std::atomic<metrics::Counter*> accepted{nullptr};
  std::atomic<metrics::Counter*> rejected{nullptr};
  std::atomic<metrics::Counter*> dropped{nullptr};
  std::array<std::atomic<metrics::Counter*>, kDropReasonNames.size()> drops{};  // by reason
  std::atomic<int64_t> warm_day{INT64_MIN};  // the newest UTC day whose secrets are in memory
};

// What a request may do, before its body is looked at.
struct Collector::Door {
  std::shared_ptr<const settings::Snapshot> settings;
  const settings::Project* project = nullptr;  // of X-App or ?app=; null: each event names its own
  const settings::Key* key = nullptr;
  BodyType type = BodyType::json;
};

// Takes the events of one request.
class Collector::Gathering final : public EventSink {
 public:
  Gathering(Collector& collector, const Door& door, const Sender& sender, UnixMillis now, size_t body_bytes)
      : collector_(collector),
        door_(door),
        now_(now),
        intake_(collector.secrets_, sender.personal(), now, kProtocol, sender.signal()) {
    // One event's record is about as long again as the event.
    records_.reserve(std::min<size_t>(2 * body_bytes + 1 * KiB, 1 * MiB));
  }

  bool take(const SentEvent& sent) override {
    if (!choose_project(sent)) return true;
    if (counts_[chosen_].state->warm_day.load(std::memory_order_acquire) < day_of(now_)) {
      cold_ = counts_[chosen_].project;
      return false;
    }
    Counts& counts = counts_[chosen_];
    switch (intake_.add(*counts.project, sent, records_)) {
      case Intake::Verdict::accepted:
        ++tally_.accepted;
        ++counts.accepted;
        if (records_.bytes().size() <= kRecordsBytesMax) return true;
        failure_ = {ErrorCode::kTooLarge, "collect: too many events in one request"};
        return false;
      case Intake::Verdict::rejected:
        ++counts.rejected;
        add_rejected(sent.index, {ErrorCode::kBadInput, place_of(sent) + std::string(intake_.why())});
        return true;
      case Intake::Verdict::dropped:
        ++counts.drops[static_cast<size_t>(intake_.drop_reason())];
        tally_.dropped.push_back({sent.index, intake_.drop_reason()});
        return true;
      case Intake::Verdict::failed:
        break;
    }
    failure_ = intake_.error();
    return false;
  }

  bool reject(size_t index, Error error) override {
    ++rejected_without_project_;
    add_rejected(index, std::move(error));
    return true;
  }

  // A project whose secrets of the day must be made first; or null.
  const settings::Project* cold() const { return cold_; }
  const std::optional<Error>& failure() const { return failure_; }
  const Tally& tally() const { return tally_; }
  journal::Records& records() { return records_; }

  // Once what was taken is durable.
  void count() {
    for (const Counts& c : counts_) {
      c.state->accepted.load()->add(c.accepted);
      c.state->rejected.load()->add(c.rejected);
      for (size_t i = 0; i < c.drops.size(); ++i) {
        if (c.drops[i] == 0) continue;
        c.state->dropped.load()->add(c.drops[i]);
        c.state->drops[i].load()->add(c.drops[i]);
      }
    }
    if (rejected_without_project_ == 0) return;
    if (door_.project != nullptr) {
      collector_.state_of(*door_.project).rejected.load()->add(rejected_without_project_);
    } else {
      collector_.metrics_.events(Metrics::kUnknownProject, "rejected").add(rejected_without_project_);
    }
  }

 private:
  struct Counts {
    const settings::Project* project;
    ProjectState* state;
    uint64_t accepted = 0;
    uint64_t rejected = 0;
    std::array<uint64_t, kDropReasonNames.size()> drops{};
  };

  // Sets chosen_; false: the event was rejected.
  bool choose_project(const SentEvent& sent) {
    const settings::Project* project = door_.project;
    if (project == nullptr) {
      if (!counts_.empty() && sent.app == counts_[chosen_].project->name) return true;
      if (sent.app.empty()) {
        return refuse(sent, ErrorCode::kBadInput,
                      "no project: name it in the header X-App, in ?app= or in the field `app`");
      }
      project = find_project(*door_.settings, sent.app);
      if (project == nullptr) return refuse(sent, ErrorCode::kNotFound, "`app`: no such project: " + echoed(sent.app));
      if (door_.key != nullptr && door_.key->project && *door_.key->project != project->id) {
        return refuse(sent, ErrorCode::kForbidden, "`app`: the key is for another project");
      }
    }
    for (chosen_ = 0; chosen_ < counts_.size(); ++chosen_) {
      if (counts_[chosen_].project == project) return true;
    }
    counts_.push_back({project, &collector_.state_of(*project)});
    return true;
  }

  bool refuse(const SentEvent& sent, ErrorCode code, std::string_view what) {
    ++rejected_without_project_;
    add_rejected(sent.index, {code, place_of(sent) + std::string(what)});
    return false;
  }

  void add_rejected(size_t index, Error error) { tally_.rejected.push_back({index, std::move(error)}); }

  Collector& collector_;
  const Door& door_;
  const UnixMillis now_;
  Intake intake_;
  Tally tally_;
  journal::Records records_;
  boost::container::small_vector<Counts, 1> counts_;
  size_t chosen_ = 0;
  uint64_t rejected_without_project_ = 0;
  const settings::Project* cold_ = nullptr;
  std::optional<Error> failure_;
};

Collector::Collector(const Options& options, Clock& clock, settings::Repository& settings, settings::Secrets& secrets,
                     journal::Writer& writer, metrics::Registry& registry)
    : options_(options),
      clock_(clock),
      settings_(settings),
      secrets_(secrets),
      writer_(writer),
      metrics_(registry),
      limiter_(options.rate_per_address, options.burst_per_address, clock),
      warm_secrets_(secrets) {}

Collector::~Collector() = default;

void Collector::add_routes(http::Router& router) {
  http::RouteOptions route;
  route.body_bytes_max = options_.body_bytes_max;
  route.inflated_bytes_max = options_.inflated_bytes_max;
  route.cors = http::Cors::capture;
  route.tenant = [this](const http::Request& request) {
    const auto settings = settings_.snapshot();
    const settings::Project* project = find_project(*settings, project_name(request));
    return project != nullptr ? number(project->id) : 0;
  };
  for (const char* path : {"/", "/v1/events"}) {
    router.add(http::Method::post, path, route, [this](http::Request& request) { return capture(request); });
  }
}

// Observes how long a request took, however it ends.
struct Collector::Timing {
  explicit Timing(Collector& c) : collector(c), begun(c.clock_.steady()) {}
  Timing(const Timing&) = delete;
  Timing& operator=(const Timing&) = delete;
  ~Timing() {
    const auto took = collector.clock_.steady() - begun;
    collector.metrics_.request_seconds.observe(std::chrono::duration<double>(took).count());
  }
  Collector& collector;
  const std::chrono::steady_clock::time_point begun;
};

asio::awaitable<http::Response> Collector::capture(http::Request& request) {
  const Timing timing(*this);
  UnixMillis now = clock_.now();
  auto door = open_door(request, now);
  if (!door) co_return refuse(door.error(), nullptr);
  const ProjectState* project = door->project != nullptr ? &state_of(*door->project) : nullptr;
  const Sender sender(request);

  std::optional<Gathering> gathering;
  Shape shape = Shape::one;
  for (;;) {
    gathering.emplace(*this, *door, sender, now, request.body.size());
    auto decoded = gather(request, *door, *gathering);
    if (!decoded) co_return refuse(decoded.error(), project);
    shape = *decoded;
    if (gathering->cold() == nullptr) break;
    // At most once a project: then its secrets of today are there.
    Result<> warmed = co_await warm_secrets_.warm(gathering->cold()->id, now);
    if (!warmed) co_return refuse(warmed.error(), project);
    auto& warm_day = state_of(*gathering->cold()).warm_day;
    if (warm_day.load() < day_of(now)) warm_day.store(day_of(now), std::memory_order_release);
  }
  if (gathering->failure()) co_return refuse(*gathering->failure(), project);

  if (!gathering->records().empty()) {
    auto appended =
        co_await journal::append(writer_, std::move(gathering->records()), timing.begun + options_.append_timeout);
    if (!appended) {
      Error error = appended.error();
      // Too slow is one way of not being able to take it.
      if (error.code == ErrorCode::kTimeout) error.code = ErrorCode::kUnavailable;
      co_return refuse(error, project);
    }
  }
  gathering->count();
  http::Response response = answer(shape, gathering->tally());
  if (response.status >= 400) {
    metrics_.refused(refusal_of(gathering->tally().rejected.front().error.code));
  }
  co_return response;
}

// Everything that can be said before the body is read, cheapest first.
Result<Collector::Door> Collector::open_door(const http::Request& request, UnixMillis now) {
  Door door;
  door.settings = settings_.snapshot();

  const std::string name = project_name(request);
  if (!name.empty()) door.project = find_project(*door.settings, name);
  if (!request.from_owner &&
      !limiter_.allow(request.client_address, door.project != nullptr ? door.project->id : ProjectId{})) {
    return Error{ErrorCode::kLimited,
                 fmt::format("collect: more than {} requests a second from this address", options_.rate_per_address)};
  }
  door.type = body_type(request.header("Content-Type"));
  if (door.type == BodyType::unsupported) {
    return Error{ErrorCode::kUnsupported,
                 "collect: content type " + echoed(request.header("Content-Type")) + ": send application/json"};
  }
  if (!name.empty() && door.project == nullptr) {
    return Error{ErrorCode::kNotFound, "collect: no such project: " + echoed(name)};
  }
  std::string_view secret = key_of(request);
  if (!secret.empty()) {
    door.key = door.settings->key_of_secret(secret, now);
    if (door.key == nullptr) return Error{ErrorCode::kUnauthenticated, "collect: unknown or expired key"};
    if (door.key->scope != settings::Scope::capture && door.key->scope != settings::Scope::admin) {
      return Error{ErrorCode::kForbidden, "collect: the key's scope is not capture"};
    }
    if (door.key->project && door.project != nullptr && *door.key->project != door.project->id) {
      return Error{ErrorCode::kForbidden, "collect: the key is for another project"};
    }
  }
  return door;
}

// No coroutine: the thread's decoder must not be held over a suspension.
Result<Shape> Collector::gather(const http::Request& request, const Door& door, Gathering& gathering) {
  thread_local NativeDecoder decoder;
  NativeRules rules;
  rules.event_bytes_max = options_.event_bytes_max;
  rules.events_max = options_.events_max;
  rules.lines = door.type == BodyType::lines;
  rules.app_in_event = door.project == nullptr;
  rules.may_name_visitor = door.key != nullptr || request.from_owner;
  return decoder.decode(request.body, rules, gathering);
}

http::Response Collector::refuse(const Error& error, const ProjectState* project) {
  Refusal reason = refusal_of(error.code);
  metrics_.refused(reason);
  if (reason == Refusal::malformed || reason == Refusal::too_large) {
    if (project != nullptr)
      project->rejected.load()->add();
    else
      metrics_.events(Metrics::kUnknownProject, "rejected").add();
  }
  return http::error_response(error);
}

Collector::ProjectState& Collector::state_of(const settings::Project& project) {
  {
    std::shared_lock lock(states_mutex_);
    auto found = states_.find(project.id);
    if (found != states_.end() && found->second->name == project.name) return *found->second;
  }
  std::unique_lock lock(states_mutex_);
  auto& state = states_[project.id];
  if (state == nullptr) state = std::make_unique<ProjectState>();
  if (state->name != project.name) {
    state->name = project.name;
    state->accepted.store(&metrics_.events(project.name, "accepted"));
    state->rejected.store(&metrics_.events(project.name, "rejected"));
    state->dropped.store(&metrics_.events(project.name, "dropped"));
    for (size_t i = 0; i < state->drops.size(); ++i)
      state->drops[i].store(&metrics_.drops(project.name, kDropReasonNames[i]));
  }
  return *state;
}

}  // namespace weir::collect
