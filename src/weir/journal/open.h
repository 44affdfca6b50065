#pragma once

#include <memory>
#include <string>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/journal/journal.h"
#include "weir/journal/options.h"

namespace weir::journal {

// Opens the journal in `directory` (created if absent; its parent must exist), recovering what a crash left behind:
// a torn tail is cut off and kept aside, damage of acknowledged records is listed and a new epoch begun. When it
// returns, everything readable is on disk and appends are taken.
//
// The caller holds the lock on the data directory. `files`, `clock` and `metrics` must outlive the journal.
// Errors: kUnsupported (options.kind is not built in, or a later format), kCorrupt (files are missing without which
// offsets might be given out twice; the message says which), kOverloaded (no space for the first segment),
// kUnavailable (the files cannot be read or written).
Result<std::unique_ptr<Journal>> open(FileSystem& files, Clock& clock, metrics::Registry& metrics,
                                      const std::string& directory, const Options& options);

}  // namespace weir::journal
