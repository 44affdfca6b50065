#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "weir/base/bytes.h"
#include "weir/base/result.h"

namespace weir::query {

// What the store answered to statements that never get another answer: those about roll-ups' versions alone, which are
// used once (docs/formats/rollups.md). Who opens a page that somebody opened before need not ask the store, and all
// lists of a page show percentages of the same number. Also what changes slowly, kept under a text that says when.
// Thread-safe.
class KeptAnswers {
 public:
  using Find = std::function<Result<std::string>()>;

  // Statements and answers take at most about so many bytes; what was asked for longest ago goes first.
  explicit KeptAnswers(size_t bytes_max = 32 * MiB) : bytes_max_(bytes_max) {}

  // What `statement` answers: as it was found before, or else by `find`. Of several who want it at once one does that,
  // and the others wait for it; when it fails, the next one tries. Errors: find's.
  Result<std::string> of(const std::string& statement, const Find& find);

 private:
  struct Kept {
    std::optional<std::string> answer = {};  // none: somebody is looking for it
    std::list<const std::string*>::iterator turn = {};
  };
  static size_t bytes_of(const std::string& statement, const Kept& kept);

  const size_t bytes_max_;
  std::mutex mutex_;  // guards all below
  std::condition_variable found_;
  std::unordered_map<std::string, Kept> kept_;  // by statement
  std::list<const std::string*> turns_;         // statements that have an answer, those asked for last at the end
  size_t bytes_ = 0;
};

}  // namespace weir::query
