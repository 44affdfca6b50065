#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "weir/base/result.h"

namespace weir::query {

// Numbers that statements give and that never change: those of roll-ups' versions, which are used once
// (docs/formats/rollups.md). All lists of a page show percentages of the same one, and ask for it at the same time.
// Also what changes slowly, kept under a text that says when. Thread-safe.
class KeptTotals {
 public:
  using Find = std::function<Result<uint64_t>()>;

  // What `sql` gives: as it was found before, or else by `find`. Of several who want it at once one does that, and the
  // others wait for it; when it fails, the next one tries. Errors: find's.
  Result<uint64_t> of(const std::string& sql, const Find& find);

  // Beyond that many the oldest are forgotten.
  static constexpr size_t kMost = 1'000;

 private:
  std::mutex mutex_;
  std::condition_variable found_;
  std::unordered_map<std::string, std::optional<uint64_t>> totals_;  // none: somebody is looking for it
  std::deque<std::string> in_order_;                                 // those that were found, the oldest first
};

}  // namespace weir::query
