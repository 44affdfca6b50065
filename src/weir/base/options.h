#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir {

// How a room declares its start-up options, once, beside the code that obeys them:
//
//   struct WriterOptions { uint64_t segment_bytes = 128 * MiB; };
//   template <class Visitor>
//   void describe(Visitor& option, WriterOptions& o) {
//     option("segment_bytes", o.segment_bytes, between(1 * MiB, 4 * GiB), "A segment is closed at this size.");
//   }
//
// Types: bool, uint64_t, double, std::string, std::vector<std::string> (comma-separated), std::chrono::milliseconds,
// std::chrono::seconds. A uint64_t whose name ends in `_bytes` may be written with a unit (64KiB, 2 MiB); durations
// are written 250ms, 30s, 5m, 7d. The room's defaults are the struct's initial values.

struct NoLimit {};
inline constexpr NoLimit any_value{};

struct Between {
  double low;
  double high;
};
template <class A, class B>
constexpr Between between(A low, B high) {
  return {static_cast<double>(low), static_cast<double>(high)};
}
// Bounds of a duration, in its own unit (milliseconds or seconds).

struct OneOf {
  std::vector<std::string_view> values;
};
inline OneOf one_of(std::vector<std::string_view> values) { return {std::move(values)}; }

}  // namespace weir
