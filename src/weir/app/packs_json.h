#pragma once

#include <boost/json/array.hpp>
#include <span>

#include "weir/base/clock.h"
#include "weir/enrich/packs.h"

namespace weir::app {

// How it stands with each pack, as `weir packs list --json` and the system page have it.
boost::json::array packs_json(std::span<const enrich::PackReport> packs, UnixMillis now);

// Days since the pack's data was made.
int64_t pack_age_days(const enrich::PackReport& pack, UnixMillis now);

}  // namespace weir::app
