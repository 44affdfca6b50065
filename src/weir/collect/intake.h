#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/collect/drop_reason.h"
#include "weir/collect/native.h"
#include "weir/journal/journal.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"

namespace weir::collect {

// When an event happened, by the rules of docs/formats/event.md.
struct Stamp {
  UnixMillis time = 0;
  event::TimeRule rule = event::TimeRule::received;
  bool too_old = false;  // before 1990
};
Stamp stamp(UnixMillis received_at, std::optional<UnixMillis> client_time, std::optional<UnixMillis> sent_at);

// Turns the events of one request into records: stamps them, gives them their visitor, seals what is personal.
// Confined to one thread, lives as long as one request is decoded; nothing here waits as long as the project's
// secrets of the day are in memory (WarmSecrets).
class Intake {
 public:
  // `sender`: what the request says about who sends it; `signal`: that they do not want to be counted, of projects that
  // respect that. Keeps the references.
  Intake(settings::Secrets& secrets, const settings::Personal& sender, UnixMillis received_at,
         std::string_view protocol, std::optional<DropReason> signal = {})
      : secrets_(secrets), sender_(sender), received_at_(received_at), protocol_(protocol), signal_(signal) {}

  enum class Verdict : uint8_t {
    accepted,  // its record is in `records`
    rejected,  // why() says why
    dropped,   // drop_reason() says why
    failed,    // error(): no event of this request can be taken
  };
  Verdict add(const settings::Project& project, const SentEvent& sent, journal::Records& records);

  std::string_view why() const { return why_; }
  DropReason drop_reason() const { return drop_reason_; }
  const Error& error() const { return error_; }

 private:
  // Sealed fields of one project and the request's sender, or else the address and user agent an event names; a request
  // rarely has more than one of them.
  struct Sealed {
    ProjectId project{};
    bool sender = false;
    std::string ip;
    std::string user_agent;
    std::string text;
  };
  bool seal(ProjectId project, const settings::Personal& personal, std::string_view& sealed);

  settings::Secrets& secrets_;
  const settings::Personal& sender_;
  const UnixMillis received_at_;
  const std::string_view protocol_;
  const std::optional<DropReason> signal_;
  std::vector<Sealed> sealed_;
  size_t next_sealed_ = 0;  // where the next one goes when there are as many as are kept
  std::string_view why_;
  DropReason drop_reason_ = DropReason::retention;
  Error error_{};
};

}  // namespace weir::collect
