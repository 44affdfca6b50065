#include "weir/api/access.h"

#include "weir/base/check.h"

namespace weir::api {

namespace {
using http::Method;
using settings::Scope;

// "Bearer <secret>", the scheme in any case; empty when there is none.
std::string_view bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  for (size_t i = 0; i < kScheme.size(); ++i) {
    char c = authorization[i];
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c != kScheme[i]) return {};
  }
  std::string_view secret = authorization.substr(kScheme.size());
  while (!secret.empty() && secret.front() == ' ') secret.remove_prefix(1);
  return secret;
}
}  // namespace

const std::vector<RouteAccess>& access_table() {
  static const std::vector<Scope> readers = {Scope::stats, Scope::sql, Scope::admin};
  static const std::vector<Scope> analysts = {Scope::sql, Scope::admin};
  static const std::vector<Scope> admins = {Scope::admin};
  static const std::vector<RouteAccess> table = {
      {Method::get, "/api/v1/projects", {readers, true}},
      {Method::post, "/api/v1/projects", {admins, false}},
      {Method::get, "/api/v1/projects/*", {readers, true}},
      {Method::patch, "/api/v1/projects/*", {admins, true}},
      {Method::del, "/api/v1/projects/*", {admins, false}},
      {Method::get, "/api/v1/keys", {admins, true}},
      {Method::post, "/api/v1/keys", {admins, true}},
      {Method::del, "/api/v1/keys/*", {admins, true}},
      {Method::get, "/api/v1/names", {admins, true}},
      {Method::post, "/api/v1/names", {admins, true}},
      {Method::del, "/api/v1/names", {admins, true}},
      {Method::get, "/api/v1/rules", {admins, true}},
      {Method::post, "/api/v1/rules", {admins, true}},
      {Method::del, "/api/v1/rules/*", {admins, true}},
      {Method::get, "/api/v1/goals", {readers, true}},
      {Method::post, "/api/v1/goals", {admins, true}},
      {Method::patch, "/api/v1/goals/*", {admins, true}},
      {Method::del, "/api/v1/goals/*", {admins, true}},
      {Method::get, "/api/v1/segments", {readers, true}},
      {Method::post, "/api/v1/segments", {admins, true}},
      {Method::patch, "/api/v1/segments/*", {admins, true}},
      {Method::del, "/api/v1/segments/*", {admins, true}},
      {Method::get, "/api/v1/annotations", {readers, true}},
      {Method::post, "/api/v1/annotations", {admins, true}},
      {Method::patch, "/api/v1/annotations/*", {admins, true}},
      {Method::del, "/api/v1/annotations/*", {admins, true}},
      {Method::get, "/api/v1/properties", {readers, true}},
      {Method::post, "/api/v1/properties", {admins, true}},
      {Method::patch, "/api/v1/properties/*", {admins, true}},
      {Method::del, "/api/v1/properties/*", {admins, true}},
      {Method::get, "/api/v1/queries", {analysts, true}},
      {Method::post, "/api/v1/queries", {analysts, true}},
      {Method::patch, "/api/v1/queries/*", {analysts, true}},
      {Method::del, "/api/v1/queries/*", {analysts, true}},
      {Method::post, "/api/v1/sql", {analysts, true}},
      {Method::get, "/api/v1/sql/schema", {analysts, true}},
      {Method::get, "/api/v1/live", {readers, true}},
      {Method::post, "/api/v1/explain", {analysts, true}},
      {Method::get, "/api/v1/system", {admins, false}},
      {Method::post, "/api/v1/import/access-log", {admins, true}},
      {Method::post, "/api/v1/seed", {admins, true}},
      {Method::post, "/api/v1/journal/replay", {admins, false}},
      {Method::post, "/api/v1/journal/resend", {admins, false}},
      {Method::get, "/api/v1/journal/days", {admins, false}},
      {Method::post, "/api/v1/journal/re-enrich", {admins, false}},
      {Method::get, "/api/v1/trace", {admins, true}},
  };
  return table;
}

const Access& access_of(http::Method method, std::string_view path) {
  for (const RouteAccess& route : access_table()) {
    if (route.method == method && route.path == path) return route.access;
  }
  fatal("api: a route without its line in the access table");
}

Result<Caller> authorize(const http::Request& request, const Access& access, const settings::Snapshot& snapshot,
                         UnixMillis now) {
  if (request.from_owner) return Caller{true, Scope::admin, std::nullopt, "owner"};
  std::string_view secret = bearer(request.header("authorization"));
  if (secret.empty()) {
    return Error{ErrorCode::kUnauthenticated, "api: a key is needed: send the header Authorization: Bearer <key>"};
  }
  const settings::Key* key = snapshot.key_of_secret(secret, now);
  if (key == nullptr) return Error{ErrorCode::kUnauthenticated, "api: no such key, or it has expired"};
  bool fits = false;
  std::string wanted;
  for (Scope scope : access.scopes) {
    fits = fits || scope == key->scope;
    wanted += (wanted.empty() ? "" : " or ") + std::string(name_of(scope));
  }
  if (!fits) {
    return Error{ErrorCode::kForbidden,
                 "api: this key has scope " + std::string(name_of(key->scope)) + "; needed is " + wanted};
  }
  if (key->project && !access.project_keys) {
    return Error{ErrorCode::kForbidden, "api: this key is of one project; needed is one of all projects"};
  }
  return Caller{false, key->scope, key->project, "key " + key->id};
}

}  // namespace weir::api
