#include "weir/settings/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "weir/base/bytes.h"

namespace weir::settings {

namespace {
namespace json = boost::json;

constexpr std::string_view kTitle = "weir-settings-snapshot 1 ";
constexpr std::string_view kTitleOfAnyVersion = "weir-settings-snapshot ";

std::string encode(const State& state) {
  json::array projects;
  for (const Project& p : state.projects) {
    projects.push_back({{"id", to_string(p.id)},
                        {"name", p.name},
                        {"time_zone", p.time_zone},
                        {"retention_days", p.retention_days},
                        {"ip_policy", name_of(p.ip_policy)},
                        {"created_at", p.created_at}});
  }
  json::array keys;
  for (const Key& k : state.keys) {
    keys.push_back({{"id", k.id},
                    {"name", k.name},
                    {"scope", name_of(k.scope)},
                    {"project", k.project ? json::value(to_string(*k.project)) : json::value(nullptr)},
                    {"hash", to_hex(k.hash)},
                    {"created_at", k.created_at},
                    {"expires_at", k.expires_at}});
  }
  json::array names;
  for (const OutsideName& n : state.names) names.push_back({{"value", n.value}, {"project", to_string(n.project)}});
  json::array rules;
  for (const TrafficRule& r : state.rules) {
    rules.push_back({{"id", r.id},
                     {"project", r.project ? json::value(to_string(*r.project)) : json::value(nullptr)},
                     {"kind", name_of(r.kind)},
                     {"value", r.value},
                     {"label", name_of(r.label)},
                     {"note", r.note},
                     {"created_at", r.created_at}});
  }
  json::array items;
  for (const Item& i : state.items) {
    items.push_back({{"id", i.id},
                     {"project", i.project ? json::value(to_string(*i.project)) : json::value(nullptr)},
                     {"kind", name_of(i.kind)},
                     {"owner", i.owner ? json::value(to_string(*i.owner)) : json::value(nullptr)},
                     {"name", i.name},
                     {"body", i.body},
                     {"created_at", i.created_at},
                     {"updated_at", i.updated_at}});
  }
  json::array retired;
  for (ProjectId id : state.retired) retired.emplace_back(to_string(id));
  return json::serialize(json::object{{"projects", std::move(projects)},
                                      {"keys", std::move(keys)},
                                      {"names", std::move(names)},
                                      {"rules", std::move(rules)},
                                      {"items", std::move(items)},
                                      {"retired", std::move(retired)}}) +
         "\n";
}

std::string text(const json::value& from, std::string_view member) {
  return std::string(from.as_object().at(member).as_string());
}

template <class Id>
Id id_of(const json::value& value) {
  const json::string& digits = value.as_string();
  uint64_t id = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id);
  if (error != std::errc{} || end != digits.data() + digits.size() || id == 0) throw std::out_of_range("id");
  return Id{id};
}
template <class Id>
std::optional<Id> id_or_none(const json::value& value) {
  return value.is_null() ? std::nullopt : std::optional<Id>(id_of<Id>(value));
}

// Throws on anything but what encode() writes.
State decode(std::string_view body) {
  json::value whole = json::parse({body.data(), body.size()});
  const json::object& object = whole.as_object();
  State state;
  for (const json::value& from : object.at("projects").as_array()) {
    Project p;
    p.id = id_of<ProjectId>(from.at("id"));
    p.name = text(from, "name");
    p.time_zone = text(from, "time_zone");
    p.retention_days = from.at("retention_days").to_number<uint32_t>();
    if (!parse_ip_policy(text(from, "ip_policy"), p.ip_policy)) throw std::out_of_range("ip_policy");
    p.created_at = from.at("created_at").to_number<int64_t>();
    state.projects.push_back(std::move(p));
  }
  for (const json::value& from : object.at("keys").as_array()) {
    Key k;
    k.id = text(from, "id");
    k.name = text(from, "name");
    if (!parse_scope(text(from, "scope"), k.scope)) throw std::out_of_range("scope");
    k.project = id_or_none<ProjectId>(from.at("project"));
    if (!from_hex(text(from, "hash"), k.hash)) throw std::out_of_range("hash");
    k.created_at = from.at("created_at").to_number<int64_t>();
    k.expires_at = from.at("expires_at").to_number<int64_t>();
    state.keys.push_back(std::move(k));
  }
  for (const json::value& from : object.at("names").as_array()) {
    state.names.push_back({text(from, "value"), id_of<ProjectId>(from.at("project"))});
  }
  for (const json::value& from : object.at("rules").as_array()) {
    TrafficRule r;
    r.id = text(from, "id");
    r.project = id_or_none<ProjectId>(from.at("project"));
    if (!parse_rule_kind(text(from, "kind"), r.kind)) throw std::out_of_range("kind");
    r.value = text(from, "value");
    if (!parse_rule_label(text(from, "label"), r.label)) throw std::out_of_range("label");
    r.note = text(from, "note");
    r.created_at = from.at("created_at").to_number<int64_t>();
    state.rules.push_back(std::move(r));
  }
  for (const json::value& from : object.at("retired").as_array()) state.retired.push_back(id_of<ProjectId>(from));
  const json::value* items = object.if_contains("items");  // not in the files of versions before there were any
  if (items == nullptr) return state;
  for (const json::value& from : items->as_array()) {
    Item i;
    i.id = text(from, "id");
    i.project = id_or_none<ProjectId>(from.at("project"));
    if (!parse_item_kind(text(from, "kind"), i.kind)) throw std::out_of_range("kind");
    i.owner = id_or_none<UserId>(from.at("owner"));
    i.name = text(from, "name");
    i.body = text(from, "body");
    i.created_at = from.at("created_at").to_number<int64_t>();
    i.updated_at = from.at("updated_at").to_number<int64_t>();
    state.items.push_back(std::move(i));
  }
  return state;
}
}  // namespace

void sort(State& state) {
  std::sort(state.projects.begin(), state.projects.end(),
            [](const Project& a, const Project& b) { return a.name < b.name; });
  std::sort(state.names.begin(), state.names.end(),
            [](const OutsideName& a, const OutsideName& b) { return a.value < b.value; });
}

Result<> write_snapshot_file(FileSystem& files, const std::string& path, const State& state) {
  std::string body = encode(state);
  return replace_file(files, path, fmt::format("{}{:08x} {}\n", kTitle, crc32c(body), body.size()) + body);
}

Result<State> read_snapshot_file(FileSystem& files, const std::string& path) {
  auto content = read_file(files, path);
  if (!content) return std::move(content).error();
  std::string_view all = *content;
  if (!all.starts_with(kTitle) && all.starts_with(kTitleOfAnyVersion)) {
    return Error{ErrorCode::kUnsupported, fmt::format("settings: {}: written by a later version", path)};
  }
  Error damaged{ErrorCode::kCorrupt, fmt::format("settings: {}: damaged", path)};
  size_t line_end = all.find('\n');
  if (!all.starts_with(kTitle) || line_end == std::string_view::npos) return damaged;
  std::string_view body = all.substr(line_end + 1);
  if (all.substr(0, line_end) != fmt::format("{}{:08x} {}", kTitle, crc32c(body), body.size())) return damaged;
  try {
    return decode(body);
  } catch (const std::exception& e) {
    return Error{ErrorCode::kCorrupt, fmt::format("settings: {}: {}", path, e.what())};
  }
}

}  // namespace weir::settings
