#include "weir/app/import_routes.h"

#include <fmt/format.h>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "weir/api/answers.h"

namespace weir::app {

namespace asio = boost::asio;

namespace {
constexpr std::string_view kLogType = "application/x-weir-log";

// Waits on the import thread's answer without holding an I/O thread.
template <class Answer, class Job>
asio::awaitable<Result<Answer>> ask(transfer::ImportThread& importing, Job job) {
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Result<Answer>)>(
      [&importing](auto handler, Job waiting) {
        // Done is copyable, a coroutine's handler is not: shared. Posted also when refused at once, because a handler
        // must not run within its initiation.
        struct Waiter {
          decltype(handler) resume;
          asio::executor_work_guard<asio::associated_executor_t<decltype(handler)>> work;
        };
        auto executor = asio::get_associated_executor(handler);
        auto waiter = std::make_shared<Waiter>(Waiter{std::move(handler), asio::make_work_guard(executor)});
        importing.submit(std::move(waiting), [waiter = std::move(waiter)](Result<Answer> r) mutable {
          auto where = waiter->work.get_executor();
          asio::post(where, [waiter = std::move(waiter), r = std::move(r)]() mutable {
            auto resume = std::move(waiter->resume);
            waiter.reset();
            std::move(resume)(std::move(r));
          });
        });
      },
      asio::use_awaitable, std::move(job));
}

// The type without its parameters.
std::string_view media_type(std::string_view header) {
  header = header.substr(0, header.find(';'));
  while (!header.empty() && header.back() == ' ') header.remove_suffix(1);
  return header;
}

Error bad_parameter(std::string_view name, std::string_view value, std::string_view expected) {
  return {ErrorCode::kBadInput, fmt::format("{}={}: expected {}", name, value, expected)};
}

Result<settings::Project> project_of(const http::Request& request, const settings::Snapshot& snapshot,
                                     const api::Caller& caller, std::string_view what) {
  std::string name;
  if (!http::query_parameter(request.query, "project", name))
    return Error{ErrorCode::kBadInput, fmt::format("{}: project is missing", what)};
  auto project = api::project_for(snapshot, caller, api::Permission::manage, name);
  if (!project) return std::move(project).error();
  return **project;
}

template <class Number>
Result<> read_number(const http::Request& request, std::string_view name, Number& to) {
  std::string value;
  if (!http::query_parameter(request.query, name, value)) return {};
  auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), to);
  if (error == std::errc() && end == value.data() + value.size()) return {};
  return bad_parameter(name, value, "a whole number");
}

Result<transfer::SeedJob> seed_job_of(const http::Request& request, const settings::Snapshot& snapshot,
                                      const api::Caller& caller, UnixMillis now) {
  auto project = project_of(request, snapshot, caller, "seed");
  if (!project) return std::move(project).error();
  transfer::SeedJob job{*std::move(project), {}};
  job.plan.end_day = day_of(now);
  if (auto read = read_number(request, "events", job.plan.events); !read) return std::move(read).error();
  if (auto read = read_number(request, "days", job.plan.days); !read) return std::move(read).error();
  if (auto read = read_number(request, "seed", job.plan.seed); !read) return std::move(read).error();
  std::string value;
  if (http::query_parameter(request.query, "end", value)) {
    auto day = transfer::parse_day(value);
    if (!day) return std::move(day).error();
    job.plan.end_day = *day;
  }
  return job;
}

Result<transfer::ImportJob> job_of(http::Request& request, const settings::Snapshot& snapshot,
                                   const api::Caller& caller) {
  transfer::ImportJob job;
  auto project = project_of(request, snapshot, caller, "import");
  if (!project) return std::move(project).error();
  job.project = *std::move(project);

  std::string value;
  if (http::query_parameter(request.query, "format", value) && !transfer::parse_log_format(value, job.format))
    return bad_parameter("format", value, transfer::kLogFormatNames);
  if (http::query_parameter(request.query, "users", value)) {
    if (value != "yes" && value != "no") return bad_parameter("users", value, "yes or no");
    job.rules.keep_user = value == "yes" ? transfer::KeepUser::yes : transfer::KeepUser::no;
  }
  if (http::query_parameter(request.query, "assets", value) && !transfer::parse_assets(value, job.rules.assets))
    return bad_parameter("assets", value, "keep, mark or skip");
  if (http::query_parameter(request.query, "pages_only", value)) {
    if (value != "yes" && value != "no") return bad_parameter("pages_only", value, "yes or no");
    job.rules.pages_only = value == "yes";
  }
  if (http::query_parameter(request.query, "host", value) && !value.empty()) {
    job.rules.hostname = transfer::hostname_of(value);
    if (job.rules.hostname.empty()) return bad_parameter("host", value, "the name of a host");
  }
  http::query_parameter(request.query, "fields", job.fields);

  std::string_view type = media_type(request.header("content-type"));
  if (type == kLogType) {
    size_t end = request.body.find('\n');
    if (end == std::string::npos) return Error{ErrorCode::kBadInput, "import: the body has no line of repeats"};
    auto repeats = transfer::parse_repeats(std::string_view(request.body).substr(0, end));
    if (!repeats) return std::move(repeats).error();
    job.repeats = *std::move(repeats);
    job.lines_at = end + 1;
  } else if (type != "text/plain") {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("import: Content-Type {}: expected text/plain or {}", type, kLogType)};
  }
  job.body = std::move(request.body);
  return job;
}
// Keeps the references for as long as the router is used.
struct Parts {
  settings::Repository& settings;
  const api::Gate& gate;
  Clock& clock;
  transfer::ImportThread& importing;
};

asio::awaitable<http::Response> answer_import(Parts parts, const api::Access& access, http::Request& request) {
  auto caller = parts.gate.let_in(request, access);
  if (!caller) co_return api::refusal(caller.error());
  auto job = job_of(request, *parts.settings.snapshot(), *caller);
  if (!job) co_return http::error_response(job.error());
  auto summary = co_await ask<transfer::ImportSummary>(parts.importing, *std::move(job));
  if (!summary) co_return http::error_response(summary.error());
  co_return http::json_response(200, summary->to_json());
}

asio::awaitable<http::Response> answer_seed(Parts parts, const api::Access& access, http::Request& request) {
  auto caller = parts.gate.let_in(request, access);
  if (!caller) co_return api::refusal(caller.error());
  auto job = seed_job_of(request, *parts.settings.snapshot(), *caller, parts.clock.now());
  if (!job) co_return http::error_response(job.error());
  auto progress = co_await ask<transfer::SeedProgress>(parts.importing, *std::move(job));
  if (!progress) co_return http::error_response(progress.error());
  co_return http::json_response(200, progress->to_json());
}
}  // namespace

void add_import_routes(http::Router& router, settings::Repository& settings, const api::Gate& gate, Clock& clock,
                       transfer::ImportThread& importing) {
  const Parts parts{settings, gate, clock, importing};
  http::RouteOptions options;
  options.body_bytes_max = kImportBodyBytesMax;
  options.inflated_bytes_max = 2 * kImportBodyBytesMax;
  constexpr const char* kPath = "/api/v1/import/access-log";
  const api::Access& access = api::access_of(http::Method::post, kPath);
  router.add(http::Method::post, kPath, options,
             [parts, &access](http::Request& request) { return answer_import(parts, access, request); });
  constexpr const char* kSeedPath = "/api/v1/seed";
  const api::Access& seed_access = api::access_of(http::Method::post, kSeedPath);
  router.add(http::Method::post, kSeedPath, {},
             [parts, &seed_access](http::Request& request) { return answer_seed(parts, seed_access, request); });
}

}  // namespace weir::app
