#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::query {

// Whether a spreadsheet could take a text for a formula. Such a text has a `'` before it in CSV.
inline bool could_be_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
}

// Puts that `'` into CSV as ClickHouse writes it, as it streams by: all texts stand in quotes there, and what does not
// is a number, a boolean or \N. Confined to one answer.
class CsvGuard {
 public:
  // The piece as it is to be handed on; valid until the next call, and as long as `piece`.
  std::string_view take(std::string_view piece);

 private:
  enum class Place : uint8_t {
    outside,  // of quotes
    begin,    // right behind the quote that begins a text
    inside,   // of a text
    quote,    // behind a quote in a text: its end, or the first of two that stand for one
  };
  Place place_ = Place::outside;
  std::string changed_;
};

}  // namespace weir::query
