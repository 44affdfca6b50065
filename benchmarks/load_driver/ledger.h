#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "weir/base/result.h"

namespace weir::bench {

// What became of an event that was sent.
enum class Outcome : uint8_t {
  accepted,    // acknowledged: must be counted exactly once
  rejected,    // the server refused this event of the request
  dropped,     // a policy of the server dropped it
  refused,     // the whole request was answered with an error
  unanswered,  // the connection ended without an answer: may be counted once or not at all
};
std::string_view name_of(Outcome outcome);

// Writes the ids that were sent and the answers they got, one a line: `id<TAB>status<TAB>outcome` (status 0: no
// answer). Buffered; what the file lacks after the driver itself was killed is the last 100 ms at most. Thread-safe.
class Ledger {
 public:
  // Errors: kUnavailable (cannot create).
  static Result<std::unique_ptr<Ledger>> create(const std::string& path);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  // Appends whole lines. Errors: kUnavailable (disk full); then the run is worth nothing.
  Result<> write(std::string_view lines);

 private:
  explicit Ledger(int file) : file_(file) {}
  std::mutex mutex_;  // one write after the other
  int file_;
};

// Appends one line of the ledger to `out`.
void append_ledger_line(std::string& out, std::string_view id, int status, Outcome outcome);

}  // namespace weir::bench
