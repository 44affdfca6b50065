#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/text_pool.h"
#include "weir/event/event.h"
#include "weir/event/row.h"

// Visits (sessions): which events of a visitor belong together, and what that says of each.
//
// The answer is a function of the set of events, not of the order they come in. A stream is what one visitor does, or,
// where clients name their sessions, what one visitor does in one of those. Its events in the order of (time, hash) are
// cut where 30 minutes were silent, and 24 hours after a visit's first event; see begins().
namespace weir::enrich {

inline constexpr UnixMillis kVisitSilence = 30 * 60 * 1000;
inline constexpr UnixMillis kVisitLength = 24 * 60 * 60 * 1000;

// Where a visit came from: what its first event says.
struct Acquisition {
  std::string_view source, channel, campaign;
};

// What an event contributes to its visit.
struct VisitEvent {
  ProjectId project{};
  uint64_t visitor = 0;
  std::string_view client_session;  // the client's own session id, or empty
  UnixMillis time = 0;
  uint64_t hash = 0;  // event::event_hash(): orders the events of one millisecond
  event::Kind kind = event::Kind::event;
  std::string_view path;
  Acquisition acquisition;
};

// A visit up to some event of it, but for its texts.
struct VisitCounts {
  uint64_t session = 0;
  UnixMillis last = 0;       // time and hash of its latest event
  uint64_t last_hash = 0;    //
  uint32_t events = 0;       // so far
  uint8_t pageviews = 0;     // so far, of which two are as good as many
  uint8_t interactions = 0;  // likewise: pageviews and events, which somebody caused
  bool cut_off = false;      // it began because the one before had lasted its length, or how it began is not known

  bool after(const VisitEvent& event) const { return event.time != last ? event.time < last : event.hash < last_hash; }
};

struct VisitState : VisitCounts {
  std::string entry_path;
  std::string last_path;  // of the latest pageview
  std::string source, channel, campaign;
};

// The stream that an event belongs to.
uint64_t stream_of(ProjectId project, uint64_t visitor, std::string_view client_session);

// Whether an event that follows `state` in its stream begins a visit of its own.
bool begins(const VisitCounts& visit, UnixMillis time);

// The one rule: takes up the next event of the stream, in the order of (time, hash). A state without a session is a
// stream without events. The facts' texts point into `state`, `event` and `previous` (a buffer of the caller's).
event::VisitColumns advance(VisitState& state, const VisitEvent& event, uint64_t stream, std::string& previous);

// Assigns events to visits as they come. The visits that may go on are held in memory; an event that comes in order is
// assigned for good. For any other (late, or of a time about which the memory knows nothing) what is answered is a
// first guess that says so (`certain`): who stores the row then has its visitor's rows read and put right
// (load/visit_healer.h).
//
// What the memory knows of a project is spans of time: within one, whoever is not in memory has no visit there.
//
// Confined to one loader thread, but for may_hold(). Full: at `visits_max` visits those that have ended are
// forgotten, then those that have been silent longest; the spans shrink by as much.
class Visits {
 public:
  explicit Visits(size_t visits_max = 400'000) : visits_max_(visits_max) {}

  // The other loader's: what it holds makes an event uncertain here. Before the first event; outlives this.
  void set_peer(const Visits& peer) { peer_ = &peer; }

  struct Assigned {
    event::VisitColumns facts;  // texts valid until the next call
    bool certain = true;
  };
  Assigned assign(const VisitEvent& event);

  // From here on all visits of `project` whose last event is at or after `from` and whose first is before `upto` are
  // in memory, once they have been restored.
  void know(ProjectId project, UnixMillis from, UnixMillis upto);
  // The same for all projects about which nothing else is known.
  void know_all_from(UnixMillis from);
  // Whether an event at `time` can be told from what is in memory.
  bool knows(ProjectId project, UnixMillis time) const;
  // Takes up a visit as the store knows it. Of several visits of a stream the latest stays. An event in the
  // millisecond of its last one counts as late. `unsure`: what the store shows is to be put right yet.
  void restore(ProjectId project, uint64_t stream, const VisitState& state, bool unsure);

  // Forgets everything: the store is to be asked anew.
  void clear();
  size_t size() const;

  // Whether events of this stream at times in [first, last] may have been assigned here since the process began.
  // Thread-safe.
  bool may_hold(ProjectId project, uint64_t stream, UnixMillis first, UnixMillis last) const;

 private:
  static constexpr size_t kSpans = 4;  // of a project; beyond, the oldest knowledge goes
  struct Span {
    UnixMillis from, upto;
  };
  struct Project {
    std::vector<Span> spans;
    UnixMillis latest = INT64_MIN;  // time of an event that came in order
    UnixMillis first_assigned = INT64_MAX, last_assigned = INT64_MIN;
    bool forgot = false;  // some of what was assigned is not in memory any more
  };
  // There are many of them, whose texts are few.
  struct Visit {
    VisitCounts counts;
    bool unsure = false;  // there may be more of the stream in the store than is known here
    Project* project = nullptr;
    TextPool::Held entry_path, last_path, source, channel, campaign;
  };
  // Takes up the next event of the visit.
  event::VisitColumns advance_held(Visit& visit, const VisitEvent& event, uint64_t stream);
  void hold(Visit& visit, const VisitState& state);
  Project& project_of(ProjectId id);
  static bool knows(const Project& project, UnixMillis time);
  // Whether all from `from` to the silence behind `time` is within one span.
  static bool knows_onward(const Project& project, UnixMillis from, UnixMillis time);
  void forget(const Visit& visit);
  void make_room();

  const size_t visits_max_;
  const Visits* peer_ = nullptr;
  std::atomic<bool> used_{false};

  mutable std::mutex mutex_;  // guards all below, against the peer's questions
  UnixMillis known_from_ = INT64_MAX;
  std::unordered_map<ProjectId, Project> projects_;
  TextPool texts_;
  std::unordered_map<uint64_t, Visit> open_;  // by stream
  // What the facts of the last assign() point into.
  VisitState state_;
  std::string previous_;
};

}  // namespace weir::enrich
