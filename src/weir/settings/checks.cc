#include "weir/settings/checks.h"

#include <fmt/format.h>

#include <cstdint>
#include <string>

namespace weir::settings {

Error bad(std::string_view field, std::string_view value, std::string_view why) {
  std::string shown;
  for (char c : value.substr(0, 80)) shown.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  if (value.size() > 80) shown += "...";
  return {ErrorCode::kBadInput, fmt::format("settings: {}: `{}`: {}", field, shown, why)};
}

bool is_plain_text(std::string_view text) {
  size_t i = 0;
  while (i < text.size()) {
    auto lead = static_cast<unsigned char>(text[i++]);
    if (lead < 0x20 || lead == 0x7f) return false;
    if (lead < 0x80) continue;
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    if (lead < 0xc2 || lead > 0xf4) return false;
    uint32_t point = lead & (0x3f >> more);
    while (more-- > 0) {
      if (i == text.size()) return false;
      auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    bool overlong = (lead >= 0xf0 && point < 0x10000) || (lead >= 0xe0 && point < 0x800);
    bool control = point < 0xa0;
    if (overlong || control || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) return false;
  }
  return true;
}

Result<> check_text(std::string_view field, std::string_view value, size_t bytes_min, size_t bytes_max) {
  if (value.size() < bytes_min || value.size() > bytes_max) {
    return bad(field, value,
               bytes_min == 0 ? fmt::format("must have at most {} bytes", bytes_max)
                              : fmt::format("must have {} to {} bytes", bytes_min, bytes_max));
  }
  if (!is_plain_text(value)) return bad(field, value, "must be UTF-8 without control characters");
  return {};
}

}  // namespace weir::settings
