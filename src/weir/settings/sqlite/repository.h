#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/settings/settings.h"

namespace weir::settings::sqlite {

struct OpenOptions {
  bool rebuild = false;
  std::chrono::milliseconds busy_timeout{5'000};  // how long to wait for locks of other processes
};

// Settings in DIRECTORY/settings.db: WAL, synchronous FULL (an answered change survives a power cut), checked with
// quick_check when opened. After each change DIRECTORY/settings.snapshot is written; a failure to write that is logged
// and does not fail the change.
//
// The database is never deleted or overwritten. `rebuild` allows to move a damaged one aside (settings.db.damaged-N)
// and to make it, or a missing one, again from the snapshot.
//
// Keeps `files` and `clock` by reference. Errors: as settings::open().
Result<std::unique_ptr<Repository>> open(FileSystem& files, const std::string& directory, Clock& clock,
                                         const OpenOptions& options);

}  // namespace weir::settings::sqlite
