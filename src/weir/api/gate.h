#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/api/access.h"
#include "weir/api/sessions.h"
#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

namespace weir::api {

inline constexpr std::string_view kSessionCookie = "weir_session";
inline constexpr std::string_view kShareCookie = "weir_share";
inline constexpr int64_t kShareSessionMillis = 86'400'000;  // then the link is opened again

// The one place where a request becomes a caller. In this order: the Unix socket; a key (Authorization: Bearer); the
// session of a shared link that a page names itself (X-Weir-Share); the cookie of a person; that of a shared link.
//
// What a browser sends by itself, a forged page can make it send: a request that changes anything and is known by its
// cookie must come from a page of ours (Origin, or Sec-Fetch-Site where there is none) and repeat what only such a page
// can read (X-Weir-CSRF).
//
// Thread-safe; never blocks.
class Gate {
 public:
  // `origins`: further origins of pages that are ours, as http.origins has them. Keeps the references.
  Gate(settings::Repository& settings, Sessions& sessions, Clock& clock, std::vector<std::string> origins);

  // The caller of `request`, if `access` lets them in.
  // Errors: kUnauthenticated (nobody we know), kForbidden (not what they may; or a forged request).
  Result<Caller> let_in(const http::Request& request, const Access& access) const;
  // Who is behind the request, if somebody is. `forgery`: whether the rule for cookies is held against it; without it
  // the caller must not be able to change anything but who is signed in, and check_origin() is the rule.
  enum class Forgery : uint8_t { checked, left_to_origin };
  Result<std::optional<Caller>> caller_of(const http::Request& request, Forgery forgery = Forgery::checked) const;

  // Whether the page that sent this may speak for its user: for what signs somebody in.
  Result<> check_origin(const http::Request& request) const;
  // What a page has to repeat in X-Weir-CSRF; empty when nobody is signed in.
  std::string csrf_of(const http::Request& request) const;

  // What the page of this cookie has to repeat. Not to be told from random by who does not know the cookie.
  static std::string csrf_token(std::string_view cookie);
  // The value that stands for "opened this shared link at `now`".
  static std::string share_session(const settings::Share& share, UnixMillis now);
  const settings::Share* share_of_session(const settings::Snapshot& snapshot, std::string_view session) const;

 private:
  Result<> check_cookie_use(const http::Request& request, std::string_view cookie) const;

  settings::Repository& settings_;
  Sessions& sessions_;
  Clock& clock_;
  const std::vector<std::string> origins_;
};

// A cookie of the request, or empty.
std::string_view cookie_of(const http::Request& request, std::string_view name);
// The answer to who was not let in.
http::Response refusal(const Error& error);

}  // namespace weir::api
