#pragma once

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "weir/base/result.h"

// What the room's readers of JSON share.
namespace weir::query {

inline Error bad(std::string_view what) { return Error{ErrorCode::kBadInput, fmt::format("query: {}", what)}; }

inline std::string_view view(const boost::json::string& text) { return {text.data(), text.size()}; }

// As a message shows a value from outside: not more of it than helps.
inline std::string shown(std::string_view text) {
  constexpr size_t kMost = 80;
  if (text.size() <= kMost) return std::string(text);
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}
inline std::string shown(const boost::json::value& value) {
  return value.is_string() ? shown(view(value.get_string())) : shown(boost::json::serialize(value));
}

}  // namespace weir::query
