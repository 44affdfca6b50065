#pragma once

#include <cstddef>
#include <memory>

#include "weir/event/row.h"

namespace weir::event {

// Who wants to see rows as they are loaded: the live feed. Only what somebody watches is copied.
class RowWatch {
 public:
  static constexpr size_t kNotShown = static_cast<size_t>(-1);

  // What is shown of one batch. Handed from the thread that builds the batch to the one that inserts it; not shared.
  // Dropped without stored(): nothing of it is shown.
  class Batch {
   public:
    virtual ~Batch() = default;
    // Copies what is to be shown of `row`. Answers its number, or kNotShown.
    virtual size_t row(const Row& row) = 0;
    // What the row with that number says of its visit.
    virtual void visit(size_t number, const VisitColumns& visit) = 0;
    // The batch is in the store: its rows may be shown now.
    virtual void stored() = 0;
  };

  virtual ~RowWatch() = default;
  // Null while nobody watches, which costs next to nothing. Thread-safe.
  virtual std::unique_ptr<Batch> watch() = 0;
};

}  // namespace weir::event
