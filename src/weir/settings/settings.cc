#include "weir/settings/settings.h"

#include <algorithm>
#include <array>
#include <utility>

#include "weir/base/bytes.h"
#include "weir/settings/limits.h"
#include "weir/settings/rules.h"

namespace weir::settings {

namespace {
constexpr std::array<std::string_view, 3> kIpPolicies = {"none", "masked", "whole"};
constexpr std::array<std::string_view, 2> kForeignHostnames = {"keep", "spam"};
constexpr std::array<std::string_view, 2> kPrivacySignals = {"ignore", "respect"};
constexpr std::array<std::string_view, 4> kScopes = {"capture", "stats", "sql", "admin"};
constexpr std::array<std::string_view, 5> kRuleKinds = {"address", "hostname", "referrer", "path", "user_agent"};
constexpr std::array<std::string_view, 3> kRuleLabels = {"internal", "spam", "bot"};

constexpr std::array<std::string_view, 5> kItemNames = {"goal", "segment", "annotation", "property", "query"};
constexpr std::array<std::string_view, 5> kItemPlurals = {"goals", "segments", "annotations", "properties", "queries"};

constexpr std::array<std::string_view, 4> kRoles = {"viewer", "editor", "admin", "owner"};

template <class Enum, size_t N>
bool parse(const std::array<std::string_view, N>& names, std::string_view name, Enum& value) {
  for (size_t i = 0; i < N; ++i) {
    if (names[i] != name) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}
}  // namespace

std::string_view name_of(IpPolicy policy) { return kIpPolicies[static_cast<size_t>(policy)]; }
bool parse_ip_policy(std::string_view name, IpPolicy& policy) { return parse(kIpPolicies, name, policy); }
std::string_view name_of(ForeignHostnames foreign) { return kForeignHostnames[static_cast<size_t>(foreign)]; }
bool parse_foreign_hostnames(std::string_view name, ForeignHostnames& foreign) {
  return parse(kForeignHostnames, name, foreign);
}
std::string_view name_of(PrivacySignals signals) { return kPrivacySignals[static_cast<size_t>(signals)]; }
bool parse_privacy_signals(std::string_view name, PrivacySignals& signals) {
  return parse(kPrivacySignals, name, signals);
}
std::string_view name_of(Scope scope) { return kScopes[static_cast<size_t>(scope)]; }
bool parse_scope(std::string_view name, Scope& scope) { return parse(kScopes, name, scope); }
std::string_view name_of(RuleKind kind) { return kRuleKinds[static_cast<size_t>(kind)]; }
bool parse_rule_kind(std::string_view name, RuleKind& kind) { return parse(kRuleKinds, name, kind); }
std::string_view name_of(RuleLabel label) { return kRuleLabels[static_cast<size_t>(label)]; }
bool parse_rule_label(std::string_view name, RuleLabel& label) { return parse(kRuleLabels, name, label); }

std::string_view name_of(ItemKind kind) { return kItemNames[static_cast<size_t>(kind)]; }
bool parse_item_kind(std::string_view name, ItemKind& kind) { return parse(kItemNames, name, kind); }
std::string_view plural_of(ItemKind kind) { return kItemPlurals[static_cast<size_t>(kind)]; }
std::string_view name_of(Role role) { return kRoles[static_cast<size_t>(role)]; }
bool parse_role(std::string_view name, Role& role) { return parse(kRoles, name, role); }

bool User::is_owner() const {
  return std::any_of(grants.begin(), grants.end(),
                     [](const Grant& grant) { return !grant.project && grant.role == Role::owner; });
}

namespace {
// Where an item stands in a snapshot's list.
auto place_of(const Item& item) { return std::pair(item.project, item.kind); }
}  // namespace

Snapshot::Snapshot(State state) : state_(std::move(state)) {
  for (size_t i = 0; i < state_.projects.size(); ++i) {
    project_by_id_.emplace(state_.projects[i].id, i);
    project_by_name_.emplace(state_.projects[i].name, i);
  }
  for (const OutsideName& name : state_.names) {
    auto found = project_by_id_.find(name.project);
    if (found != project_by_id_.end()) project_by_outside_name_.emplace(name.value, found->second);
  }
  for (size_t i = 0; i < state_.keys.size(); ++i) key_by_hash_.emplace(state_.keys[i].hash, i);
  std::stable_sort(state_.items.begin(), state_.items.end(),
                   [](const Item& a, const Item& b) { return place_of(a) < place_of(b); });
  for (size_t i = 0; i < state_.items.size(); ++i) item_by_id_.emplace(state_.items[i].id, i);
  for (size_t i = 0; i < state_.users.size(); ++i) {
    user_by_id_.emplace(state_.users[i].id, i);
    user_by_email_.emplace(state_.users[i].email, i);
  }
  for (size_t i = 0; i < state_.shares.size(); ++i) share_by_token_.emplace(state_.shares[i].token, i);
}

std::span<const Item> Snapshot::items(std::optional<ProjectId> project, ItemKind kind) const {
  auto place = std::pair(project, kind);
  auto begin = std::partition_point(state_.items.begin(), state_.items.end(),
                                    [&](const Item& item) { return place_of(item) < place; });
  auto end = std::partition_point(begin, state_.items.end(), [&](const Item& item) { return place_of(item) == place; });
  return {begin, end};
}

const Item* Snapshot::item(std::string_view id) const {
  auto found = item_by_id_.find(id);
  return found == item_by_id_.end() ? nullptr : &state_.items[found->second];
}

const Project* Snapshot::project(ProjectId id) const {
  auto found = project_by_id_.find(id);
  return found == project_by_id_.end() ? nullptr : &state_.projects[found->second];
}

const Project* Snapshot::project(std::string_view name) const {
  auto found = project_by_name_.find(name);
  return found == project_by_name_.end() ? nullptr : &state_.projects[found->second];
}

const Project* Snapshot::project_of_outside_name(std::string_view value) const {
  auto found = project_by_outside_name_.find(value);
  return found == project_by_outside_name_.end() ? nullptr : &state_.projects[found->second];
}

const Key* Snapshot::key_of_secret(std::string_view secret, UnixMillis now) const {
  if (secret.empty() || secret.size() > kSecretBytesMax) return nullptr;
  // Looked up by a hash of the secret: what a timing could tell about stored hashes helps nobody to guess 256 bits.
  std::string hash = hash_of_secret(secret);
  auto found = key_by_hash_.find(hash);
  if (found == key_by_hash_.end()) return nullptr;
  const Key& key = state_.keys[found->second];
  if (!equal_constant_time(key.hash, hash)) return nullptr;
  if (key.expires_at != 0 && key.expires_at <= now) return nullptr;
  return &key;
}

const User* Snapshot::user(UserId id) const {
  auto found = user_by_id_.find(id);
  return found == user_by_id_.end() ? nullptr : &state_.users[found->second];
}

const User* Snapshot::user_of_email(std::string_view email) const {
  auto found = user_by_email_.find(email);
  return found == user_by_email_.end() ? nullptr : &state_.users[found->second];
}

const Invitation* Snapshot::invitation_of_token(std::string_view token, UnixMillis now) const {
  if (token.empty() || token.size() > kSecretBytesMax) return nullptr;
  std::string hash = hash_of_secret(token);
  for (const Invitation& invitation : state_.invitations) {
    if (equal_constant_time(invitation.token, hash)) return invitation.expires_at <= now ? nullptr : &invitation;
  }
  return nullptr;
}

const Share* Snapshot::share(std::string_view id) const {
  auto found = std::find_if(state_.shares.begin(), state_.shares.end(), [&](const Share& s) { return s.id == id; });
  return found == state_.shares.end() ? nullptr : &*found;
}

const Share* Snapshot::share_of_token(std::string_view token, UnixMillis now) const {
  if (token.empty() || token.size() > kSecretBytesMax) return nullptr;
  auto found = share_by_token_.find(hash_of_secret(token));
  if (found == share_by_token_.end()) return nullptr;
  const Share& share = state_.shares[found->second];
  return share.expires_at != 0 && share.expires_at <= now ? nullptr : &share;
}

}  // namespace weir::settings
