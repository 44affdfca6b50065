#pragma once

#include <cstddef>
#include <string_view>

#include "weir/base/result.h"

// What the checks of this room share.
namespace weir::settings {

// kBadInput, naming field and value; whatever was sent, the message stays one short printable line.
Error bad(std::string_view field, std::string_view value, std::string_view why);
// Valid UTF-8 (no surrogates, no overlong forms) without control characters.
bool is_plain_text(std::string_view text);
// A plain text of that many bytes.
Result<> check_text(std::string_view field, std::string_view value, size_t bytes_min, size_t bytes_max);

}  // namespace weir::settings
