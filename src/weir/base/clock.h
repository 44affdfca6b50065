#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// Wall time in milliseconds since 1970-01-01 UTC. What events and logs carry.
using UnixMillis = int64_t;

inline constexpr UnixMillis kMillisPerDay = 86'400'000;

// Where time comes from, so that a test can turn the wheel. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time. Never runs backwards within one process.
  virtual UnixMillis now() = 0;
  // Monotonic time, for timeouts, rates and measuring.
  virtual std::chrono::steady_clock::time_point steady() = 0;
};

// The machine's clocks. A backward step of the wall clock is answered with the last time seen.
class SystemClock final : public Clock {
 public:
  UnixMillis now() override;
  std::chrono::steady_clock::time_point steady() override { return std::chrono::steady_clock::now(); }

 private:
  std::atomic<UnixMillis> last_{0};
};

// Stands still until moved. Thread-safe. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(UnixMillis now) : now_(now) {}
  UnixMillis now() override { return now_.load(); }
  std::chrono::steady_clock::time_point steady() override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(now_.load()));
  }
  void advance(std::chrono::milliseconds by) { now_ += by.count(); }

 private:
  std::atomic<UnixMillis> now_;
};

// Civil dates, proleptic Gregorian, UTC.
struct CivilDay {
  int year;
  unsigned month;  // 1-12
  unsigned day;    // 1-31
};
// Days since 1970-01-01, negative before.
int64_t days_from_civil(CivilDay day);
CivilDay civil_from_days(int64_t days);
// The UTC day a moment lies in, as days since 1970-01-01.
constexpr int64_t day_of(UnixMillis t) {
  return t >= 0 ? t / kMillisPerDay : -((-t + kMillisPerDay - 1) / kMillisPerDay);
}
// year * 100 + month of the UTC month a moment lies in: 202611.
int32_t month_of(UnixMillis t);
// "2026-11-20T09:01:00.123Z"
std::string format_rfc3339(UnixMillis t);
// "2026-11-20T09:01:00.123Z", with any number of fraction digits or none, and Z or an offset; false otherwise.
bool parse_rfc3339(std::string_view text, UnixMillis& moment);
// "2026-11-20" as days since 1970-01-01; false for anything else, 30 February included.
bool parse_day(std::string_view text, int64_t& days);
// "2026-11-20"
std::string format_day(int64_t days);

}  // namespace weir
