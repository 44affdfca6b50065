#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/enrich/enricher.h"
#include "weir/enrich/visits.h"
#include "weir/event/row_watch.h"
#include "weir/journal/journal.h"
#include "weir/load/inserter.h"
#include "weir/load/visit_healer.h"
#include "weir/store/store.h"

namespace weir::load {

// Tells the rows of one journal partition which visits they belong to, from a memory of the visits that are open. What
// the memory does not know it takes up from the store: the visits of the last hour on start, others when events of
// another time come. What cannot be known is uncertain, and put right behind its insertion (VisitHealer).
// Confined to the loader's building thread. Keeps the parts by reference.
class VisitAssigner {
 public:
  struct Parts {
    store::Store& store;
    VisitHealer& healer;
    Clock& clock;
  };
  VisitAssigner(const Parts& parts, journal::Partition partition);

  // Forgets all, then takes up what the store has: on start, and whenever what was assigned may not have become rows.
  // Errors: kUnavailable while the store is away.
  Result<> restore();
  // How many visits are in memory.
  size_t size() const { return visits_.size(); }

  // Begins the rows of one batch.
  void begin();
  // The row that was added to `piece` last; `watched`: its number among the rows that somebody sees, or kNotShown.
  void add(Piece& piece, const event::Row& row, size_t watched);
  // Writes into all rows added since begin() which visit they are of, and into `dirty` those that are not certain.
  // Answers their visitors. `watched` may be null when no row is shown. The pieces must still stand where they did.
  std::vector<uint64_t> assign(event::RowWatch::Batch* watched, std::vector<DirtyVisits>& dirty);

  // The visit of a row alone; to be noted as uncertain whatever comes of it.
  event::VisitColumns assign_alone(const event::Row& row) { return visits_.assign(enrich::visit_event(row)).facts; }

 private:
  // So many stand in memory at once that each byte counts.
  struct Unassigned {
    Piece* piece;
    ProjectId project;
    uint64_t visitor;
    UnixMillis time;
    uint64_t hash;
    size_t watched;
    uint32_t row;
    uint32_t at;                    // where its texts begin
    std::array<uint32_t, 5> sizes;  // of them: client session, path, source, channel, campaign
    event::Kind kind;
  };
  enrich::VisitEvent event_of(const Unassigned& one) const;
  Result<> restore(const store::VisitScope& scope, UnixMillis& from);
  void look_around(ProjectId project, UnixMillis time);

  const Parts parts_;
  const journal::Partition partition_;
  enrich::Visits& visits_;
  std::vector<Unassigned> unassigned_;
  std::string texts_;
  int looks_ = 0;  // at the store, for this batch
  std::map<ProjectId, std::chrono::steady_clock::time_point> looked_in_vain_;
};

}  // namespace weir::load
