#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "weir/base/result.h"
#include "weir/journal/journal.h"
#include "weir/load/outcomes.h"
#include "weir/load/ranges.h"
#include "weir/store/store.h"

namespace weir::load {

// Compares what one journal partition holds with the rows that the store has of it: on start, and after any doubt.
// Confined to the loader's building thread.
class Reconciler {
 public:
  struct Parts {
    journal::Journal& journal;
    store::Store& store;
    Outcomes& outcomes;  // of the partition
  };
  // Calls what it is given until it succeeds; false when the loader is to stop.
  using Persist = std::function<bool(const std::function<Result<>()>&)>;

  // To be made before anything is appended to the journal that was just opened. Keeps the parts by reference.
  Reconciler(const Parts& parts, journal::Partition partition);

  // Where the journal ended when it was opened.
  journal::Offset recovered_end() const { return recovered_end_; }
  // Once a process: where the store knows positions that the journal had lost before it was opened, a new epoch begins
  // above them, and what was appended meanwhile is appended again there. Errors: kUnavailable; call it again.
  Result<> go_above_the_store(const Persist& persist);

  struct Found {
    journal::Offset begin = 0;  // positions compared: [begin, end)
    journal::Offset end = 0;
    std::map<uint32_t, uint32_t> numbers;  // of each epoch in the store
    std::vector<Range> missing;            // need a row and have none; below tail, rising
    journal::Offset tail = 0;              // from here on nothing is in the store
  };
  // Errors: kUnavailable and whatever the store answers.
  Result<Found> compare();

  // The offsets of any partition in [first, next) that have a row, rising. Errors: as the store's.
  Result<std::vector<uint64_t>> stored(journal::Partition of, journal::Offset first, journal::Offset next);
  store::JournalKey key_of(journal::Partition of, const journal::Epoch& epoch) const;

 private:
  Result<journal::Offset> stored_end();
  Result<> append_again(uint64_t next, const Persist& persist);
  Result<> compare_epoch(uint32_t p, Range range, std::span<const Range> holes, std::span<const Range> unsure,
                         std::vector<Range>& absent);

  const Parts parts_;
  const journal::Partition partition_;
  const journal::Offset recovered_end_;
  bool above_ = false;
  uint64_t moved_upto_;  // records below it that were appended since the opening stand again above the store's
};

}  // namespace weir::load
