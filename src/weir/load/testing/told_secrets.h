#pragma once

#include <atomic>
#include <string>

#include "weir/settings/secrets.h"

namespace weir::load::testing {

// Secrets that fail to open personal fields as they are told, and know how often they were asked. Thread-safe.
class ToldSecrets final : public settings::Secrets {
 public:
  Result<std::string> seal(ProjectId, UnixMillis, const settings::Personal&) override { return std::string("{}"); }
  Result<Opened> open(ProjectId, std::string_view) override {
    ++asked;
    if (fail) return Error{error, "settings: told so"};
    return Opened{.ip = "192.0.2.1", .user_agent = "", .hints = "", .accept_language = ""};
  }
  Result<uint64_t> visitor(ProjectId, UnixMillis, UnixMillis, std::string_view, std::string_view) override { return 1; }
  Result<> expire(UnixMillis) override { return {}; }

  std::atomic<bool> fail{false};
  std::atomic<ErrorCode> error{ErrorCode::kUnavailable};
  std::atomic<int> asked{0};
};

}  // namespace weir::load::testing
