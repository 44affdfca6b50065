#include "weir/query/kept_totals.h"

namespace weir::query {

Result<uint64_t> KeptTotals::of(const std::string& sql, const Find& find) {
  std::unique_lock lock(mutex_);
  while (true) {
    auto known = totals_.find(sql);
    if (known == totals_.end()) break;
    if (known->second) return *known->second;
    found_.wait(lock);
  }
  totals_.emplace(sql, std::nullopt);
  lock.unlock();
  Result<uint64_t> total = find();
  lock.lock();
  if (total) {
    totals_[sql] = *total;
    in_order_.push_back(sql);
    if (in_order_.size() > kMost) {
      totals_.erase(in_order_.front());
      in_order_.pop_front();
    }
  } else {
    totals_.erase(sql);
  }
  found_.notify_all();
  return total;
}

}  // namespace weir::query
