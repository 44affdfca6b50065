#pragma once

#include <string_view>

#include "weir/base/clock.h"

namespace weir {

// Reads a moment: RFC 3339 with an offset, or the same without one, which is UTC. Any number of digits after the
// second; what is finer than a millisecond is cut off. A leap second is the last millisecond of its minute. Years
// 0000-9999. False: not such a text, or not a day of the calendar.
bool parse_time(std::string_view text, UnixMillis& t);

// Reads milliseconds since 1970 from the text of a JSON number; parts of a millisecond are cut off. What is beyond the
// year 9999 or before the year 0 comes out as a moment just beyond.
UnixMillis parse_epoch_millis(std::string_view number);

}  // namespace weir
