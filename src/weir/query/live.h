#pragma once

#include <string>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/store/store.h"

namespace weir::query {

// What people do in a project right now, as the live page shows it: one JSON object on one line, docs/http-api.md. One
// statement over the last 30 minutes. People only (traffic `human`); what is counted means what it means everywhere.
// Blocking, thread-safe. Errors: those of Store::query().
Result<std::string> live_counts(store::Store& store, ProjectId project, UnixMillis now);

}  // namespace weir::query
