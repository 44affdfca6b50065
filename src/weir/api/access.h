#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

// Who may call what: one table of what each route demands, one sort of caller that answers for what they may.
namespace weir::api {

// What somebody may do, in a project or in all of them.
enum class Permission : uint8_t {
  view,      // see the project: its numbers, goals, shared segments, annotations
  sql,       // ask SQL, see single events
  edit,      // goals, shared segments, annotations, properties, saved queries; where an event is
  manage,    // the project's settings, keys, names, rules, shared links
  people,    // who works in the project, with which role; of people alone, not of keys
  own,       // create and delete projects; journal, system. This and the next: for all projects only
  accounts,  // anybody's account, what holds for all of them. Of people alone, not of keys
};

// A set of permissions.
class Permissions {
 public:
  constexpr Permissions() = default;
  constexpr Permissions(std::initializer_list<Permission> list) {
    for (Permission one : list) bits_ |= bit(one);
  }
  constexpr bool has(Permission one) const { return (bits_ & bit(one)) != 0; }
  constexpr Permissions& operator|=(Permissions other) {
    bits_ |= other.bits_;
    return *this;
  }

 private:
  static constexpr unsigned bit(Permission one) { return 1U << static_cast<unsigned>(one); }
  unsigned bits_ = 0;
};

Permissions permissions_of(settings::Role role);
// Of a key; `everywhere`: of all projects.
Permissions permissions_of(settings::Scope scope, bool everywhere);

// Whose share of what is limited a request takes: the caller's name; and of a shared link, which is in many hands, the
// network that the request came from, for a share of the link's share.
struct Asker {
  std::string name = {};
  std::string from = {};
};

// The person or program behind a request.
class Caller {
 public:
  enum class Kind : uint8_t { owner, key, person, share };

  // Who came over the Unix socket: everything.
  static Caller owner();
  static Caller key(const settings::Key& key);
  static Caller person(const settings::User& user, std::string session);
  // Who opened a shared link: sees one project, through the link's filters.
  static Caller share(const settings::Share& share);

  Kind kind() const { return kind_; }
  // Who it is, for limits a caller.
  const std::string& name() const { return name_; }
  // For the audit log.
  const settings::Actor& actor() const { return actor_; }
  void came_from(std::string address) { actor_.address = std::move(address); }
  Asker asker() const;
  // Of a person.
  std::optional<UserId> user() const { return user_; }
  // The id of the session, of a person; of the shared link, of who opened one.
  const std::string& session() const { return session_; }
  // A JSON list of filters that apply to every question, or empty.
  const std::string& filters() const { return filters_; }

  bool may(Permission permission, ProjectId project) const;
  bool sees(ProjectId project) const { return may(Permission::view, project); }
  // In all projects, those to come included.
  bool may_everywhere(Permission permission) const { return everywhere_.has(permission); }
  bool may_somewhere(Permission permission) const;
  // The projects in which they may; nothing: in all of them.
  std::optional<std::vector<ProjectId>> projects(Permission permission) const;

 private:
  Kind kind_ = Kind::share;
  std::string name_;
  settings::Actor actor_;
  std::optional<UserId> user_;
  std::string session_;
  std::string filters_;
  Permissions everywhere_;
  std::vector<std::pair<ProjectId, Permissions>> somewhere_;
};

// What a route demands of its caller.
struct Access {
  enum class Who : uint8_t {
    anyone,      // who is not signed in as well
    person,      // somebody with an account
    somewhere,   // the permission in some project; the handler keeps to those where the caller has it
    everywhere,  // the permission in all projects
  };
  Who who = Who::everywhere;
  Permission permission = Permission::own;
};

struct RouteAccess {
  http::Method method;
  std::string_view path;  // as the router has it
  Access access;
};
// Every route of the API, with what it demands.
const std::vector<RouteAccess>& access_table();
// That of one route, which must be in the table.
const Access& access_of(http::Method method, std::string_view path);

}  // namespace weir::api
