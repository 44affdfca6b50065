#include "weir/settings/people_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/settings/checks.h"
#include "weir/settings/item_rules.h"
#include "weir/settings/limits.h"

namespace weir::settings {

namespace {
// As browsers write it: scheme, host and perhaps a port, nothing else.
bool is_origin(std::string_view text) {
  if (text.starts_with("https://")) {
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return false;
  }
  size_t colon = text.find(':');
  std::string_view host = text.substr(0, colon);
  bool fine = !host.empty() && host.front() != '.' && host.front() != '-' && host.back() != '.';
  for (char c : host) fine = fine && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-');
  if (colon == std::string_view::npos) return fine;
  std::string_view port = text.substr(colon + 1);
  return fine && !port.empty() && port.size() <= 5 &&
         std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
}
}  // namespace

Result<std::string> check_email(std::string_view email) {
  while (!email.empty() && email.front() == ' ') email.remove_prefix(1);
  while (!email.empty() && email.back() == ' ') email.remove_suffix(1);
  if (auto fine = check_text("email", email, 3, kEmailBytesMax); !fine) return std::move(fine).error();
  std::string kept(email);
  for (char& c : kept) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  size_t at = kept.find('@');
  bool fine = at != std::string::npos && at > 0 && at + 1 < kept.size() &&
              kept.find('@', at + 1) == std::string::npos && kept.find_first_of(" <>\"(),:;\\") == std::string::npos;
  if (!fine) return bad("email", email, "not an address such as name@example.com");
  return kept;
}

Result<> check_password(std::string_view password) {
  if (password.size() < kPasswordBytesMin || password.size() > kPasswordBytesMax) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("settings: password: must have {} to {} bytes", kPasswordBytesMin, kPasswordBytesMax)};
  }
  return {};
}

Result<> check_grant(const Grant& grant) {
  if (grant.project && grant.role == Role::owner)
    return bad("role", "owner", "is a role for all projects, not for one; expected viewer, editor or admin");
  return {};
}

Result<> check_user(User& user) {
  auto email = check_email(user.email);
  if (!email) return std::move(email).error();
  user.email = std::move(*email);
  if (auto fine = check_text("name", user.name, 0, kPersonNameBytesMax); !fine) return fine;
  if (user.grants.size() > kGrantsMax) return bad("roles", "", fmt::format("more than {}", kGrantsMax));
  std::set<std::optional<ProjectId>> seen;
  for (const Grant& grant : user.grants) {
    if (auto fine = check_grant(grant); !fine) return fine;
    if (!seen.insert(grant.project).second) return bad("roles", "", "two for the same project");
  }
  return {};
}

Result<> check_share(Share& share, UnixMillis now) {
  if (auto fine = check_text("name", share.name, 1, kItemNameBytesMax); !fine) return fine;
  if (share.expires_at != 0 && share.expires_at <= now)
    return bad("expires_at", format_rfc3339(share.expires_at), "is in the past");
  if (!share.segment.empty()) {
    auto filters = check_filters(share.segment);
    if (!filters) return std::move(filters).error();
    share.segment = std::move(*filters);
  }
  if (share.origins.size() > kShareOriginsMax) return bad("origins", "", fmt::format("more than {}", kShareOriginsMax));
  for (const std::string& origin : share.origins) {
    if (!is_origin(origin)) return bad("origins", origin, "not an origin such as https://www.example.com");
  }
  return {};
}

std::string new_token() { return to_base64url(random_bytes(32)); }

}  // namespace weir::settings
