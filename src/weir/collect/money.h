#pragma once

#include <string_view>

namespace weir::collect {

// Is it a code of ISO 4217, upper-case? Withdrawn codes count, for history; XXX (no currency) does not.
bool is_currency(std::string_view code);

enum class Amount { ok, not_a_number, too_large, too_fine };
inline constexpr size_t kAmountBytesMax = 40;
inline constexpr int kAmountDigitsMax = 12;    // before the point
inline constexpr int kAmountDecimalsMax = 18;  // behind it

// Rewrites an amount of money as plain decimal text: no exponent, no needless zeros in front, decimals as given:
// "007.50" is 7.50, 1.2e3 is 1200. Writes at most kAmountBytesMax bytes to `out` and sets `size`.
Amount plain_decimal(std::string_view text, char* out, size_t& size);

}  // namespace weir::collect
