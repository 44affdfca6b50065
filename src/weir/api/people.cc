#include "weir/api/people.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/api/answers.h"
#include "weir/api/known_browser.h"
#include "weir/api/metrics.h"
#include "weir/api/people_state.h"
#include "weir/api/totp.h"
#include "weir/base/bytes.h"
#include "weir/base/json_writer.h"
#include "weir/base/logging.h"
#include "weir/query/zone.h"
#include "weir/settings/limits.h"
#include "weir/settings/people_rules.h"
#include "weir/settings/rules.h"

namespace weir::api {

namespace asio = boost::asio;
using http::Method;
using http::Request;
using http::Response;
using settings::Role;
using settings::User;

namespace {
constexpr uint64_t kBodyBytesMax = 16 * KiB;
constexpr size_t kWaitingMax = 64;
// More in an hour than one address can make, so that one alone slows down nobody but itself.
constexpr Attempts::Limit kStrangers{100, std::chrono::hours(1)};

std::string cookie(std::string_view name, std::string_view value, int64_t seconds, bool secure,
                   std::string_view path = "/") {
  return fmt::format("{}={}; Path={}; HttpOnly; SameSite=Lax; Max-Age={}{}", name, value, path, seconds,
                     secure ? "; Secure" : "");
}
std::string no_cookie(std::string_view name, bool secure) { return cookie(name, "", 0, secure); }

// The role that stands for what the caller may; nothing: they do not see it.
std::optional<Role> role_of(const std::function<bool(Permission)>& may) {
  if (may(Permission::own)) return Role::owner;
  if (may(Permission::manage)) return Role::admin;
  if (may(Permission::edit)) return Role::editor;
  if (may(Permission::view)) return Role::viewer;
  return std::nullopt;
}

void append_user(std::string& out, const settings::Snapshot& snapshot, const Caller& caller, const User& user) {
  out += '{';
  append_text(out, "id", to_string(user.id));
  append_text(out, "email", user.email);
  append_text(out, "name", user.name);
  auto role = role_of([&](Permission permission) { return caller.may_everywhere(permission); });
  append_json_key(out, "role");
  if (role) {
    append_json_string(out, name_of(*role));
  } else {
    out += "null";
  }
  append_json_key(out, "second_factor");
  out += user.totp_secret.empty() ? "false" : "true";
  append_json_key(out, "second_factor_required");
  out += snapshot.policy().second_factor ? "true" : "false";
  out += '}';
}

Error first_error(const Result<std::string>& a, const Result<std::string>& b,
                  const Result<std::optional<std::string>>& c) {
  if (!a) return a.error();
  return b ? c.error() : b.error();
}

Response limited(std::chrono::seconds wait) {
  Response response =
      http::error_response(429, "limited", fmt::format("api: too many attempts; try again in {} s", wait.count()));
  response.headers.emplace_back("Retry-After", std::to_string(wait.count()));
  return response;
}

Error wrong_sign_in() { return {ErrorCode::kUnauthenticated, "api: this email and password do not belong together"}; }

// What a page needs to know today's date there without knowing zones: the offset, and until when.
void append_clock(std::string& out, const std::string& zone_name, UnixMillis now) {
  constexpr query::Seconds kAhead = 400 * 86'400;
  append_json_key(out, "clock");
  auto zone = query::Zone::load(zone_name);
  if (!zone) {
    out += "null";
    return;
  }
  const query::Seconds from = now / 1000;
  const std::vector<query::Zone::Era> eras = zone->eras(from, from + kAhead);
  out += fmt::format(R"({{"offset":{},"until":{}}})", eras.front().offset,
                     eras.size() > 1 ? std::to_string(eras[1].since) : "null");
}

// What GET /api/v1/session answers about this caller. `csrf`: what their page has to repeat.
std::string session_json(const settings::Snapshot& snapshot, const std::optional<Caller>& caller, std::string_view csrf,
                         UnixMillis now) {
  std::string out = R"({"user":)";
  const User* user = caller && caller->user() ? snapshot.user(*caller->user()) : nullptr;
  if (user == nullptr) {
    out += "null";
  } else {
    append_user(out, snapshot, *caller, *user);
  }
  append_json_key(out, "share");
  const settings::Share* share =
      caller && caller->kind() == Caller::Kind::share ? snapshot.share(caller->session()) : nullptr;
  const settings::Project* shown = share == nullptr ? nullptr : snapshot.project(share->project);
  if (shown == nullptr) {
    out += "null";
  } else {
    out += R"({"project":)";
    append_json_string(out, shown->name);
    out += fmt::format(R"(,"segment":{}}})", share->segment.empty() ? "null" : share->segment);
  }
  append_text(out, "csrf", csrf);
  append_json_key(out, "setup_needed");
  out += snapshot.users().empty() ? "true" : "false";
  out += R"(,"projects":[)";
  for (const settings::Project& project : snapshot.projects()) {
    if (!caller) break;
    auto role = role_of([&](Permission permission) { return caller->may(permission, project.id); });
    if (!role) continue;
    append_comma(out);
    out += '{';
    append_text(out, "id", to_string(project.id));
    append_text(out, "name", project.name);
    append_text(out, "time_zone", project.time_zone);
    append_clock(out, project.time_zone, now);
    append_text(out, "role", name_of(*role));
    out += '}';
  }
  out += ']';
  append_text(out, "version", WEIR_VERSION);
  return out + "}";
}
}  // namespace

Response refused(int status, std::string_view code, std::string_view message) {
  return http::error_response(status, code, message);
}

People::State::State(const Dependencies& dependencies)
    : depends(dependencies),
      attempts(dependencies.clock, {}),
      strangers_attempts(dependencies.clock, kStrangers),
      workers("api-people", 1, kWaitingMax) {
  if (depends.settings.snapshot()->users().empty()) setup_token = settings::new_token();
}

People::People(const Dependencies& dependencies) : state_(std::make_shared<State>(dependencies)) {}
People::~People() { stop(); }

void People::stop() {
  state_->passwords.stop();
  state_->workers.stop();
}

std::string People::setup_token() const {
  return state_->depends.settings.snapshot()->users().empty() ? state_->setup_token : std::string();
}

void People::add_routes(http::Router& router) {
  State& s = *state_;
  s.add(router, Method::get, "/api/v1/session", &State::get_session);
  s.add(router, Method::post, "/api/v1/session", &State::sign_in);
  s.add(router, Method::del, "/api/v1/session", &State::sign_out);
  s.add(router, Method::post, "/api/v1/setup", &State::set_up);
  s.add(router, Method::post, "/api/v1/invitations/look", &State::look_at_invitation);
  s.add(router, Method::post, "/api/v1/invitations/accept", &State::accept_invitation);
  s.add(router, Method::post, "/api/v1/share", &State::open_share);
  s.add(router, Method::get, "/api/v1/account", &State::get_account);
  s.add(router, Method::patch, "/api/v1/account", &State::change_account);
  s.add(router, Method::get, "/api/v1/account/sessions", &State::list_sessions);
  s.add(router, Method::del, "/api/v1/account/sessions/*", &State::end_session);
  s.add(router, Method::post, "/api/v1/account/second-factor", &State::offer_second_factor);
  s.add(router, Method::post, "/api/v1/account/second-factor/confirm", &State::confirm_second_factor);
  s.add(router, Method::del, "/api/v1/account/second-factor", &State::drop_second_factor);
  s.add(router, Method::post, "/api/v1/users", &State::create_user);
  s.add(router, Method::post, "/api/v1/users/password", &State::set_password);
  s.add(router, Method::post, "/api/v1/shares", &State::create_share);
}

void People::State::add(http::Router& router, Method method, const char* path, Handler handler) {
  http::RouteOptions limits;
  limits.body_bytes_max = kBodyBytesMax;
  limits.inflated_bytes_max = kBodyBytesMax;
  limits.cors = http::Cors::listed;
  const Access& access = access_of(method, path);
  metrics::Histogram& seconds = request_seconds(depends.registry, path);
  router.add(method, path, limits, [self = shared_from_this(), &access, &seconds, handler](Request& request) -> Answer {
    auto begin = self->depends.clock.steady();
    Response response = co_await self->answer(request, access, handler);
    response.headers.emplace_back("Cache-Control", "no-store");
    seconds.observe(std::chrono::duration<double>(self->depends.clock.steady() - begin).count());
    co_return response;
  });
}

People::State::Answer People::State::answer(Request& request, const Access& access, Handler handler) {
  std::optional<Caller> caller;
  if (access.who == Access::Who::anyone) {
    if (request.method != Method::get) {
      if (auto fine = depends.gate.check_origin(request); !fine) co_return http::error_response(fine.error());
    }
    auto found = depends.gate.caller_of(request, Gate::Forgery::left_to_origin);
    if (!found) co_return refusal(found.error());
    caller = std::move(*found);
  } else {
    auto found = depends.gate.let_in(request, access);
    if (!found) co_return refusal(found.error());
    caller = std::move(*found);
  }
  Response response = co_await (this->*handler)(request, std::move(caller));
  co_return response;
}

asio::awaitable<Result<>> People::State::change(std::function<Result<>()> work) {
  std::function<Result<bool>()> job = [work = std::move(work)]() -> Result<bool> {
    if (auto done = work(); !done) return std::move(done).error();
    return true;
  };
  Result<bool> done = co_await workers.run<bool>(std::move(job));
  if (!done) co_return std::move(done).error();
  co_return Result<>();
}

People::State::Counted People::State::at_account(const Request& request, std::string_view email, const User* found) {
  std::string browser = known_browser(cookie_of(request, kBrowserCookie), found);
  if (!browser.empty()) return {attempts, std::move(browser)};
  // Under a hash, so that what is kept does not grow with what is sent.
  return {strangers_attempts, "account " + to_hex(settings::hash_of_secret(email))};
}

std::optional<Response> People::State::too_many(const Request& request, const Counted& counted) {
  std::optional<std::chrono::seconds> wait;
  if (!request.from_owner) wait = attempts.count(Attempts::of_address(request.client_address));
  if (!wait && !counted.name.empty()) wait = counted.by.count(counted.name);
  if (!wait) return std::nullopt;
  return limited(*wait);
}

void People::State::forgive(const Request& request, const Counted& counted) {
  attempts.forgive(Attempts::of_address(request.client_address));
  if (!counted.name.empty()) counted.by.forgive(counted.name);
}

People::State::Answer People::State::get_session(Request& request, std::optional<Caller> caller) {
  co_return http::json_response(
      200, session_json(*depends.settings.snapshot(), caller, depends.gate.csrf_of(request), depends.clock.now()));
}

People::State::Answer People::State::begin_session(Request& request, User user) {
  std::string_view before = cookie_of(request, kSessionCookie);
  auto old = depends.sessions.find(before, request.client_address);
  std::function<Result<Sessions::New>()> work =
      [this, user, old, address = request.client_address,
       agent = std::string(request.header("user-agent"))]() -> Result<Sessions::New> {
    // Whoever set another password meanwhile ended all sessions, on this thread: none begins by the old one.
    auto now = depends.settings.snapshot();
    const User* kept = now->user(user.id);
    if (kept == nullptr || kept->password != user.password) return wrong_sign_in();
    // Another session than before, whatever the browser brought.
    if (old) {
      if (auto ended = depends.sessions.end(old->user, old->id); !ended) log::warning("{}", ended.error().message);
    }
    auto started = depends.sessions.start(user.id, address, agent);
    if (started) {
      auto noted = depends.settings.note({.at = depends.clock.now(),
                                          .actor = {user.email, address},
                                          .action = "session.started",
                                          .subject = user.email,
                                          .detail = "{}"});
      if (!noted) log::warning("{}", noted.error().message);
    }
    return started;
  };
  auto started = co_await on_thread<Sessions::New>(std::move(work));
  if (!started) co_return http::error_response(started.error());
  auto snapshot = depends.settings.snapshot();
  const User* kept = snapshot->user(user.id);
  if (kept == nullptr) co_return http::error_response(wrong_sign_in());
  std::optional<Caller> caller = Caller::person(*kept, started->session.id);
  Response response =
      http::json_response(200, session_json(*snapshot, caller, Gate::csrf_token(started->token), depends.clock.now()));
  if (known_browser(cookie_of(request, kBrowserCookie), kept).empty())
    response.headers.emplace_back("Set-Cookie", cookie(kBrowserCookie, new_known_browser(*kept), kBrowserCookieSeconds,
                                                       request.secure, kBrowserCookiePath));
  response.headers.emplace_back("Set-Cookie",
                                cookie(kSessionCookie, started->token, kSessionLifeMillis / 1000, request.secure));
  co_return response;
}

People::State::Answer People::State::sign_in(Request& request, std::optional<Caller>) {
  auto body = Body::parse(request.body, {"email", "password", "code"});
  if (!body) co_return http::error_response(body.error());
  auto email = body->needed_text("email");
  auto password = body->needed_text("password");
  auto code = body->text("code");
  if (!email || !password || !code) co_return http::error_response(first_error(email, password, code));
  auto address = settings::check_email(*email);
  auto snapshot = depends.settings.snapshot();
  const User* found = address ? snapshot->user_of_email(*address) : nullptr;
  const Counted counted = at_account(request, address ? *address : *email, found);
  if (auto wait = too_many(request, counted)) co_return std::move(*wait);
  // The same work for who has no account.
  bool possible = password->size() <= settings::kPasswordBytesMax;
  std::string hash;
  if (found != nullptr && possible) hash = found->password;
  if (!possible) password->clear();
  auto fits = co_await passwords.verify(std::move(hash), std::move(*password));
  if (!fits) co_return http::error_response(fits.error());
  if (found == nullptr || !*fits) co_return http::error_response(wrong_sign_in());
  User user = *found;
  if (!user.totp_secret.empty()) {
    if (!*code || (*code)->empty())
      co_return refused(401, "second_factor", "api: a code of the second factor is needed as well");
    // Whoever gets here has the password, so no stranger keeps the owner out, and there are but few codes to guess.
    const std::string codes = "codes of " + to_string(user.id);
    const bool stranger = &counted.by == &strangers_attempts;
    if (auto wait = stranger ? attempts.count(codes) : std::nullopt) co_return limited(*wait);
    std::function<Result<>()> edit = [this, user, code = **code] {
      auto changed = depends.settings.change_user(user.id, [&](User& kept) -> Result<> {
        // Within the change, so that of two requests with one code only one goes through.
        auto secret = depends.sealer.unseal(kept.id, kept.totp_secret);
        if (!secret) log::error("api: {}: {}; recovery codes still count", kept.email, secret.error().message);
        auto step = secret ? totp_step(*secret, code, depends.clock.now(), kept.totp_step) : std::nullopt;
        if (step) {
          kept.totp_step = *step;
          return {};
        }
        if (std::erase(kept.recovery, settings::hash_of_secret(recovery_code_form(code))) > 0) return {};
        return Error{ErrorCode::kUnauthenticated, "wrong code"};
      });
      return changed ? Result<>() : Result<>(changed.error());
    };
    auto used = co_await change(std::move(edit));
    if (!used && used.error().code == ErrorCode::kUnauthenticated)
      co_return refused(401, "second_factor", "api: this code is wrong, or was used before");
    if (!used) co_return http::error_response(used.error());
    if (stranger) attempts.forgive(codes);
  }
  forgive(request, counted);
  Response response = co_await begin_session(request, std::move(user));
  co_return response;
}

People::State::Answer People::State::sign_out(Request& request, std::optional<Caller> caller) {
  if (caller && caller->user()) {
    std::function<Result<>()> edit = [this, user = *caller->user(), session = caller->session()] {
      return depends.sessions.end(user, session);
    };
    auto ended = co_await change(std::move(edit));
    if (!ended && ended.error().code != ErrorCode::kNotFound) co_return http::error_response(ended.error());
  }
  Response response = no_content();
  response.headers.emplace_back("Set-Cookie", no_cookie(kSessionCookie, request.secure));
  response.headers.emplace_back("Set-Cookie", no_cookie(kShareCookie, request.secure));
  co_return response;
}

People::State::Answer People::State::set_up(Request& request, std::optional<Caller>) {
  auto body = Body::parse(request.body, {"token", "email", "name", "password"});
  if (!body) co_return http::error_response(body.error());
  auto token = body->needed_text("token");
  auto email = body->needed_text("email");
  auto name = body->text("name");
  auto password = body->needed_text("password");
  if (!token) co_return http::error_response(token.error());
  if (!email) co_return http::error_response(email.error());
  if (!name) co_return http::error_response(name.error());
  if (!password) co_return http::error_response(password.error());
  if (auto wait = too_many(request, nobody_else())) co_return std::move(*wait);
  if (!depends.settings.snapshot()->users().empty())
    co_return http::error_response(Error{ErrorCode::kConflict, "api: weir is set up already: sign in"});
  if (setup_token.empty() || !equal_constant_time(*token, setup_token)) {
    co_return http::error_response(
        Error{ErrorCode::kForbidden, "api: this is not the link that weir serve printed at its last start"});
  }
  if (auto fine = settings::check_password(*password); !fine) co_return http::error_response(fine.error());
  User user;
  user.email = std::move(*email);
  user.name = name->value_or("");
  user.grants = {{std::nullopt, Role::owner}};
  if (auto fine = settings::check_user(user); !fine) co_return http::error_response(fine.error());
  auto hash = co_await passwords.hash(std::move(*password));
  if (!hash) co_return http::error_response(hash.error());
  user.password = std::move(*hash);
  std::function<Result<User>()> work = [this, user, address = request.client_address] {
    return depends.settings.create_first_user(user, {user.email, address});
  };
  auto made = co_await on_thread<User>(std::move(work));
  if (!made) co_return http::error_response(made.error());
  forgive(request, nobody_else());
  Response response = co_await begin_session(request, std::move(*made));
  co_return response;
}

People::State::Answer People::State::look_at_invitation(Request& request, std::optional<Caller>) {
  auto body = Body::parse(request.body, {"token"});
  if (!body) co_return http::error_response(body.error());
  auto token = body->needed_text("token");
  if (!token) co_return http::error_response(token.error());
  if (auto wait = too_many(request, nobody_else())) co_return std::move(*wait);
  auto snapshot = depends.settings.snapshot();
  const settings::Invitation* invitation = snapshot->invitation_of_token(*token, depends.clock.now());
  if (invitation == nullptr) {
    co_return http::error_response(
        Error{ErrorCode::kNotFound, "api: no such invitation, or it has expired or was used"});
  }
  forgive(request, nobody_else());
  std::string out = "{";
  append_text(out, "email", invitation->email);
  append_text(out, "role", name_of(invitation->grant.role));
  append_project_name(out, *snapshot, invitation->grant.project);
  append_json_key(out, "has_account");
  out += snapshot->user_of_email(invitation->email) != nullptr ? "true" : "false";
  co_return http::json_response(200, out + "}");
}

People::State::Answer People::State::accept_invitation(Request& request, std::optional<Caller> caller) {
  auto body = Body::parse(request.body, {"token", "name", "password"});
  if (!body) co_return http::error_response(body.error());
  auto token = body->needed_text("token");
  auto name = body->text("name");
  auto password = body->text("password");
  if (!token) co_return http::error_response(token.error());
  if (!name) co_return http::error_response(name.error());
  if (!password) co_return http::error_response(password.error());
  if (auto wait = too_many(request, nobody_else())) co_return std::move(*wait);
  auto snapshot = depends.settings.snapshot();
  const settings::Invitation* invitation = snapshot->invitation_of_token(*token, depends.clock.now());
  if (invitation == nullptr) {
    co_return http::error_response(
        Error{ErrorCode::kNotFound, "api: no such invitation, or it has expired or was used"});
  }
  settings::Actor actor{invitation->email, request.client_address};
  std::optional<User> wanted;
  if (const User* kept = snapshot->user_of_email(invitation->email); kept != nullptr) {
    // Only who is that person may say yes for them.
    if (!caller || caller->user() != kept->id) {
      co_return http::error_response(
          Error{ErrorCode::kConflict, "api: there is an account of this address: sign in, and open the link again"});
    }
  } else {
    if (!*password) co_return http::error_response(Error{ErrorCode::kBadInput, "api: body: password: is missing"});
    if (auto fine = settings::check_password(**password); !fine) co_return http::error_response(fine.error());
    auto hash = co_await passwords.hash(std::move(**password));
    if (!hash) co_return http::error_response(hash.error());
    wanted.emplace();
    wanted->name = name->value_or("");
    wanted->password = std::move(*hash);
  }
  std::function<Result<User>()> work = [this, token = *token, wanted, actor] {
    return depends.settings.accept_invitation(token, wanted, actor);
  };
  auto user = co_await on_thread<User>(std::move(work));
  if (!user) co_return http::error_response(user.error());
  forgive(request, nobody_else());
  Response response = co_await begin_session(request, std::move(*user));
  co_return response;
}

People::State::Answer People::State::open_share(Request& request, std::optional<Caller>) {
  auto body = Body::parse(request.body, {"token", "password"});
  if (!body) co_return http::error_response(body.error());
  auto token = body->needed_text("token");
  auto password = body->text("password");
  if (!token) co_return http::error_response(token.error());
  if (!password) co_return http::error_response(password.error());
  if (auto wait = too_many(request, nobody_else())) co_return std::move(*wait);
  auto snapshot = depends.settings.snapshot();
  const settings::Share* share = snapshot->share_of_token(*token, depends.clock.now());
  if (share == nullptr)
    co_return http::error_response(Error{ErrorCode::kNotFound, "api: no such shared link, or it has ended"});
  if (!share->password.empty()) {
    if (!*password || (*password)->empty() || (*password)->size() > settings::kPasswordBytesMax) {
      forgive(request, nobody_else());
      co_return refused(401, "password", "api: this link asks for a password");
    }
    const std::string tries = "share " + share->id;  // from wherever they come
    if (auto wait = strangers_attempts.count(tries)) co_return limited(*wait);
    auto fits = co_await passwords.verify(share->password, std::move(**password));
    if (!fits) co_return http::error_response(fits.error());
    if (!*fits) co_return refused(401, "password", "api: this is not the link's password");
    strangers_attempts.forgive(tries);
  }
  forgive(request, nobody_else());
  std::string session = Gate::share_session(*share, depends.clock.now());
  std::optional<Caller> caller = Caller::share(*share);
  std::string out = session_json(*snapshot, caller, Gate::csrf_token(session), depends.clock.now());
  out.pop_back();
  append_text(out, "share_session", session);
  Response response = http::json_response(200, out + "}");
  response.headers.emplace_back("Set-Cookie",
                                cookie(kShareCookie, session, kShareSessionMillis / 1000, request.secure));
  co_return response;
}

}  // namespace weir::api
