#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/settings/items.h"
#include "weir/settings/people.h"

// What people change while weir runs: projects, keys, outside names, rules about traffic, and what they make for their
// reports (items.h). The start-up options are config's.
namespace weir::settings {

enum class IpPolicy : uint8_t { none, masked, whole };  // what of an address the store keeps
std::string_view name_of(IpPolicy policy);
bool parse_ip_policy(std::string_view name, IpPolicy& policy);

// What events of pages are whose host is not among the project's: labelled as spam, or like any other.
enum class ForeignHostnames : uint8_t { keep, spam };
std::string_view name_of(ForeignHostnames foreign);
bool parse_foreign_hostnames(std::string_view name, ForeignHostnames& foreign);

// What becomes of events whose browser asks not to be counted: `Sec-GPC: 1` or `DNT: 1`.
enum class PrivacySignals : uint8_t {
  ignore,   // stored like any other
  respect,  // dropped, and counted as such
};
std::string_view name_of(PrivacySignals signals);
bool parse_privacy_signals(std::string_view name, PrivacySignals& signals);

struct Project {
  ProjectId id{};
  std::string name;               // unique; 1-64 of a-z A-Z 0-9 . _ -
  std::string time_zone = "UTC";  // IANA name
  uint32_t retention_days = 0;    // 0: for ever
  IpPolicy ip_policy = IpPolicy::none;
  // Of its sites, sorted: `www.example.org`, or `*.example.org` for all below example.org. Whoever comes from one of
  // them was there before.
  std::vector<std::string> hostnames = {};
  ForeignHostnames foreign_hostnames = ForeignHostnames::keep;  // without hostnames none is foreign
  PrivacySignals privacy_signals = PrivacySignals::ignore;
  UnixMillis created_at = 0;
  bool operator==(const Project&) const = default;
};

enum class Scope : uint8_t { capture, stats, sql, admin };
std::string_view name_of(Scope scope);
bool parse_scope(std::string_view name, Scope& scope);

// An API key. The secret itself is shown once and kept only as a hash.
struct Key {
  std::string id;  // short, public: what lists show
  std::string name;
  Scope scope = Scope::stats;
  std::optional<ProjectId> project;  // none: all projects
  std::string hash;                  // SHA-256 of the secret, 32 bytes (the secret has 256 random bits)
  UnixMillis created_at = 0;
  UnixMillis expires_at = 0;  // 0: never
  bool operator==(const Key&) const = default;
};

// An outside name (a PostHog key, a Segment write key, a Matomo site number, a domain) that means a project.
struct OutsideName {
  std::string value;
  ProjectId project{};
  bool operator==(const OutsideName&) const = default;
};

// What a rule looks at, and how its value is held against it:
//   address     an address or a network, 10.0.0.0/8 or 2001:db8::/32, against the visitor's address
//   hostname    a host, or *.example.com for all below example.com, against the page's
//   referrer    a host, against that of the referrer and its parents
//   path        /admin for that path and all below it; with `*`, which is any text, against the whole path
//   user_agent  a text that the user agent holds, as it is written
enum class RuleKind : uint8_t { address, hostname, referrer, path, user_agent };
std::string_view name_of(RuleKind kind);
bool parse_rule_kind(std::string_view name, RuleKind& kind);

enum class RuleLabel : uint8_t { internal, spam, bot };
std::string_view name_of(RuleLabel label);
bool parse_rule_label(std::string_view name, RuleLabel& label);

// Events that fit are labelled, from now on. They are stored all the same.
struct TrafficRule {
  std::string id = {};                    // short, public: what lists show
  std::optional<ProjectId> project = {};  // none: all projects
  RuleKind kind = RuleKind::address;
  std::string value = {};
  RuleLabel label = RuleLabel::internal;
  std::string note = {};  // for people; may be empty
  UnixMillis created_at = 0;
  bool operator==(const TrafficRule&) const = default;
};

// All that a repository keeps, as plain lists.
struct State {
  std::vector<Project> projects = {};   // by name
  std::vector<Key> keys = {};           // the oldest first, as all that follow
  std::vector<OutsideName> names = {};  // by value
  std::vector<TrafficRule> rules = {};
  std::vector<Item> items = {};
  std::vector<User> users = {};
  std::vector<Invitation> invitations = {};
  std::vector<Share> shares = {};
  Policy policy = {};
  std::vector<ProjectId> retired = {};  // ids of deleted projects, never to be given out again
};

// All of it at one moment. Immutable: read it from any thread. What its functions return lives as long as it does:
// hold the shared pointer while you use it.
class Snapshot {
 public:
  explicit Snapshot(State state);
  const Project* project(ProjectId id) const;
  const Project* project(std::string_view name) const;
  const Project* project_of_outside_name(std::string_view value) const;
  // The key whose secret this is and which has not expired at `now`, or null. Takes the same time whether or not a
  // prefix matches.
  const Key* key_of_secret(std::string_view secret, UnixMillis now) const;
  const std::vector<Project>& projects() const { return state_.projects; }
  const std::vector<Key>& keys() const { return state_.keys; }
  const std::vector<OutsideName>& outside_names() const { return state_.names; }
  // The oldest first.
  const std::vector<TrafficRule>& traffic_rules() const { return state_.rules; }
  // A project's items of one kind, everybody's, the oldest first; none: those of no project in particular.
  std::span<const Item> items(std::optional<ProjectId> project, ItemKind kind) const;
  // Null when there is none.
  const Item* item(std::string_view id) const;

  const std::vector<User>& users() const { return state_.users; }
  const User* user(UserId id) const;
  // By an address as check_email() gives it.
  const User* user_of_email(std::string_view email) const;
  const std::vector<Invitation>& invitations() const { return state_.invitations; }
  // That of this token which has not expired, or null.
  const Invitation* invitation_of_token(std::string_view token, UnixMillis now) const;
  const std::vector<Share>& shares() const { return state_.shares; }
  const Share* share(std::string_view id) const;
  const Share* share_of_token(std::string_view token, UnixMillis now) const;
  const Policy& policy() const { return state_.policy; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Index = std::unordered_map<std::string, size_t, Hash, std::equal_to<>>;
  State state_;  // its items sorted by project and kind
  std::unordered_map<ProjectId, size_t> project_by_id_;
  Index project_by_name_;
  Index project_by_outside_name_;
  Index key_by_hash_;
  Index item_by_id_;
  std::unordered_map<UserId, size_t> user_by_id_;
  Index user_by_email_;
  Index share_by_token_;
};

// A thing with its secret, which is shown once.
struct NewKey {
  Key key;
  std::string secret;
};
struct NewInvitation {
  Invitation invitation;
  std::string token;
};
struct NewShare {
  Share share;
  std::string token;
};

// Keeps settings durably. What a change means, and what it is checked for, is written once, here; an implementation
// keeps the state.
//
// Thread-safe; calls may block on the database: never from an I/O thread, except snapshot().
// Errors everywhere: kUnavailable (database away, locked, full or damaged; the change may or may not be found later),
// kConflict (name taken), kNotFound, kBadInput (names the field and the value), kTooLarge (a limit of limits.h).
class Repository {
 public:
  // What anybody may be told while degraded().
  static constexpr std::string_view kRefused = "settings: changes are refused at the moment; weir's log says why";

  virtual ~Repository() = default;
  // The present state. Never blocks; a change made here is in the snapshot before its call returns.
  virtual std::shared_ptr<const Snapshot> snapshot() const = 0;

  // Why changes are refused at the moment (read-only from DATA/settings.snapshot), or empty. For the operator alone: it
  // names files.
  virtual std::string degraded() const = 0;
  // Called after each change that reached the snapshot, on the thread that made it, without any lock held: read
  // snapshot() there (calls of two changes may overlap). One listener; set it before the repository is shared.
  virtual void on_change(std::function<void()> listener) = 0;
  // Writes what is buffered and closes.
  virtual Result<> close() = 0;

  // Each change is written to the audit log in the same breath, with who made it.

  Result<Project> create_project(std::string_view name, const Actor& actor = {});
  // Replaces all fields but id and created_at.
  Result<> change_project(const Project& project, const Actor& actor = {});
  // Its keys, outside names, rules, items, shares, invitations and roles go with it. Its id is never given out again.
  Result<> delete_project(ProjectId id, const Actor& actor = {});

  // `expires_at` 0: never. The secret is `weir_`, the scope's letter and 256 random bits in base64url.
  Result<NewKey> create_key(std::string_view name, Scope scope, std::optional<ProjectId> project, UnixMillis expires_at,
                            const Actor& actor = {});
  Result<> delete_key(std::string_view id, const Actor& actor = {});

  Result<> add_outside_name(std::string_view value, ProjectId project, const Actor& actor = {});
  Result<> delete_outside_name(std::string_view value, const Actor& actor = {});

  // Gives it its id and moment, and its value the form it is kept in (lower-case hosts, one way to write an address).
  Result<TrafficRule> add_traffic_rule(const TrafficRule& rule, const Actor& actor = {});
  Result<> delete_traffic_rule(std::string_view id, const Actor& actor = {});

  // Gives it its id and moments, and its body the form it is kept in. The name of a goal and the key of a property are
  // unique in a project.
  Result<Item> add_item(const Item& item, const Actor& actor = {});
  // Replaces owner, name and body of the item of that id.
  Result<Item> change_item(const Item& item, const Actor& actor = {});
  Result<> delete_item(std::string_view id, const Actor& actor = {});

  // Gives it its id and moment. An owner is one of all projects.
  Result<User> create_user(const User& user, const Actor& actor = {});
  // The same while there is nobody yet, else kConflict.
  Result<User> create_first_user(const User& user, const Actor& actor = {});
  // `edit` works on the person as they are kept, so that two changes at once do not undo each other; what it answers an
  // error for is not changed. id and created_at stay. Errors: kConflict as well (no owner would be left).
  using EditUser = std::function<Result<>(User& user)>;
  Result<User> change_user(UserId id, const EditUser& edit, const Actor& actor = {});
  // Their personal items and sessions go with them.
  Result<> delete_user(UserId id, const Actor& actor = {});

  Result<NewInvitation> invite(std::string_view email, const Grant& grant, const Actor& actor = {});
  Result<> delete_invitation(std::string_view id, const Actor& actor = {});
  // Makes the account, or gives the one of that address the role; the invitation is used up.
  // `user` brings name and password for a new account; without it there must be one. Errors: kNotFound (no such
  // invitation, or it has expired), kConflict (there is an account, and `user` is for a new one).
  Result<User> accept_invitation(std::string_view token, const std::optional<User>& user, const Actor& actor = {});

  // Gives it id, moment, token and key.
  Result<NewShare> create_share(const Share& share, const Actor& actor = {});
  Result<> delete_share(std::string_view id, const Actor& actor = {});

  Result<> change_policy(const Policy& policy, const Actor& actor = {});

  // All that are kept.
  virtual Result<std::vector<Session>> sessions() = 0;
  // A new one. Errors: kNotFound as well (no such person).
  virtual Result<> keep_session(const Session& session) = 0;
  // When and from where they were last used. One that was dropped meanwhile stays dropped.
  virtual Result<> note_seen(const std::vector<Session>& sessions) = 0;
  // Unknown ids are none of its business.
  virtual Result<> drop_sessions(const std::vector<std::string>& ids) = 0;

  // An entry for what is no change of the state: that somebody signed in.
  virtual Result<> note(const AuditEntry& entry) = 0;
  // The newest first, below number `before` (0: from the newest), at most `limit`; of one project, or all.
  virtual Result<std::vector<AuditEntry>> audit(int64_t before, size_t limit, std::optional<ProjectId> project) = 0;

 protected:
  // Works on the state as it is kept. What it answers an error for is not changed.
  using Edit = std::function<Result<>(State& state)>;
  // Keeps `clock` by reference.
  explicit Repository(Clock& clock) : clock_(clock) {}
  // Applies `edit`, and answers when its result is durable, with its entries in the audit log, and in the snapshot.
  virtual Result<> change(const Actor& actor, const Edit& edit) = 0;

  Clock& clock_;
};

}  // namespace weir::settings
