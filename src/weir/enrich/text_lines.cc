#include "weir/enrich/text_lines.h"

namespace weir::enrich {

UnixMillis parse_day(std::string_view text) {
  if (text.size() != 7 && text.size() != 10) return 0;
  int parts[3] = {0, 0, 1};
  constexpr size_t kBegin[3] = {0, 5, 8};
  constexpr size_t kSize[3] = {4, 2, 2};
  for (size_t i = 0; i < (text.size() == 7 ? 2 : 3); ++i) {
    if (i > 0 && text[kBegin[i] - 1] != '-' && text[kBegin[i] - 1] != '/') return 0;
    parts[i] = 0;
    for (char c : text.substr(kBegin[i], kSize[i])) {
      if (c < '0' || c > '9') return 0;
      parts[i] = parts[i] * 10 + (c - '0');
    }
  }
  if (parts[1] < 1 || parts[1] > 12 || parts[2] < 1 || parts[2] > 31) return 0;
  return days_from_civil({parts[0], static_cast<unsigned>(parts[1]), static_cast<unsigned>(parts[2])}) * kMillisPerDay;
}

}  // namespace weir::enrich
