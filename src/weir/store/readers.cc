#include "weir/store/readers.h"

namespace weir::store {

Result<Readers::Lease> Readers::lend(uint64_t start, const std::vector<uint64_t>& projects,
                                     const std::function<Result<>(int)>& fill) {
  Slot* chosen = nullptr;
  {
    std::lock_guard lock(mutex_);
    for (Slot& slot : slots_) {
      if (slot.start == start && slot.projects == projects) {
        ++slot.lent;
        slot.last_used = ++uses_;
        return Lease(this, static_cast<int>(&slot - slots_.data()));
      }
      if (slot.lent == 0 && (chosen == nullptr || slot.last_used < chosen->last_used)) chosen = &slot;
    }
    if (chosen == nullptr) return Error{ErrorCode::kOverloaded, "store: too many statements of persons at once"};
    chosen->projects.reset();
    chosen->lent = 1;
    chosen->last_used = ++uses_;
  }
  Lease lease(this, static_cast<int>(chosen - slots_.data()));
  if (auto filled = fill(lease.reader()); !filled) return std::move(filled).error();
  std::lock_guard lock(mutex_);
  chosen->projects = projects;
  chosen->start = start;
  return lease;
}

void Readers::give_back(int reader) {
  std::lock_guard lock(mutex_);
  --slots_[static_cast<size_t>(reader)].lent;
}

}  // namespace weir::store
