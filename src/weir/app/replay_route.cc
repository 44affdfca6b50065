#include "weir/app/replay_route.h"

#include <fmt/format.h>

#include "weir/api/access.h"

namespace weir::app {

namespace {
using boost::asio::awaitable;
// Filling a store anew takes hours.
constexpr std::chrono::hours kPatience{24};
constexpr size_t kWaitingMax = 4;
}  // namespace

ReplayRoute::ReplayRoute(settings::Repository& settings, Clock& clock, load::Loader& live, load::Loader& bulk)
    : settings_(settings), clock_(clock), live_(live), bulk_(bulk), workers_("replay", 1, kWaitingMax) {}

void ReplayRoute::add(http::Router& router) {
  constexpr const char* kPath = "/api/v1/journal/replay";
  const api::Access& access = api::access_of(http::Method::post, kPath);
  router.add(http::Method::post, kPath, {}, [this, &access](http::Request& request) -> awaitable<http::Response> {
    auto caller = api::authorize(request, access, *settings_.snapshot(), clock_.now());
    if (!caller) co_return http::error_response(caller.error());
    std::string partition = "live";
    http::query_parameter(request.query, "partition", partition);
    if (partition != "live" && partition != "bulk")
      co_return http::error_response({ErrorCode::kBadInput, "partition: live or bulk, not " + partition});
    load::Loader& loader = partition == "live" ? live_ : bulk_;
    std::function<Result<load::Loader::Replayed>()> work = [&loader] { return loader.replay(kPatience); };
    auto done = co_await workers_.run<load::Loader::Replayed>(std::move(work));
    if (!done) co_return http::error_response(done.error());
    co_return http::json_response(200, fmt::format(R"({{"partition":"{}","compared":[{},{}],"missing":{}}})", partition,
                                                   done->begin, done->end, done->missing));
  });
}

}  // namespace weir::app
