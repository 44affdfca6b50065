#include "weir/settings/encoding.h"

#include <boost/json.hpp>
#include <charconv>
#include <stdexcept>

#include "weir/base/bytes.h"

namespace weir::settings {

namespace {
namespace json = boost::json;

template <class Id>
json::value id_or_null(const std::optional<Id>& id) {
  return id ? json::value(to_string(*id)) : json::value(nullptr);
}

std::string text(const json::value& from, std::string_view member) {
  return std::string(from.as_object().at(member).as_string());
}
int64_t integer(const json::value& from, std::string_view member) {
  return from.as_object().at(member).to_number<int64_t>();
}
std::string bytes(const json::value& from, std::string_view member) {
  std::string decoded;
  if (!from_hex(text(from, member), decoded)) throw std::out_of_range(std::string(member));
  return decoded;
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

// A value of an enumeration by its name.
template <class Enum>
Enum named(bool (*parse)(std::string_view, Enum&), const json::value& from, std::string_view member) {
  Enum value{};
  if (!parse(text(from, member), value)) throw std::out_of_range(std::string(member));
  return value;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& one : texts) out.emplace_back(one);
  return out;
}

std::vector<std::string> texts_of(const json::value& from) {
  std::vector<std::string> texts;
  for (const json::value& one : from.as_array()) texts.emplace_back(std::string_view(one.as_string()));
  return texts;
}

json::object object_of(const Grant& grant) {
  return {{"project", id_or_null(grant.project)}, {"role", name_of(grant.role)}};
}
Grant grant_from_json(const json::value& from) {
  return {id_or_none<ProjectId>(from.at("project")), named(&parse_role, from, "role")};
}

Project project_from_json(const json::value& from) {
  Project p;
  p.id = id_of<ProjectId>(from.at("id"));
  p.name = text(from, "name");
  p.time_zone = text(from, "time_zone");
  p.retention_days = from.at("retention_days").to_number<uint32_t>();
  p.ip_policy = named(&parse_ip_policy, from, "ip_policy");
  p.created_at = integer(from, "created_at");
  // Absent in a file of a version before there were any.
  if (const json::value* names = from.as_object().if_contains("hostnames"); names != nullptr) {
    p.hostnames = texts_of(*names);
    p.foreign_hostnames = named(&parse_foreign_hostnames, from, "foreign_hostnames");
  }
  if (from.as_object().if_contains("privacy_signals") != nullptr)
    p.privacy_signals = named(&parse_privacy_signals, from, "privacy_signals");
  return p;
}

Key key_from_json(const json::value& from) {
  Key k;
  k.id = text(from, "id");
  k.name = text(from, "name");
  k.scope = named(&parse_scope, from, "scope");
  k.project = id_or_none<ProjectId>(from.at("project"));
  k.hash = bytes(from, "hash");
  k.created_at = integer(from, "created_at");
  k.expires_at = integer(from, "expires_at");
  return k;
}

TrafficRule rule_from_json(const json::value& from) {
  TrafficRule r;
  r.id = text(from, "id");
  r.project = id_or_none<ProjectId>(from.at("project"));
  r.kind = named(&parse_rule_kind, from, "kind");
  r.value = text(from, "value");
  r.label = named(&parse_rule_label, from, "label");
  r.note = text(from, "note");
  r.created_at = integer(from, "created_at");
  return r;
}

Item item_from_json(const json::value& from) {
  Item i;
  i.id = text(from, "id");
  i.project = id_or_none<ProjectId>(from.at("project"));
  i.kind = named(&parse_item_kind, from, "kind");
  i.owner = id_or_none<UserId>(from.at("owner"));
  i.name = text(from, "name");
  i.body = text(from, "body");
  i.created_at = integer(from, "created_at");
  i.updated_at = integer(from, "updated_at");
  return i;
}

User user_from_json(const json::value& from) {
  User u;
  u.id = id_of<UserId>(from.at("id"));
  u.email = text(from, "email");
  u.name = text(from, "name");
  u.password = text(from, "password");
  for (const json::value& grant : from.at("roles").as_array()) u.grants.push_back(grant_from_json(grant));
  u.totp_secret = bytes(from, "totp_secret");
  u.totp_step = integer(from, "totp_step");
  for (const std::string& hash : texts_of(from.at("recovery"))) {
    if (!from_hex(hash, u.recovery.emplace_back())) throw std::out_of_range("recovery");
  }
  u.created_at = integer(from, "created_at");
  return u;
}

Invitation invitation_from_json(const json::value& from) {
  Invitation i;
  i.id = text(from, "id");
  i.email = text(from, "email");
  i.grant = grant_from_json(from);
  i.token = bytes(from, "token");
  i.created_at = integer(from, "created_at");
  i.expires_at = integer(from, "expires_at");
  return i;
}

Share share_from_json(const json::value& from) {
  Share s;
  s.id = text(from, "id");
  s.project = id_of<ProjectId>(from.at("project"));
  s.name = text(from, "name");
  s.token = bytes(from, "token");
  s.password = text(from, "password");
  s.key = bytes(from, "key");
  s.segment = text(from, "segment");
  s.origins = texts_of(from.at("origins"));
  s.created_at = integer(from, "created_at");
  s.expires_at = integer(from, "expires_at");
  return s;
}

json::object object_of(const Project& p) {
  return {{"id", to_string(p.id)},
          {"name", p.name},
          {"time_zone", p.time_zone},
          {"retention_days", p.retention_days},
          {"ip_policy", name_of(p.ip_policy)},
          {"hostnames", array_of(p.hostnames)},
          {"foreign_hostnames", name_of(p.foreign_hostnames)},
          {"privacy_signals", name_of(p.privacy_signals)},
          {"created_at", p.created_at}};
}

json::object object_of(const Key& k) {
  return {{"id", k.id},
          {"name", k.name},
          {"scope", name_of(k.scope)},
          {"project", id_or_null(k.project)},
          {"hash", to_hex(k.hash)},
          {"created_at", k.created_at},
          {"expires_at", k.expires_at}};
}

json::object object_of(const OutsideName& n) { return {{"value", n.value}, {"project", to_string(n.project)}}; }

json::object object_of(const TrafficRule& r) {
  return {{"id", r.id},
          {"project", id_or_null(r.project)},
          {"kind", name_of(r.kind)},
          {"value", r.value},
          {"label", name_of(r.label)},
          {"note", r.note},
          {"created_at", r.created_at}};
}

json::object object_of(const Item& i) {
  return {{"id", i.id},
          {"project", id_or_null(i.project)},
          {"kind", name_of(i.kind)},
          {"owner", id_or_null(i.owner)},
          {"name", i.name},
          {"body", i.body},
          {"created_at", i.created_at},
          {"updated_at", i.updated_at}};
}

json::object object_of(const User& u) {
  json::array grants;
  for (const Grant& grant : u.grants) grants.push_back(object_of(grant));
  json::array recovery;
  for (const std::string& hash : u.recovery) recovery.emplace_back(to_hex(hash));
  return {{"id", to_string(u.id)},
          {"email", u.email},
          {"name", u.name},
          {"password", u.password},
          {"roles", std::move(grants)},
          {"totp_secret", to_hex(u.totp_secret)},
          {"totp_step", u.totp_step},
          {"recovery", std::move(recovery)},
          {"created_at", u.created_at}};
}

json::object object_of(const Invitation& i) {
  return {{"id", i.id},
          {"email", i.email},
          {"project", id_or_null(i.grant.project)},
          {"role", name_of(i.grant.role)},
          {"token", to_hex(i.token)},
          {"created_at", i.created_at},
          {"expires_at", i.expires_at}};
}

json::object object_of(const Share& s) {
  return {{"id", s.id},
          {"project", to_string(s.project)},
          {"name", s.name},
          {"token", to_hex(s.token)},
          {"password", s.password},
          {"key", to_hex(s.key)},
          {"segment", s.segment},
          {"origins", array_of(s.origins)},
          {"created_at", s.created_at},
          {"expires_at", s.expires_at}};
}

json::object object_of(const Policy& p) { return {{"second_factor", p.second_factor}}; }

template <class T>
json::array list_of(const std::vector<T>& list) {
  json::array out;
  for (const T& one : list) out.push_back(object_of(one));
  return out;
}

// The list of that name; nothing when it is absent, as in a file of a version before there was any.
template <class Read>
void each(const json::object& from, std::string_view name, Read&& read) {
  const json::value* list = from.if_contains(name);
  if (list == nullptr) return;
  for (const json::value& one : list->as_array()) read(one);
}
}  // namespace

std::string to_json(const Project& project) { return json::serialize(object_of(project)); }
std::string to_json(const Key& key) { return json::serialize(object_of(key)); }
std::string to_json(const OutsideName& name) { return json::serialize(object_of(name)); }
std::string to_json(const TrafficRule& rule) { return json::serialize(object_of(rule)); }
std::string to_json(const Item& item) { return json::serialize(object_of(item)); }
std::string to_json(const User& user) { return json::serialize(object_of(user)); }
std::string to_json(const Invitation& invitation) { return json::serialize(object_of(invitation)); }
std::string to_json(const Share& share) { return json::serialize(object_of(share)); }
std::string to_json(const Policy& policy) { return json::serialize(object_of(policy)); }
std::string to_json(const std::vector<std::string>& texts) { return json::serialize(array_of(texts)); }

bool texts_from_json(std::string_view text, std::vector<std::string>& texts) {
  try {
    texts = texts_of(json::parse({text.data(), text.size()}));
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string encode(const State& state) {
  json::array retired;
  for (ProjectId id : state.retired) retired.emplace_back(to_string(id));
  return json::serialize(json::object{{"projects", list_of(state.projects)},
                                      {"keys", list_of(state.keys)},
                                      {"names", list_of(state.names)},
                                      {"rules", list_of(state.rules)},
                                      {"items", list_of(state.items)},
                                      {"users", list_of(state.users)},
                                      {"invitations", list_of(state.invitations)},
                                      {"shares", list_of(state.shares)},
                                      {"policy", object_of(state.policy)},
                                      {"retired", std::move(retired)}});
}

State decode(std::string_view text) {
  json::value whole = json::parse({text.data(), text.size()});
  const json::object& object = whole.as_object();
  State state;
  for (const json::value& from : object.at("projects").as_array()) state.projects.push_back(project_from_json(from));
  for (const json::value& from : object.at("keys").as_array()) state.keys.push_back(key_from_json(from));
  for (const json::value& from : object.at("names").as_array())
    state.names.push_back({settings::text(from, "value"), id_of<ProjectId>(from.at("project"))});
  for (const json::value& from : object.at("rules").as_array()) state.rules.push_back(rule_from_json(from));
  for (const json::value& from : object.at("retired").as_array()) state.retired.push_back(id_of<ProjectId>(from));
  each(object, "items", [&](const json::value& from) { state.items.push_back(item_from_json(from)); });
  each(object, "users", [&](const json::value& from) { state.users.push_back(user_from_json(from)); });
  each(object, "invitations",
       [&](const json::value& from) { state.invitations.push_back(invitation_from_json(from)); });
  each(object, "shares", [&](const json::value& from) { state.shares.push_back(share_from_json(from)); });
  if (const json::value* policy = object.if_contains("policy"); policy != nullptr)
    state.policy.second_factor = policy->at("second_factor").as_bool();
  return state;
}

}  // namespace weir::settings
