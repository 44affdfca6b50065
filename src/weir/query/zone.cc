#include "weir/query/zone.h"

#include <cctz/time_zone.h>
#include <fmt/format.h>

#include <cstdlib>

#include "weir/base/clock.h"
#include "weir/base/zone_name.h"

namespace weir::query {

namespace {
constexpr int64_t kDaySeconds = 86'400;

cctz::time_point<cctz::seconds> point(Seconds moment) { return cctz::time_point<cctz::seconds>(cctz::seconds(moment)); }

int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

struct Zone::State {
  cctz::time_zone zone;
};

Zone::Zone(std::string name, std::shared_ptr<const State> state) : name_(std::move(name)), state_(std::move(state)) {}

Result<Zone> Zone::load(std::string_view name) {
  auto state = std::make_shared<State>();
  std::string text(name);
  // cctz keeps every name that it was ever asked for, whether there is such a zone or not.
  if (!is_known_zone(name) || !cctz::load_time_zone(text, &state->zone))
    return Error{ErrorCode::kBadInput, fmt::format("query: not an IANA time zone: {}", name)};
  return Zone(std::move(text), std::move(state));
}

Zone Zone::utc() {
  auto state = std::make_shared<State>();
  state->zone = cctz::utc_time_zone();
  return Zone("UTC", std::move(state));
}

int Zone::offset(Seconds moment) const { return state_->zone.lookup(point(moment)).offset; }

int64_t Zone::local_day(Seconds moment) const { return floor_div(moment + offset(moment), kDaySeconds); }

Seconds Zone::start_of_day(int64_t day) const {
  CivilDay civil = civil_from_days(day);
  auto found =
      state_->zone.lookup(cctz::civil_second(civil.year, static_cast<int>(civil.month), static_cast<int>(civil.day)));
  auto moment = found.kind == cctz::time_zone::civil_lookup::SKIPPED ? found.trans : found.pre;
  return moment.time_since_epoch().count();
}

std::vector<Zone::Era> Zone::eras(Seconds from, Seconds to) const {
  std::vector<Era> eras{{from, offset(from)}};
  cctz::time_zone::civil_transition transition;
  auto at = point(from);
  while (state_->zone.next_transition(at, &transition)) {
    at = state_->zone.lookup(transition.to).trans;
    Seconds since = at.time_since_epoch().count();
    if (since >= to) break;
    int offset_then = offset(since);
    if (offset_then != eras.back().offset) eras.push_back({since, offset_then});
  }
  return eras;
}

std::string offset_text(int offset) {
  int minutes = std::abs(offset) / 60;
  return fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string local_text(Seconds local) {
  int64_t day = floor_div(local, kDaySeconds);
  int64_t second = local - day * kDaySeconds;
  return fmt::format("{} {:02}:{:02}:{:02}", format_day(day), second / 3600, second / 60 % 60, second % 60);
}

std::string rfc3339_text(const Zone& zone, Seconds moment) {
  int offset = zone.offset(moment);
  std::string text = local_text(moment + offset);
  text[text.find(' ')] = 'T';
  return text + (offset == 0 && zone.name() == "UTC" ? "Z" : offset_text(offset));
}

}  // namespace weir::query
