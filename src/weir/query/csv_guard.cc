#include "weir/query/csv_guard.h"

namespace weir::query {

std::string_view CsvGuard::take(std::string_view piece) {
  changed_.clear();
  size_t copied = 0;
  for (size_t i = 0; i < piece.size(); ++i) {
    const char c = piece[i];
    switch (place_) {
      case Place::outside:
        if (c == '"') place_ = Place::begin;
        break;
      case Place::begin:
        if (could_be_formula(piece.substr(i, 1))) {
          changed_ += piece.substr(copied, i - copied);
          changed_ += '\'';
          copied = i;
        }
        place_ = c == '"' ? Place::quote : Place::inside;
        break;
      case Place::inside:
        if (c == '"') place_ = Place::quote;
        break;
      case Place::quote:
        place_ = c == '"' ? Place::inside : Place::outside;
        break;
    }
  }
  if (copied == 0 && changed_.empty()) return piece;
  changed_ += piece.substr(copied);
  return changed_;
}

}  // namespace weir::query
