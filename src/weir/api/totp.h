#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"

// The second factor: one-time codes by time (RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits), as every authenticator makes
// them, and recovery codes for who has lost theirs.
namespace weir::api {

std::string new_totp_secret();  // 20 random bytes
// The code of a time step (seconds since 1970 / 30), six digits.
std::string totp_code(std::string_view secret, int64_t step);
// The step whose code this is, of those around `now` that come after step `after`: a code counts once. Blanks in it do
// not count.
std::optional<int64_t> totp_step(std::string_view secret, std::string_view code, UnixMillis now, int64_t after);

// RFC 4648 without padding: what people type into an authenticator.
std::string to_base32(std::string_view bytes);
// otpauth://totp/..., for a QR code.
std::string totp_uri(std::string_view secret, std::string_view email);

// Ten of them, of 80 random bits each, as they are shown.
std::vector<std::string> new_recovery_codes();
// The form whose hash is kept: blanks and dashes do not count, nor does the case.
std::string recovery_code_form(std::string_view code);

}  // namespace weir::api
