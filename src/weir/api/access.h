#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

// Who may call what: one table, one function that applies it.
namespace weir::api {

// What a route demands of its caller. The owner, who came over the Unix socket, may do everything.
struct Access {
  std::vector<settings::Scope> scopes;  // one of these
  // Whether a key of one project may come in at all; the handler then keeps to Caller::project.
  bool project_keys = false;
};

// The person or program behind a request.
struct Caller {
  bool owner = false;
  settings::Scope scope = settings::Scope::admin;
  std::optional<ProjectId> project;  // set: nothing but this project exists for them
  std::string name = {};             // who it is, for limits a caller

  bool sees(ProjectId id) const { return !project || *project == id; }
};

// The caller of `request`, by its key (Authorization: Bearer) in `snapshot`, if `access` lets them in.
// Errors: kUnauthenticated (no key, or not one of ours, or expired), kForbidden (the key's scope or project).
Result<Caller> authorize(const http::Request& request, const Access& access, const settings::Snapshot& snapshot,
                         UnixMillis now);

struct RouteAccess {
  http::Method method;
  std::string_view path;  // as the router has it
  Access access;
};
// Every route that asks for a key of scope stats, sql or admin, with what it demands.
const std::vector<RouteAccess>& access_table();
// That of one route, which must be in the table.
const Access& access_of(http::Method method, std::string_view path);

}  // namespace weir::api
