#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "weir/base/json_writer.h"
#include "weir/settings/secrets.h"

namespace weir::collect::testing {

// Seals by writing the fields in clear, and knows who asked when. Thread-safe.
class FakeSecrets final : public settings::Secrets {
 public:
  Result<std::string> seal(ProjectId project, UnixMillis now, const settings::Personal& personal) override {
    if (fail) return Error{ErrorCode::kUnavailable, "settings: no key could be stored"};
    ++seals;
    note(project, now);
    std::string text = R"({"day":")" + format_day(day_of(now)) + R"(","ip":)";
    append_json_string(text, personal.ip);
    text += R"(,"user_agent":)";
    append_json_string(text, personal.user_agent);
    text += R"(,"hints":)" + (personal.hints.empty() ? "{}" : std::string(personal.hints)) + R"(,"accept_language":)";
    append_json_string(text, personal.accept_language);
    text += personal.gpc ? R"(,"gpc":true})" : R"(,"gpc":false})";
    return text;
  }
  Result<Opened> open(ProjectId, std::string_view) override { return Error{ErrorCode::kNotFound, "settings: fake"}; }
  Result<uint64_t> visitor(ProjectId project, UnixMillis event_time, UnixMillis now, std::string_view ip,
                           std::string_view user_agent) override {
    if (fail) return Error{ErrorCode::kUnavailable, "settings: no salt could be stored"};
    note(project, now);
    int64_t day = day_of(event_time) == day_of(now) - 1 ? day_of(event_time) : day_of(now);
    std::string all =
        to_string(project) + "|" + std::to_string(day) + "|" + std::string(ip) + "|" + std::string(user_agent);
    return std::hash<std::string>{}(all) | 1;
  }
  Result<> expire(UnixMillis) override { return {}; }

  // On which threads a (project, day) was first asked for: a real one writes files there.
  std::set<std::thread::id> first_askers() {
    std::lock_guard lock(mutex_);
    return first_askers_;
  }

  std::atomic<bool> fail{false};
  std::atomic<int> seals{0};

 private:
  void note(ProjectId project, UnixMillis now) {
    std::lock_guard lock(mutex_);
    if (known_.insert({number(project), day_of(now)}).second) first_askers_.insert(std::this_thread::get_id());
  }

  std::mutex mutex_;  // guards the sets
  std::set<std::pair<uint64_t, int64_t>> known_;
  std::set<std::thread::id> first_askers_;
};

}  // namespace weir::collect::testing
