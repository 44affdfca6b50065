#pragma once

#include <string>
#include <string_view>

#include "weir/base/result.h"
#include "weir/settings/settings.h"

// What is demanded of people and of what they share. Errors: kBadInput, naming field and value.
namespace weir::settings {

// The address in the form that is kept: lower-case, without blanks around it.
Result<std::string> check_email(std::string_view email);
// Of a new password, before it is hashed. The message never shows it.
Result<> check_password(std::string_view password);
Result<> check_grant(const Grant& grant);
// Name, email (brought into its form) and grants.
Result<> check_user(User& user);
// Name, segment, origins, expiry.
Result<> check_share(Share& share, UnixMillis now);

// 256 random bits in base64url.
std::string new_token();

}  // namespace weir::settings
