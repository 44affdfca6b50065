#include "weir/api/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/api/attempts.h"
#include "weir/base/check.h"

namespace weir::api {

namespace {
using http::Method;
using settings::Role;
using settings::Scope;

constexpr Permissions kViewer = {Permission::view};
constexpr Permissions kEditor = {Permission::view, Permission::sql, Permission::edit};
constexpr Permissions kAdmin = {Permission::view, Permission::sql, Permission::edit, Permission::manage,
                                Permission::people};
constexpr Permissions kOwner = {Permission::view,   Permission::sql, Permission::edit,    Permission::manage,
                                Permission::people, Permission::own, Permission::accounts};

constexpr Access kAnyone{Access::Who::anyone, Permission::view};
constexpr Access kPerson{Access::Who::person, Permission::view};
constexpr Access somewhere(Permission permission) { return {Access::Who::somewhere, permission}; }
constexpr Access everywhere(Permission permission) { return {Access::Who::everywhere, permission}; }
}  // namespace

Permissions permissions_of(Role role) {
  switch (role) {
    case Role::viewer:
      return kViewer;
    case Role::editor:
      return kEditor;
    case Role::admin:
      return kAdmin;
    case Role::owner:
      return kOwner;
  }
  return {};
}

Permissions permissions_of(Scope scope, bool everywhere) {
  switch (scope) {
    case Scope::capture:
      return {};
    case Scope::stats:
      return {Permission::view};
    case Scope::sql:
      return {Permission::view, Permission::sql};
    case Scope::admin:
      break;
  }
  // People are people's business: a key that leaked makes no accounts.
  Permissions admin = {Permission::view, Permission::sql, Permission::edit, Permission::manage};
  if (everywhere) admin |= {Permission::own};
  return admin;
}

Caller Caller::owner() {
  Caller caller;
  caller.kind_ = Kind::owner;
  caller.name_ = "owner";
  caller.actor_.who = "owner";
  caller.everywhere_ = kOwner;
  return caller;
}

Caller Caller::key(const settings::Key& key) {
  Caller caller;
  caller.kind_ = Kind::key;
  caller.name_ = "key " + key.id;
  caller.actor_.who = fmt::format("key {} ({})", key.name, key.id);
  if (key.project) {
    caller.somewhere_.emplace_back(*key.project, permissions_of(key.scope, false));
  } else {
    caller.everywhere_ = permissions_of(key.scope, true);
  }
  return caller;
}

Caller Caller::person(const settings::User& user, std::string session) {
  Caller caller;
  caller.kind_ = Kind::person;
  caller.name_ = "user " + to_string(user.id);
  caller.actor_.who = user.email;
  caller.user_ = user.id;
  caller.session_ = std::move(session);
  for (const settings::Grant& grant : user.grants) {
    if (grant.project) {
      caller.somewhere_.emplace_back(*grant.project, permissions_of(grant.role));
    } else {
      caller.everywhere_ |= permissions_of(grant.role);
    }
  }
  return caller;
}

Caller Caller::share(const settings::Share& share) {
  Caller caller;
  caller.kind_ = Kind::share;
  caller.name_ = "share " + share.id;
  caller.actor_.who = caller.name_;
  caller.session_ = share.id;
  caller.filters_ = share.segment;
  caller.somewhere_.emplace_back(share.project, kViewer);
  return caller;
}

Asker Caller::asker() const {
  return {name_, kind_ == Kind::share ? Attempts::of_address(actor_.address) : std::string()};
}

bool Caller::may(Permission permission, ProjectId project) const {
  return everywhere_.has(permission) || std::any_of(somewhere_.begin(), somewhere_.end(), [&](const auto& one) {
           return one.first == project && one.second.has(permission);
         });
}

bool Caller::may_somewhere(Permission permission) const {
  return everywhere_.has(permission) ||
         std::any_of(somewhere_.begin(), somewhere_.end(), [&](const auto& one) { return one.second.has(permission); });
}

std::optional<std::vector<ProjectId>> Caller::projects(Permission permission) const {
  if (everywhere_.has(permission)) return std::nullopt;
  std::vector<ProjectId> projects;
  for (const auto& [project, permissions] : somewhere_) {
    if (permissions.has(permission)) projects.push_back(project);
  }
  return projects;
}

const std::vector<RouteAccess>& access_table() {
  constexpr Access view = somewhere(Permission::view);
  constexpr Access sql = somewhere(Permission::sql);
  constexpr Access edit = somewhere(Permission::edit);
  constexpr Access manage = somewhere(Permission::manage);
  constexpr Access people = somewhere(Permission::people);
  constexpr Access own = everywhere(Permission::own);
  constexpr Access accounts = everywhere(Permission::accounts);
  static const std::vector<RouteAccess> table = {
      {Method::get, "/api/openapi.json", kAnyone},
      {Method::get, "/api/v1/session", kAnyone},
      {Method::post, "/api/v1/session", kAnyone},
      {Method::del, "/api/v1/session", kAnyone},
      {Method::post, "/api/v1/setup", kAnyone},
      {Method::post, "/api/v1/share", kAnyone},
      {Method::post, "/api/v1/invitations/look", kAnyone},
      {Method::post, "/api/v1/invitations/accept", kAnyone},
      {Method::get, "/api/v1/account", kPerson},
      {Method::patch, "/api/v1/account", kPerson},
      {Method::get, "/api/v1/account/sessions", kPerson},
      {Method::del, "/api/v1/account/sessions/*", kPerson},
      {Method::post, "/api/v1/account/second-factor", kPerson},
      {Method::post, "/api/v1/account/second-factor/confirm", kPerson},
      {Method::del, "/api/v1/account/second-factor", kPerson},
      {Method::get, "/api/v1/users", people},
      {Method::post, "/api/v1/users", accounts},
      {Method::post, "/api/v1/users/password", accounts},
      {Method::patch, "/api/v1/users/*", people},
      {Method::del, "/api/v1/users/*", people},
      {Method::get, "/api/v1/invitations", people},
      {Method::post, "/api/v1/invitations", people},
      {Method::del, "/api/v1/invitations/*", people},
      {Method::get, "/api/v1/policy", accounts},
      {Method::patch, "/api/v1/policy", accounts},
      {Method::get, "/api/v1/audit", manage},
      {Method::get, "/api/v1/shares", manage},
      {Method::post, "/api/v1/shares", manage},
      {Method::del, "/api/v1/shares/*", manage},
      {Method::get, "/api/v1/projects", view},
      {Method::post, "/api/v1/projects", own},
      {Method::get, "/api/v1/projects/*", view},
      {Method::patch, "/api/v1/projects/*", manage},
      {Method::del, "/api/v1/projects/*", own},
      {Method::get, "/api/v1/keys", manage},
      {Method::post, "/api/v1/keys", manage},
      {Method::del, "/api/v1/keys/*", manage},
      {Method::get, "/api/v1/names", manage},
      {Method::post, "/api/v1/names", manage},
      {Method::del, "/api/v1/names", manage},
      {Method::get, "/api/v1/rules", manage},
      {Method::post, "/api/v1/rules", manage},
      {Method::del, "/api/v1/rules/*", manage},
      {Method::get, "/api/v1/goals", view},
      {Method::post, "/api/v1/goals", edit},
      {Method::patch, "/api/v1/goals/*", edit},
      {Method::del, "/api/v1/goals/*", edit},
      // Who sees a project may have segments of their own in it; the handlers keep the shared ones to editors.
      {Method::get, "/api/v1/segments", view},
      {Method::post, "/api/v1/segments", view},
      {Method::patch, "/api/v1/segments/*", view},
      {Method::del, "/api/v1/segments/*", view},
      {Method::get, "/api/v1/annotations", view},
      {Method::post, "/api/v1/annotations", edit},
      {Method::patch, "/api/v1/annotations/*", edit},
      {Method::del, "/api/v1/annotations/*", edit},
      {Method::get, "/api/v1/properties", view},
      {Method::post, "/api/v1/properties", edit},
      {Method::patch, "/api/v1/properties/*", edit},
      {Method::del, "/api/v1/properties/*", edit},
      {Method::get, "/api/v1/queries", sql},
      {Method::post, "/api/v1/queries", edit},
      {Method::patch, "/api/v1/queries/*", edit},
      {Method::del, "/api/v1/queries/*", edit},
      {Method::post, "/api/v1/query", view},
      {Method::post, "/api/v2/query", view},
      {Method::post, "/api/v1/sql", sql},
      {Method::get, "/api/v1/sql/schema", sql},
      {Method::get, "/api/v1/live", view},
      {Method::post, "/api/v1/explain", sql},
      {Method::get, "/api/v1/system", own},
      {Method::post, "/api/v1/import/access-log", manage},
      {Method::post, "/api/v1/seed", manage},
      {Method::post, "/api/v1/journal/replay", own},
      {Method::post, "/api/v1/journal/resend", own},
      {Method::get, "/api/v1/journal/days", own},
      {Method::post, "/api/v1/journal/re-enrich", own},
      {Method::get, "/api/v1/trace", edit},
  };
  return table;
}

const Access& access_of(http::Method method, std::string_view path) {
  for (const RouteAccess& route : access_table()) {
    if (route.method == method && route.path == path) return route.access;
  }
  fatal("api: a route without its line in the access table");
}

}  // namespace weir::api
