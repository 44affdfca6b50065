#include "weir/event/event.h"

#include <array>

#include "weir/event/row.h"

namespace weir::event {

namespace {
constexpr std::array<std::string_view, 6> kKinds = {"event", "pageview", "identify", "alias", "group", "engagement"};
constexpr std::array<std::string_view, 3> kTimeRules = {"client", "received", "clamped"};
constexpr std::array<std::string_view, 6> kTraffic = {"human", "bot", "ai_crawler", "monitor", "spam", "internal"};

template <class Enum, size_t kCount>
bool parse_name(const std::array<std::string_view, kCount>& names, std::string_view name, Enum& value) {
  for (size_t i = 0; i < kCount; ++i) {
    if (names[i] != name) continue;
    value = static_cast<Enum>(i);
    return true;
  }
  return false;
}
}  // namespace

std::string_view name_of(Kind kind) { return kKinds[static_cast<size_t>(kind)]; }
std::string_view name_of(TimeRule rule) { return kTimeRules[static_cast<size_t>(rule)]; }
std::string_view name_of(Traffic traffic) { return kTraffic[static_cast<size_t>(traffic)]; }
bool parse_kind(std::string_view name, Kind& kind) { return parse_name(kKinds, name, kind); }
bool parse_time_rule(std::string_view name, TimeRule& rule) { return parse_name(kTimeRules, name, rule); }

}  // namespace weir::event
