#include "weir/base/time_text.h"

#include <charconv>
#include <cmath>

namespace weir {

namespace {
constexpr UnixMillis kFarPast = -62'200'000'000'000;    // in the year -1
constexpr UnixMillis kFarFuture = 253'500'000'000'000;  // in the year 10003

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Exactly `count` digits at the front of `text`, which loses them.
bool take_digits(std::string_view& text, size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

int days_of_month(int year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

// ".123456" gives 123. False: a point without digits.
bool take_fraction(std::string_view& text, int& millis) {
  millis = 0;
  if (!take(text, '.')) return true;
  int scale = 100;
  size_t digits = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    millis += (text[digits] - '0') * scale;
    scale /= 10;
  }
  text.remove_prefix(digits);
  return digits > 0;
}

// "Z", "+hh:mm" or nothing: minutes east of UTC.
bool take_offset(std::string_view& text, int& minutes) {
  minutes = 0;
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return true;
  bool west = text.front() == '-';
  if (!west && text.front() != '+') return false;
  text.remove_prefix(1);
  int hour = 0;
  int minute = 0;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute)) return false;
  if (hour > 23 || minute > 59) return false;
  minutes = (hour * 60 + minute) * (west ? -1 : 1);
  return true;
}
}  // namespace

bool parse_time(std::string_view text, UnixMillis& t) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millis = 0, offset = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
      !take_digits(text, 2, day)) {
    return false;
  }
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return false;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute) || !take(text, ':') ||
      !take_digits(text, 2, second) || !take_fraction(text, millis) || !take_offset(text, offset) || !text.empty()) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > days_of_month(year, month)) return false;
  if (hour > 23 || minute > 59 || second > 60) return false;
  if (second == 60) {
    second = 59;
    millis = 999;
  }
  int64_t days = days_from_civil({year, static_cast<unsigned>(month), static_cast<unsigned>(day)});
  t = days * kMillisPerDay + ((hour * 60 + minute - offset) * 60 + second) * int64_t{1000} + millis;
  return true;
}

UnixMillis parse_epoch_millis(std::string_view number) {
  UnixMillis exact = 0;
  const char* end = number.data() + number.size();
  auto [stop, error] = std::from_chars(number.data(), end, exact);
  if (error != std::errc() || stop != end) {
    double value = 0;
    // Out of a double's range: an exponent like 1e999 or 1e-999. The sign of the exponent tells which.
    if (std::from_chars(number.data(), end, value).ec == std::errc::result_out_of_range) {
      bool tiny = number.find("e-") != std::string_view::npos || number.find("E-") != std::string_view::npos;
      value = tiny ? 0 : (number.front() == '-' ? -1e300 : 1e300);
    }
    if (value >= static_cast<double>(kFarFuture)) return kFarFuture;
    if (value <= static_cast<double>(kFarPast)) return kFarPast;
    return static_cast<UnixMillis>(std::floor(value));
  }
  return exact > kFarFuture ? kFarFuture : exact < kFarPast ? kFarPast : exact;
}

}  // namespace weir
