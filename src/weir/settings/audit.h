#pragma once

#include <vector>

#include "weir/settings/settings.h"

namespace weir::settings {

// What the audit log says of the change from `before` to `after`, made by `actor` at `now`: an entry for each thing
// that was created, changed or deleted. Hashes, secrets and tokens never stand in it.
std::vector<AuditEntry> audit_entries(const State& before, const State& after, const Actor& actor, UnixMillis now);

}  // namespace weir::settings
