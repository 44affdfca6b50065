#include <algorithm>

#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/settings/edits.h"
#include "weir/settings/limits.h"
#include "weir/settings/people_rules.h"
#include "weir/settings/rules.h"
#include "weir/settings/settings.h"

// What each change of people and shared links means, whatever keeps the state.
namespace weir::settings {

namespace {
constexpr size_t kIdBytes = 6;

UserId new_user_id() {
  while (true) {
    uint64_t id = random_u64() >> 1;  // so that it fits a signed column everywhere
    if (id != 0) return UserId{id};
  }
}

User* find_user(State& state, UserId id) {
  auto found = std::find_if(state.users.begin(), state.users.end(), [&](const User& user) { return user.id == id; });
  return found == state.users.end() ? nullptr : &*found;
}
User* find_user(State& state, std::string_view email) {
  auto found =
      std::find_if(state.users.begin(), state.users.end(), [&](const User& user) { return user.email == email; });
  return found == state.users.end() ? nullptr : &*found;
}

bool has_owner(const State& state) {
  return std::any_of(state.users.begin(), state.users.end(), [](const User& user) { return user.is_owner(); });
}
Error no_owner_left() {
  return {ErrorCode::kConflict, "settings: no owner would be left; make somebody else one first"};
}

Result<> check_grants(State& state, const User& user) {
  for (const Grant& grant : user.grants) {
    if (auto known = check_known(state, grant.project); !known) return known;
  }
  return {};
}

Result<> add(State& state, const User& user) {
  if (find_user(state, user.email) != nullptr) return taken("email", user.email);
  if (state.users.size() >= kUsersMax) return too_many("people", kUsersMax);
  if (auto known = check_grants(state, user); !known) return known;
  state.users.push_back(user);
  return {};
}

// Gives the role, in place of the one for the same projects.
void give(User& user, const Grant& grant) {
  std::erase_if(user.grants, [&](const Grant& other) { return other.project == grant.project; });
  user.grants.push_back(grant);
}
}  // namespace

Result<User> Repository::create_user(const User& wanted, const Actor& actor) {
  User user = wanted;
  if (auto fine = check_user(user); !fine) return std::move(fine).error();
  user.id = new_user_id();
  user.created_at = clock_.now();
  if (auto done = change(actor, [&](State& state) { return add(state, user); }); !done) return std::move(done).error();
  return user;
}

Result<User> Repository::create_first_user(const User& wanted, const Actor& actor) {
  User user = wanted;
  if (auto fine = check_user(user); !fine) return std::move(fine).error();
  user.id = new_user_id();
  user.created_at = clock_.now();
  auto done = change(actor, [&](State& state) -> Result<> {
    if (!state.users.empty()) return Error{ErrorCode::kConflict, "settings: there is an account already"};
    return add(state, user);
  });
  if (!done) return std::move(done).error();
  return user;
}

Result<User> Repository::change_user(UserId id, const EditUser& edit, const Actor& actor) {
  User changed;
  auto done = change(actor, [&](State& state) -> Result<> {
    User* kept = find_user(state, id);
    if (kept == nullptr) return not_found("person", to_string(id));
    changed = *kept;
    if (auto edited = edit(changed); !edited) return edited;
    if (auto fine = check_user(changed); !fine) return fine;
    if (auto known = check_grants(state, changed); !known) return known;
    const User* same_email = find_user(state, changed.email);
    if (same_email != nullptr && same_email->id != id) return taken("email", changed.email);
    changed.id = kept->id;
    changed.created_at = kept->created_at;
    bool had_owner = has_owner(state);
    *kept = changed;
    return had_owner && !has_owner(state) ? Result<>(no_owner_left()) : Result<>();
  });
  if (!done) return std::move(done).error();
  return changed;
}

Result<> Repository::delete_user(UserId id, const Actor& actor) {
  return change(actor, [&](State& state) -> Result<> {
    bool had_owner = has_owner(state);
    if (std::erase_if(state.users, [&](const User& user) { return user.id == id; }) == 0)
      return not_found("person", to_string(id));
    std::erase_if(state.items, [&](const Item& item) { return item.owner == id; });
    return had_owner && !has_owner(state) ? Result<>(no_owner_left()) : Result<>();
  });
}

Result<NewInvitation> Repository::invite(std::string_view email, const Grant& grant, const Actor& actor) {
  auto address = check_email(email);
  if (!address) return std::move(address).error();
  if (auto fine = check_grant(grant); !fine) return std::move(fine).error();
  NewInvitation made;
  made.token = new_token();
  made.invitation.id = to_hex(random_bytes(kIdBytes));
  made.invitation.email = std::move(*address);
  made.invitation.grant = grant;
  made.invitation.token = hash_of_secret(made.token);
  made.invitation.created_at = clock_.now();
  made.invitation.expires_at = made.invitation.created_at + kInvitationMillis;
  auto done = change(actor, [&](State& state) -> Result<> {
    if (auto known = check_known(state, grant.project); !known) return known;
    UnixMillis now = made.invitation.created_at;
    // One for the same role in the same place is replaced; what has expired goes.
    std::erase_if(state.invitations, [&](const Invitation& other) {
      return other.expires_at <= now || (other.email == made.invitation.email && other.grant.project == grant.project);
    });
    if (state.invitations.size() >= kInvitationsMax) return too_many("invitations", kInvitationsMax);
    state.invitations.push_back(made.invitation);
    return {};
  });
  if (!done) return std::move(done).error();
  return made;
}

Result<> Repository::delete_invitation(std::string_view id, const Actor& actor) {
  return change(actor, [&](State& state) { return remove(state.invitations, "invitation", id); });
}

Result<User> Repository::accept_invitation(std::string_view token, const std::optional<User>& wanted,
                                           const Actor& actor) {
  std::string hash = hash_of_secret(token);
  UnixMillis now = clock_.now();
  User user;
  auto done = change(actor, [&](State& state) -> Result<> {
    auto found = std::find_if(state.invitations.begin(), state.invitations.end(), [&](const Invitation& invitation) {
      return equal_constant_time(invitation.token, hash) && invitation.expires_at > now;
    });
    if (found == state.invitations.end())
      return Error{ErrorCode::kNotFound, "settings: no such invitation, or it has expired or was used"};
    Invitation invitation = *found;
    state.invitations.erase(found);
    User* kept = find_user(state, invitation.email);
    if (wanted) {
      user = *wanted;
      user.email = invitation.email;
      user.grants = {invitation.grant};
      user.id = new_user_id();
      user.created_at = now;
      if (auto fine = check_user(user); !fine) return fine;
      return add(state, user);
    }
    if (kept == nullptr) return not_found("person", invitation.email);
    give(*kept, invitation.grant);
    user = *kept;
    return check_user(user);
  });
  if (!done) return std::move(done).error();
  return user;
}

Result<NewShare> Repository::create_share(const Share& wanted, const Actor& actor) {
  NewShare made{wanted, new_token()};
  if (auto fine = check_share(made.share, clock_.now()); !fine) return std::move(fine).error();
  made.share.id = to_hex(random_bytes(kIdBytes));
  made.share.token = hash_of_secret(made.token);
  made.share.key = random_bytes(32);
  made.share.created_at = clock_.now();
  auto done = change(actor, [&](State& state) -> Result<> {
    if (auto known = check_known(state, made.share.project); !known) return known;
    if (state.shares.size() >= kSharesMax) return too_many("shared links", kSharesMax);
    state.shares.push_back(made.share);
    return {};
  });
  if (!done) return std::move(done).error();
  return made;
}

Result<> Repository::delete_share(std::string_view id, const Actor& actor) {
  return change(actor, [&](State& state) { return remove(state.shares, "shared link", id); });
}

Result<> Repository::change_policy(const Policy& policy, const Actor& actor) {
  return change(actor, [&](State& state) -> Result<> {
    state.policy = policy;
    return {};
  });
}

}  // namespace weir::settings
