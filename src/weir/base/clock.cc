#include "weir/base/clock.h"

#include <fmt/format.h>

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

}  // namespace weir
