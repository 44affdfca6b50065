#include "weir/settings/rules.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "weir/base/address.h"
#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/base/zone_name.h"
#include "weir/settings/checks.h"
#include "weir/settings/limits.h"

namespace weir::settings {

namespace {
bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

Result<> check_time_zone(std::string_view zone) {
  // A machine without zone files takes any name of that form.
  if (is_known_zone(zone) || (looks_like_zone(zone) && !is_known_zone("Etc/UTC"))) return {};
  return bad("time_zone", zone, "not an IANA time zone such as Europe/Berlin");
}
Result<> check_rule_address(std::string& value) {
  Network network;
  if (!parse_network(value, network)) {
    return bad("address", value, "neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32");
  }
  std::string whole = network.whole().text();
  if (whole != network.text())
    return bad("address", value, fmt::format("names an address within {}; is that meant?", whole));
  value = std::move(whole);
  return {};
}

enum class Wildcard : uint8_t { allowed, refused };
constexpr std::string_view kHostExample = "not a host name such as www.example.com or *.example.com";

// Makes it lower-case.
Result<> check_host(std::string_view field, std::string& value, Wildcard wildcard, std::string_view expected) {
  for (char& c : value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  std::string_view host = value;
  if (wildcard == Wildcard::allowed && host.starts_with("*.")) host.remove_prefix(2);
  bool fine = !host.empty() && host.front() != '.' && host.back() != '.' && host.find("..") == std::string_view::npos;
  for (char c : host) fine = fine && (is_alphanumeric(c) || c == '.' || c == '-' || c == '_' || (c & 0x80) != 0);
  return fine ? Result<>() : bad(field, value, expected);
}

Result<> check_hostnames(Project& project) {
  if (project.hostnames.size() > kHostnamesMax)
    return bad("hostnames", fmt::format("{} names", project.hostnames.size()),
               fmt::format("more than {}", kHostnamesMax));
  for (std::string& name : project.hostnames) {
    if (auto fine = check_text("hostnames", name, 1, kRuleValueBytesMax); !fine) return fine;
    if (auto fine = check_host("hostnames", name, Wildcard::allowed, kHostExample); !fine) return fine;
  }
  std::sort(project.hostnames.begin(), project.hostnames.end());
  project.hostnames.erase(std::unique(project.hostnames.begin(), project.hostnames.end()), project.hostnames.end());
  if (project.hostnames.empty() && project.foreign_hostnames != ForeignHostnames::keep)
    return bad("foreign_hostnames", name_of(project.foreign_hostnames),
               "every host would be foreign: `hostnames` names none");
  return {};
}

Result<> check_rule_path(const std::string& value) {
  if (value.front() != '/' && value.front() != '*') return bad("path", value, "must begin with `/` or `*`");
  if (value.find_first_of("?#") != std::string::npos) return bad("path", value, "must be without `?` and `#`");
  if (std::count(value.begin(), value.end(), '*') > static_cast<std::ptrdiff_t>(kRuleStarsMax))
    return bad("path", value, fmt::format("more than {} `*`", kRuleStarsMax));
  return {};
}

Result<> check_rule_value(RuleKind kind, std::string& value) {
  std::string_view field = name_of(kind);
  if (auto fine = check_text(field, value, 1, kRuleValueBytesMax); !fine) return fine;
  switch (kind) {
    case RuleKind::address:
      return check_rule_address(value);
    case RuleKind::hostname:
      return check_host(field, value, Wildcard::allowed, kHostExample);
    case RuleKind::referrer:
      return check_host(field, value, Wildcard::refused, "not a host name such as example.com");
    case RuleKind::path:
      return check_rule_path(value);
    case RuleKind::user_agent:
      // Fewer would fit most user agents there are.
      return value.size() >= 3 ? Result<>() : bad(field, value, "must have at least 3 bytes");
  }
  return {};
}
}  // namespace

Result<> check_project_name(std::string_view name) {
  if (name.empty() || name.size() > kProjectNameBytesMax) {
    return bad("project name", name, fmt::format("must have 1 to {} characters", kProjectNameBytesMax));
  }
  bool fine = std::all_of(name.begin(), name.end(),
                          [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
  if (!fine) return bad("project name", name, "may hold a-z A-Z 0-9 . _ - only");
  return {};
}

Result<> check_project(Project& project) {
  if (auto name = check_project_name(project.name); !name) return name;
  if (auto zone = check_time_zone(project.time_zone); !zone) return zone;
  if (project.retention_days > kRetentionDaysMax) {
    return bad("retention_days", std::to_string(project.retention_days),
               fmt::format("more than {}", kRetentionDaysMax));
  }
  return check_hostnames(project);
}

Result<> check_key(std::string_view name, UnixMillis expires_at, UnixMillis now) {
  if (auto fine = check_text("key name", name, 1, kKeyNameBytesMax); !fine) return fine;
  if (expires_at != 0 && expires_at <= now) return bad("expires_at", std::to_string(expires_at), "is in the past");
  return {};
}

Result<> check_outside_name(std::string_view value) {
  return check_text("outside name", value, 1, kOutsideNameBytesMax);
}

Result<TrafficRule> new_traffic_rule(const TrafficRule& wanted, UnixMillis now) {
  TrafficRule rule = wanted;
  if (auto fine = check_rule_value(rule.kind, rule.value); !fine) return std::move(fine).error();
  if (auto fine = check_text("note", rule.note, 0, kRuleNoteBytesMax); !fine) return std::move(fine).error();
  rule.id = to_hex(random_bytes(6));
  rule.created_at = now;
  return rule;
}

ProjectId new_project_id() {
  while (true) {
    uint64_t id = random_u64() >> 1;
    if (id != 0) return ProjectId{id};
  }
}

NewKey new_key(std::string_view name, Scope scope, std::optional<ProjectId> project, UnixMillis expires_at,
               UnixMillis now) {
  static constexpr std::string_view kLetters = "csqa";  // capture, stats, sql, admin
  NewKey made;
  made.secret = "weir_";
  made.secret.push_back(kLetters[static_cast<size_t>(scope)]);
  made.secret += to_base64url(random_bytes(32));
  made.key.id = to_hex(random_bytes(6));
  made.key.name = name;
  made.key.scope = scope;
  made.key.project = project;
  made.key.hash = hash_of_secret(made.secret);
  made.key.created_at = now;
  made.key.expires_at = expires_at;
  return made;
}

std::string hash_of_secret(std::string_view secret) {
  std::string hash(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                     reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  return hash;
}

}  // namespace weir::settings
