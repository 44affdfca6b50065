#include "weir/base/clock.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir {

UnixMillis SystemClock::now() {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  UnixMillis now = duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  UnixMillis last = last_.load(std::memory_order_relaxed);
  while (now > last && !last_.compare_exchange_weak(last, now, std::memory_order_relaxed)) {
  }
  return now > last ? now : last;
}

int64_t days_from_civil(CivilDay d) {
  namespace c = std::chrono;
  return c::sys_days(c::year(d.year) / c::month(d.month) / c::day(d.day)).time_since_epoch().count();
}

CivilDay civil_from_days(int64_t days) {
  namespace c = std::chrono;
  c::year_month_day ymd{c::sys_days(c::days(days))};
  return {int(ymd.year()), unsigned(ymd.month()), unsigned(ymd.day())};
}

int32_t month_of(UnixMillis t) {
  CivilDay d = civil_from_days(day_of(t));
  return d.year * 100 + static_cast<int32_t>(d.month);
}

std::string format_day(int64_t days) {
  CivilDay d = civil_from_days(days);
  if (d.year < 0 || d.year > 9999) return fmt::format("{:04}-{:02}-{:02}", d.year, d.month, d.day);
  // Every event's record holds one.
  std::string text = "0000-00-00";
  auto put = [&text](size_t last, uint32_t number) {
    for (; number > 0; number /= 10) text[last--] = static_cast<char>('0' + number % 10);
  };
  put(3, static_cast<uint32_t>(d.year));
  put(6, d.month);
  put(9, d.day);
  return text;
}

std::string format_rfc3339(UnixMillis t) {
  int64_t day = day_of(t);
  int64_t ms = t - day * kMillisPerDay;
  return fmt::format("{}T{:02}:{:02}:{:02}.{:03}Z", format_day(day), ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

namespace {
// The digits [at, at + count) as a number; -1 when they are none.
int digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  if (at + count > text.size()) return -1;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}
}  // namespace

bool parse_day(std::string_view text, int64_t& days) {
  int year = digits(text, 0, 4);
  int month = digits(text, 5, 2);
  int day = digits(text, 8, 2);
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  if (year < 0 || month < 1 || month > 12 || day < 1) return false;
  CivilDay civil{year, static_cast<unsigned>(month), static_cast<unsigned>(day)};
  days = days_from_civil(civil);
  return civil_from_days(days).day == civil.day;  // 30 February
}

bool parse_rfc3339(std::string_view text, UnixMillis& moment) {
  int64_t days = 0;
  int hour = digits(text, 11, 2);
  int minute = digits(text, 14, 2);
  int second = digits(text, 17, 2);
  if (!parse_day(text.substr(0, 10), days) || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 ||
      second > 59) {
    return false;
  }
  if ((text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') return false;
  size_t at = 19;
  int millis = 0;
  if (at < text.size() && text[at] == '.') {
    size_t begin = ++at;
    int factor = 100;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      millis += (text[at] - '0') * factor;
      factor /= 10;
    }
    if (at == begin) return false;
  }
  int64_t offset_minutes = 0;
  std::string_view zone = text.substr(std::min(at, text.size()));
  if (zone != "Z" && zone != "z") {
    int hours = digits(zone, 1, 2);
    int minutes = digits(zone, 4, 2);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || hours < 0 || hours > 23 ||
        minutes < 0 || minutes > 59) {
      return false;
    }
    offset_minutes = (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  int64_t seconds_of_day = (hour * 60 + minute - offset_minutes) * 60 + second;
  moment = days * kMillisPerDay + seconds_of_day * 1000 + millis;
  return true;
}

}  // namespace weir
