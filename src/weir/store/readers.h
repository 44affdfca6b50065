#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "weir/base/result.h"

namespace weir::store {

// Lends out the engine's readers: each may see the projects listed in a table of its own, and is lent only for one set
// of projects at a time. Thread-safe.
class Readers {
 public:
  explicit Readers(int count) : slots_(static_cast<size_t>(count)) {}

  // Held while a statement runs as `reader`. Gives it back at the end of its life.
  class Lease {
   public:
    Lease(Readers* owner, int reader) : owner_(owner), reader_(reader) {}
    Lease(Lease&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), reader_(other.reader_) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (owner_ != nullptr) owner_->give_back(reader_);
    }
    int reader() const { return reader_; }

   private:
    Readers* owner_;
    int reader_;
  };

  // A reader that sees `projects` (sorted) at the server's start `start`. When none does yet, a free one is made to by
  // `fill`, outside of any lock. Errors: kOverloaded (all are lent for other sets); fill's.
  Result<Lease> lend(uint64_t start, const std::vector<uint64_t>& projects,
                     const std::function<Result<>(int reader)>& fill);

 private:
  struct Slot {
    std::optional<std::vector<uint64_t>> projects;  // nothing: unknown, or being changed
    uint64_t start = 0;
    size_t lent = 0;
    uint64_t last_used = 0;
  };
  void give_back(int reader);

  std::mutex mutex_;  // guards all below
  std::vector<Slot> slots_;
  uint64_t uses_ = 0;
};

}  // namespace weir::store
