#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/result.h"
#include "weir/transfer/traced_log.h"

namespace weir::transfer {

// A log that is being written, followed by its name from its first line on, across rotations:
//
// - Another file has taken the name (rename and create): the new one is read beside the old one, which its server may
//   still write to for a moment. The old one ends when it has not grown for kRest.
// - The file became shorter or begins otherwise (copytruncate): it is a new file from its begin on, and its copy is
// read,
//   once, which holds what was written since the last look: a file beside it whose name begins with its own and which,
//   unpacked, begins as it began.
// - The name is gone: what is known is read on, until the name is back.
//
// Each file is a TracedLog of its own; so a line of the copy or of a file that is followed again is known again, and
// nothing counts twice. Only whole lines are given out.
//
// Confined to one thread. Reads files only; never waits.
class LogFollower {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds kRest{60};

  struct Piece {
    TracedChunk traced;  // count 0: nothing now
    uint64_t read = 0;   // bytes of the file that they come from, and in all
    uint64_t size = 0;
  };

  // Errors: kNotFound, kForbidden, kBadInput (no plain file), kUnsupported (packed), kUnavailable.
  static Result<std::unique_ptr<LogFollower>> open(std::string path, size_t chunk_bytes);
  ~LogFollower();

  // What has come since. An error concerns what it names and is gone when that is mended: ask again later.
  Result<Piece> next(Moment now);
  // Lines of all files that were too long.
  uint64_t too_long() const;

 private:
  struct File;
  LogFollower(std::string path, size_t chunk_bytes);
  Result<> look(Moment now);
  Result<std::unique_ptr<File>> open_growing() const;
  void read_copy(const std::string& head);

  const std::string path_;
  const size_t chunk_bytes_;
  std::vector<std::unique_ptr<File>> files_;  // the last one bears the name
  uint64_t too_long_ = 0;                     // of files that have ended
};

}  // namespace weir::transfer
