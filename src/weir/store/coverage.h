#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "weir/base/ids.h"

namespace weir::store {

// Which stretches of time of which projects the roll-ups say all of (docs/adr/0009-...): the memory of it. The table
// weir_data.rollup_spans says the same durably; who changes one changes the other, as the comments say.
//
// Rows come late and are rewritten: before anything is written to the rows of a stretch that is covered, its span has
// to be uncovered durably, or a kill in between would leave sums that are wrong and believed. And while rows are on
// their way, or may be, no sums of them are to be believed that were made meanwhile.
//
// Thread-safe.
class Coverage {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  // [from, to) in Unix seconds. `version` is what the span's rows in weir_data.rollups carry; never used twice.
  struct Span {
    int64_t from = 0;
    int64_t to = 0;
    uint32_t version = 0;
    bool empty = false;  // there are no rows of the project in it, and no sums either
    friend bool operator==(const Span&, const Span&) = default;
  };
  struct Covered {
    ProjectId project{};
    Span span;
  };
  // Rows of a project that are about to change: what depends on them lies in [from, to).
  struct Touched {
    ProjectId project{};
    int64_t from = 0;
    int64_t to = 0;
  };

  // What the table said at a start. `trusted` comes with trust().
  void replace(std::vector<Covered> all);
  // From now on the spans that are there are believed: they were compared with the rows.
  void trust();
  bool trusted() const;
  // Waits until the spans are believed, if the project has any with rows in [from, to) that are not yet; `patience` at
  // most, and no longer than kTrustPatience behind replace(). `abandoned`, if set, is asked now and then: true ends it.
  void await_trust(ProjectId project, int64_t from, int64_t to, std::chrono::milliseconds patience,
                   const std::function<bool()>& abandoned) const;
  static constexpr std::chrono::seconds kTrustPatience{60};

  // A change of rows begins. `uncovered` is what has to be noted durably (and told to noted()) before the first row
  // changes; those that an earlier begins() gave and nobody noted are among them.
  struct Change {
    uint64_t number = 0;
    std::vector<Covered> uncovered;
  };
  Change begins(std::span<const Touched> touched);
  void noted(std::span<const Covered> uncovered);
  // The change ended. `known`: either all of it is visible or none ever will be. Else it may still happen, until
  // nothing_under_way() is told about it.
  void ended(uint64_t change, bool known);
  // The latest moment at which a change ended without being known, or nothing to wait for.
  bool in_doubt(Moment& latest) const;
  // No change that ended before `moment` can still happen.
  void nothing_under_way(Moment moment);

  // When something of [from, to) was changed last, by the count of changes; 0: not since the start, as far as
  // remembered.
  uint64_t touched(ProjectId project, int64_t from, int64_t to) const;
  // The same as a moment; Moment::min() if not.
  Moment touched_at(ProjectId project, int64_t from, int64_t to) const;
  // Begins to make sums of [from, to): gives what publish() is to be told. False while rows of it are on their way.
  bool may_build(ProjectId project, int64_t from, int64_t to, uint64_t& since) const;
  // The sums are there: the span counts from now on. False when something of it changed since may_build(); they are
  // to be thrown away. The caller notes the span durably afterwards; if that fails, withdraw() it.
  bool publish(ProjectId project, const Span& span, uint64_t since);
  void withdraw(ProjectId project, uint32_t version);
  bool has(ProjectId project, uint32_t version) const;

  // The project's spans that are believed, by beginning; none before trust().
  std::vector<Span> spans(ProjectId project) const;
  // All there are, believed or not.
  std::vector<Covered> all() const;

 private:
  struct Touch {
    uint64_t number;
    Moment at;
  };
  struct Project {
    std::vector<Span> spans;
    std::map<int64_t, Touch> touches;  // by day since 1970, UTC
  };
  struct UnderWay {
    std::vector<Touched> touched;
    bool ended = false;
    Moment at;  // when it ended
  };
  static bool overlap(const Touched& touched, ProjectId project, int64_t from, int64_t to);
  Touch last_touch(ProjectId project, int64_t from, int64_t to) const;

  mutable std::mutex mutex_;  // guards all below
  mutable std::condition_variable trust_;
  bool trusted_ = false;
  Moment replaced_at_;
  uint64_t next_change_ = 1;
  std::map<ProjectId, Project> projects_;
  std::map<uint64_t, UnderWay> under_way_;
  std::vector<Covered> to_note_;
};

}  // namespace weir::store
