#include "weir/settings/encoding.h"

#include <boost/json.hpp>
#include <charconv>
#include <concepts>
#include <stdexcept>

#include "weir/base/bytes.h"

namespace weir::settings {

namespace {
namespace json = boost::json;

// Each thing says once what is kept of it and under which name: fields(visit, thing) hands each field to `visit`, which
// is a Writer or a Reader.
template <class T, class Thing>
concept Of = std::same_as<std::remove_const_t<T>, Thing>;

template <class Visit>
void fields(Visit& visit, Of<Grant> auto& grant) {
  visit("project", grant.project);
  visit("role", grant.role);
}

template <class Visit>
void fields(Visit& visit, Of<Project> auto& project) {
  visit("id", project.id);
  visit("name", project.name);
  visit("time_zone", project.time_zone);
  visit("retention_days", project.retention_days);
  visit("ip_policy", project.ip_policy);
  visit.later("hostnames", project.hostnames);
  visit.later("foreign_hostnames", project.foreign_hostnames);
  visit.later("privacy_signals", project.privacy_signals);
  visit("created_at", project.created_at);
}

template <class Visit>
void fields(Visit& visit, Of<Key> auto& key) {
  visit("id", key.id);
  visit("name", key.name);
  visit("scope", key.scope);
  visit("project", key.project);
  visit.bytes("hash", key.hash);
  visit("created_at", key.created_at);
  visit("expires_at", key.expires_at);
}

template <class Visit>
void fields(Visit& visit, Of<OutsideName> auto& name) {
  visit("value", name.value);
  visit("project", name.project);
}

template <class Visit>
void fields(Visit& visit, Of<TrafficRule> auto& rule) {
  visit("id", rule.id);
  visit("project", rule.project);
  visit("kind", rule.kind);
  visit("value", rule.value);
  visit("label", rule.label);
  visit("note", rule.note);
  visit("created_at", rule.created_at);
}

template <class Visit>
void fields(Visit& visit, Of<Item> auto& item) {
  visit("id", item.id);
  visit("project", item.project);
  visit("kind", item.kind);
  visit("owner", item.owner);
  visit("name", item.name);
  visit("body", item.body);
  visit("created_at", item.created_at);
  visit("updated_at", item.updated_at);
}

template <class Visit>
void fields(Visit& visit, Of<User> auto& user) {
  visit("id", user.id);
  visit("email", user.email);
  visit("name", user.name);
  visit("password", user.password);
  visit("roles", user.grants);
  visit.bytes("totp_secret", user.totp_secret);
  visit("totp_step", user.totp_step);
  visit.bytes("recovery", user.recovery);
  visit("created_at", user.created_at);
}

template <class Visit>
void fields(Visit& visit, Of<Invitation> auto& invitation) {
  visit("id", invitation.id);
  visit("email", invitation.email);
  fields(visit, invitation.grant);
  visit.bytes("token", invitation.token);
  visit("created_at", invitation.created_at);
  visit("expires_at", invitation.expires_at);
}

template <class Visit>
void fields(Visit& visit, Of<Share> auto& share) {
  visit("id", share.id);
  visit("project", share.project);
  visit("name", share.name);
  visit.bytes("token", share.token);
  visit("password", share.password);
  visit.bytes("key", share.key);
  visit("segment", share.segment);
  visit("origins", share.origins);
  visit("created_at", share.created_at);
  visit("expires_at", share.expires_at);
}

template <class Visit>
void fields(Visit& visit, Of<Policy> auto& policy) {
  visit("second_factor", policy.second_factor);
}

template <class Enum>
concept Named = std::is_enum_v<Enum> && requires(Enum value) {
  name_of(value);
};

template <class T>
json::object object_of(const T& thing);

// As values of JSON.
json::value value_of(bool value) { return value; }
json::value value_of(std::integral auto number) { return number; }
json::value value_of(const std::string& text) { return json::value(text); }
json::value value_of(ProjectId id) { return json::value(to_string(id)); }
json::value value_of(UserId id) { return json::value(to_string(id)); }
json::value value_of(Named auto value) { return json::value(name_of(value)); }
json::value value_of(const Grant& grant) { return object_of(grant); }
template <class T>
json::value value_of(const std::optional<T>& value) {
  return value ? value_of(*value) : json::value(nullptr);
}
template <class T>
json::value value_of(const std::vector<T>& list) {
  json::array out;
  for (const T& one : list) out.push_back(value_of(one));
  return out;
}

class Writer {
 public:
  template <class T>
  void operator()(std::string_view name, const T& value) {
    out_.emplace(name, value_of(value));
  }
  template <class T>
  void later(std::string_view name, const T& value) {
    (*this)(name, value);
  }
  void bytes(std::string_view name, const std::string& value) { out_.emplace(name, to_hex(value)); }
  void bytes(std::string_view name, const std::vector<std::string>& values) {
    json::array list;
    for (const std::string& one : values) list.emplace_back(to_hex(one));
    out_.emplace(name, std::move(list));
  }
  json::object take() { return std::move(out_); }

 private:
  json::object out_;
};

template <class T>
json::object object_of(const T& thing) {
  Writer writer;
  fields(writer, thing);
  return writer.take();
}

// From values of JSON; what is none of a Writer throws.
[[noreturn]] void fail(std::string_view what) { throw std::out_of_range(std::string(what)); }

bool parse_name(std::string_view name, IpPolicy& policy) { return parse_ip_policy(name, policy); }
bool parse_name(std::string_view name, ForeignHostnames& foreign) { return parse_foreign_hostnames(name, foreign); }
bool parse_name(std::string_view name, PrivacySignals& signals) { return parse_privacy_signals(name, signals); }
bool parse_name(std::string_view name, Scope& scope) { return parse_scope(name, scope); }
bool parse_name(std::string_view name, RuleKind& kind) { return parse_rule_kind(name, kind); }
bool parse_name(std::string_view name, RuleLabel& label) { return parse_rule_label(name, label); }
bool parse_name(std::string_view name, ItemKind& kind) { return parse_item_kind(name, kind); }
bool parse_name(std::string_view name, Role& role) { return parse_role(name, role); }

template <class T>
void read_object(const json::value& from, T& thing);

void read(const json::value& from, bool& value) { value = from.as_bool(); }
template <std::integral Number>
void read(const json::value& from, Number& number) {
  number = from.to_number<Number>();
}
void read(const json::value& from, std::string& text) { text = std::string_view(from.as_string()); }
template <class Id>
requires std::same_as<Id, ProjectId> || std::same_as<Id, UserId>
void read(const json::value& from, Id& id) {
  const json::string& digits = from.as_string();
  uint64_t number = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || end != digits.data() + digits.size() || number == 0) fail("id");
  id = Id{number};
}
void read(const json::value& from, Named auto& value) {
  if (!parse_name(std::string_view(from.as_string()), value)) fail(std::string_view(from.as_string()));
}
void read(const json::value& from, Grant& grant) { read_object(from, grant); }
template <class T>
void read(const json::value& from, std::optional<T>& value) {
  value.reset();
  if (!from.is_null()) read(from, value.emplace());
}
template <class T>
void read(const json::value& from, std::vector<T>& list) {
  for (const json::value& one : from.as_array()) read(one, list.emplace_back());
}

class Reader {
 public:
  explicit Reader(const json::value& from) : from_(from.as_object()) {}
  template <class T>
  void operator()(std::string_view name, T& value) {
    read(from_.at(name), value);
  }
  // As it is, when it is absent: as in a file of a version before there was any.
  template <class T>
  void later(std::string_view name, T& value) {
    if (const json::value* there = from_.if_contains(name)) read(*there, value);
  }
  void bytes(std::string_view name, std::string& value) { decode(from_.at(name), name, value); }
  void bytes(std::string_view name, std::vector<std::string>& values) {
    for (const json::value& one : from_.at(name).as_array()) decode(one, name, values.emplace_back());
  }

 private:
  static void decode(const json::value& from, std::string_view name, std::string& value) {
    if (!from_hex(std::string_view(from.as_string()), value)) fail(name);
  }
  const json::object& from_;
};

template <class T>
void read_object(const json::value& from, T& thing) {
  Reader reader(from);
  fields(reader, thing);
}

template <class T>
json::array objects_of(const std::vector<T>& list) {
  json::array out;
  for (const T& one : list) out.push_back(object_of(one));
  return out;
}
template <class T>
void read_objects(const json::value& from, std::vector<T>& list) {
  for (const json::value& one : from.as_array()) read_object(one, list.emplace_back());
}
// Nothing when it is absent, as in a file of a version before there was any.
template <class T>
void read_later_objects(const json::object& from, std::string_view name, std::vector<T>& list) {
  if (const json::value* there = from.if_contains(name)) read_objects(*there, list);
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
std::string to_json(const std::vector<std::string>& texts) { return json::serialize(value_of(texts)); }

bool texts_from_json(std::string_view text, std::vector<std::string>& texts) {
  try {
    texts.clear();
    read(json::parse({text.data(), text.size()}), texts);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string encode(const State& state) {
  return json::serialize(json::object{{"projects", objects_of(state.projects)},
                                      {"keys", objects_of(state.keys)},
                                      {"names", objects_of(state.names)},
                                      {"rules", objects_of(state.rules)},
                                      {"items", objects_of(state.items)},
                                      {"users", objects_of(state.users)},
                                      {"invitations", objects_of(state.invitations)},
                                      {"shares", objects_of(state.shares)},
                                      {"policy", object_of(state.policy)},
                                      {"retired", value_of(state.retired)}});
}

State decode(std::string_view text) {
  json::value whole = json::parse({text.data(), text.size()});
  const json::object& object = whole.as_object();
  State state;
  read_objects(object.at("projects"), state.projects);
  read_objects(object.at("keys"), state.keys);
  read_objects(object.at("names"), state.names);
  read_objects(object.at("rules"), state.rules);
  read(object.at("retired"), state.retired);
  read_later_objects(object, "items", state.items);
  read_later_objects(object, "users", state.users);
  read_later_objects(object, "invitations", state.invitations);
  read_later_objects(object, "shares", state.shares);
  if (const json::value* policy = object.if_contains("policy")) read_object(*policy, state.policy);
  return state;
}

}  // namespace weir::settings
