#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/collect/answer.h"
#include "weir/collect/metrics.h"
#include "weir/collect/options.h"
#include "weir/collect/rate_limiter.h"
#include "weir/collect/warm_secrets.h"
#include "weir/http/message.h"
#include "weir/http/router.h"
#include "weir/journal/journal.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"

namespace weir::collect {

// Answers capture requests: decodes and validates the events, stamps them, and answers once the journal has them
// durably. Whatever can refuse an event comes before the append; after it nothing is refused.
//
// Thread-safe: requests run on any I/O thread, and nothing blocks one. Keeps all references; they must outlive the
// collector, and the collector every request.
class Collector {
 public:
  Collector(const Options& options, Clock& clock, settings::Repository& settings, settings::Secrets& secrets,
            journal::Writer& writer, metrics::Registry& registry);
  ~Collector();

  // POST / and POST /v1/events.
  void add_routes(http::Router& router);

  // The native protocol. The answer never fails; refusals are answers.
  boost::asio::awaitable<http::Response> capture(http::Request& request);

 private:
  class Gathering;
  struct ProjectState;
  struct Door;
  struct Timing;

  Result<Door> open_door(const http::Request& request, UnixMillis now);
  Result<Shape> gather(const http::Request& request, const Door& door, Gathering& gathering);
  http::Response refuse(const Error& error, const ProjectState* project);
  ProjectState& state_of(const settings::Project& project);

  const Options options_;
  Clock& clock_;
  settings::Repository& settings_;
  settings::Secrets& secrets_;
  journal::Writer& writer_;
  Metrics metrics_;
  RateLimiter limiter_;
  WarmSecrets warm_secrets_;
  std::shared_mutex states_mutex_;  // guards states_ and the names in them
  std::unordered_map<ProjectId, std::unique_ptr<ProjectState>> states_;
};

}  // namespace weir::collect
