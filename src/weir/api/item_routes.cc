#include "weir/api/item_routes.h"

#include <fmt/format.h>

#include <boost/json.hpp>

#include "weir/api/answers.h"
#include "weir/base/json_writer.h"

namespace weir::api {

namespace {
namespace json = boost::json;
using http::Response;
using settings::Item;
using settings::ItemKind;
using settings::Repository;
using settings::Snapshot;

Error bad(std::string message) { return {ErrorCode::kBadInput, "api: body: " + std::move(message)}; }

Error no_item(ItemKind kind, std::string_view id) {
  return {ErrorCode::kNotFound,
          fmt::format("api: {}: `{}`: no such {}", name_of(kind), id.substr(0, 80), name_of(kind))};
}

bool may(const Caller& caller, Permission permission, const Item& item) {
  return item.project ? caller.may(permission, *item.project) : caller.may_everywhere(permission);
}

// Personal ones are there for their owner alone; what people named and cut out for themselves is not for strangers.
bool sees(const Caller& caller, const Item& item) {
  if (item.owner && item.owner != caller.user()) return false;
  if (item.kind == ItemKind::segment && caller.kind() == Caller::Kind::share) return false;
  if (item.owner && !item.project) return true;
  return may(caller, item.kind == ItemKind::query ? Permission::sql : Permission::view, item);
}

// Whether the caller may make or change `item` as it is: their own, as long as they see the project; everybody's, as
// an editor.
Result<> may_change(const Caller& caller, const Item& item) {
  if (item.owner ? item.owner == caller.user() && sees(caller, item) : may(caller, Permission::edit, item)) return {};
  return forbidden(caller, "to what is everybody's");
}

void append(std::string& out, const Item& item, const Snapshot& snapshot) {
  out += '{';
  append_text(out, "id", item.id);
  append_project_name(out, snapshot, item.project);
  append_text(out, "name", item.name);
  append_json_key(out, "owner");
  out += item.owner ? R"("me")" : "null";
  append_moment(out, "created_at", item.created_at);
  append_moment(out, "updated_at", item.updated_at);
  std::string_view fields(item.body);  // `{...}`, never empty
  out += ',';
  out += fields.substr(1);
}

// What a request's body says: the fields of each item apart, what is left is the item's own body.
struct Wanted {
  std::optional<std::string> project;
  std::optional<std::string> name;
  std::optional<bool> personal;
  json::object body;
};

Result<std::optional<std::string>> take_text(json::object& object, std::string_view field) {
  std::optional<std::string> text;
  const json::value* value = object.if_contains(field);
  if (value == nullptr) return text;
  if (!value->is_null()) {
    if (!value->is_string()) return bad(fmt::format("{}: expected a text", field));
    text = std::string_view(value->get_string());
  }
  object.stable_erase(field);
  return text;
}

Result<Wanted> read(std::string_view text) {
  boost::system::error_code failed;
  json::value whole = json::parse({text.data(), text.size()}, failed);
  if (failed) return bad("not JSON: " + failed.message());
  if (!whole.is_object()) return bad("expected a JSON object");
  Wanted wanted;
  json::object& object = whole.get_object();
  auto project = take_text(object, "project");
  if (!project) return std::move(project).error();
  wanted.project = std::move(*project);
  auto name = take_text(object, "name");
  if (!name) return std::move(name).error();
  wanted.name = std::move(*name);
  if (const json::value* personal = object.if_contains("personal"); personal != nullptr) {
    if (!personal->is_bool()) return bad("personal: expected true or false");
    wanted.personal = personal->get_bool();
    object.stable_erase("personal");
  }
  wanted.body = std::move(object);
  return wanted;
}

// Makes it personal, or everybody's, or leaves it as it is.
Result<> set_owner(Item& item, std::optional<bool> personal, const Caller& caller) {
  if (!personal) return {};
  item.owner.reset();
  if (!*personal) return {};
  if (item.kind != ItemKind::segment && item.kind != ItemKind::query)
    return bad(fmt::format("personal: a {} is everybody's", name_of(item.kind)));
  if (!caller.user()) return bad("personal: only a person has what is personal");
  item.owner = caller.user();
  return {};
}

Response whole(int status, const Item& item, const Snapshot& snapshot) {
  std::string out;
  append(out, item, snapshot);
  return http::json_response(status, std::move(out));
}
}  // namespace

Response list_items(Repository& settings, const Caller& caller, ItemKind kind, std::string_view reference) {
  auto snapshot = settings.snapshot();
  std::optional<ProjectId> project;
  if (!reference.empty()) {
    auto found =
        project_for(*snapshot, caller, kind == ItemKind::query ? Permission::sql : Permission::view, reference);
    if (!found) return http::error_response(found.error());
    project = (*found)->id;
  } else if (kind != ItemKind::query) {
    return http::error_response(Error{ErrorCode::kBadInput, "api: the query parameter `project` is missing"});
  }
  std::string out = fmt::format(R"({{"{}":[)", plural_of(kind));
  for (const Item& item : snapshot->items(project, kind)) {
    if (!sees(caller, item)) continue;
    append_comma(out);
    append(out, item, *snapshot);
  }
  return http::json_response(200, out + "]}");
}

Response create_item(Repository& settings, const Caller& caller, ItemKind kind, std::string_view text) {
  auto wanted = read(text);
  if (!wanted) return http::error_response(wanted.error());
  auto snapshot = settings.snapshot();
  Item item;
  item.kind = kind;
  if (wanted->project) {
    auto project = project_for(*snapshot, caller, Permission::view, *wanted->project);
    if (!project) return http::error_response(project.error());
    item.project = (*project)->id;
  }
  if (!wanted->name) return http::error_response(bad("name: is missing"));
  item.name = std::move(*wanted->name);
  if (auto fine = set_owner(item, wanted->personal, caller); !fine) return http::error_response(fine.error());
  if (auto fine = may_change(caller, item); !fine) return http::error_response(fine.error());
  item.body = json::serialize(wanted->body);
  auto made = settings.add_item(item, caller.actor());
  if (!made) return http::error_response(made.error());
  return whole(201, *made, *settings.snapshot());
}

Response change_item(Repository& settings, const Caller& caller, ItemKind kind, std::string_view id,
                     std::string_view text) {
  auto wanted = read(text);
  if (!wanted) return http::error_response(wanted.error());
  auto snapshot = settings.snapshot();
  const Item* kept = snapshot->item(id);
  if (kept == nullptr || kept->kind != kind || !sees(caller, *kept)) return http::error_response(no_item(kind, id));
  if (wanted->project) return http::error_response(bad("project: cannot be changed"));
  if (auto fine = may_change(caller, *kept); !fine) return http::error_response(fine.error());
  Item item = *kept;
  if (auto fine = set_owner(item, wanted->personal, caller); !fine) return http::error_response(fine.error());
  if (auto fine = may_change(caller, item); !fine) return http::error_response(fine.error());
  if (wanted->name) item.name = std::move(*wanted->name);
  // The fields given replace those that were; null takes one away.
  json::value body = json::parse(kept->body);
  for (const auto& member : wanted->body) body.as_object()[member.key()] = member.value();
  item.body = json::serialize(body);
  auto changed = settings.change_item(item, caller.actor());
  if (!changed) return http::error_response(changed.error());
  return whole(200, *changed, *settings.snapshot());
}

Response delete_item(Repository& settings, const Caller& caller, ItemKind kind, std::string_view id) {
  auto snapshot = settings.snapshot();
  const Item* kept = snapshot->item(id);
  if (kept == nullptr || kept->kind != kind || !sees(caller, *kept)) return http::error_response(no_item(kind, id));
  if (auto fine = may_change(caller, *kept); !fine) return http::error_response(fine.error());
  if (auto done = settings.delete_item(id, caller.actor()); !done) return http::error_response(done.error());
  return no_content();
}

}  // namespace weir::api
