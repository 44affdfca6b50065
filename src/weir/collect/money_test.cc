#include "weir/collect/money.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace weir::collect {
namespace {

std::string plain(std::string_view text) {
  std::array<char, kAmountBytesMax> out;
  size_t size = 0;
  switch (plain_decimal(text, out.data(), size)) {
    case Amount::ok:
      return {out.data(), size};
    case Amount::not_a_number:
      return "not a number";
    case Amount::too_large:
      return "too large";
    case Amount::too_fine:
      return "too fine";
  }
  return "";
}

TEST(PlainDecimal, KeepsWhatWasMeant) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0"},
      {"-0", "0"},
      {"0.00", "0.00"},
      {"0e5", "0"},
      {"0e-999999999999", "0"},
      {"1", "1"},
      {"-1.50", "-1.50"},
      {"007.50", "7.50"},
      {"0.05", "0.05"},
      {"1e2", "100"},
      {"1.25E+1", "12.5"},
      {"1.25e1", "12.5"},
      {"125e-2", "1.25"},
      {"0.00012e4", "1.2"},
      {"0.05e1", "0.5"},
      {"5e-3", "0.005"},
      {"1e-18", "0.000000000000000001"},
      {"0.30000000000000004", "0.30000000000000004"},
      {"999999999999", "999999999999"},
      {"-999999999999.999999999999999999", "-999999999999.999999999999999999"},
      {"000000000000000000000000000000000000001", "1"},
  };
  for (auto [text, expected] : cases) EXPECT_EQ(plain(text), expected) << text;
}

TEST(PlainDecimal, RefusesTheRest) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "not a number"},
      {"-", "not a number"},
      {".5", "not a number"},
      {"5.", "not a number"},
      {"1.2.3", "not a number"},
      {"+1", "not a number"},
      {"1,5", "not a number"},
      {"1e", "not a number"},
      {"1e1.5", "not a number"},
      {"abc", "not a number"},
      {"1 ", "not a number"},
      {"0x10", "not a number"},
      {"1000000000000", "too large"},
      {"1e12", "too large"},
      {"1e999999999999", "too large"},
      {"1e-19", "too fine"},
      {"0.1234567890123456789", "too fine"},
      {"123456789012345678901234567890123", "too large"},
  };
  for (auto [text, expected] : cases) EXPECT_EQ(plain(text), expected) << text;
}

TEST(Currency, IsACodeOfTheList) {
  for (auto code : {"EUR", "USD", "JPY", "AED", "ZWL", "CHF", "XTS"}) EXPECT_TRUE(is_currency(code)) << code;
  for (auto code : {"", "EU", "EURO", "eur", "XYZ", "XXX", "12A", "ÄÖÜ", "E R"})
    EXPECT_FALSE(is_currency(code)) << code;
}

}  // namespace
}  // namespace weir::collect
