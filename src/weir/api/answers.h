#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/api/access.h"
#include "weir/api/body.h"
#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

// What the routes' answers share.
namespace weir::api {

// Appends `"key":"value"`, after a comma where one is needed.
void append_text(std::string& out, std::string_view key, std::string_view value);
// RFC 3339; null for 0.
void append_moment(std::string& out, std::string_view key, UnixMillis moment);
// `"project":` its name, or null.
void append_project_name(std::string& out, const settings::Snapshot& snapshot, std::optional<ProjectId> id);
// Before the next element of a list.
void append_comma(std::string& out);
http::Response no_content();

// The project of that name or, when no name fits, of that id; null when there is none. Lives as long as `snapshot`.
const settings::Project* project_named(const settings::Snapshot& snapshot, std::string_view reference);
// The same, in which the caller has the permission. Errors: kNotFound (none that the caller sees), kForbidden (they see
// it, and may not do that).
Result<const settings::Project*> project_for(const settings::Snapshot& snapshot, const Caller& caller,
                                             Permission permission, std::string_view reference);
// `[{"project":"app","role":"editor"}]`; project null: all.
void append_grants(std::string& out, const settings::Snapshot& snapshot, const std::vector<settings::Grant>& grants);
// Whether the caller may give or take that role there: who looks after people, up to their own role.
bool may_grant(const Caller& caller, const settings::Grant& grant);
// A body's fields `role` and `project` (absent: all), which the caller may give.
Result<settings::Grant> grant_field(const Body& body, const Caller& caller, const settings::Snapshot& snapshot);

// kForbidden, naming who asked.
Error forbidden(const Caller& caller, std::string_view what);

}  // namespace weir::api
