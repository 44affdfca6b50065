#include "weir/query/json_text.h"

#include <fmt/format.h>

#include <boost/json.hpp>

namespace weir::query {

Error bad(std::string_view what) { return Error{ErrorCode::kBadInput, fmt::format("query: {}", what)}; }

std::string_view view(const boost::json::string& text) { return {text.data(), text.size()}; }

std::string shown(std::string_view text) {
  constexpr size_t kMost = 80;
  if (text.size() <= kMost) return std::string(text);
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

std::string shown(const boost::json::value& value) {
  return value.is_string() ? shown(view(value.get_string())) : shown(boost::json::serialize(value));
}

}  // namespace weir::query
