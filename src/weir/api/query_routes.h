#pragma once

#include <string>
#include <string_view>

#include "weir/api/access.h"
#include "weir/api/api.h"
#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/http/message.h"
#include "weir/settings/settings.h"

// Questions to the metric layer: whose they are, about which project, with which of its settings, in which form.
namespace weir::api {

// The question of a caller who was let in, without what add_items() adds. The body is taken out of the request.
// Errors: kBadInput (no site_id, the form), kNotFound (no such project, or none that the caller may see).
Result<StatsQuestion> read_question(http::Request& request, const Caller& caller, const settings::Snapshot& snapshot,
                                    UnixMillis now);

// Adds the goals and segments of the context's project that the caller may ask by. It reads all goals, which may be
// some MB of JSON: not for an I/O thread.
void add_items(const settings::Snapshot& snapshot, const Caller& caller, query::Context& context);

// What a browser should call a file of that form; empty for the form that is no file.
std::string file_name_of(query::AnswerForm form, std::string_view project);

}  // namespace weir::api
