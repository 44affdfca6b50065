#pragma once

#include <memory>
#include <string>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/settings/options.h"
#include "weir/settings/settings.h"

namespace weir::settings {

// Opens the repository that `options` name, over the files of `data_directory` (which exists). Keeps `clock` by
// reference. A database that is missing, locked or damaged while DATA/settings.snapshot is there gives a repository
// that serves the snapshot and refuses changes (see Repository::degraded()), so that collecting goes on.
// Errors: kUnsupported (not built in this version), kUnavailable (no database and no snapshot to go on with).
Result<std::unique_ptr<Repository>> open(const std::string& data_directory, Clock& clock, const Options& options);

}  // namespace weir::settings
