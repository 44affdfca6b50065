#include "weir/api/answers.h"

#include <fmt/format.h>

#include <charconv>

#include "weir/base/json_writer.h"

namespace weir::api {

void append_text(std::string& out, std::string_view key, std::string_view value) {
  append_json_key(out, key);
  append_json_string(out, value);
}

void append_moment(std::string& out, std::string_view key, UnixMillis moment) {
  append_json_key(out, key);
  if (moment == 0) {
    out += "null";
  } else {
    append_json_string(out, format_rfc3339(moment));
  }
}

void append_project_name(std::string& out, const settings::Snapshot& snapshot, std::optional<ProjectId> id) {
  append_json_key(out, "project");
  const settings::Project* project = id ? snapshot.project(*id) : nullptr;
  if (project == nullptr) {
    out += "null";
  } else {
    append_json_string(out, project->name);
  }
}

void append_comma(std::string& out) {
  if (out.back() != '[') out += ',';
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  return response;
}

const settings::Project* project_named(const settings::Snapshot& snapshot, std::string_view reference) {
  if (const settings::Project* project = snapshot.project(reference)) return project;
  uint64_t id = 0;
  auto [end, error] = std::from_chars(reference.data(), reference.data() + reference.size(), id);
  if (error != std::errc{} || end != reference.data() + reference.size()) return nullptr;
  return snapshot.project(ProjectId{id});
}

Result<const settings::Project*> project_for(const settings::Snapshot& snapshot, const Caller& caller,
                                             Permission permission, std::string_view reference) {
  const settings::Project* project = project_named(snapshot, reference);
  if (project == nullptr || !caller.sees(project->id)) {
    return Error{ErrorCode::kNotFound, fmt::format("api: project: `{}`: no such project", reference.substr(0, 80))};
  }
  if (!caller.may(permission, project->id)) return forbidden(caller, "in project " + project->name);
  return project;
}

void append_grants(std::string& out, const settings::Snapshot& snapshot, const std::vector<settings::Grant>& grants) {
  out += '[';
  for (const settings::Grant& grant : grants) {
    append_comma(out);
    out += '{';
    append_project_name(out, snapshot, grant.project);
    append_text(out, "role", name_of(grant.role));
    out += '}';
  }
  out += ']';
}

bool may_grant(const Caller& caller, const settings::Grant& grant) {
  if (grant.project) return caller.may(Permission::people, *grant.project);
  return caller.may_everywhere(grant.role == settings::Role::owner ? Permission::accounts : Permission::people);
}

Result<settings::Grant> grant_field(const Body& body, const Caller& caller, const settings::Snapshot& snapshot) {
  settings::Grant grant;
  auto role = body.needed_text("role");
  if (!role) return std::move(role).error();
  if (!settings::parse_role(*role, grant.role)) {
    return Error{ErrorCode::kBadInput,
                 fmt::format("api: body: role: `{}`: expected one of viewer, editor, admin, owner",
                             std::string_view(*role).substr(0, 80))};
  }
  auto reference = body.text("project");
  if (!reference) return std::move(reference).error();
  if (*reference) {
    auto project = project_for(snapshot, caller, Permission::people, **reference);
    if (!project) return std::move(project).error();
    grant.project = (*project)->id;
  }
  if (!may_grant(caller, grant)) return forbidden(caller, fmt::format("to make somebody {} there", *role));
  return grant;
}

Error forbidden(const Caller& caller, std::string_view what) {
  return {ErrorCode::kForbidden, fmt::format("api: {} may not do that {}", caller.actor().who, what)};
}

}  // namespace weir::api
