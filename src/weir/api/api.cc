#include "weir/api/api.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/this_coro.hpp>
#include <list>
#include <mutex>

#include "weir/api/access.h"
#include "weir/api/answer_stream.h"
#include "weir/api/description.h"
#include "weir/api/fair_workers.h"
#include "weir/api/item_routes.h"
#include "weir/api/metrics.h"
#include "weir/api/people_routes.h"
#include "weir/api/query_routes.h"
#include "weir/api/settings_routes.h"
#include "weir/api/workers.h"
#include "weir/base/fair_share.h"

namespace weir::api {

namespace asio = boost::asio;
using http::Method;
using http::Request;
using http::Response;

namespace {
constexpr uint64_t kSettingsBodyBytesMax = 64 * KiB;
// An error in as much of a SQL answer still has its own status.
constexpr size_t kFirstPieceBytesMin = 64 * KiB;
constexpr std::string_view kDefaultFormat = "TabSeparatedWithNames";

constexpr const char* kApiPath = "/api/";

// What every answer of the API carries, errors and what app's routes answer included. It is for scripts of our own
// pages and for programs: nothing of it is kept, shown as a page, framed, or read by other sites (those of http.origins
// ask by CORS, which Cross-Origin-Resource-Policy leaves alone). Shared pages in frames of others ask from within.
http::Router::Headers guards() {
  return {{"Cache-Control", "no-store"},
          {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Referrer-Policy", "no-referrer"},
          {"X-Frame-Options", "DENY"}};
}

std::string_view content_type_of(std::string_view format) {
  if (format.find("EachRow") != std::string_view::npos) return "application/x-ndjson";
  if (format.starts_with("JSON")) return "application/json";
  if (format.starts_with("CSV")) return "text/csv; charset=utf-8";
  if (format.starts_with("TSV") || format.starts_with("TabSeparated"))
    return "text/tab-separated-values; charset=utf-8";
  for (std::string_view binary : {"Native", "RowBinary", "Parquet", "Arrow", "ORC", "Avro", "MsgPack"}) {
    if (format.starts_with(binary)) return "application/octet-stream";
  }
  return "text/plain; charset=utf-8";
}

bool is_format_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

// The last segment of a path below a prefix route, percent-decoded; empty when it has more segments.
std::string tail_of(std::string_view path, std::string_view route) {
  std::string_view tail = path.substr(route.size() - 1);  // without the route's '*'
  if (tail.find('/') != std::string_view::npos) return {};
  std::string decoded;
  // A query's value decodes '+' to a space, which no name here has.
  http::query_parameter(fmt::format("x={}", tail), "x", decoded);
  return decoded;
}
}  // namespace

namespace {
// What one answer takes of the memory for unread answers, until nobody holds it. Confined to one thread at a time.
class Room {
 public:
  Room(std::shared_ptr<FairShare> share, const Asker& asker)
      : share_(std::move(share)), tenant_(std::hash<std::string>()(asker.name + " " + asker.from)) {}
  ~Room() { share_->resize(tenant_, bytes_, 0); }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  // Once. Errors: kOverloaded.
  Result<> take(uint64_t bytes) {
    if (!share_->resize(tenant_, 0, bytes))
      return Error{ErrorCode::kOverloaded, "api: too much of earlier answers waits to be read"};
    bytes_ = bytes;
    return {};
  }

 private:
  const std::shared_ptr<FairShare> share_;
  const uint64_t tenant_;
  uint64_t bytes_ = 0;
};

// Tells the writer when its reader is gone, however that came about. Until then the answer has its room.
struct Reader {
  const std::shared_ptr<AnswerStream> stream;
  const std::shared_ptr<Room> room;
  bool begun = false;  // something was sent
  Reader(std::shared_ptr<AnswerStream> stream, std::shared_ptr<Room> room)
      : stream(std::move(stream)), room(std::move(room)) {}
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { stream->cancel(); }
};
}  // namespace

struct Api::State : std::enable_shared_from_this<Api::State> {
  State(const Options& options, Dependencies dependencies)
      : options(options),
        depends(std::move(dependencies)),
        unread(std::make_shared<FairShare>(options.unread_bytes_max)),
        settings_workers("api-settings", 1, options.waiting_max),
        sql_workers("api-sql", options.threads, options.waiting_max),
        query_workers("api-query", options.query_threads, options.query_waiting_max) {}

  // Answers one request of a caller who was let in, on the settings thread.
  using Answer = std::function<Response(const Caller& caller, const std::string& tail, const std::string& query,
                                        const std::string& body)>;
  void add(http::Router& router, Method method, const std::string& path, Answer answer);
  void add_people(http::Router& router);
  void add_description(http::Router& router);
  void add_sql(http::Router& router);
  void add_query(http::Router& router, std::string_view path);
  asio::awaitable<Response> answer_settings(Request& request, std::string_view path, const Access& access,
                                            const Answer& answer);
  Response answer_sql(Request& request, const Access& access, const asio::any_io_executor& executor);
  Response answer_query(Request& request, const Access& access, const asio::any_io_executor& executor);
  std::shared_ptr<Reader> reader_of(const Asker& asker, const asio::any_io_executor& executor);

  Result<Caller> let_in(const Request& request, const Access& access) { return depends.gate.let_in(request, access); }

  // How long a request took that came at `begin`.
  void observe(std::string_view route, std::chrono::steady_clock::time_point begin) {
    request_seconds(depends.registry, route)
        .observe(std::chrono::duration<double>(depends.clock.steady() - begin).count());
  }

  // Has `work` fill the stream some time.
  Result<> post(FairWorkers& workers, const Asker& asker, const std::shared_ptr<AnswerStream>& stream,
                std::function<void()> work) {
    {
      std::lock_guard lock(mutex);
      if (stopping) return Error{ErrorCode::kOverloaded, "api: weir is stopping"};
      streams.remove_if([](const std::weak_ptr<AnswerStream>& other) { return other.expired(); });
      streams.push_back(stream);
    }
    return workers.post(asker, {std::move(work), [stream] { return stream->abandoned(); }});
  }

  const Options options;
  Dependencies depends;
  const std::shared_ptr<FairShare> unread;  // of answers
  Workers settings_workers;
  FairWorkers sql_workers;
  FairWorkers query_workers;
  std::mutex mutex;  // guards streams, stopping
  std::list<std::weak_ptr<AnswerStream>> streams;
  bool stopping = false;
};

Api::Api(const Options& options, Dependencies dependencies)
    : state_(std::make_shared<State>(options, std::move(dependencies))) {}
Api::~Api() { stop(); }

void Api::stop() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    for (const std::weak_ptr<AnswerStream>& weak : state_->streams) {
      if (auto stream = weak.lock()) stream->cancel();
    }
  }
  state_->settings_workers.stop();
  state_->sql_workers.stop();
  state_->query_workers.stop();
}

void Api::add_routes(http::Router& router) {
  router.guard(kApiPath, guards());
  State& s = *state_;
  settings::Repository& r = s.depends.settings;
  using Text = const std::string&;
  s.add(router, Method::get, "/api/v1/projects",
        [&r](const Caller& c, Text, Text, Text) { return list_projects(r, c); });
  s.add(router, Method::post, "/api/v1/projects",
        [&r](const Caller& c, Text, Text, Text body) { return create_project(r, c, body); });
  s.add(router, Method::get, "/api/v1/projects/*",
        [&r](const Caller& c, Text name, Text, Text) { return get_project(r, c, name); });
  s.add(router, Method::patch, "/api/v1/projects/*",
        [&r](const Caller& c, Text name, Text, Text body) { return change_project(r, c, name, body); });
  s.add(router, Method::del, "/api/v1/projects/*",
        [&r](const Caller& c, Text name, Text, Text) { return delete_project(r, c, name); });
  s.add(router, Method::get, "/api/v1/keys", [&r](const Caller& c, Text, Text, Text) { return list_keys(r, c); });
  s.add(router, Method::post, "/api/v1/keys",
        [&r](const Caller& c, Text, Text, Text body) { return create_key(r, c, body); });
  s.add(router, Method::del, "/api/v1/keys/*",
        [&r](const Caller& c, Text id, Text, Text) { return delete_key(r, c, id); });
  s.add(router, Method::get, "/api/v1/names", [&r](const Caller& c, Text, Text, Text) { return list_names(r, c); });
  s.add(router, Method::post, "/api/v1/names",
        [&r](const Caller& c, Text, Text, Text body) { return add_name(r, c, body); });
  s.add(router, Method::del, "/api/v1/names", [&r](const Caller& c, Text, Text query, Text) {
    std::string value;
    if (!http::query_parameter(query, "value", value)) {
      return http::error_response(Error{ErrorCode::kBadInput, "api: the query parameter `value` is missing"});
    }
    return delete_name(r, c, value);
  });
  s.add(router, Method::get, "/api/v1/rules", [&r](const Caller& c, Text, Text query, Text) {
    std::string project;
    http::query_parameter(query, "project", project);
    return list_rules(r, c, project);
  });
  s.add(router, Method::post, "/api/v1/rules",
        [&r](const Caller& c, Text, Text, Text body) { return add_rule(r, c, body); });
  s.add(router, Method::del, "/api/v1/rules/*",
        [&r](const Caller& c, Text id, Text, Text) { return delete_rule(r, c, id); });
  s.add_people(router);
  for (settings::ItemKind kind : settings::kItemKinds) {
    std::string list = fmt::format("/api/v1/{}", plural_of(kind));
    s.add(router, Method::get, list, [&r, kind](const Caller& c, Text, Text query, Text) {
      std::string project;
      http::query_parameter(query, "project", project);
      return list_items(r, c, kind, project);
    });
    s.add(router, Method::post, list,
          [&r, kind](const Caller& c, Text, Text, Text body) { return create_item(r, c, kind, body); });
    s.add(router, Method::patch, list + "/*",
          [&r, kind](const Caller& c, Text id, Text, Text body) { return change_item(r, c, kind, id, body); });
    s.add(router, Method::del, list + "/*",
          [&r, kind](const Caller& c, Text id, Text, Text) { return delete_item(r, c, kind, id); });
  }
  s.add_description(router);
  s.add_sql(router);
  s.add_query(router, "/api/v1/query");
  s.add_query(router, "/api/v2/query");
}

void Api::State::add_description(http::Router& router) {
  http::RouteOptions limits;
  limits.body_bytes_max = 0;
  limits.cors = http::Cors::listed;
  auto text = std::make_shared<const std::string>(openapi_json());
  router.add(Method::get, "/api/openapi.json", limits,
             [text](Request&) -> asio::awaitable<Response> { co_return http::json_response(200, *text); });
}

void Api::State::add_people(http::Router& router) {
  settings::Repository& r = depends.settings;
  Sessions& sessions = depends.sessions;
  using Text = const std::string&;
  auto project_of = [](const std::string& query) {
    std::string project;
    http::query_parameter(query, "project", project);
    return project;
  };
  add(router, Method::get, "/api/v1/users",
      [&r, project_of](const Caller& c, Text, Text query, Text) { return list_users(r, c, project_of(query)); });
  add(router, Method::patch, "/api/v1/users/*",
      [&r](const Caller& c, Text id, Text, Text body) { return change_user(r, c, id, body); });
  add(router, Method::del, "/api/v1/users/*",
      [&r, &sessions](const Caller& c, Text id, Text, Text) { return delete_user(r, sessions, c, id); });
  add(router, Method::get, "/api/v1/invitations",
      [&r, project_of](const Caller& c, Text, Text query, Text) { return list_invitations(r, c, project_of(query)); });
  add(router, Method::post, "/api/v1/invitations",
      [&r](const Caller& c, Text, Text, Text body) { return create_invitation(r, c, body); });
  add(router, Method::del, "/api/v1/invitations/*",
      [&r](const Caller& c, Text id, Text, Text) { return delete_invitation(r, c, id); });
  add(router, Method::get, "/api/v1/shares",
      [&r, project_of](const Caller& c, Text, Text query, Text) { return list_shares(r, c, project_of(query)); });
  add(router, Method::del, "/api/v1/shares/*",
      [&r](const Caller& c, Text id, Text, Text) { return delete_share(r, c, id); });
  add(router, Method::get, "/api/v1/audit",
      [&r](const Caller& c, Text, Text query, Text) { return list_audit(r, c, query); });
  add(router, Method::get, "/api/v1/policy", [&r](const Caller&, Text, Text, Text) { return get_policy(r); });
  add(router, Method::patch, "/api/v1/policy",
      [&r](const Caller& c, Text, Text, Text body) { return change_policy(r, c, body); });
}

void Api::State::add(http::Router& router, Method method, const std::string& path, Answer answer) {
  http::RouteOptions limits;
  limits.body_bytes_max = kSettingsBodyBytesMax;
  limits.inflated_bytes_max = kSettingsBodyBytesMax;
  limits.cors = http::Cors::listed;
  const Access& access = access_of(method, path);
  metrics::Histogram& seconds = request_seconds(depends.registry, path);
  router.add(method, path, limits,
             [self = shared_from_this(), path, &access, &seconds,
              answer = std::move(answer)](Request& request) -> asio::awaitable<Response> {
               auto begin = self->depends.clock.steady();
               Response response = co_await self->answer_settings(request, path, access, answer);
               seconds.observe(std::chrono::duration<double>(self->depends.clock.steady() - begin).count());
               co_return response;
             });
}

asio::awaitable<Response> Api::State::answer_settings(Request& request, std::string_view path, const Access& access,
                                                      const Answer& answer) {
  auto caller = let_in(request, access);
  if (!caller) co_return refusal(caller.error());
  std::string tail;
  if (path.ends_with("/*")) {
    tail = tail_of(request.path, path);
    if (tail.empty()) co_return http::error_response(Error{ErrorCode::kNotFound, "api: no such thing"});
  }
  // All by value: the request is gone when the connection is, and the thread may run later.
  std::function<Result<Response>()> work =
      [answer, caller = *caller, tail = std::move(tail), query = std::string(request.query),
       body = std::move(request.body)]() -> Result<Response> { return answer(caller, tail, query, body); };
  Result<Response> response = co_await settings_workers.run<Response>(std::move(work));
  if (!response) co_return http::error_response(response.error());
  co_return std::move(*response);
}

void Api::State::add_sql(http::Router& router) {
  http::RouteOptions limits;
  limits.body_bytes_max = options.statement_bytes_max;
  limits.inflated_bytes_max = options.statement_bytes_max;
  limits.cors = http::Cors::listed;
  const Access& access = access_of(Method::post, "/api/v1/sql");
  router.add(Method::post, "/api/v1/sql", limits,
             [self = shared_from_this(), &access](Request& request) -> asio::awaitable<Response> {
               asio::any_io_executor executor = co_await asio::this_coro::executor;
               co_return self->answer_sql(request, access, executor);
             });
}

namespace {
// The next piece for `reader`. Free functions: a coroutine lambda would lose its captures when the connection drops the
// source that made it.
asio::awaitable<Result<std::string>> next_piece(std::shared_ptr<Reader> reader) {
  Result<std::string> piece = co_await reader->stream->next();
  co_return piece;
}

// The same; the first is so large that most errors are known before the status is sent.
asio::awaitable<Result<std::string>> next_large_piece(std::shared_ptr<Reader> reader) {
  std::string taken;
  for (;;) {
    Result<std::string> piece = co_await reader->stream->next();
    if (!piece) co_return piece;
    taken += *piece;
    if (reader->begun || reader->stream->ended() || taken.size() >= kFirstPieceBytesMin) break;
  }
  reader->begun = true;
  co_return taken;
}
}  // namespace

std::shared_ptr<Reader> Api::State::reader_of(const Asker& asker, const asio::any_io_executor& executor) {
  return std::make_shared<Reader>(std::make_shared<AnswerStream>(executor, options.reader_timeout),
                                  std::make_shared<Room>(unread, asker));
}

// Answers are streams from the first byte on, so that the connection watches its peer while the store works.

Response Api::State::answer_sql(Request& request, const Access& access, const asio::any_io_executor& executor) {
  auto caller = let_in(request, access);
  if (!caller) return refusal(caller.error());
  if (!depends.run_sql)
    return http::error_response(Error{ErrorCode::kUnavailable, "api: this node has no store to ask"});
  SqlQuestion question;
  question.format = kDefaultFormat;
  http::query_parameter(request.query, "format", question.format);
  if (!is_format_name(question.format)) {
    return http::error_response(
        Error{ErrorCode::kBadInput, "api: format: expected the name of a format such as JSON, TSV or CSV"});
  }
  question.statement = std::move(request.body);
  if (question.statement.find_first_not_of(" \t\r\n") == std::string::npos)
    return http::error_response(Error{ErrorCode::kBadInput, "api: body: expected an SQL statement"});
  question.projects = caller->projects(Permission::sql);

  Response response;
  response.content_type = content_type_of(question.format);
  const Asker asker = caller->asker();
  auto reader = reader_of(asker, executor);
  question.abandoned = [stream = reader->stream] { return stream->abandoned(); };
  auto work = [self = shared_from_this(), stream = reader->stream, room = reader->room, begin = depends.clock.steady(),
               question = std::make_shared<const SqlQuestion>(std::move(question))] {
    if (stream->abandoned()) return stream->finish({});
    // As much waits for the reader, and they have as much in hand.
    if (auto has_room = room->take(2 * AnswerStream::kWaitingBytesMax); !has_room)
      return stream->finish(std::move(has_room));
    // To the first piece; how long the rest takes is up to its reader.
    auto observe = [&self, begin, seen = false]() mutable {
      if (!std::exchange(seen, true)) self->observe("/api/v1/sql", begin);
    };
    Result<> ran = self->depends.run_sql(*question, [&](std::string_view piece) {
      observe();
      return stream->push(piece);
    });
    observe();
    stream->finish(std::move(ran));
  };
  if (auto posted = post(sql_workers, asker, reader->stream, std::move(work)); !posted)
    return http::error_response(posted.error());
  response.stream = [reader] { return next_large_piece(reader); };
  return response;
}

void Api::State::add_query(http::Router& router, std::string_view path) {
  http::RouteOptions limits;
  limits.body_bytes_max = query::kQuestionBytesMax;
  limits.inflated_bytes_max = query::kQuestionBytesMax;
  limits.cors = http::Cors::listed;
  const Access& access = access_of(Method::post, path);
  router.add(Method::post, std::string(path), limits,
             [self = shared_from_this(), &access](Request& request) -> asio::awaitable<Response> {
               asio::any_io_executor executor = co_await asio::this_coro::executor;
               co_return self->answer_query(request, access, executor);
             });
}

// The thread hands the answer over whole: whoever reads it slowly takes memory, of which they have a share, and no
// thread.
Response Api::State::answer_query(Request& request, const Access& access, const asio::any_io_executor& executor) {
  auto caller = let_in(request, access);
  if (!caller) return refusal(caller.error());
  if (!depends.run_question)
    return http::error_response(Error{ErrorCode::kUnavailable, "api: this node has no store to ask"});
  auto snapshot = depends.settings.snapshot();
  auto question = read_question(request, *caller, *snapshot, depends.clock.now());
  if (!question) return http::error_response(question.error());

  Response response;
  response.content_type = query::content_type_of(question->form);
  if (std::string name = file_name_of(question->form, question->context.project_name); !name.empty())
    response.headers.emplace_back("Content-Disposition", fmt::format("attachment; filename=\"{}\"", name));
  const Asker asker = caller->asker();
  auto reader = reader_of(asker, executor);
  question->abandoned = [stream = reader->stream] { return stream->abandoned(); };
  auto work = [self = shared_from_this(), stream = reader->stream, room = reader->room, begin = depends.clock.steady(),
               snapshot, caller = *std::move(caller),
               question = std::make_shared<StatsQuestion>(std::move(*question))] {
    if (stream->abandoned()) return stream->finish({});
    add_items(*snapshot, caller, question->context);
    Result<std::string> answer = self->depends.run_question(std::move(*question));
    self->observe("/api/v1/query", begin);
    if (!answer) return stream->finish(std::move(answer).error());
    if (auto has_room = room->take(answer->size()); !has_room) return stream->finish(std::move(has_room));
    stream->give(std::move(*answer));
  };
  if (auto posted = post(query_workers, asker, reader->stream, std::move(work)); !posted)
    return http::error_response(posted.error());
  response.stream = [reader] { return next_piece(reader); };
  return response;
}

}  // namespace weir::api
