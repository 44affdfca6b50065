#pragma once

#include <string>
#include <string_view>

#include "weir/base/result.h"

namespace boost::json {
class string;
class value;
}  // namespace boost::json

// What the room's readers of JSON share.
namespace weir::query {

Error bad(std::string_view what);  // kBadInput, "query: what"

// Valid as long as `text`.
std::string_view view(const boost::json::string& text);

// As a message shows a value from outside: not more of it than helps.
std::string shown(std::string_view text);
std::string shown(const boost::json::value& value);

}  // namespace weir::query
