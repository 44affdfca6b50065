#include "weir/api/description.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string_view>
#include <vector>

#include "weir/api/access.h"
#include "weir/base/check.h"
#include "weir/http/router.h"

namespace weir::api {

namespace {
namespace json = boost::json;
using http::Method;

// What a person has to know of a route. `query` and `body` list fields by blanks: `name!` must be given,
// `limit:integer` is of that JSON type, else a text. `answer`: the media type, empty for none.
struct Described {
  Method method;
  std::string_view path;  // as access_table() has it
  std::string_view summary;
  std::string_view query = "";
  std::string_view body = "";
  int status = 200;
  std::string_view answer = "application/json";
  std::string_view takes = "application/json";
};

const std::vector<Described>& descriptions() {
  static const std::vector<Described> all = {
      {Method::get, "/api/openapi.json", "This description"},
      {Method::get, "/api/v1/session", "Who is signed in, and which projects they see"},
      {Method::post, "/api/v1/session", "Sign in", "", "email! password! code"},
      {Method::del, "/api/v1/session", "Sign out", "", "", 204, ""},
      {Method::post, "/api/v1/setup", "Make the first account", "", "token! email! name password!"},
      {Method::post, "/api/v1/share", "Open a shared link", "", "token! password"},
      {Method::post, "/api/v1/invitations/look", "Whom an invitation is for", "", "token!"},
      {Method::post, "/api/v1/invitations/accept", "Accept an invitation", "", "token! name password"},
      {Method::get, "/api/v1/account", "One's own account"},
      {Method::patch, "/api/v1/account", "Change one's own account", "", "name email password current_password"},
      {Method::get, "/api/v1/account/sessions", "Where one is signed in"},
      {Method::del, "/api/v1/account/sessions/*", "End a session", "", "", 204, ""},
      {Method::post, "/api/v1/account/second-factor", "Begin to set up a second factor"},
      {Method::post, "/api/v1/account/second-factor/confirm", "Set up the second factor", "", "code!"},
      {Method::del, "/api/v1/account/second-factor", "Give up the second factor", "", "current_password!", 204, ""},
      {Method::get, "/api/v1/users", "People and their roles", "project"},
      {Method::post, "/api/v1/users", "Create an account", "", "email! name password! role! project", 201},
      {Method::post, "/api/v1/users/password", "Set somebody's password", "", "email! password!", 204, ""},
      {Method::patch, "/api/v1/users/*", "Change somebody's roles or account", "",
       "grants:array name email second_factor:boolean"},
      {Method::del, "/api/v1/users/*", "Delete an account", "", "", 204, ""},
      {Method::get, "/api/v1/invitations", "Invitations not used yet", "project"},
      {Method::post, "/api/v1/invitations", "Invite somebody", "", "email! role! project", 201},
      {Method::del, "/api/v1/invitations/*", "Take back an invitation", "", "", 204, ""},
      {Method::get, "/api/v1/policy", "What holds for everybody"},
      {Method::patch, "/api/v1/policy", "Change what holds for everybody", "", "second_factor_required:boolean"},
      {Method::get, "/api/v1/audit", "Who changed what", "project before:integer limit:integer"},
      {Method::get, "/api/v1/shares", "Shared links", "project"},
      {Method::post, "/api/v1/shares", "Make a shared link", "",
       "project! name! password expires_at segment:array origins:array", 201},
      {Method::del, "/api/v1/shares/*", "End a shared link", "", "", 204, ""},
      {Method::get, "/api/v1/projects", "All projects that the caller sees"},
      {Method::post, "/api/v1/projects", "Create a project", "",
       "name! time_zone retention_days:integer ip_policy hostnames:array foreign_hostnames privacy_signals", 201},
      {Method::get, "/api/v1/projects/*", "One project"},
      {Method::patch, "/api/v1/projects/*", "Change a project", "",
       "name time_zone retention_days:integer ip_policy hostnames:array foreign_hostnames privacy_signals"},
      {Method::del, "/api/v1/projects/*", "Delete a project", "", "", 204, ""},
      {Method::get, "/api/v1/keys", "API keys, without their secrets"},
      {Method::post, "/api/v1/keys", "Create an API key", "", "name! scope! project expires_at", 201},
      {Method::del, "/api/v1/keys/*", "Delete an API key", "", "", 204, ""},
      {Method::get, "/api/v1/names", "Outside names of projects"},
      {Method::post, "/api/v1/names", "Let an outside name mean a project", "", "value! project", 201},
      {Method::del, "/api/v1/names", "Take an outside name away", "value!", "", 204, ""},
      {Method::get, "/api/v1/rules", "Rules about traffic", "project"},
      {Method::post, "/api/v1/rules", "Add a rule", "", "kind! value! label! note project", 201},
      {Method::del, "/api/v1/rules/*", "Delete a rule", "", "", 204, ""},
      {Method::get, "/api/v1/goals", "Goals of a project", "project!"},
      {Method::post, "/api/v1/goals", "Make a goal", "", "project! name! event page property:object currency", 201},
      {Method::patch, "/api/v1/goals/*", "Change a goal", "", "name event page property:object currency"},
      {Method::del, "/api/v1/goals/*", "Delete a goal", "", "", 204, ""},
      {Method::get, "/api/v1/segments", "Segments of a project: everybody's and one's own", "project!"},
      {Method::post, "/api/v1/segments", "Make a segment", "", "project! name! personal:boolean filters:array!", 201},
      {Method::patch, "/api/v1/segments/*", "Change a segment", "", "name personal:boolean filters:array"},
      {Method::del, "/api/v1/segments/*", "Delete a segment", "", "", 204, ""},
      {Method::get, "/api/v1/annotations", "Annotations of a project", "project!"},
      {Method::post, "/api/v1/annotations", "Make an annotation", "", "project! name! date! text!", 201},
      {Method::patch, "/api/v1/annotations/*", "Change an annotation", "", "name date text"},
      {Method::del, "/api/v1/annotations/*", "Delete an annotation", "", "", 204, ""},
      {Method::get, "/api/v1/properties", "Custom properties that reports show", "project!"},
      {Method::post, "/api/v1/properties", "Show a custom property", "", "project! name! key!", 201},
      {Method::patch, "/api/v1/properties/*", "Change how a property is shown", "", "name key"},
      {Method::del, "/api/v1/properties/*", "Show a property no more", "", "", 204, ""},
      {Method::get, "/api/v1/queries", "Saved queries: everybody's and one's own", "project"},
      {Method::post, "/api/v1/queries", "Save a query", "", "project name! personal:boolean sql! chart:object", 201},
      {Method::patch, "/api/v1/queries/*", "Change a saved query", "", "name personal:boolean sql chart:object"},
      {Method::del, "/api/v1/queries/*", "Delete a saved query", "", "", 204, ""},
      {Method::post, "/api/v1/query", "Ask for numbers", "format",
       "site_id! metrics:array! date_range! dimensions:array filters:array order_by:array include:object "
       "pagination:object timezone traffic:array accuracy relative_date more_follow:boolean"},
      {Method::post, "/api/v2/query", "The same, where clients of Plausible's Stats API look for it", "format",
       "site_id! metrics:array! date_range! dimensions:array filters:array order_by:array include:object "
       "pagination:object timezone traffic:array accuracy relative_date more_follow:boolean"},
      {Method::post, "/api/v1/sql", "Ask one read-only SQL statement", "format", "", 200, "text/tab-separated-values",
       "text/plain"},
      {Method::get, "/api/v1/sql/schema", "The views that SQL sees"},
      {Method::get, "/api/v1/live", "What happens right now, as server-sent events", "project! rows filter", "", 200,
       "text/event-stream"},
      {Method::post, "/api/v1/explain", "What would become of events", "project!", "type!"},
      {Method::get, "/api/v1/trace", "Where an event is", "id! project"},
      {Method::get, "/api/v1/system", "How weir does"},
      {Method::post, "/api/v1/import/access-log", "Import lines of an access log",
       "project! format users assets pages_only host fields", "", 200, "application/json", "text/plain"},
      {Method::post, "/api/v1/seed", "Fill a project with a demo history",
       "project! events:integer! days:integer seed:integer end"},
      {Method::post, "/api/v1/journal/replay", "Send again what the store has not", "partition"},
      {Method::post, "/api/v1/journal/resend", "Try dead letters again", "partition"},
      {Method::get, "/api/v1/journal/days", "The days that have rows", "project from to"},
      {Method::post, "/api/v1/journal/re-enrich", "Enrich a day's rows anew", "project! day!"},
  };
  return all;
}

struct Field {
  std::string_view name;
  std::string_view type;
  bool needed = false;
};

// The next field of a list; false at its end.
bool next_field(std::string_view& list, Field& field) {
  if (list.empty()) return false;
  std::string_view word = list.substr(0, list.find(' '));
  list.remove_prefix(std::min(list.size(), word.size() + 1));
  field.needed = word.ends_with('!');
  if (field.needed) word.remove_suffix(1);
  size_t colon = word.find(':');
  field.name = word.substr(0, colon);
  field.type = colon == std::string_view::npos ? "string" : word.substr(colon + 1);
  return true;
}

std::string_view name_of(Permission permission) {
  switch (permission) {
    case Permission::view:
      return "view";
    case Permission::sql:
      return "sql";
    case Permission::edit:
      return "edit";
    case Permission::manage:
      return "manage";
    case Permission::people:
      return "people";
    case Permission::own:
      return "own";
    case Permission::accounts:
      return "accounts";
  }
  return "";
}

std::string_view name_of(Access::Who who) {
  switch (who) {
    case Access::Who::anyone:
      return "anyone";
    case Access::Who::person:
      return "person";
    case Access::Who::somewhere:
      return "project";
    case Access::Who::everywhere:
      return "all_projects";
  }
  return "";
}

json::object operation(const Described& route) {
  const Access& access = access_of(route.method, route.path);
  json::object out{{"summary", route.summary}};
  json::array parameters;
  if (route.path.ends_with('*')) {
    parameters.push_back({{"name", "id"}, {"in", "path"}, {"required", true}, {"schema", {{"type", "string"}}}});
  }
  Field field;
  for (std::string_view rest = route.query; next_field(rest, field);) {
    parameters.push_back(
        {{"name", field.name}, {"in", "query"}, {"required", field.needed}, {"schema", {{"type", field.type}}}});
  }
  if (!parameters.empty()) out["parameters"] = std::move(parameters);
  if (!route.body.empty()) {
    json::object properties;
    json::array required;
    for (std::string_view rest = route.body; next_field(rest, field);) {
      properties[field.name] = {{"type", field.type}};
      if (field.needed) required.emplace_back(field.name);
    }
    json::object schema{{"type", "object"}, {"properties", std::move(properties)}};
    if (!required.empty()) schema["required"] = std::move(required);
    out["requestBody"] = {{"required", true}, {"content", {{route.takes, {{"schema", std::move(schema)}}}}}};
  } else if (route.takes != "application/json") {
    out["requestBody"] = {{"required", true}, {"content", {{route.takes, {{"schema", {{"type", "string"}}}}}}}};
  }
  json::object good{{"description", "done"}};
  if (!route.answer.empty()) good["content"] = {{route.answer, json::object()}};
  json::object responses;
  responses[std::to_string(route.status)] = std::move(good);
  responses["default"] = {{"$ref", "#/components/responses/Error"}};
  out["responses"] = std::move(responses);
  json::object demanded{{"who", name_of(access.who)}};
  if (access.who == Access::Who::somewhere || access.who == Access::Who::everywhere)
    demanded["permission"] = name_of(access.permission);
  out["x-weir-access"] = std::move(demanded);
  if (access.who == Access::Who::anyone) out["security"] = json::array();
  return out;
}
}  // namespace

std::string openapi_json() {
  json::object paths;
  for (const Described& route : descriptions()) {
    std::string path(route.path);
    if (path.ends_with('*')) path = path.substr(0, path.size() - 1) + "{id}";
    std::string method(http::name_of(route.method));
    for (char& c : method) c = static_cast<char>(c | 0x20);
    json::value& at = paths[path];
    if (at.is_null()) at = json::object();
    WEIR_CHECK(!at.as_object().contains(method));
    at.as_object()[method] = operation(route);
  }
  json::object error{
      {"type", "object"},
      {"properties",
       {{"error",
         {{"type", "object"}, {"properties", {{"code", {{"type", "string"}}}, {"message", {{"type", "string"}}}}}}}}}};
  json::object document{
      {"openapi", "3.1.0"},
      {"info", {{"title", "weir"}, {"version", WEIR_VERSION}}},
      {"paths", std::move(paths)},
      {"components",
       {{"responses",
         {{"Error",
           {{"description", "what was wrong, and where"},
            {"content", {{"application/json", {{"schema", std::move(error)}}}}}}}}},
        {"securitySchemes",
         {{"key", {{"type", "http"}, {"scheme", "bearer"}}},
          {"session", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "weir_session"}}},
          {"share", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-Weir-Share"}}}}}}},
      {"security", json::array{json::object{{"key", json::array()}}, json::object{{"session", json::array()}},
                               json::object{{"share", json::array()}}}}};
  return json::serialize(document);
}

}  // namespace weir::api
