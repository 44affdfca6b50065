#include "weir/enrich/visits.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace weir::enrich {

namespace {
uint64_t key_of(ProjectId project, uint64_t visitor, std::string_view client_session) {
  uint64_t head[2] = {number(project), visitor};
  uint64_t hash = XXH3_64bits(head, sizeof head);
  return client_session.empty() ? hash : XXH3_64bits_withSeed(client_session.data(), client_session.size(), hash);
}

uint64_t session_of(const VisitEvent& event, uint64_t key) {
  uint64_t parts[3] = {key, static_cast<uint64_t>(event.time), event.event_hash};
  auto second = static_cast<uint64_t>(std::max<UnixMillis>(event.time, 0) / 1000);
  return second << 32 | (XXH3_64bits(parts, sizeof parts) & 0xffffffffu);
}

constexpr uint16_t kEventsMax = std::numeric_limits<uint16_t>::max();
}  // namespace

VisitFacts Visits::assign(const VisitEvent& event) {
  uint64_t key = key_of(event.project, event.visitor, event.client_session);
  auto at = open_.find(key);
  bool joins = at != open_.end() && event.time <= at->second.last + kVisitSilence &&
               event.time >= at->second.started - kVisitSilence && event.time < at->second.started + kVisitLength;
  VisitFacts facts;
  if (!joins) {
    if (at == open_.end()) {
      if (open_.size() >= visits_max_) make_room(event.time);
      at = open_.try_emplace(key).first;
    }
    Visit& visit = at->second;
    visit.session = session_of(event, key);
    visit.started = visit.last = event.time;
    visit.events = 1;
    visit.entry_path = event.is_pageview ? event.pageview_path : std::string_view();
    visit.last_path = visit.entry_path;
    facts.session = visit.session;
    facts.entry_path = visit.entry_path;
    return facts;
  }
  Visit& visit = at->second;
  facts.session = visit.session;
  facts.seq = visit.events;
  facts.gap_ms = static_cast<uint32_t>(std::clamp<UnixMillis>(event.time - visit.last, 0, kVisitLength));
  previous_ = visit.last_path;
  facts.previous_path = previous_;
  if (visit.events < kEventsMax) ++visit.events;
  visit.last = std::max(visit.last, event.time);
  if (event.is_pageview) {
    if (visit.entry_path.empty()) visit.entry_path = event.pageview_path;
    visit.last_path = event.pageview_path;
  }
  facts.entry_path = visit.entry_path;
  return facts;
}

void Visits::restore(ProjectId project, uint64_t visitor, std::string_view client_session, uint64_t session,
                     UnixMillis started, UnixMillis last, uint64_t events, std::string_view entry_path,
                     std::string_view last_path) {
  Visit& visit = open_[key_of(project, visitor, client_session)];
  if (visit.session != 0 && visit.last >= last) return;
  visit = {session,
           started,
           last,
           static_cast<uint16_t>(std::min<uint64_t>(events, kEventsMax)),
           std::string(entry_path),
           std::string(last_path)};
}

void Visits::make_room(UnixMillis now) {
  std::erase_if(open_, [&](const auto& entry) { return entry.second.last + kVisitSilence < now; });
  if (open_.size() < visits_max_) return;
  // Everyone is active: forget the quarter that has been silent longest.
  std::vector<UnixMillis> lasts;
  lasts.reserve(open_.size());
  for (const auto& [key, visit] : open_) lasts.push_back(visit.last);
  auto quarter = lasts.begin() + static_cast<std::ptrdiff_t>(lasts.size() / 4);
  std::nth_element(lasts.begin(), quarter, lasts.end());
  UnixMillis limit = *quarter;
  std::erase_if(open_, [&](const auto& entry) { return entry.second.last <= limit; });
}

}  // namespace weir::enrich
