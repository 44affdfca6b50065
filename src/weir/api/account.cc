#include <fmt/format.h>

#include <algorithm>

#include "weir/api/answers.h"
#include "weir/api/people_routes.h"
#include "weir/api/people_state.h"
#include "weir/api/totp.h"
#include "weir/base/json_writer.h"
#include "weir/base/logging.h"
#include "weir/settings/limits.h"
#include "weir/settings/people_rules.h"
#include "weir/settings/rules.h"

// A person's own account: name, email, password, sessions, second factor; and what else a password is hashed for.
namespace weir::api {

namespace asio = boost::asio;
using http::Request;
using http::Response;
using settings::User;

namespace {
constexpr int64_t kOfferMillis = 600'000;
constexpr size_t kOffersMax = 1'000;

Error no_account() { return {ErrorCode::kUnauthenticated, "api: this account is gone"}; }

std::string account_json(const settings::Snapshot& snapshot, const User& user) {
  std::string out = "{";
  append_text(out, "id", to_string(user.id));
  append_text(out, "email", user.email);
  append_text(out, "name", user.name);
  append_json_key(out, "second_factor");
  out += user.totp_secret.empty() ? "false" : "true";
  append_json_key(out, "recovery_codes_left");
  out += std::to_string(user.recovery.size());
  append_json_key(out, "grants");
  append_grants(out, snapshot, user.grants);
  append_moment(out, "created_at", user.created_at);
  return out + "}";
}

// The last part of /api/v1/account/sessions/ID.
std::string_view last_part(std::string_view path) { return path.substr(path.rfind('/') + 1); }
}  // namespace

asio::awaitable<std::optional<Response>> People::State::check_own_password(const Request& request, const Caller& caller,
                                                                           std::string password) {
  const Counted counted = caller_too(caller);
  if (auto wait = too_many(request, counted)) co_return std::move(*wait);
  auto snapshot = depends.settings.snapshot();
  const User* user = snapshot->user(*caller.user());
  std::string hash = user == nullptr || password.size() > settings::kPasswordBytesMax ? "" : user->password;
  auto fits = co_await passwords.verify(std::move(hash), std::move(password));
  if (!fits) co_return http::error_response(fits.error());
  if (!*fits)
    co_return http::error_response(Error{ErrorCode::kForbidden, "api: body: current_password: is not your password"});
  forgive(request, counted);
  co_return std::nullopt;
}

People::State::Answer People::State::get_account(Request&, std::optional<Caller> caller) {
  auto snapshot = depends.settings.snapshot();
  const User* user = snapshot->user(*caller->user());
  if (user == nullptr) co_return http::error_response(no_account());
  co_return http::json_response(200, account_json(*snapshot, *user));
}

People::State::Answer People::State::change_account(Request& request, std::optional<Caller> caller) {
  auto body = Body::parse(request.body, {"name", "email", "password", "current_password"});
  if (!body) co_return http::error_response(body.error());
  auto name = body->text("name");
  auto email = body->text("email");
  auto password = body->text("password");
  auto current = body->text("current_password");
  if (!name) co_return http::error_response(name.error());
  if (!email) co_return http::error_response(email.error());
  if (!password) co_return http::error_response(password.error());
  if (!current) co_return http::error_response(current.error());
  std::string hash;
  if (*password || *email) {
    if (!*current)
      co_return http::error_response(Error{ErrorCode::kBadInput, "api: body: current_password: is missing"});
    if (*password) {
      if (auto fine = settings::check_password(**password); !fine) co_return http::error_response(fine.error());
    }
    auto refused = co_await check_own_password(request, *caller, std::move(**current));
    if (refused) co_return std::move(*refused);
    if (*password) {
      auto made = co_await passwords.hash(std::move(**password));
      if (!made) co_return http::error_response(made.error());
      hash = std::move(*made);
    }
  }
  std::function<Result<User>()> work = [this, id = *caller->user(), session = caller->session(), name = *name,
                                        email = *email, hash, actor = caller->actor()]() -> Result<User> {
    auto changed = depends.settings.change_user(
        id,
        [&](User& user) -> Result<> {
          if (name) user.name = *name;
          if (email) user.email = *email;
          if (!hash.empty()) user.password = hash;
          return {};
        },
        actor);
    if (changed && !hash.empty()) {
      // Whoever else was signed in may be why it was changed.
      if (auto ended = depends.sessions.end_others(id, session); !ended) return std::move(ended).error();
    }
    return changed;
  };
  auto changed = co_await on_thread<User>(std::move(work));
  if (!changed) co_return http::error_response(changed.error());
  co_return http::json_response(200, account_json(*depends.settings.snapshot(), *changed));
}

People::State::Answer People::State::list_sessions(Request&, std::optional<Caller> caller) {
  std::string out = R"({"sessions":[)";
  for (const settings::Session& session : depends.sessions.of(*caller->user())) {
    append_comma(out);
    out += '{';
    append_text(out, "id", session.id);
    append_moment(out, "created_at", session.created_at);
    append_moment(out, "seen_at", session.seen_at);
    append_text(out, "address", session.address);
    append_text(out, "agent", session.agent);
    append_json_key(out, "current");
    out += session.id == caller->session() ? "true}" : "false}";
  }
  co_return http::json_response(200, out + "]}");
}

People::State::Answer People::State::end_session(Request& request, std::optional<Caller> caller) {
  std::function<Result<>()> edit = [this, user = *caller->user(), id = std::string(last_part(request.path))] {
    return depends.sessions.end(user, id);
  };
  auto ended = co_await change(std::move(edit));
  if (!ended) co_return http::error_response(ended.error());
  co_return no_content();
}

People::State::Answer People::State::offer_second_factor(Request&, std::optional<Caller> caller) {
  auto snapshot = depends.settings.snapshot();
  const User* user = snapshot->user(*caller->user());
  if (user == nullptr) co_return http::error_response(no_account());
  if (!user->totp_secret.empty()) {
    co_return http::error_response(
        Error{ErrorCode::kConflict, "api: there is a second factor already; turn it off first"});
  }
  std::string secret = new_totp_secret();
  UnixMillis now = depends.clock.now();
  {
    std::lock_guard lock(offers_mutex);
    std::erase_if(offers, [&](const auto& one) { return one.second.until <= now; });
    if (offers.size() >= kOffersMax && offers.count(user->id) == 0) {
      co_return http::error_response(
          Error{ErrorCode::kOverloaded, "api: too many people set up a second factor right now"});
    }
    offers[user->id] = {secret, now + kOfferMillis};
  }
  std::string out = "{";
  append_text(out, "secret", to_base32(secret));
  append_text(out, "uri", totp_uri(secret, user->email));
  co_return http::json_response(200, out + "}");
}

People::State::Answer People::State::confirm_second_factor(Request& request, std::optional<Caller> caller) {
  auto body = Body::parse(request.body, {"code"});
  if (!body) co_return http::error_response(body.error());
  auto code = body->needed_text("code");
  if (!code) co_return http::error_response(code.error());
  if (auto wait = too_many(request, caller_too(*caller))) co_return std::move(*wait);
  std::string secret;
  {
    std::lock_guard lock(offers_mutex);
    auto found = offers.find(*caller->user());
    if (found != offers.end() && found->second.until > depends.clock.now()) secret = found->second.secret;
  }
  if (secret.empty()) {
    co_return http::error_response(
        Error{ErrorCode::kConflict, "api: no second factor was offered in the last ten minutes; begin again"});
  }
  auto step = totp_step(secret, *code, depends.clock.now(), 0);
  if (!step) co_return http::error_response(Error{ErrorCode::kBadInput, "api: body: code: is wrong"});
  forgive(request, caller_too(*caller));
  std::vector<std::string> codes = new_recovery_codes();
  std::vector<std::string> hashes;
  for (const std::string& one : codes) hashes.push_back(settings::hash_of_secret(recovery_code_form(one)));
  std::function<Result<>()> edit = [this, id = *caller->user(), secret, step = *step, hashes, actor = caller->actor()] {
    auto done = depends.settings.change_user(
        id,
        [&](User& user) -> Result<> {
          user.totp_secret = depends.sealer.seal(user.id, secret);
          user.totp_step = step;
          user.recovery = hashes;
          return {};
        },
        actor);
    return done ? Result<>() : Result<>(done.error());
  };
  auto changed = co_await change(std::move(edit));
  if (!changed) co_return http::error_response(changed.error());
  {
    std::lock_guard lock(offers_mutex);
    offers.erase(*caller->user());
  }
  std::string out = R"({"recovery_codes":[)";
  for (const std::string& one : codes) {
    append_comma(out);
    append_json_string(out, one);
  }
  co_return http::json_response(200, out + "]}");
}

People::State::Answer People::State::drop_second_factor(Request& request, std::optional<Caller> caller) {
  auto body = Body::parse(request.body, {"current_password"});
  if (!body) co_return http::error_response(body.error());
  auto current = body->needed_text("current_password");
  if (!current) co_return http::error_response(current.error());
  auto refused = co_await check_own_password(request, *caller, std::move(*current));
  if (refused) co_return std::move(*refused);
  std::function<Result<>()> edit = [this, id = *caller->user(), actor = caller->actor()] {
    auto done = depends.settings.change_user(
        id,
        [](User& user) -> Result<> {
          user.totp_secret.clear();
          user.recovery.clear();
          return {};
        },
        actor);
    return done ? Result<>() : Result<>(done.error());
  };
  auto changed = co_await change(std::move(edit));
  if (!changed) co_return http::error_response(changed.error());
  co_return no_content();
}

People::State::Answer People::State::create_user(Request& request, std::optional<Caller> caller) {
  auto body = Body::parse(request.body, {"email", "name", "password", "role", "project"});
  if (!body) co_return http::error_response(body.error());
  auto email = body->needed_text("email");
  auto name = body->text("name");
  auto password = body->needed_text("password");
  if (!email) co_return http::error_response(email.error());
  if (!name) co_return http::error_response(name.error());
  if (!password) co_return http::error_response(password.error());
  auto grant = grant_field(*body, *caller, *depends.settings.snapshot());
  if (!grant) co_return http::error_response(grant.error());
  if (auto fine = settings::check_password(*password); !fine) co_return http::error_response(fine.error());
  User user;
  user.email = std::move(*email);
  user.name = name->value_or("");
  user.grants = {*grant};
  if (auto fine = settings::check_user(user); !fine) co_return http::error_response(fine.error());
  auto hash = co_await passwords.hash(std::move(*password));
  if (!hash) co_return http::error_response(hash.error());
  user.password = std::move(*hash);
  std::function<Result<User>()> work = [this, user, actor = caller->actor()] {
    return depends.settings.create_user(user, actor);
  };
  auto made = co_await on_thread<User>(std::move(work));
  if (!made) co_return http::error_response(made.error());
  co_return http::json_response(201, account_json(*depends.settings.snapshot(), *made));
}

People::State::Answer People::State::set_password(Request& request, std::optional<Caller> caller) {
  auto body = Body::parse(request.body, {"email", "password"});
  if (!body) co_return http::error_response(body.error());
  auto email = body->needed_text("email");
  auto password = body->needed_text("password");
  if (!email) co_return http::error_response(email.error());
  if (!password) co_return http::error_response(password.error());
  if (auto fine = settings::check_password(*password); !fine) co_return http::error_response(fine.error());
  auto address = settings::check_email(*email);
  if (!address) co_return http::error_response(address.error());
  auto snapshot = depends.settings.snapshot();
  const User* user = snapshot->user_of_email(*address);
  if (user == nullptr) co_return http::error_response(Error{ErrorCode::kNotFound, "api: user: nobody has that email"});
  auto hash = co_await passwords.hash(std::move(*password));
  if (!hash) co_return http::error_response(hash.error());
  std::function<Result<>()> edit = [this, id = user->id, hash = *hash, actor = caller->actor()]() -> Result<> {
    auto done = depends.settings.change_user(
        id,
        [&](User& kept) -> Result<> {
          kept.password = hash;
          return {};
        },
        actor);
    if (!done) return std::move(done).error();
    return depends.sessions.end_others(id, "");
  };
  auto changed = co_await change(std::move(edit));
  if (!changed) co_return http::error_response(changed.error());
  co_return no_content();
}

People::State::Answer People::State::create_share(Request& request, std::optional<Caller> caller) {
  std::string hash;
  auto body = Body::parse(request.body, {"project", "name", "password", "expires_at", "segment", "origins"});
  if (!body) co_return http::error_response(body.error());
  auto password = body->text("password");
  if (!password) co_return http::error_response(password.error());
  if (*password && !(*password)->empty()) {
    if ((*password)->size() > settings::kPasswordBytesMax)
      co_return http::error_response(Error{ErrorCode::kBadInput, "api: body: password: is too long"});
    auto made = co_await passwords.hash(std::move(**password));
    if (!made) co_return http::error_response(made.error());
    hash = std::move(*made);
  }
  std::function<Result<Response>()> work = [this, caller = *caller, text = std::move(request.body), hash]() {
    return Result<Response>(api::create_share(depends.settings, caller, text, hash));
  };
  auto response = co_await on_thread<Response>(std::move(work));
  if (!response) co_return http::error_response(response.error());
  co_return std::move(*response);
}

}  // namespace weir::api
