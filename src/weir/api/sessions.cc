#include "weir/api/sessions.h"

#include <algorithm>

#include "weir/base/bytes.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"
#include "weir/settings/limits.h"
#include "weir/settings/people_rules.h"
#include "weir/settings/rules.h"

namespace weir::api {

namespace {
constexpr size_t kAgentBytesMax = 200;
constexpr int64_t kSeenMillis = 60'000;  // finer is not noted

// Printable ASCII alone, cut short.
std::string plain(std::string_view text) {
  std::string out;
  for (char c : text.substr(0, kAgentBytesMax)) out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  return out;
}
}  // namespace

Sessions::Sessions(settings::Repository& settings, Clock& clock) : settings_(settings), clock_(clock) { load(); }

void Sessions::load() {
  auto kept = settings_.sessions();
  if (!kept) {
    log::warning("api: who is signed in is not known: {}", kept.error().message);
    return;
  }
  std::lock_guard lock(mutex_);
  for (settings::Session& session : *kept) {
    UnixMillis seen = session.seen_at;
    std::string token = session.token;
    by_token_.emplace(std::move(token), Kept{std::move(session), seen});
  }
  loaded_ = true;
}

bool Sessions::over(const settings::Session& session, UnixMillis now) const {
  return session.seen_at + kSessionIdleMillis <= now || session.created_at + kSessionLifeMillis <= now;
}

Result<Sessions::New> Sessions::start(UserId user, std::string address, std::string_view agent) {
  New made;
  made.token = settings::new_token();
  settings::Session& session = made.session;
  session.id = to_hex(random_bytes(6));
  session.token = settings::hash_of_secret(made.token);
  session.user = user;
  session.created_at = clock_.now();
  session.seen_at = session.created_at;
  session.address = std::move(address);
  session.agent = plain(agent);
  if (auto kept = settings_.keep_session(session); !kept) return std::move(kept).error();
  {
    std::lock_guard lock(mutex_);
    by_token_.emplace(session.token, Kept{session, session.seen_at});
  }
  std::vector<settings::Session> all = of(user);
  if (all.size() > kSessionsOfPersonMax) {
    std::vector<std::string> beyond;
    for (size_t i = kSessionsOfPersonMax; i < all.size(); ++i) beyond.push_back(all[i].id);
    auto dropped = drop([&](const settings::Session& one) {
      return one.user == user && std::find(beyond.begin(), beyond.end(), one.id) != beyond.end();
    });
    if (!dropped) log::warning("{}", dropped.error().message);
  }
  return made;
}

std::optional<settings::Session> Sessions::find(std::string_view token, std::string_view address) {
  if (token.empty() || token.size() > settings::kSecretBytesMax) return std::nullopt;
  // Looked up by its hash: what a timing could tell about it helps nobody to guess 256 bits.
  std::string hash = settings::hash_of_secret(token);
  UnixMillis now = clock_.now();
  std::lock_guard lock(mutex_);
  auto found = by_token_.find(hash);
  if (found == by_token_.end()) return std::nullopt;
  settings::Session& session = found->second.session;
  if (over(session, now)) return std::nullopt;
  if (now - session.seen_at >= kSeenMillis) {
    session.seen_at = now;
    session.address = address;
  }
  return session;
}

std::vector<settings::Session> Sessions::of(UserId user) const {
  std::vector<settings::Session> found;
  {
    UnixMillis now = clock_.now();
    std::lock_guard lock(mutex_);
    for (const auto& [hash, kept] : by_token_) {
      if (kept.session.user == user && !over(kept.session, now)) found.push_back(kept.session);
    }
  }
  std::sort(found.begin(), found.end(), [](const settings::Session& a, const settings::Session& b) {
    return std::pair(a.seen_at, a.created_at) > std::pair(b.seen_at, b.created_at);
  });
  return found;
}

Result<> Sessions::drop(const std::function<bool(const settings::Session&)>& which) {
  std::vector<std::string> ids;
  {
    std::lock_guard lock(mutex_);
    std::erase_if(by_token_, [&](const auto& entry) {
      if (!which(entry.second.session)) return false;
      ids.push_back(entry.second.session.id);
      return true;
    });
  }
  return ids.empty() ? Result<>() : settings_.drop_sessions(ids);
}

Result<> Sessions::end(UserId user, std::string_view id) {
  bool known = false;
  Result<> dropped = drop([&](const settings::Session& session) {
    bool it = session.user == user && session.id == id;
    known = known || it;
    return it;
  });
  if (!known) return Error{ErrorCode::kNotFound, "api: session: no such session"};
  return dropped;
}

Result<> Sessions::end_others(UserId user, std::string_view kept) {
  return drop([&](const settings::Session& session) { return session.user == user && session.id != kept; });
}

Result<> Sessions::keep_seen() {
  bool loaded = false;
  {
    std::lock_guard lock(mutex_);
    loaded = loaded_;
  }
  if (!loaded) load();
  auto snapshot = settings_.snapshot();
  UnixMillis now = clock_.now();
  Result<> dropped = drop(
      [&](const settings::Session& session) { return over(session, now) || snapshot->user(session.user) == nullptr; });
  if (!dropped) return dropped;
  std::vector<settings::Session> changed;
  {
    std::lock_guard lock(mutex_);
    for (auto& [hash, kept] : by_token_) {
      if (kept.written == kept.session.seen_at) continue;
      kept.written = kept.session.seen_at;
      changed.push_back(kept.session);
    }
  }
  // Who signs out before this is written stays signed out.
  return changed.empty() ? Result<>() : settings_.note_seen(changed);
}

}  // namespace weir::api
