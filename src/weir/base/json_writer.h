#pragma once

#include <string>
#include <string_view>

namespace weir {

// Appends `text` as a JSON string with its quotes. Escapes only what JSON demands, so that one text has one form.
// `text` must be valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

// Appends `,"key":` or, right after `{`, `"key":`. `key` needs no escaping.
void append_json_key(std::string& out, std::string_view key);

}  // namespace weir
