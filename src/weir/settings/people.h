#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"

// Who works with weir: people with their roles, invitations, shared links, sessions, and the log of who changed what.
// Passwords are kept as argon2id hashes, tokens as SHA-256 of 256 random bits, secrets of second factors sealed; none
// is kept anywhere in clear.
namespace weir::settings {

// Each may do what those before it may; owner is for all projects only.
enum class Role : uint8_t { viewer, editor, admin, owner };
std::string_view name_of(Role role);
bool parse_role(std::string_view name, Role& role);

// A role in one project, or in all.
struct Grant {
  std::optional<ProjectId> project = {};
  Role role = Role::viewer;
  bool operator==(const Grant&) const = default;
};

struct User {
  UserId id{};
  std::string email = {};  // lower-case; unique
  std::string name = {};
  std::string password = {};               // argon2id, as libsodium writes it; empty: no password signs this person in
  std::vector<Grant> grants = {};          // at most one a project, and one for all
  std::string totp_secret = {};            // sealed (sealer.h); empty: no second factor
  int64_t totp_step = 0;                   // the time step of the last code taken, so that none is taken twice
  std::vector<std::string> recovery = {};  // SHA-256 of the recovery codes not used yet
  UnixMillis created_at = 0;
  bool operator==(const User&) const = default;

  bool is_owner() const;
};

// A link by which somebody makes their account. Used once.
struct Invitation {
  std::string id = {};  // short, public
  std::string email = {};
  Grant grant = {};
  std::string token = {};  // its hash
  UnixMillis created_at = 0;
  UnixMillis expires_at = 0;
  bool operator==(const Invitation&) const = default;
};

// A link that shows one project to whoever has it.
struct Share {
  std::string id = {};  // short, public
  ProjectId project{};
  std::string name = {};
  std::string token = {};                 // its hash
  std::string password = {};              // argon2id; empty: none is asked for
  std::string key = {};                   // 32 random bytes; signs the sessions of those who came in by the link
  std::string segment = {};               // a JSON list of filters that always apply; empty: none
  std::vector<std::string> origins = {};  // pages of these may show it in a frame
  UnixMillis created_at = 0;
  UnixMillis expires_at = 0;  // 0: never
  bool operator==(const Share&) const = default;
};

// What holds for everybody.
struct Policy {
  bool second_factor = false;  // people without a second factor may only set one up
  bool operator==(const Policy&) const = default;
};

// Somebody who is signed in. Kept beside the state: sessions come and go without a new snapshot.
struct Session {
  std::string id = {};     // short, public
  std::string token = {};  // hash of the cookie's value
  UserId user{};
  UnixMillis created_at = 0;
  UnixMillis seen_at = 0;  // to within minutes
  std::string address = {};
  std::string agent = {};  // the browser's name for itself, cut to 200 bytes
};

// Who makes a change, for the audit log.
struct Actor {
  std::string who = "weir";  // an email, `key NAME (ID)`, `owner`, or weir itself
  std::string address = {};  // empty: not over the network
};

// One line of the audit log.
struct AuditEntry {
  int64_t number = 0;  // rises
  UnixMillis at = 0;
  Actor actor = {};
  std::optional<ProjectId> project = {};  // of the thing that changed, where it is a project's
  std::string action = {};                // "key.created", "project.changed", "session.started"
  std::string subject = {};               // id and name of the thing
  std::string detail = {};                // JSON object: of a change, each field with its values before and after
};

}  // namespace weir::settings
