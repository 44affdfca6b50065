#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "weir/base/clock.h"

namespace weir::enrich {

// Calls line(number from 1, text without its end) for each line until it answers false. Takes \n and \r\n.
template <class Line>
void for_each_line(std::string_view text, Line&& line) {
  for (size_t number = 1; !text.empty(); ++number) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view one = text.substr(0, end);
    if (one.ends_with('\r')) one.remove_suffix(1);
    if (!line(number, one)) return;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

// "2026-08-06", "2026/08/06", "2026-08" (its first day); 0 when it is none of them.
UnixMillis parse_day(std::string_view text);

}  // namespace weir::enrich
