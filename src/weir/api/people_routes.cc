#include "weir/api/people_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "weir/api/answers.h"
#include "weir/api/body.h"
#include "weir/base/json_writer.h"

namespace weir::api {

namespace {
namespace json = boost::json;
using http::Response;
using settings::Grant;
using settings::Invitation;
using settings::Repository;
using settings::Role;
using settings::Share;
using settings::Snapshot;
using settings::User;

constexpr size_t kAuditDefault = 100;
constexpr size_t kAuditMax = 1'000;

Error bad(std::string message) { return {ErrorCode::kBadInput, "api: body: " + std::move(message)}; }
Error missing(std::string_view what, std::string_view id) {
  return {ErrorCode::kNotFound, fmt::format("api: {}: `{}`: no such {}", what, id.substr(0, 80), what)};
}

const User* find_user(const Snapshot& snapshot, std::string_view id) {
  uint64_t number = 0;
  auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  return error == std::errc{} && end == id.data() + id.size() ? snapshot.user(UserId{number}) : nullptr;
}

// Whether the caller sees that this person works here.
bool sees(const Caller& caller, const User& user) {
  return caller.may_everywhere(Permission::people) ||
         std::any_of(user.grants.begin(), user.grants.end(), [&](const Grant& grant) {
           return grant.project && caller.may(Permission::people, *grant.project);
         });
}

// The roles of `user` that are the caller's business: where they look after people, and those in all projects.
std::vector<Grant> visible_grants(const Caller& caller, const User& user) {
  std::vector<Grant> shown;
  for (const Grant& grant : user.grants) {
    if (!grant.project || caller.may(Permission::people, *grant.project)) shown.push_back(grant);
  }
  return shown;
}

void append(std::string& out, const User& user, const Caller& caller, const Snapshot& snapshot) {
  out += '{';
  append_text(out, "id", to_string(user.id));
  append_text(out, "email", user.email);
  append_text(out, "name", user.name);
  append_json_key(out, "grants");
  append_grants(out, snapshot, visible_grants(caller, user));
  append_json_key(out, "second_factor");
  out += user.totp_secret.empty() ? "false" : "true";
  append_moment(out, "created_at", user.created_at);
  out += '}';
}

// Without the closing brace, for the link of a new one.
void append_open(std::string& out, const Invitation& invitation, const Snapshot& snapshot) {
  out += '{';
  append_text(out, "id", invitation.id);
  append_text(out, "email", invitation.email);
  append_text(out, "role", name_of(invitation.grant.role));
  append_project_name(out, snapshot, invitation.grant.project);
  append_moment(out, "created_at", invitation.created_at);
  append_moment(out, "expires_at", invitation.expires_at);
}

void append_open(std::string& out, const Share& share, const Snapshot& snapshot) {
  out += '{';
  append_text(out, "id", share.id);
  append_project_name(out, snapshot, share.project);
  append_text(out, "name", share.name);
  append_json_key(out, "password");
  out += share.password.empty() ? "false" : "true";
  append_json_key(out, "segment");
  out += share.segment.empty() ? "null" : share.segment;
  out += R"(,"origins":[)";
  for (const std::string& origin : share.origins) {
    append_comma(out);
    append_json_string(out, origin);
  }
  out += ']';
  append_moment(out, "created_at", share.created_at);
  append_moment(out, "expires_at", share.expires_at);
}

// The list `grants` of a body: [{"project":"app","role":"editor"}].
Result<std::vector<Grant>> read_grants(const json::value& list, const Snapshot& snapshot, const Caller& caller) {
  if (!list.is_array()) return bad("grants: expected a list");
  std::vector<Grant> grants;
  for (const json::value& one : list.get_array()) {
    const json::object* object = one.if_object();
    const json::value* role = object == nullptr ? nullptr : object->if_contains("role");
    Grant grant;
    if (object == nullptr || object->size() > 2 || role == nullptr || !role->is_string() ||
        !parse_role(role->get_string(), grant.role))
      return bad("grants: expected objects of `project` (null: all) and `role` (viewer, editor, admin or owner)");
    const json::value* project = object->if_contains("project");
    if (project != nullptr && !project->is_null()) {
      if (!project->is_string()) return bad("grants: project: expected a name");
      auto found = project_for(snapshot, caller, Permission::view, project->get_string());
      if (!found) return std::move(found).error();
      grant.project = (*found)->id;
    }
    grants.push_back(grant);
  }
  return grants;
}

// The roles that `user` has when the caller asks for `wanted`: what is none of the caller's business stays as it is.
Result<std::vector<Grant>> merged(const User& user, const std::vector<Grant>& wanted, const Caller& caller) {
  auto had = [&](const Grant& grant) {
    return std::find(user.grants.begin(), user.grants.end(), grant) != user.grants.end();
  };
  std::vector<Grant> result;
  for (const Grant& grant : user.grants) {
    if (!may_grant(caller, grant)) result.push_back(grant);
  }
  for (const Grant& grant : wanted) {
    if (may_grant(caller, grant)) {
      result.push_back(grant);
    } else if (!had(grant)) {
      return forbidden(caller, fmt::format("to make somebody {} there", name_of(grant.role)));
    }
  }
  return result;
}

// The project that a list is narrowed to; nothing: all that the caller may see.
Result<std::optional<ProjectId>> narrowed(const Snapshot& snapshot, const Caller& caller, Permission permission,
                                          std::string_view reference) {
  if (reference.empty()) return std::optional<ProjectId>();
  auto project = project_for(snapshot, caller, permission, reference);
  if (!project) return std::move(project).error();
  return std::optional<ProjectId>((*project)->id);
}
}  // namespace

Response list_users(Repository& settings, const Caller& caller, std::string_view reference) {
  auto snapshot = settings.snapshot();
  auto project = narrowed(*snapshot, caller, Permission::people, reference);
  if (!project) return http::error_response(project.error());
  std::string out = R"({"users":[)";
  for (const User& user : snapshot->users()) {
    bool here = !*project || std::any_of(user.grants.begin(), user.grants.end(), [&](const Grant& grant) {
      return !grant.project || grant.project == *project;
    });
    if (!here || !(*project || sees(caller, user))) continue;
    append_comma(out);
    append(out, user, caller, *snapshot);
  }
  return http::json_response(200, out + "]}");
}

Response change_user(Repository& settings, const Caller& caller, std::string_view id, std::string_view text) {
  auto parsed = Body::parse(text, {"grants", "name", "email", "second_factor"});
  if (!parsed) return http::error_response(parsed.error());
  auto snapshot = settings.snapshot();
  const User* user = find_user(*snapshot, id);
  if (user == nullptr || !sees(caller, *user)) return http::error_response(missing("person", id));
  auto name = parsed->text("name");
  if (!name) return http::error_response(name.error());
  auto email = parsed->text("email");
  if (!email) return http::error_response(email.error());
  json::value body = json::parse({text.data(), text.size()});
  const json::value* factor = body.as_object().if_contains("second_factor");
  bool lost = factor != nullptr && !factor->is_null();
  // Who they are is for owners to change: it is how they sign in.
  if ((*name || *email || lost) && !caller.may_everywhere(Permission::accounts))
    return http::error_response(forbidden(caller, "to somebody's account"));
  if (lost && (!factor->is_bool() || factor->get_bool()))
    return http::error_response(bad("second_factor: may be set to false only, for who has lost theirs"));
  std::optional<std::vector<Grant>> wanted;
  if (const json::value* grants = body.as_object().if_contains("grants"); grants != nullptr && !grants->is_null()) {
    auto read = read_grants(*grants, *snapshot, caller);
    if (!read) return http::error_response(read.error());
    wanted = std::move(*read);
  }
  auto changed = settings.change_user(
      user->id,
      [&](User& kept) -> Result<> {
        if (wanted) {
          auto grants = merged(kept, *wanted, caller);
          if (!grants) return std::move(grants).error();
          kept.grants = std::move(*grants);
        }
        if (*name) kept.name = **name;
        if (*email) kept.email = **email;
        if (lost) {
          kept.totp_secret.clear();
          kept.recovery.clear();
        }
        return {};
      },
      caller.actor());
  if (!changed) return http::error_response(changed.error());
  std::string out;
  append(out, *changed, caller, *settings.snapshot());
  return http::json_response(200, std::move(out));
}

Response delete_user(Repository& settings, Sessions& sessions, const Caller& caller, std::string_view id) {
  auto snapshot = settings.snapshot();
  const User* user = find_user(*snapshot, id);
  if (user == nullptr || !sees(caller, *user)) return http::error_response(missing("person", id));
  bool all = caller.may_everywhere(Permission::people) &&
             std::all_of(user->grants.begin(), user->grants.end(),
                         [&](const Grant& grant) { return may_grant(caller, grant); });
  if (!all) return http::error_response(forbidden(caller, "to this account"));
  if (auto done = settings.delete_user(user->id, caller.actor()); !done) return http::error_response(done.error());
  if (auto ended = sessions.end_others(user->id, ""); !ended) return http::error_response(ended.error());
  return no_content();
}

Response list_invitations(Repository& settings, const Caller& caller, std::string_view reference) {
  auto snapshot = settings.snapshot();
  auto project = narrowed(*snapshot, caller, Permission::people, reference);
  if (!project) return http::error_response(project.error());
  std::string out = R"({"invitations":[)";
  for (const Invitation& invitation : snapshot->invitations()) {
    if (!may_grant(caller, invitation.grant) || (*project && invitation.grant.project != *project)) continue;
    append_comma(out);
    append_open(out, invitation, *snapshot);
    out += '}';
  }
  return http::json_response(200, out + "]}");
}

Response create_invitation(Repository& settings, const Caller& caller, std::string_view text) {
  auto body = Body::parse(text, {"email", "role", "project"});
  if (!body) return http::error_response(body.error());
  auto email = body->needed_text("email");
  if (!email) return http::error_response(email.error());
  auto grant = grant_field(*body, caller, *settings.snapshot());
  if (!grant) return http::error_response(grant.error());
  auto made = settings.invite(*email, *grant, caller.actor());
  if (!made) return http::error_response(made.error());
  std::string out;
  append_open(out, made->invitation, *settings.snapshot());
  append_text(out, "link", "/ui/invite#" + made->token);
  Response response = http::json_response(201, out + "}");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Response delete_invitation(Repository& settings, const Caller& caller, std::string_view id) {
  auto snapshot = settings.snapshot();
  bool visible = std::any_of(snapshot->invitations().begin(), snapshot->invitations().end(),
                             [&](const Invitation& i) { return i.id == id && may_grant(caller, i.grant); });
  if (!visible) return http::error_response(missing("invitation", id));
  if (auto done = settings.delete_invitation(id, caller.actor()); !done) return http::error_response(done.error());
  return no_content();
}

Response list_shares(Repository& settings, const Caller& caller, std::string_view reference) {
  auto snapshot = settings.snapshot();
  auto project = narrowed(*snapshot, caller, Permission::manage, reference);
  if (!project) return http::error_response(project.error());
  std::string out = R"({"shares":[)";
  for (const Share& share : snapshot->shares()) {
    if (!caller.may(Permission::manage, share.project) || (*project && share.project != *project)) continue;
    append_comma(out);
    append_open(out, share, *snapshot);
    out += '}';
  }
  return http::json_response(200, out + "]}");
}

Response create_share(Repository& settings, const Caller& caller, std::string_view text, std::string_view hash) {
  auto body = Body::parse(text, {"project", "name", "password", "expires_at", "segment", "origins"});
  if (!body) return http::error_response(body.error());
  auto reference = body->needed_text("project");
  if (!reference) return http::error_response(reference.error());
  auto snapshot = settings.snapshot();
  auto project = project_for(*snapshot, caller, Permission::manage, *reference);
  if (!project) return http::error_response(project.error());
  auto name = body->needed_text("name");
  if (!name) return http::error_response(name.error());
  auto expires_at = body->moment("expires_at");
  if (!expires_at) return http::error_response(expires_at.error());
  Share share;
  share.project = (*project)->id;
  share.name = std::move(*name);
  share.password = hash;
  share.expires_at = expires_at->value_or(0);
  json::value whole = json::parse({text.data(), text.size()});
  if (const json::value* segment = whole.as_object().if_contains("segment"); segment != nullptr && !segment->is_null())
    share.segment = json::serialize(*segment);
  if (const json::value* origins = whole.as_object().if_contains("origins");
      origins != nullptr && !origins->is_null()) {
    if (!origins->is_array()) return http::error_response(bad("origins: expected a list"));
    for (const json::value& origin : origins->get_array()) {
      if (!origin.is_string()) return http::error_response(bad("origins: expected texts"));
      share.origins.emplace_back(std::string_view(origin.get_string()));
    }
  }
  auto made = settings.create_share(share, caller.actor());
  if (!made) return http::error_response(made.error());
  std::string out;
  append_open(out, made->share, *settings.snapshot());
  append_text(out, "link", "/ui/share/" + made->token);
  Response response = http::json_response(201, out + "}");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Response delete_share(Repository& settings, const Caller& caller, std::string_view id) {
  auto snapshot = settings.snapshot();
  const Share* share = snapshot->share(id);
  if (share == nullptr || !caller.may(Permission::manage, share->project))
    return http::error_response(missing("shared link", id));
  if (auto done = settings.delete_share(id, caller.actor()); !done) return http::error_response(done.error());
  return no_content();
}

Response list_audit(Repository& settings, const Caller& caller, std::string_view query) {
  auto snapshot = settings.snapshot();
  std::string reference;
  http::query_parameter(query, "project", reference);
  auto project = narrowed(*snapshot, caller, Permission::manage, reference);
  if (!project) return http::error_response(project.error());
  // What is of no project, such as people, is for owners.
  if (!*project && !caller.may_everywhere(Permission::own))
    return http::error_response(Error{ErrorCode::kForbidden, "api: audit: name the project, which you may manage"});
  auto number = [&](std::string_view name, int64_t otherwise) -> Result<int64_t> {
    std::string value;
    if (!http::query_parameter(query, name, value)) return otherwise;
    int64_t parsed = 0;
    auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), parsed);
    if (error == std::errc{} && end == value.data() + value.size() && parsed > 0) return parsed;
    return Error{ErrorCode::kBadInput, fmt::format("api: {}: expected a whole number above 0", name)};
  };
  auto before = number("before", 0);
  if (!before) return http::error_response(before.error());
  auto limit = number("limit", kAuditDefault);
  if (!limit) return http::error_response(limit.error());
  auto entries = settings.audit(*before, std::min<size_t>(static_cast<size_t>(*limit), kAuditMax), *project);
  if (!entries) return http::error_response(entries.error());
  std::string out = R"({"entries":[)";
  for (const settings::AuditEntry& entry : *entries) {
    append_comma(out);
    out += fmt::format(R"({{"number":{})", entry.number);
    append_moment(out, "at", entry.at);
    append_text(out, "who", entry.actor.who);
    append_text(out, "address", entry.actor.address);
    append_project_name(out, *snapshot, entry.project);
    append_text(out, "action", entry.action);
    append_text(out, "subject", entry.subject);
    append_json_key(out, "detail");
    out += entry.detail + "}";
  }
  return http::json_response(200, out + "]}");
}

Response get_policy(Repository& settings) {
  return http::json_response(
      200, fmt::format(R"({{"second_factor_required":{}}})", settings.snapshot()->policy().second_factor));
}

Response change_policy(Repository& settings, const Caller& caller, std::string_view text) {
  auto parsed = Body::parse(text, {"second_factor_required"});
  if (!parsed) return http::error_response(parsed.error());
  json::value body = json::parse({text.data(), text.size()});
  settings::Policy policy = settings.snapshot()->policy();
  if (const json::value* factor = body.as_object().if_contains("second_factor_required"); factor != nullptr) {
    if (!factor->is_bool()) return http::error_response(bad("second_factor_required: expected true or false"));
    policy.second_factor = factor->get_bool();
  }
  if (auto done = settings.change_policy(policy, caller.actor()); !done) return http::error_response(done.error());
  return get_policy(settings);
}

}  // namespace weir::api
