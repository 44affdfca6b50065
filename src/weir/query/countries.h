#pragma once

#include <string_view>
#include <vector>

namespace weir::query {

// data/countries/countries.txt, as it is built in.
std::string_view country_table();

struct Country {
  std::string_view code;  // ISO 3166-1, two letters
  std::string_view name;  // in English
};
// Its countries, by code. Immutable.
const std::vector<Country>& countries();

}  // namespace weir::query
