#pragma once

#include <atomic>
#include <cstdint>

#include "weir/base/result.h"
#include "weir/event/record.h"
#include "weir/journal/journal.h"
#include "weir/load/inserter.h"
#include "weir/load/outcomes.h"
#include "weir/load/reconciler.h"
#include "weir/load/row_maker.h"
#include "weir/load/visit_assigner.h"
#include "weir/load/visit_healer.h"
#include "weir/store/store.h"

namespace weir::load {

// Tries the dead letters of one partition again: after what refused them was mended. A letter becomes its row first
// and is taken back then; a try that was cut off between the two is found out by its position.
// Confined to the loader's building thread, between two runs of loading. Keeps the parts by reference.
class DeadLetterRetry {
 public:
  struct Parts {
    journal::Journal& journal;
    store::Store& store;
    Outcomes& outcomes;  // of the partition
    VisitHealer& healer;
    Inserter& inserter;
    const Reconciler& reconciler;
    VisitAssigner& visits;
    RowMaker& rows;
  };
  DeadLetterRetry(const Parts& parts, journal::Partition partition) : parts_(parts), partition_(partition) {}

  struct Done {
    uint64_t tried = 0;
    uint64_t stored = 0;    // have a row now; the others stay dead
    uint64_t inserted = 0;  // of them, by this call
  };
  // Adds to `done`, which says also behind an error how far it came. Errors: kUnavailable (`stopping` was set, or the
  // outcomes could not be read or written), and the store's; what the store holds of the letter it was at is then
  // unknown.
  Result<> run(const std::atomic<bool>& stopping, Done& done);

 private:
  enum class Tried : uint8_t { refused, was_there, inserted };
  Result<Tried> retry(const DeadLetter& letter);
  Result<Tried> insert(const DeadLetter& letter, uint32_t p);

  const Parts parts_;
  const journal::Partition partition_;
  event::RecordParser parser_;
};

}  // namespace weir::load
