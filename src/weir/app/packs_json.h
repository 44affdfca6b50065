#pragma once

#include <span>
#include <string>

#include "weir/base/clock.h"
#include "weir/enrich/packs.h"

namespace weir::app {

// How it stands with each pack, a JSON list, as `weir packs list --json` and the system page have it.
std::string packs_json(std::span<const enrich::PackReport> packs, UnixMillis now);

// Days since the pack's data was made.
int64_t pack_age_days(const enrich::PackReport& pack, UnixMillis now);

}  // namespace weir::app
