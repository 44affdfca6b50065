#pragma once

#include <string>
#include <string_view>

#include "weir/settings/settings.h"

// What every repository demands of its input, and what it makes at random. Errors: kBadInput, naming field and value.
namespace weir::settings {

Result<> check_project_name(std::string_view name);
// The whole of a project that is to replace another; puts its host names into the form that is kept.
Result<> check_project(Project& project);
Result<> check_key(std::string_view name, UnixMillis expires_at, UnixMillis now);
Result<> check_outside_name(std::string_view value);
// A rule like `wanted`, checked, its value in the form that is kept; with an id, and created_at `now`.
Result<TrafficRule> new_traffic_rule(const TrafficRule& wanted, UnixMillis now);

// A random id from 1 to 2^63 - 1, so that it fits a signed column everywhere.
ProjectId new_project_id();
// A key with its secret; `created_at` is `now`.
NewKey new_key(std::string_view name, Scope scope, std::optional<ProjectId> project, UnixMillis expires_at,
               UnixMillis now);
// SHA-256, 32 bytes.
std::string hash_of_secret(std::string_view secret);

}  // namespace weir::settings
