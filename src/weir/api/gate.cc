#include "weir/api/gate.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "weir/base/bytes.h"
#include "weir/settings/limits.h"
#include "weir/settings/rules.h"

namespace weir::api {

namespace {
// "Bearer <secret>", the scheme in any case; empty when there is none.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    char c = authorization[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c != kScheme[i]) return {};
  }
  std::string_view secret = authorization.substr(kScheme.size());
  while (!secret.empty() && secret.front() == ' ') secret.remove_prefix(1);
  return secret;
}

bool changes_nothing(http::Method method) {
  return method == http::Method::get || method == http::Method::head || method == http::Method::options;
}

// Over all that makes the session what it is: another password, another session.
std::string share_signature(const settings::Share& share, std::string_view issued) {
  std::string text = fmt::format("weir share {} {} {}", share.id, issued, share.password);
  std::string mac(crypto_auth_hmacsha256_BYTES, '\0');
  std::string key = share.key;
  key.resize(crypto_auth_hmacsha256_KEYBYTES);
  crypto_auth_hmacsha256(reinterpret_cast<unsigned char*>(mac.data()),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         reinterpret_cast<const unsigned char*>(key.data()));
  return to_base64url(mac);
}

std::string_view name_of(Permission permission) {
  switch (permission) {
    case Permission::view:
      return "to see";
    case Permission::sql:
      return "to ask SQL";
    case Permission::edit:
      return "to edit";
    case Permission::manage:
      return "to manage";
    case Permission::people:
      return "to manage people";
    case Permission::own:
      return "of an owner";
    case Permission::accounts:
      return "to manage accounts";
  }
  return "";
}
}  // namespace

std::string_view cookie_of(const http::Request& request, std::string_view name) {
  std::string_view list = request.header("cookie");
  while (!list.empty()) {
    std::string_view pair = list.substr(0, list.find(';'));
    list.remove_prefix(std::min(list.size(), pair.size() + 1));
    while (!pair.empty() && pair.front() == ' ') pair.remove_prefix(1);
    size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
  }
  return {};
}

http::Response refusal(const Error& error) {
  http::Response response = http::error_response(error);
  if (error.code == ErrorCode::kUnauthenticated) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

Gate::Gate(settings::Repository& settings, Sessions& sessions, Clock& clock, std::vector<std::string> origins)
    : settings_(settings), sessions_(sessions), clock_(clock), origins_(std::move(origins)) {}

std::string Gate::csrf_token(std::string_view cookie) {
  return to_base64url(settings::hash_of_secret("weir csrf " + std::string(cookie)));
}

Result<> Gate::check_origin(const http::Request& request) const {
  std::string_view origin = request.header("origin");
  if (origin.empty()) {
    // No browser, or one that says in its own way where the request comes from.
    std::string_view site = request.header("sec-fetch-site");
    if (site.empty() || site == "same-origin" || site == "none") return {};
  } else {
    if (std::find(origins_.begin(), origins_.end(), origin) != origins_.end()) return {};
    std::string_view host = request.header("host");
    for (std::string_view scheme : {"https://", "http://"}) {
      bool fits = origin.starts_with(scheme) && !host.empty() && origin.substr(scheme.size()) == host;
      if (fits && (scheme == "https://" || !request.secure)) return {};
    }
  }
  return Error{ErrorCode::kForbidden, "api: this page may not do that: its origin is not weir's"};
}

Result<> Gate::check_cookie_use(const http::Request& request, std::string_view cookie) const {
  if (changes_nothing(request.method)) return {};
  if (request.header("origin").empty() && request.header("sec-fetch-site") != "same-origin")
    return Error{ErrorCode::kForbidden, "api: a request with a cookie must say its origin"};
  if (auto fine = check_origin(request); !fine) return fine;
  if (!equal_constant_time(request.header("x-weir-csrf"), csrf_token(cookie)))
    return Error{ErrorCode::kForbidden,
                 "api: the header X-Weir-CSRF is missing or wrong: read it from /api/v1/session"};
  return {};
}

std::string Gate::share_session(const settings::Share& share, UnixMillis now) {
  std::string issued = std::to_string(now);
  return fmt::format("{}.{}.{}", share.id, issued, share_signature(share, issued));
}

const settings::Share* Gate::share_of_session(const settings::Snapshot& snapshot, std::string_view session) const {
  if (session.size() > settings::kSecretBytesMax) return nullptr;
  size_t first = session.find('.');
  size_t second = session.find('.', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return nullptr;
  const settings::Share* share = snapshot.share(session.substr(0, first));
  if (share == nullptr) return nullptr;
  std::string_view issued = session.substr(first + 1, second - first - 1);
  if (!equal_constant_time(session.substr(second + 1), share_signature(*share, issued))) return nullptr;
  UnixMillis at = 0;
  auto [end, error] = std::from_chars(issued.data(), issued.data() + issued.size(), at);
  if (error != std::errc{} || end != issued.data() + issued.size()) return nullptr;
  UnixMillis now = clock_.now();
  if (at + kShareSessionMillis <= now || (share->expires_at != 0 && share->expires_at <= now)) return nullptr;
  return share;
}

std::string Gate::csrf_of(const http::Request& request) const {
  std::string_view session = cookie_of(request, kSessionCookie);
  if (sessions_.find(session, request.client_address)) return csrf_token(session);
  std::string_view share = cookie_of(request, kShareCookie);
  return share_of_session(*settings_.snapshot(), share) != nullptr ? csrf_token(share) : std::string();
}

Result<std::optional<Caller>> Gate::caller_of(const http::Request& request, Forgery forgery) const {
  if (request.from_owner) return std::optional(Caller::owner());
  auto snapshot = settings_.snapshot();
  auto arrived = [&](Caller caller) {
    caller.came_from(request.client_address);
    return std::optional(std::move(caller));
  };
  if (std::string_view header = request.header("authorization"); !header.empty()) {
    std::string_view secret = bearer(header);
    if (secret.empty())
      return Error{ErrorCode::kUnauthenticated, "api: a key is needed: send the header Authorization: Bearer <key>"};
    const settings::Key* key = snapshot->key_of_secret(secret, clock_.now());
    if (key == nullptr) return Error{ErrorCode::kUnauthenticated, "api: no such key, or it has expired"};
    return arrived(Caller::key(*key));
  }
  if (std::string_view session = request.header("x-weir-share"); !session.empty()) {
    const settings::Share* share = share_of_session(*snapshot, session);
    if (share == nullptr) return Error{ErrorCode::kUnauthenticated, "api: this shared link must be opened again"};
    return arrived(Caller::share(*share));
  }
  if (std::string_view cookie = cookie_of(request, kSessionCookie); !cookie.empty()) {
    auto session = sessions_.find(cookie, request.client_address);
    const settings::User* user = session ? snapshot->user(session->user) : nullptr;
    if (user != nullptr) {
      auto fine = forgery == Forgery::checked ? check_cookie_use(request, cookie) : Result<>();
      if (!fine) return std::move(fine).error();
      return arrived(Caller::person(*user, session->id));
    }
  }
  if (std::string_view cookie = cookie_of(request, kShareCookie); !cookie.empty()) {
    const settings::Share* share = share_of_session(*snapshot, cookie);
    if (share != nullptr) {
      auto fine = forgery == Forgery::checked ? check_cookie_use(request, cookie) : Result<>();
      if (!fine) return std::move(fine).error();
      return arrived(Caller::share(*share));
    }
  }
  return std::optional<Caller>();
}

Result<Caller> Gate::let_in(const http::Request& request, const Access& access) const {
  auto found = caller_of(request);
  if (!found) return std::move(found).error();
  if (!*found) {
    return Error{ErrorCode::kUnauthenticated, "api: sign in, or send a key in the header Authorization: Bearer <key>"};
  }
  Caller caller = std::move(**found);
  if (access.who == Access::Who::person) {
    if (!caller.user()) return Error{ErrorCode::kForbidden, "api: this is for people who are signed in"};
    return caller;
  }
  if (access.who == Access::Who::anyone) return caller;
  if (caller.user()) {
    auto snapshot = settings_.snapshot();
    const settings::User* user = snapshot->user(*caller.user());
    if (snapshot->policy().second_factor && (user == nullptr || user->totp_secret.empty()))
      return Error{ErrorCode::kForbidden, "api: a second factor is demanded of everybody here: set yours up first"};
  }
  bool fits = access.who == Access::Who::everywhere ? caller.may_everywhere(access.permission)
                                                    : caller.may_somewhere(access.permission);
  if (fits) return caller;
  return Error{ErrorCode::kForbidden,
               fmt::format("api: {} lacks the permission {}{}", caller.actor().who, name_of(access.permission),
                           caller.may_somewhere(access.permission) ? " in all projects" : "")};
}

}  // namespace weir::api
