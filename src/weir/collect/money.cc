#include "weir/collect/money.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>

namespace weir::collect {

namespace {
// ISO 4217, list one (currencies and funds in use), and what was withdrawn from it since 2010.
constexpr std::string_view kCodes =
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BYR BZD CAD "
    "CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP GEL GHS "
    "GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT "
    "LAK LBP LKR LRD LSL LTL LVL LYD MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK "
    "NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD "
    "STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN USS UYI UYU UYW UZS VED VEF VES VND VUV WST "
    "XAD XAF XAG XAU XBA XBB XBC XBD XCD XCG XDR XOF XPD XPF XPT XSU XTS XUA YER ZAR ZMK ZMW ZWG ZWL ";
static_assert(kCodes.size() % 4 == 0);

constexpr size_t place(char a, char b, char c) {
  auto letter = [](char x) { return static_cast<size_t>(x - 'A'); };
  return (letter(a) * 26 + letter(b)) * 26 + letter(c);
}

const std::bitset<26 * 26 * 26>& codes() {
  static const auto set = [] {
    std::bitset<26 * 26 * 26> bits;
    for (size_t i = 0; i < kCodes.size(); i += 4) bits.set(place(kCodes[i], kCodes[i + 1], kCodes[i + 2]));
    return bits;
  }();
  return set;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
}  // namespace

bool is_currency(std::string_view code) {
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
    return false;
  }
  return codes()[place(code[0], code[1], code[2])];
}

Amount plain_decimal(std::string_view text, char* out, size_t& size) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);

  // All digits, and how many of them stand before the point.
  std::array<char, kAmountDigitsMax + kAmountDecimalsMax> digits;
  int count = 0;
  int whole = 0;
  bool any = false;
  bool point = false;
  int decimals_seen = 0;
  size_t i = 0;
  for (; i < text.size() && (is_digit(text[i]) || text[i] == '.'); ++i) {
    if (text[i] == '.') {
      if (point || !any) return Amount::not_a_number;
      point = true;
      continue;
    }
    any = true;
    if (point) ++decimals_seen;
    if (count == 0 && text[i] == '0' && !point) continue;  // zeros in front
    if (count == static_cast<int>(digits.size())) return point ? Amount::too_fine : Amount::too_large;
    digits[static_cast<size_t>(count++)] = text[i];
    if (!point) ++whole;
  }
  if (!any || (point && decimals_seen == 0)) return Amount::not_a_number;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return Amount::not_a_number;
    std::string_view exponent = text.substr(i + 1);
    if (!exponent.empty() && exponent.front() == '+') exponent.remove_prefix(1);
    int power = 0;
    auto [end, error] = std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
    if (error == std::errc::result_out_of_range)
      power = exponent.front() == '-' ? -1000 : 1000;
    else if (error != std::errc() || end != exponent.data() + exponent.size())
      return Amount::not_a_number;
    whole += std::clamp(power, -1000, 1000);
  }
  bool zero = std::all_of(digits.begin(), digits.begin() + count, [](char c) { return c == '0'; });
  if (zero) {
    // Nothing is nothing, whatever its exponent.
    whole = 0;
    count = std::min(count, kAmountDecimalsMax);
  } else {
    // 0.00012e4: zeros that the exponent has brought before the point.
    int leading = 0;
    while (leading < whole && leading < count && digits[static_cast<size_t>(leading)] == '0') ++leading;
    std::copy(digits.begin() + leading, digits.begin() + count, digits.begin());
    count -= leading;
    whole -= leading;
  }
  if (whole > kAmountDigitsMax) return Amount::too_large;
  if (count - whole > kAmountDecimalsMax) return Amount::too_fine;

  char* to = out;
  if (negative && !zero) *to++ = '-';
  for (int place = 0; place < whole; ++place) *to++ = place < count ? digits[static_cast<size_t>(place)] : '0';
  if (whole <= 0) *to++ = '0';
  if (count > whole) {
    *to++ = '.';
    for (int place = whole; place < 0; ++place) *to++ = '0';
    for (int place = std::max(whole, 0); place < count; ++place) *to++ = digits[static_cast<size_t>(place)];
  }
  size = static_cast<size_t>(to - out);
  return Amount::ok;
}

}  // namespace weir::collect
