#pragma once

#include <string>
#include <string_view>

#include "weir/enrich/lookup.h"
#include "weir/event/row.h"

namespace weir::app {

// Appends what `weir enrich` prints of an event, one line without its end: a JSON object with the columns of the view
// `events` by their names and in the form `weir query --format JSONEachRow` has them, then `reasons`. Left out is what
// only a server can know: when and where the event was received, its visitor and its visit. `event_id` is there when
// the client gave one, `project` when it is known. The texts must be valid UTF-8.
void append_explained_event(std::string_view project, const event::Row& row, const enrich::Findings& why,
                            std::string& out);

}  // namespace weir::app
