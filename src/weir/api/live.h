#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "weir/api/gate.h"
#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/http/router.h"
#include "weir/settings/settings.h"
#include "weir/trace/live_feed.h"

namespace weir::api {

// What people do in a project right now, as one JSON object on one line. Blocking.
using CountLive = std::function<Result<std::string>(ProjectId project)>;

struct LiveOptions {
  std::chrono::milliseconds count_every{3'000};  // of a watched project; longer where counting is slow
  std::chrono::milliseconds ping_every{15'000};
  // A stream ends after this and is opened again by its reader: so long may somebody watch on whose key or session is
  // gone.
  std::chrono::milliseconds stream_for{300'000};
};

// GET /api/v1/live?project=NAME: server-sent events of what happens in a project, docs/http-api.md.
//
// Thread-safe. One thread "live-counts" counts for all streams of a project at once, and only while there are some.
class Live {
 public:
  struct Dependencies {
    settings::Repository& settings;
    Clock& clock;
    const Gate& gate;
    metrics::Registry& registry;
    trace::LiveFeed& feed;
    CountLive count;
  };
  // Keeps the dependencies' references; they must outlive it.
  Live(const LiveOptions& options, Dependencies dependencies);
  ~Live();

  void add_routes(http::Router& router);

  // Ends the streams and joins the thread. Before the server drains, which waits for open answers.
  void stop();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace weir::api
