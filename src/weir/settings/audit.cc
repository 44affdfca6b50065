#include "weir/settings/audit.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <unordered_map>

#include "weir/settings/encoding.h"
#include "weir/settings/limits.h"
#include "weir/settings/state.h"

namespace weir::settings {

namespace {
namespace json = boost::json;

// Fields of which the log says at most that they changed.
bool is_secret(std::string_view field) {
  for (std::string_view secret : {"hash", "password", "totp_secret", "recovery", "token", "key"}) {
    if (field == secret) return true;
  }
  return false;
}
// Fields that say nothing a person did.
bool is_noise(std::string_view field) {
  return field == "id" || field == "totp_step" || field == "created_at" || field == "updated_at";
}

json::value shown(std::string_view field, const json::value& value) {
  if (is_secret(field)) return "(secret)";
  std::string text = json::serialize(value);
  if (text.size() <= kAuditValueBytesMax) return value;
  return json::string(fmt::format("({} bytes)", text.size()));
}

std::string_view kind_of(const Project&) { return "project"; }
std::string_view kind_of(const Key&) { return "key"; }
std::string_view kind_of(const OutsideName&) { return "outside_name"; }
std::string_view kind_of(const TrafficRule&) { return "rule"; }
std::string_view kind_of(const Item& item) { return name_of(item.kind); }
std::string_view kind_of(const User&) { return "user"; }
std::string_view kind_of(const Invitation&) { return "invitation"; }
std::string_view kind_of(const Share&) { return "share"; }

std::optional<ProjectId> project_of(const Project& project) { return project.id; }
std::optional<ProjectId> project_of(const User&) { return {}; }
std::optional<ProjectId> project_of(const Invitation& invitation) { return invitation.grant.project; }
template <class T>
std::optional<ProjectId> project_of(const T& one) {
  return one.project;
}

std::string subject_of(const OutsideName& name) { return name.value; }
std::string subject_of(const User& user) { return user.email; }
std::string subject_of(const Invitation& invitation) { return invitation.email; }
std::string subject_of(const TrafficRule& rule) { return fmt::format("{} {}", name_of(rule.kind), rule.value); }
template <class T>
std::string subject_of(const T& one) {
  return one.name;
}

template <class T>
json::object object_of(const T& one) {
  return json::parse(to_json(one)).as_object();
}

class Log {
 public:
  Log(const Actor& actor, UnixMillis now) : actor_(actor), now_(now) {}

  template <class T>
  void compare(const std::vector<T>& before, const std::vector<T>& after) {
    std::unordered_map<std::string, const T*> was;
    for (const T& one : before) was.emplace(key_of(one), &one);
    for (const T& one : after) {
      auto found = was.find(key_of(one));
      if (found == was.end()) {
        add(one, "created", whole(one));
        continue;
      }
      if (!(*found->second == one)) {
        json::object changed = difference(object_of(*found->second), object_of(one));
        if (!changed.empty()) add(one, "changed", std::move(changed));
      }
      was.erase(found);
    }
    // In the order they had.
    for (const T& one : before) {
      if (was.count(key_of(one)) != 0) add(one, "deleted", whole(one));
    }
  }

  void compare(const Policy& before, const Policy& after) {
    json::object changed = difference(object_of(before), object_of(after));
    if (!changed.empty()) add("policy.changed", {}, "", std::move(changed));
  }

  std::vector<AuditEntry> take() { return std::move(entries_); }

 private:
  template <class T>
  static json::object whole(const T& one) {
    json::object out;
    json::object all = object_of(one);
    for (const auto& member : all) {
      if (!is_noise(member.key()) && !is_secret(member.key())) out[member.key()] = shown(member.key(), member.value());
    }
    return out;
  }
  static json::object difference(const json::object& before, const json::object& after) {
    json::object out;
    for (const auto& member : after) {
      const json::value& was = before.at(member.key());
      if (is_noise(member.key()) || was == member.value()) continue;
      out[member.key()] = json::array{shown(member.key(), was), shown(member.key(), member.value())};
    }
    return out;
  }

  template <class T>
  void add(const T& one, std::string_view verb, json::object detail) {
    add(fmt::format("{}.{}", kind_of(one), verb), project_of(one), subject_of(one), std::move(detail));
  }
  void add(std::string action, std::optional<ProjectId> project, std::string subject, json::object detail) {
    entries_.push_back({0, now_, actor_, project, std::move(action), std::move(subject), json::serialize(detail)});
  }

  const Actor& actor_;
  const UnixMillis now_;
  std::vector<AuditEntry> entries_;
};
}  // namespace

std::vector<AuditEntry> audit_entries(const State& before, const State& after, const Actor& actor, UnixMillis now) {
  Log log(actor, now);
  log.compare(before.projects, after.projects);
  log.compare(before.keys, after.keys);
  log.compare(before.names, after.names);
  log.compare(before.rules, after.rules);
  log.compare(before.items, after.items);
  log.compare(before.users, after.users);
  log.compare(before.invitations, after.invitations);
  log.compare(before.shares, after.shares);
  log.compare(before.policy, after.policy);
  return log.take();
}

}  // namespace weir::settings
