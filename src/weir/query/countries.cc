#include "weir/query/countries.h"

#include <algorithm>

#include "weir/base/check.h"

namespace weir::query {

namespace {
std::vector<Country> read(std::string_view table) {
  std::vector<Country> all;
  while (!table.empty()) {
    const std::string_view line = table.substr(0, table.find('\n'));
    table.remove_prefix(std::min(table.size(), line.size() + 1));
    if (line.empty() || line.front() == '#') continue;
    WEIR_CHECK(line.size() > 3 && line[2] == ' ');
    all.push_back({line.substr(0, 2), line.substr(3)});
  }
  return all;
}
}  // namespace

const std::vector<Country>& countries() {
  static const std::vector<Country> all = read(country_table());
  return all;
}

}  // namespace weir::query
