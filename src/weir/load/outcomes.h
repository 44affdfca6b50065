#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/journal/journal.h"
#include "weir/load/entry_log.h"
#include "weir/load/ranges.h"

namespace weir::load {

// What became of an accepted record that has no row. Values stand in files: never change one.
enum class Outcome : uint8_t {
  row = 0,        // taken back: it has, or is to have, a row
  duplicate = 1,  // its id was there before
  dead = 2,       // it could not become a row; see DeadLetter
  expired = 3,    // older than its project keeps
  erased = 4,     // somebody asked for it to be forgotten
  moved = 5,      // it stands again at a later position
};
constexpr size_t kOutcomes = 6;
std::string_view name_of(Outcome outcome);

// A record that could not become a row, with all that is needed to try again when the journal has forgotten it.
struct DeadLetter {
  journal::Offset offset = 0;
  uint32_t epoch = 0;
  UnixMillis at = 0;   // when it was given up
  std::string reason;  // why, for people
  std::string record;  // as it stood in the journal; empty when it could not be read there
};

// The outcomes of one journal partition: which of its positions have no row, and need none. Written before loading goes
// on past a position, and honoured by every comparison with the store; so nothing is decided twice.
//
// Thread-safe. Keeps `files` by reference.
class Outcomes {
 public:
  struct Decision {
    journal::Offset offset = 0;
    Outcome outcome = Outcome::row;
  };

  // In `directory`, created if absent (its parent must exist). Errors: kUnavailable, kOverloaded.
  static Result<std::unique_ptr<Outcomes>> open(FileSystem& files, const std::string& directory,
                                                const std::string& journal_uuid, journal::Partition partition);

  // Durable when it returns; after an error it may or may not be, and is to be called again with the same.
  // Errors: kUnavailable, kOverloaded (no space).
  Result<> decide(std::span<const Decision> decisions);
  // The same for records that are given up: the letters are kept whole before the decision is.
  Result<> bury(std::span<const DeadLetter> letters);

  // Positions that need no row, rising.
  struct Settled {
    std::vector<Range> all;
    // Those of them that may have one all the same: that of a dead letter which was being sent again when the process
    // ended, or of a lost record in whose place another one stood before it moved.
    std::vector<Range> unsure;
  };
  // Those in [first, next).
  Result<Settled> settled(journal::Offset first, journal::Offset next);
  // What was decided about one position; `row` where nothing was.
  Result<Outcome> of(journal::Offset offset);
  // The last decision about each position, by rising offset.
  Result<std::vector<Decision>> latest();
  // The dead letters whose outcome still is `dead`, by rising offset.
  Result<std::vector<DeadLetter>> dead_letters();

  // Forgets what lies below `begin`, the oldest position the journal keeps, file by file. Dead letters stay.
  Result<> retire_below(journal::Offset begin);

  // How many positions have each outcome, of those that are remembered.
  std::array<uint64_t, kOutcomes> counts() const;

 private:
  Outcomes(std::unique_ptr<EntryLog> log, std::unique_ptr<EntryLog> letters)
      : log_(std::move(log)), letters_(std::move(letters)) {}
  Result<> recount();

  const std::unique_ptr<EntryLog> log_;
  const std::unique_ptr<EntryLog> letters_;
  mutable std::mutex mutex_;  // guards counts_
  std::array<uint64_t, kOutcomes> counts_{};
};

// The dead letters that lie in `directory`, whether or not a server runs. Errors: kUnavailable.
Result<std::vector<DeadLetter>> read_dead_letters(FileSystem& files, const std::string& directory,
                                                  journal::Partition partition);

}  // namespace weir::load
