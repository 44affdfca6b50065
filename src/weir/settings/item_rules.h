#pragma once

#include <string>
#include <string_view>

#include "weir/settings/settings.h"

// What is demanded of an item before it is kept. Errors: kBadInput, naming field and value.
namespace weir::settings {

// `wanted` with its body in the form that is kept; with an id, and its moments `now`.
Result<Item> new_item(const Item& wanted, UnixMillis now);
// Whether `item` may stand beside the others of `state`; the one of its own id is not counted.
// Errors: kNotFound (its project), kConflict (the name of a goal, the key of a property), kTooLarge (limits.h).
Result<> check_place(const State& state, const Item& item);

// A JSON list of filters, as a segment has one, in the form that is kept.
Result<std::string> check_filters(std::string_view filters);

}  // namespace weir::settings
