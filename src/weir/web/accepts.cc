#include "weir/web/accepts.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>

namespace weir::web {

std::string_view trim(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

namespace {
bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](unsigned char x, unsigned char y) {
           return std::tolower(x) == std::tolower(y);
         });
}
}  // namespace

bool accepts(std::string_view list, std::string_view coding) {
  while (!list.empty()) {
    std::string_view entry = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), entry.size() + 1));
    std::string_view name = trim(entry.substr(0, entry.find(';')));
    if (!same_word(name, coding)) continue;
    size_t weight = entry.find("q=");
    return weight == std::string_view::npos || std::strtod(std::string(entry.substr(weight + 2)).c_str(), nullptr) > 0;
  }
  return false;
}

}  // namespace weir::web
