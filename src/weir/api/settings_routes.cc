#include "weir/api/settings_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "weir/api/answers.h"
#include "weir/api/body.h"
#include "weir/base/json_writer.h"
#include "weir/settings/rules.h"

namespace weir::api {

namespace {
using http::Response;
using settings::Key;
using settings::OutsideName;
using settings::Project;
using settings::Repository;
using settings::Snapshot;
using settings::TrafficRule;

void append(std::string& out, const Project& project) {
  out += '{';
  append_text(out, "id", to_string(project.id));
  append_text(out, "name", project.name);
  append_text(out, "time_zone", project.time_zone);
  append_json_key(out, "retention_days");
  out += std::to_string(project.retention_days);
  append_text(out, "ip_policy", name_of(project.ip_policy));
  append_json_key(out, "hostnames");
  out += '[';
  for (const std::string& name : project.hostnames) {
    append_comma(out);
    append_json_string(out, name);
  }
  out += ']';
  append_text(out, "foreign_hostnames", name_of(project.foreign_hostnames));
  append_text(out, "privacy_signals", name_of(project.privacy_signals));
  append_moment(out, "created_at", project.created_at);
  out += '}';
}

// Without the closing brace, for the secret of a new one.
void append_open(std::string& out, const Key& key, const Snapshot& snapshot) {
  out += '{';
  append_text(out, "id", key.id);
  append_text(out, "name", key.name);
  append_text(out, "scope", name_of(key.scope));
  append_project_name(out, snapshot, key.project);
  append_moment(out, "created_at", key.created_at);
  append_moment(out, "expires_at", key.expires_at);
}

void append(std::string& out, const OutsideName& name, const Snapshot& snapshot) {
  out += '{';
  append_text(out, "value", name.value);
  append_project_name(out, snapshot, name.project);
  out += '}';
}

void append(std::string& out, const TrafficRule& rule, const Snapshot& snapshot) {
  out += '{';
  append_text(out, "id", rule.id);
  append_project_name(out, snapshot, rule.project);
  append_text(out, "kind", name_of(rule.kind));
  append_text(out, "value", rule.value);
  append_text(out, "label", name_of(rule.label));
  append_text(out, "note", rule.note);
  append_moment(out, "created_at", rule.created_at);
  out += '}';
}

Result<Body> parse_project(std::string_view text) {
  return Body::parse(
      text, {"name", "time_zone", "retention_days", "ip_policy", "hostnames", "foreign_hostnames", "privacy_signals"});
}

// Takes the field, one of a few names, if the body gives it. `names`: for who gave another.
template <class Enum>
Result<> take_named(const Body& body, std::string_view field, bool (*parse)(std::string_view, Enum&),
                    std::string_view names, Enum& into) {
  auto name = body.text(field);
  if (!name) return std::move(name).error();
  if (!*name || parse(**name, into)) return {};
  return Error{ErrorCode::kBadInput, fmt::format("api: body: {}: `{}`: expected one of {}", field,
                                                 std::string_view(**name).substr(0, 80), names)};
}

// Takes the fields that the body gives.
Result<> take_fields(const Body& body, Project& project) {
  auto name = body.text("name");
  if (!name) return std::move(name).error();
  auto time_zone = body.text("time_zone");
  if (!time_zone) return std::move(time_zone).error();
  auto retention_days = body.number("retention_days");
  if (!retention_days) return std::move(retention_days).error();
  auto hostnames = body.texts("hostnames");
  if (!hostnames) return std::move(hostnames).error();
  if (*name) project.name = **name;
  if (*time_zone) project.time_zone = **time_zone;
  if (*retention_days) {
    project.retention_days = static_cast<uint32_t>(std::min<uint64_t>(**retention_days, UINT32_MAX));
  }
  if (*hostnames) project.hostnames = std::move(**hostnames);
  if (auto taken = take_named(body, "ip_policy", &settings::parse_ip_policy, "none, masked, whole", project.ip_policy);
      !taken)
    return taken;
  if (auto taken = take_named(body, "foreign_hostnames", &settings::parse_foreign_hostnames, "keep, spam",
                              project.foreign_hostnames);
      !taken)
    return taken;
  if (auto taken = take_named(body, "privacy_signals", &settings::parse_privacy_signals, "ignore, respect",
                              project.privacy_signals);
      !taken)
    return taken;
  return settings::check_project(project);
}

// The project that a body's field `project` names, in which the caller must have the permission. Without the field:
// all projects, for who has it in all; else that of a caller who has it in one.
Result<std::optional<ProjectId>> project_field(const Body& body, const Caller& caller, Permission permission,
                                               const Snapshot& snapshot) {
  auto reference = body.text("project");
  if (!reference) return std::move(reference).error();
  if (*reference) {
    auto project = project_for(snapshot, caller, permission, **reference);
    if (!project) return std::move(project).error();
    return std::optional<ProjectId>((*project)->id);
  }
  auto projects = caller.projects(permission);
  if (!projects) return std::optional<ProjectId>();
  if (projects->size() == 1) return std::optional<ProjectId>(projects->front());
  return Error{ErrorCode::kBadInput, "api: body: project: is missing"};
}

// Whether the caller has the permission for what is of `project`, or, without one, of all projects.
bool may(const Caller& caller, Permission permission, std::optional<ProjectId> project) {
  return project ? caller.may(permission, *project) : caller.may_everywhere(permission);
}
}  // namespace

Response list_projects(Repository& settings, const Caller& caller) {
  auto snapshot = settings.snapshot();
  std::string out = R"({"projects":[)";
  for (const Project& project : snapshot->projects()) {
    if (!caller.sees(project.id)) continue;
    append_comma(out);
    append(out, project);
  }
  return http::json_response(200, out + "]}");
}

Response create_project(Repository& settings, const Caller& caller, std::string_view text) {
  auto body = parse_project(text);
  if (!body) return http::error_response(body.error());
  auto name = body->needed_text("name");
  if (!name) return http::error_response(name.error());
  // All is checked before anything is created.
  Project wanted;
  if (auto fine = take_fields(*body, wanted); !fine) return http::error_response(fine.error());
  auto created = settings.create_project(*name, caller.actor());
  if (!created) return http::error_response(created.error());
  wanted.id = created->id;
  wanted.created_at = created->created_at;
  if (wanted != *created) {
    if (auto changed = settings.change_project(wanted, caller.actor()); !changed)
      return http::error_response(changed.error());
  }
  std::string out;
  append(out, wanted);
  return http::json_response(201, std::move(out));
}

Response get_project(Repository& settings, const Caller& caller, std::string_view reference) {
  auto snapshot = settings.snapshot();
  auto project = project_for(*snapshot, caller, Permission::view, reference);
  if (!project) return http::error_response(project.error());
  std::string out;
  append(out, **project);
  return http::json_response(200, std::move(out));
}

Response change_project(Repository& settings, const Caller& caller, std::string_view reference, std::string_view text) {
  auto body = parse_project(text);
  if (!body) return http::error_response(body.error());
  auto snapshot = settings.snapshot();
  auto project = project_for(*snapshot, caller, Permission::manage, reference);
  if (!project) return http::error_response(project.error());
  Project changed = **project;
  if (auto fine = take_fields(*body, changed); !fine) return http::error_response(fine.error());
  if (auto done = settings.change_project(changed, caller.actor()); !done) return http::error_response(done.error());
  std::string out;
  append(out, changed);
  return http::json_response(200, std::move(out));
}

Response delete_project(Repository& settings, const Caller& caller, std::string_view reference) {
  auto snapshot = settings.snapshot();
  auto project = project_for(*snapshot, caller, Permission::own, reference);
  if (!project) return http::error_response(project.error());
  auto done = settings.delete_project((*project)->id, caller.actor());
  if (!done) return http::error_response(done.error());
  return no_content();
}

Response list_keys(Repository& settings, const Caller& caller) {
  auto snapshot = settings.snapshot();
  std::string out = R"({"keys":[)";
  for (const Key& key : snapshot->keys()) {
    if (!may(caller, Permission::manage, key.project)) continue;
    append_comma(out);
    append_open(out, key, *snapshot);
    out += '}';
  }
  return http::json_response(200, out + "]}");
}

Response create_key(Repository& settings, const Caller& caller, std::string_view text) {
  auto body = Body::parse(text, {"name", "scope", "project", "expires_at"});
  if (!body) return http::error_response(body.error());
  auto name = body->needed_text("name");
  if (!name) return http::error_response(name.error());
  auto scope_name = body->needed_text("scope");
  if (!scope_name) return http::error_response(scope_name.error());
  settings::Scope scope{};
  if (!settings::parse_scope(*scope_name, scope)) {
    return http::error_response(
        Error{ErrorCode::kBadInput, fmt::format("api: body: scope: `{}`: expected one of capture, stats, sql, admin",
                                                std::string_view(*scope_name).substr(0, 80))});
  }
  auto project = project_field(*body, caller, Permission::manage, *settings.snapshot());
  if (!project) return http::error_response(project.error());
  // A key never may more than who makes it.
  if (!*project && scope == settings::Scope::admin && !caller.may_everywhere(Permission::own))
    return http::error_response(forbidden(caller, "for all projects"));
  auto expires_at = body->moment("expires_at");
  if (!expires_at) return http::error_response(expires_at.error());
  auto made = settings.create_key(*name, scope, *project, expires_at->value_or(0), caller.actor());
  if (!made) return http::error_response(made.error());
  std::string out;
  append_open(out, made->key, *settings.snapshot());
  append_text(out, "secret", made->secret);
  out += '}';
  Response response = http::json_response(201, std::move(out));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Response delete_key(Repository& settings, const Caller& caller, std::string_view id) {
  auto snapshot = settings.snapshot();
  bool visible = std::any_of(snapshot->keys().begin(), snapshot->keys().end(), [&](const Key& key) {
    return key.id == id && may(caller, Permission::manage, key.project);
  });
  if (!visible) {
    return http::error_response(
        Error{ErrorCode::kNotFound, fmt::format("api: key: `{}`: no such key", id.substr(0, 80))});
  }
  if (auto done = settings.delete_key(id, caller.actor()); !done) return http::error_response(done.error());
  return no_content();
}

Response list_names(Repository& settings, const Caller& caller) {
  auto snapshot = settings.snapshot();
  std::string out = R"({"names":[)";
  for (const OutsideName& name : snapshot->outside_names()) {
    if (!caller.may(Permission::manage, name.project)) continue;
    append_comma(out);
    append(out, name, *snapshot);
  }
  return http::json_response(200, out + "]}");
}

Response add_name(Repository& settings, const Caller& caller, std::string_view text) {
  auto body = Body::parse(text, {"value", "project"});
  if (!body) return http::error_response(body.error());
  auto value = body->needed_text("value");
  if (!value) return http::error_response(value.error());
  auto project = project_field(*body, caller, Permission::manage, *settings.snapshot());
  if (!project) return http::error_response(project.error());
  if (!*project) return http::error_response(Error{ErrorCode::kBadInput, "api: body: project: is missing"});
  auto done = settings.add_outside_name(*value, **project, caller.actor());
  if (!done) return http::error_response(done.error());
  std::string out;
  append(out, OutsideName{*value, **project}, *settings.snapshot());
  return http::json_response(201, std::move(out));
}

Response delete_name(Repository& settings, const Caller& caller, std::string_view value) {
  auto snapshot = settings.snapshot();
  const Project* project = snapshot->project_of_outside_name(value);
  if (project == nullptr || !caller.may(Permission::manage, project->id)) {
    return http::error_response(
        Error{ErrorCode::kNotFound, fmt::format("api: outside name: `{}`: no such name", value.substr(0, 80))});
  }
  if (auto done = settings.delete_outside_name(value, caller.actor()); !done) return http::error_response(done.error());
  return no_content();
}

Response list_rules(Repository& settings, const Caller& caller, std::string_view reference) {
  auto snapshot = settings.snapshot();
  std::optional<ProjectId> only;
  if (!reference.empty()) {
    auto project = project_for(*snapshot, caller, Permission::manage, reference);
    if (!project) return http::error_response(project.error());
    only = (*project)->id;
  }
  std::string out = R"({"rules":[)";
  for (const TrafficRule& rule : snapshot->traffic_rules()) {
    if (!may(caller, Permission::manage, rule.project) || (only && rule.project != only)) continue;
    append_comma(out);
    append(out, rule, *snapshot);
  }
  return http::json_response(200, out + "]}");
}

Response add_rule(Repository& settings, const Caller& caller, std::string_view text) {
  auto body = Body::parse(text, {"project", "kind", "value", "label", "note"});
  if (!body) return http::error_response(body.error());
  TrafficRule wanted;
  auto project = project_field(*body, caller, Permission::manage, *settings.snapshot());
  if (!project) return http::error_response(project.error());
  wanted.project = *project;
  auto kind = body->needed_text("kind");
  if (!kind) return http::error_response(kind.error());
  if (!settings::parse_rule_kind(*kind, wanted.kind)) {
    return http::error_response(
        Error{ErrorCode::kBadInput,
              fmt::format("api: body: kind: `{}`: expected one of address, hostname, referrer, path, user_agent",
                          std::string_view(*kind).substr(0, 80))});
  }
  auto value = body->needed_text("value");
  if (!value) return http::error_response(value.error());
  wanted.value = std::move(*value);
  auto label = body->needed_text("label");
  if (!label) return http::error_response(label.error());
  if (!settings::parse_rule_label(*label, wanted.label)) {
    return http::error_response(
        Error{ErrorCode::kBadInput, fmt::format("api: body: label: `{}`: expected one of internal, spam, bot",
                                                std::string_view(*label).substr(0, 80))});
  }
  auto note = body->text("note");
  if (!note) return http::error_response(note.error());
  wanted.note = note->value_or("");
  auto made = settings.add_traffic_rule(wanted, caller.actor());
  if (!made) return http::error_response(made.error());
  std::string out;
  append(out, *made, *settings.snapshot());
  return http::json_response(201, std::move(out));
}

Response delete_rule(Repository& settings, const Caller& caller, std::string_view id) {
  auto snapshot = settings.snapshot();
  const auto& rules = snapshot->traffic_rules();
  bool visible = std::any_of(rules.begin(), rules.end(), [&](const TrafficRule& rule) {
    return rule.id == id && may(caller, Permission::manage, rule.project);
  });
  if (!visible) {
    return http::error_response(
        Error{ErrorCode::kNotFound, fmt::format("api: rule: `{}`: no such rule", id.substr(0, 80))});
  }
  if (auto done = settings.delete_traffic_rule(id, caller.actor()); !done) return http::error_response(done.error());
  return no_content();
}

}  // namespace weir::api
