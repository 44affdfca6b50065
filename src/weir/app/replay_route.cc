#include "weir/app/replay_route.h"

#include <fmt/format.h>

#include "weir/api/access.h"

namespace weir::app {

namespace {
using boost::asio::awaitable;
// Filling a store anew takes hours.
constexpr std::chrono::hours kPatience{24};
constexpr size_t kWaitingMax = 4;
constexpr const char* kReplay = "/api/v1/journal/replay";
constexpr const char* kResend = "/api/v1/journal/resend";
}  // namespace

ReplayRoute::ReplayRoute(settings::Repository& settings, Clock& clock, load::Loader& live, load::Loader& bulk)
    : settings_(settings), clock_(clock), live_(live), bulk_(bulk), workers_("replay", 1, kWaitingMax) {}

Result<load::Loader*> ReplayRoute::loader_for(const http::Request& request, std::string_view path,
                                              std::string& partition) {
  const api::Access& access = api::access_of(http::Method::post, path);
  auto caller = api::authorize(request, access, *settings_.snapshot(), clock_.now());
  if (!caller) return std::move(caller).error();
  partition = "live";
  http::query_parameter(request.query, "partition", partition);
  if (partition != "live" && partition != "bulk")
    return Error{ErrorCode::kBadInput, "partition: live or bulk, not " + partition};
  return partition == "live" ? &live_ : &bulk_;
}

void ReplayRoute::add(http::Router& router) {
  router.add(http::Method::post, kReplay, {}, [this](http::Request& request) -> awaitable<http::Response> {
    std::string partition;
    auto loader = loader_for(request, kReplay, partition);
    if (!loader) co_return http::error_response(loader.error());
    std::function<Result<load::Loader::Replayed>()> work = [asked = *loader] { return asked->replay(kPatience); };
    auto done = co_await workers_.run<load::Loader::Replayed>(std::move(work));
    if (!done) co_return http::error_response(done.error());
    co_return http::json_response(200, fmt::format(R"({{"partition":"{}","compared":[{},{}],"missing":{}}})", partition,
                                                   done->begin, done->end, done->missing));
  });
  router.add(http::Method::post, kResend, {}, [this](http::Request& request) -> awaitable<http::Response> {
    std::string partition;
    auto loader = loader_for(request, kResend, partition);
    if (!loader) co_return http::error_response(loader.error());
    std::function<Result<load::Loader::Resent>()> work = [asked = *loader] { return asked->resend(kPatience); };
    auto done = co_await workers_.run<load::Loader::Resent>(std::move(work));
    if (!done) co_return http::error_response(done.error());
    co_return http::json_response(
        200, fmt::format(R"({{"partition":"{}","tried":{},"stored":{}}})", partition, done->tried, done->stored));
  });
}

}  // namespace weir::app
