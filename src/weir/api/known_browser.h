#pragma once

#include <string>
#include <string_view>

#include "weir/settings/settings.h"

// The browsers in which somebody signed in before ("device cookies", as OWASP has them): their attempts are counted by
// themselves. So strangers who guess at an account from everywhere, and are slowed down all together, do not keep its
// owner out.
namespace weir::api {

inline constexpr std::string_view kBrowserCookie = "weir_browser";
inline constexpr std::string_view kBrowserCookiePath = "/api/v1/session";
inline constexpr int64_t kBrowserCookieSeconds = 365 * 86'400;

// What a browser brings along from now on, until the password is another.
std::string new_known_browser(const settings::User& user);
// The name to count its attempts under; empty when this browser is not known to the account. Null: there is none; this
// takes the same time.
std::string known_browser(std::string_view cookie, const settings::User* user);

}  // namespace weir::api
