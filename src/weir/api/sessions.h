#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/settings/settings.h"

namespace weir::api {

inline constexpr int64_t kSessionIdleMillis = 14LL * 86'400'000;  // without a request
inline constexpr int64_t kSessionLifeMillis = 90LL * 86'400'000;  // whatever happens
inline constexpr size_t kSessionsOfPersonMax = 50;                // the one unused for longest goes

// Who is signed in: in memory, so that a request costs no database; written through when a session begins or ends.
// When it was last used is written only now and then, by keep_seen().
//
// Thread-safe. find() is for I/O threads; all else may block on the database.
class Sessions {
 public:
  // Reads what is kept. Keeps the references; they must outlive it.
  Sessions(settings::Repository& settings, Clock& clock);

  struct New {
    std::string token;  // the cookie's value, known to nobody else
    settings::Session session;
  };
  // Errors: as Repository::keep_session().
  Result<New> start(UserId user, std::string address, std::string_view agent);
  // The session of that token, if it has not ended. Notes that it was used.
  std::optional<settings::Session> find(std::string_view token, std::string_view address);
  // The most recently used first.
  std::vector<settings::Session> of(UserId user) const;
  // Ends one of the person's. Errors: kNotFound.
  Result<> end(UserId user, std::string_view id);
  // Ends all of the person's but `kept`, at once in memory even when the database is away.
  Result<> end_others(UserId user, std::string_view kept);
  // Writes when sessions were used, drops what has ended. Every few minutes.
  Result<> keep_seen();

 private:
  bool over(const settings::Session& session, UnixMillis now) const;
  Result<> drop(const std::function<bool(const settings::Session&)>& which);
  void load();

  settings::Repository& settings_;
  Clock& clock_;
  mutable std::mutex mutex_;  // guards the rest
  bool loaded_ = false;
  struct Kept {
    settings::Session session;
    UnixMillis written = 0;  // seen_at as the database has it
  };
  std::unordered_map<std::string, Kept> by_token_;  // by the token's hash
};

}  // namespace weir::api
