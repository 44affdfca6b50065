#include "weir/event/event.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <string>

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

uint64_t event_hash(const Row& row) {
  if (row.time_rule != TimeRule::client) return row.o;
  if (!row.id.empty()) return XXH3_64bits(row.id.data(), row.id.size());
  thread_local std::string text;
  text.clear();
  auto add = [](std::string_view part) {
    text.append(part);
    text.push_back('\0');
  };
  add(name_of(row.kind));
  for (std::string_view part : {row.name, row.hostname, row.path, row.title, row.referrer, row.utm_source,
                                row.utm_medium, row.utm_campaign, row.utm_term, row.utm_content})
    add(part);
  // Texts first, then numbers, as the store keeps them.
  size_t number = 0;
  for (const auto& [key, value] : row.properties) {
    if (number < row.numbers.size() && key == row.numbers[number].first) {
      ++number;
      continue;
    }
    add(key);
    add(value);
  }
  number = 0;
  for (const auto& [key, value] : row.properties) {
    if (number == row.numbers.size()) break;
    if (key != row.numbers[number].first) continue;
    ++number;
    add(key);
    add(value);
  }
  return XXH3_64bits(text.data(), text.size());
}

}  // namespace weir::event
