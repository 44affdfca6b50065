#include "weir/web/accepts.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "weir/http/text.h"

namespace weir::web {

bool accepts(std::string_view list, std::string_view coding) {
  while (!list.empty()) {
    std::string_view entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    std::string_view name = http::trim(entry.substr(0, entry.find(';')));
    if (!http::equal_ignoring_case(name, coding)) continue;
    size_t weight = entry.find("q=");
    return weight == std::string_view::npos || std::strtod(std::string(entry.substr(weight + 2)).c_str(), nullptr) > 0;
  }
  return false;
}

}  // namespace weir::web
