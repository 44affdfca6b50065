#pragma once

#include <string>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/event/row.h"

namespace weir::event {

// Appends what a row says, member by member of a JSON object that `out` has begun:
// `,"name":"pageview","timestamp":...`, without the comma right after `{`. Named as the columns of the view `events`,
// and in the form that `weir query --format JSONEachRow` has them. Left out is what says whose row it is and where it
// stands: project, event_id, received_at, visitor_id, ip, the visit's columns, _p and _o. The texts must be valid
// UTF-8.
void append_row_members(std::string& out, const Row& row);

// Appends `,"key":"value"`, without the comma right after `{`.
void append_json_text(std::string& out, std::string_view key, std::string_view value);
// The same with a moment as ClickHouse writes it: "2026-11-20 09:01:00.123".
void append_json_moment(std::string& out, std::string_view key, UnixMillis t);

}  // namespace weir::event
