#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "weir/base/clock.h"
#include "weir/base/ids.h"

namespace weir::enrich {

// A visit (session) ends after this silence, and after this length in any case.
inline constexpr UnixMillis kVisitSilence = 30 * 60 * 1000;
inline constexpr UnixMillis kVisitLength = 24 * 60 * 60 * 1000;

// What an event contributes to its visit.
struct VisitEvent {
  ProjectId project{};
  uint64_t visitor = 0;
  std::string_view client_session;  // the client's own session id, or empty
  UnixMillis time = 0;
  uint64_t event_hash = 0;         // of the event's id: tells apart visits that begin in the same millisecond
  std::string_view pageview_path;  // its path when it is a pageview, else empty
  bool is_pageview = false;
};

// What the visit says of the event. Texts are valid until the next call.
struct VisitFacts {
  uint64_t session = 0;
  uint16_t seq = 0;     // 0 for the first event; stops at 65535
  uint32_t gap_ms = 0;  // since the event before, 0 for the first
  std::string_view entry_path;
  std::string_view previous_path;
};

// Assigns events to visits. An event joins the open visit of its visitor (and client session id, where given) when it
// is at most 30 minutes after the last event and 24 hours after the first one; else it begins a new visit, whose id
// holds its start second in the upper and a hash of project, visitor, time and event in the lower 32 bits: the same
// events give the same ids, and the id alone tells which day to read. Events are taken in the order given; one that
// is older than its visit's last event joins without moving it.
//
// Confined to one loader thread. Full: at `visits_max` open visits those that have ended by `time` are forgotten, then
// the ones that have been silent longest.
class Visits {
 public:
  explicit Visits(size_t visits_max = 400'000) : visits_max_(visits_max) {}

  VisitFacts assign(const VisitEvent& event);

  // Takes up a visit as the store knows it, after a restart.
  void restore(ProjectId project, uint64_t visitor, std::string_view client_session, uint64_t session,
               UnixMillis started, UnixMillis last, uint64_t events, std::string_view entry_path,
               std::string_view last_path);
  void clear() { open_.clear(); }
  size_t size() const { return open_.size(); }

 private:
  struct Visit {
    uint64_t session;
    UnixMillis started;
    UnixMillis last;
    uint16_t events;  // capped
    std::string entry_path;
    std::string last_path;
  };
  void make_room(UnixMillis now);

  size_t visits_max_;
  std::unordered_map<uint64_t, Visit> open_;  // by hash of project, visitor and client session
  std::string entry_;                         // what the facts of the last assign() point into
  std::string previous_;
};

}  // namespace weir::enrich
