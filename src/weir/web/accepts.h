#pragma once

#include <string_view>

namespace weir::web {

// Whether a list such as Accept-Encoding's names `coding` (any case) with a weight above 0.
bool accepts(std::string_view list, std::string_view coding);

}  // namespace weir::web
