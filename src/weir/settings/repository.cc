#include <algorithm>

#include "weir/settings/edits.h"
#include "weir/settings/item_rules.h"
#include "weir/settings/limits.h"
#include "weir/settings/rules.h"
#include "weir/settings/settings.h"

// What each change means, whatever keeps the state. Those of people stand in repository_people.cc.
namespace weir::settings {

Result<Project> Repository::create_project(std::string_view name, const Actor& actor) {
  if (auto fine = check_project_name(name); !fine) return std::move(fine).error();
  Project project;
  project.id = new_project_id();
  project.name = name;
  project.created_at = clock_.now();
  auto done = change(actor, [&](State& state) -> Result<> {
    if (find(state, name) != nullptr) return taken("project name", name);
    if (state.projects.size() >= kProjectsMax) return too_many("projects", kProjectsMax);
    state.projects.push_back(project);
    return {};
  });
  if (!done) return std::move(done).error();
  return project;
}

Result<> Repository::change_project(const Project& wanted, const Actor& actor) {
  Project project = wanted;
  if (auto fine = check_project(project); !fine) return fine;
  return change(actor, [&](State& state) -> Result<> {
    Project* kept = find(state, project.id);
    if (kept == nullptr) return not_found("project", to_string(project.id));
    const Project* same_name = find(state, project.name);
    if (same_name != nullptr && same_name->id != project.id) return taken("project name", project.name);
    UnixMillis created_at = kept->created_at;
    *kept = project;
    kept->created_at = created_at;
    return {};
  });
}

Result<> Repository::delete_project(ProjectId id, const Actor& actor) {
  return change(actor, [&](State& state) -> Result<> {
    if (find(state, id) == nullptr) return not_found("project", to_string(id));
    auto of_it = [&](const auto& one) { return one.project == id; };
    std::erase_if(state.projects, [&](const Project& p) { return p.id == id; });
    std::erase_if(state.keys, of_it);
    std::erase_if(state.names, of_it);
    std::erase_if(state.rules, of_it);
    std::erase_if(state.items, of_it);
    std::erase_if(state.shares, of_it);
    std::erase_if(state.invitations, [&](const Invitation& i) { return i.grant.project == id; });
    for (User& user : state.users) std::erase_if(user.grants, of_it);
    state.retired.push_back(id);
    return {};
  });
}

Result<NewKey> Repository::create_key(std::string_view name, Scope scope, std::optional<ProjectId> project,
                                      UnixMillis expires_at, const Actor& actor) {
  UnixMillis now = clock_.now();
  if (auto fine = check_key(name, expires_at, now); !fine) return std::move(fine).error();
  NewKey made = new_key(name, scope, project, expires_at, now);
  auto done = change(actor, [&](State& state) -> Result<> {
    if (auto known = check_known(state, project); !known) return known;
    if (state.keys.size() >= kKeysMax) return too_many("keys", kKeysMax);
    state.keys.push_back(made.key);
    return {};
  });
  if (!done) return std::move(done).error();
  return made;
}

Result<> Repository::delete_key(std::string_view id, const Actor& actor) {
  return change(actor, [&](State& state) { return remove(state.keys, "key", id); });
}

Result<> Repository::add_outside_name(std::string_view value, ProjectId project, const Actor& actor) {
  if (auto fine = check_outside_name(value); !fine) return fine;
  return change(actor, [&](State& state) -> Result<> {
    if (auto known = check_known(state, project); !known) return known;
    for (const OutsideName& other : state.names) {
      if (other.value != value) continue;
      return Error{ErrorCode::kConflict, fmt::format("settings: outside name: `{}`: means project {} already", value,
                                                     find(state, other.project)->name)};
    }
    if (state.names.size() >= kOutsideNamesMax) return too_many("outside names", kOutsideNamesMax);
    state.names.push_back({std::string(value), project});
    return {};
  });
}

Result<> Repository::delete_outside_name(std::string_view value, const Actor& actor) {
  return change(actor, [&](State& state) -> Result<> {
    auto named = [&](const OutsideName& name) { return name.value == value; };
    if (std::erase_if(state.names, named) == 0) return not_found("outside name", value);
    return {};
  });
}

Result<TrafficRule> Repository::add_traffic_rule(const TrafficRule& wanted, const Actor& actor) {
  auto rule = new_traffic_rule(wanted, clock_.now());
  if (!rule) return rule;
  auto done = change(actor, [&](State& state) -> Result<> {
    if (auto known = check_known(state, rule->project); !known) return known;
    bool known = std::any_of(state.rules.begin(), state.rules.end(), [&](const TrafficRule& other) {
      return other.project == rule->project && other.kind == rule->kind && other.value == rule->value;
    });
    if (known) return taken(fmt::format("rule: {}", name_of(rule->kind)), rule->value);
    if (state.rules.size() >= kTrafficRulesMax) return too_many("rules", kTrafficRulesMax);
    state.rules.push_back(*rule);
    return {};
  });
  if (!done) return std::move(done).error();
  return rule;
}

Result<> Repository::delete_traffic_rule(std::string_view id, const Actor& actor) {
  return change(actor, [&](State& state) { return remove(state.rules, "rule", id); });
}

Result<Item> Repository::add_item(const Item& wanted, const Actor& actor) {
  auto item = new_item(wanted, clock_.now());
  if (!item) return item;
  auto done = change(actor, [&](State& state) -> Result<> {
    if (auto fits = check_place(state, *item); !fits) return fits;
    state.items.push_back(*item);
    return {};
  });
  if (!done) return std::move(done).error();
  return item;
}

Result<Item> Repository::change_item(const Item& wanted, const Actor& actor) {
  auto item = new_item(wanted, clock_.now());
  if (!item) return item;
  auto done = change(actor, [&](State& state) -> Result<> {
    auto kept = std::find_if(state.items.begin(), state.items.end(), [&](const Item& i) { return i.id == wanted.id; });
    if (kept == state.items.end() || kept->kind != wanted.kind) return not_found(name_of(wanted.kind), wanted.id);
    item->id = kept->id;
    item->project = kept->project;
    item->kind = kept->kind;
    item->created_at = kept->created_at;
    if (auto fits = check_place(state, *item); !fits) return fits;
    *kept = *item;
    return {};
  });
  if (!done) return std::move(done).error();
  return item;
}

Result<> Repository::delete_item(std::string_view id, const Actor& actor) {
  return change(actor, [&](State& state) { return remove(state.items, "item", id); });
}

}  // namespace weir::settings
