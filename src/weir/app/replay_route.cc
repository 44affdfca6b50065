#include "weir/app/replay_route.h"

#include <fmt/format.h>

#include "weir/api/access.h"
#include "weir/base/time_text.h"

namespace weir::app {

namespace {
using boost::asio::awaitable;
// Filling a store anew takes hours.
constexpr std::chrono::hours kPatience{24};
constexpr size_t kWaitingMax = 4;
constexpr const char* kReplay = "/api/v1/journal/replay";
constexpr const char* kResend = "/api/v1/journal/resend";
constexpr const char* kDays = "/api/v1/journal/days";
constexpr const char* kReEnrich = "/api/v1/journal/re-enrich";

// The beginning of ?name=2026-01-31, or `otherwise` where it is absent.
Result<UnixMillis> day_named(const http::Request& request, std::string_view name, UnixMillis otherwise) {
  std::string text;
  if (!http::query_parameter(request.query, name, text)) return otherwise;
  UnixMillis time = 0;
  constexpr size_t kDayLength = 10;
  if (text.size() != kDayLength || !parse_time(text + "T00:00:00Z", time))
    return Error{ErrorCode::kBadInput, fmt::format("{}: a day like 2026-01-31, not {}", name, text)};
  return time;
}

std::string json_of(const load::ReEnricher::Summary& s) {
  std::string columns;
  for (size_t i = 0; i < s.by_column.size(); ++i)
    if (s.by_column[i] > 0)
      columns += fmt::format(R"({}"{}":{})", columns.empty() ? "" : ",", store::enriched_columns()[i], s.by_column[i]);
  return fmt::format(R"({{"rows":{},"changed":{},"without_record":{},"without_personal":{},"columns":{{{}}}}})", s.rows,
                     s.changed, s.without_record, s.without_personal, columns);
}
}  // namespace

ReplayRoute::ReplayRoute(settings::Repository& settings, const api::Gate& gate, load::Loader& live, load::Loader& bulk,
                         store::Store& store, const load::ReEnricher::Parts& re_enriching)
    : settings_(settings),
      gate_(gate),
      live_(live),
      bulk_(bulk),
      store_(store),
      re_enricher_(re_enriching),
      workers_("replay", 1, kWaitingMax) {}

Result<> ReplayRoute::authorize(const http::Request& request, http::Method method, std::string_view path) const {
  auto caller = gate_.let_in(request, api::access_of(method, path));
  if (!caller) return std::move(caller).error();
  return {};
}

Result<load::Loader*> ReplayRoute::loader_for(const http::Request& request, std::string_view path,
                                              std::string& partition) {
  if (auto allowed = authorize(request, http::Method::post, path); !allowed) return std::move(allowed).error();
  partition = "live";
  http::query_parameter(request.query, "partition", partition);
  if (partition != "live" && partition != "bulk")
    return Error{ErrorCode::kBadInput, "partition: live or bulk, not " + partition};
  return partition == "live" ? &live_ : &bulk_;
}

void ReplayRoute::add(http::Router& router) {
  add_re_enriching(router);
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

void ReplayRoute::add_re_enriching(http::Router& router) {
  router.add(http::Method::get, kDays, {}, [this](http::Request& request) -> awaitable<http::Response> {
    if (auto allowed = authorize(request, http::Method::get, kDays); !allowed)
      co_return http::error_response(allowed.error());
    auto snapshot = settings_.snapshot();
    std::string name;
    std::optional<ProjectId> only;
    if (http::query_parameter(request.query, "project", name)) {
      const settings::Project* project = snapshot->project(name);
      if (project == nullptr)
        co_return http::error_response({ErrorCode::kNotFound, fmt::format("no project is called {}", name)});
      only = project->id;
    }
    auto from = day_named(request, "from", 0);
    auto to = day_named(request, "to", INT64_MAX - kMillisPerDay);
    if (!from || !to) co_return http::error_response(from ? to.error() : from.error());
    using Days = std::vector<store::ProjectDay>;
    std::function<Result<Days>()> work = [this, only, from = *from, until = *to + kMillisPerDay] {
      return store_.days(only, from, until);
    };
    auto days = co_await workers_.run<Days>(std::move(work));
    if (!days) co_return http::error_response(days.error());
    std::string json;
    for (const store::ProjectDay& day : *days) {
      const settings::Project* project = snapshot->project(day.project_id);
      if (project == nullptr) continue;  // deleted
      json += fmt::format(R"({}{{"project":"{}","day":"{}","rows":{}}})", json.empty() ? "" : ",", project->name,
                          format_day(day_of(day.day)), day.rows);
    }
    co_return http::json_response(200, fmt::format(R"({{"days":[{}]}})", json));
  });
  router.add(http::Method::post, kReEnrich, {}, [this](http::Request& request) -> awaitable<http::Response> {
    if (auto allowed = authorize(request, http::Method::post, kReEnrich); !allowed)
      co_return http::error_response(allowed.error());
    std::string name;
    http::query_parameter(request.query, "project", name);
    auto snapshot = settings_.snapshot();
    const settings::Project* project = snapshot->project(name);
    if (project == nullptr)
      co_return http::error_response({ErrorCode::kNotFound, fmt::format("no project is called {}", name)});
    auto day = day_named(request, "day", -1);
    if (day && *day < 0) day = Error{ErrorCode::kBadInput, "day: which one, like 2026-01-31"};
    if (!day) co_return http::error_response(day.error());
    using Summary = load::ReEnricher::Summary;
    std::function<Result<Summary>()> work = [this, of = store::ProjectDay{project->id, *day, 0}] {
      return re_enricher_.run(of);
    };
    auto done = co_await workers_.run<Summary>(std::move(work));
    if (!done) co_return http::error_response(done.error());
    co_return http::json_response(200, json_of(*done));
  });
}

}  // namespace weir::app
