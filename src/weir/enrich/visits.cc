#include "weir/enrich/visits.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <limits>

namespace weir::enrich {

namespace {
constexpr uint32_t kEventsMax = std::numeric_limits<uint16_t>::max();
// Visits are held this much longer than they can go on, so that events which are a little late find them.
constexpr UnixMillis kSlack = kVisitSilence;

uint64_t session_of(const VisitEvent& event, uint64_t stream) {
  uint64_t parts[3] = {stream, static_cast<uint64_t>(event.time), event.hash};
  auto second = static_cast<uint64_t>(std::max<UnixMillis>(event.time, 0) / 1000);
  uint64_t session = second << 32 | (XXH3_64bits(parts, sizeof parts) & 0xffffffffu);
  return session == 0 ? 1 : session;
}

bool is_interaction(event::Kind kind) { return kind == event::Kind::pageview || kind == event::Kind::event; }

// One pageview, and nothing else that somebody caused.
bool is_bounce(const VisitCounts& visit) { return visit.pageviews == 1 && visit.interactions == 1; }

// From when on an event would change how the visit began. What is earlier than the silence before it does so only
// through cuts.
UnixMillis first_touching(const VisitCounts& visit) {
  if (visit.cut_off) return INT64_MIN;
  return static_cast<UnixMillis>(visit.session >> 32) * 1000 - kVisitSilence;
}

UnixMillis plus(UnixMillis time, UnixMillis more) { return time > INT64_MAX - more ? INT64_MAX : time + more; }
}  // namespace

uint64_t stream_of(ProjectId project, uint64_t visitor, std::string_view client_session) {
  uint64_t head[2] = {number(project), visitor};
  uint64_t hash = XXH3_64bits(head, sizeof head);
  return client_session.empty() ? hash : XXH3_64bits_withSeed(client_session.data(), client_session.size(), hash);
}

// The length is counted in whole seconds of both ends, because the visit's id tells its start in seconds.
bool begins(const VisitCounts& visit, UnixMillis time) {
  if (visit.session == 0 || time > visit.last + kVisitSilence) return true;
  auto started = static_cast<UnixMillis>(visit.session >> 32);
  return std::max<UnixMillis>(time, 0) / 1000 - started >= kVisitLength / 1000;
}

event::VisitColumns advance(VisitState& state, const VisitEvent& event, uint64_t stream, std::string& previous) {
  event::VisitColumns facts;
  if (begins(state, event.time)) {
    state.cut_off = state.session != 0 && event.time <= state.last + kVisitSilence;
    state.session = session_of(event, stream);
    state.events = 0;
    state.pageviews = state.interactions = 0;
    state.entry_path.clear();
    state.last_path.clear();
    state.source = event.acquisition.source;
    state.channel = event.acquisition.channel;
    state.campaign = event.acquisition.campaign;
  } else {
    facts.gap_ms = static_cast<uint32_t>(std::clamp<UnixMillis>(event.time - state.last, 0, kVisitSilence));
  }
  const bool bounced = is_bounce(state);
  previous = state.last_path;
  facts.previous_path = previous;
  facts.session_id = state.session;
  facts.seq = static_cast<uint16_t>(state.events);
  if (state.events < kEventsMax) ++state.events;
  if (event.kind == event::Kind::pageview) {
    if (state.pageviews == 0) state.entry_path = event.path;
    state.pageviews = static_cast<uint8_t>(std::min(state.pageviews + 1, 2));
    state.last_path = event.path;
  }
  if (is_interaction(event.kind)) state.interactions = static_cast<uint8_t>(std::min(state.interactions + 1, 2));
  facts.bounce = static_cast<int8_t>(is_bounce(state) - bounced);
  facts.entry_path = state.entry_path;
  facts.source = state.source;
  facts.channel = state.channel;
  facts.campaign = state.campaign;
  state.last = event.time;
  state.last_hash = event.hash;
  return facts;
}

event::VisitColumns Visits::advance_held(Visit& visit, const VisitEvent& event, uint64_t stream) {
  static_cast<VisitCounts&>(state_) = visit.counts;
  state_.entry_path = visit.entry_path.text();
  state_.last_path = visit.last_path.text();
  state_.source = visit.source.text();
  state_.channel = visit.channel.text();
  state_.campaign = visit.campaign.text();
  const event::VisitColumns facts = advance(state_, event, stream, previous_);
  hold(visit, state_);
  return facts;
}

void Visits::hold(Visit& visit, const VisitState& state) {
  visit.counts = static_cast<const VisitCounts&>(state);
  visit.entry_path.set(texts_, state.entry_path);
  visit.last_path.set(texts_, state.last_path);
  visit.source.set(texts_, state.source);
  visit.channel.set(texts_, state.channel);
  visit.campaign.set(texts_, state.campaign);
}

Visits::Project& Visits::project_of(ProjectId id) {
  auto [at, added] = projects_.try_emplace(id);
  if (added && known_from_ != INT64_MAX) at->second.spans.push_back({known_from_, INT64_MAX});
  return at->second;
}

// An event touches what is within the silence before and after it.
bool Visits::knows(const Project& project, UnixMillis time) {
  return knows_onward(project, time - kVisitSilence, time);
}

bool Visits::knows_onward(const Project& project, UnixMillis from, UnixMillis time) {
  return std::any_of(project.spans.begin(), project.spans.end(),
                     [&](const Span& span) { return from >= span.from && plus(time, kVisitSilence) < span.upto; });
}

Visits::Assigned Visits::assign(const VisitEvent& event) {
  const uint64_t stream = stream_of(event.project, event.visitor, event.client_session);
  Assigned out;
  // What would touch the event, or the visit that it goes on with, if it came another way.
  UnixMillis touching = event.time - kVisitSilence;
  {
    std::lock_guard lock(mutex_);
    used_.store(true, std::memory_order_release);
    Project& project = project_of(event.project);
    project.first_assigned = std::min(project.first_assigned, event.time);
    project.last_assigned = std::max(project.last_assigned, event.time);
    auto at = open_.find(stream);
    if (at == open_.end()) {
      if (open_.size() >= visits_max_) make_room();
      at = open_.try_emplace(stream).first;
      Visit& visit = at->second;
      visit.project = &project;
      out.certain = knows(project, event.time);
      visit.unsure = !out.certain;
      out.facts = advance_held(visit, event, stream);
      project.latest = std::max(project.latest, event.time);
    } else if (Visit& visit = at->second; visit.counts.after(event)) {
      out.certain = false;
      // The guess is of a visit that consists of this event; what is in memory stays as it is.
      state_ = {};
      state_.last = event.time;
      out.facts = advance(state_, event, stream, previous_);
      out.facts.entry_path = event.kind == event::Kind::pageview ? event.path : std::string_view();
      out.facts.source = event.acquisition.source;
      out.facts.channel = event.acquisition.channel;
      out.facts.campaign = event.acquisition.campaign;
      if (event.time >= first_touching(visit.counts)) visit.unsure = true;
    } else {
      const bool fresh = event.time > visit.counts.last + kVisitSilence;
      // Nothing in memory is later than `last`, so a visit that begins afterwards owes nothing to what is unsure.
      const bool known = knows(project, event.time);
      if (visit.unsure && fresh && known) visit.unsure = false;
      // What goes on with a visit in memory owes nothing to what was before, but what follows close behind has to be
      // known: the visit may go on there.
      out.certain = !visit.unsure && (fresh ? known : knows_onward(project, visit.counts.last, event.time));
      if (!out.certain) visit.unsure = true;
      if (!fresh) touching = first_touching(visit.counts);
      out.facts = advance_held(visit, event, stream);
      project.latest = std::max(project.latest, event.time);
    }
  }
  if (out.certain && peer_ != nullptr &&
      peer_->may_hold(event.project, stream, touching, plus(event.time, kVisitSilence))) {
    out.certain = false;
    std::lock_guard lock(mutex_);
    if (auto at = open_.find(stream); at != open_.end()) at->second.unsure = true;
  }
  return out;
}

void Visits::know(ProjectId id, UnixMillis from, UnixMillis upto) {
  std::lock_guard lock(mutex_);
  Project& project = project_of(id);
  std::erase_if(project.spans, [&](const Span& span) { return span.from >= from && span.upto <= upto; });
  if (project.spans.size() >= kSpans) project.spans.erase(project.spans.begin());
  project.spans.push_back({from, upto});
}

void Visits::know_all_from(UnixMillis from) {
  std::lock_guard lock(mutex_);
  known_from_ = from;
}

bool Visits::knows(ProjectId id, UnixMillis time) const {
  std::lock_guard lock(mutex_);
  auto at = projects_.find(id);
  if (at != projects_.end() && !at->second.spans.empty()) return knows(at->second, time);
  return known_from_ != INT64_MAX && time - kVisitSilence >= known_from_;
}

void Visits::restore(ProjectId id, uint64_t stream, const VisitState& state, bool unsure) {
  std::lock_guard lock(mutex_);
  Visit& visit = open_[stream];
  visit.unsure = visit.unsure || unsure;
  if (visit.counts.session != 0 && visit.counts.last >= state.last) return;
  visit.project = &project_of(id);
  hold(visit, state);
  visit.counts.last_hash = UINT64_MAX;
  visit.counts.cut_off = true;
  visit.project->latest = std::max(visit.project->latest, visit.counts.last);
}

void Visits::clear() {
  std::lock_guard lock(mutex_);
  open_.clear();
  known_from_ = INT64_MAX;
  for (auto& [id, project] : projects_) {
    project.spans.clear();
    project.latest = INT64_MIN;
    project.forgot = project.last_assigned != INT64_MIN;
  }
}

size_t Visits::size() const {
  std::lock_guard lock(mutex_);
  return open_.size();
}

bool Visits::may_hold(ProjectId id, uint64_t stream, UnixMillis first, UnixMillis last) const {
  if (!used_.load(std::memory_order_acquire)) return false;
  std::lock_guard lock(mutex_);
  auto at = projects_.find(id);
  if (at == projects_.end() || at->second.last_assigned == INT64_MIN) return false;
  const Project& project = at->second;
  if (last < project.first_assigned || first > project.last_assigned) return false;
  return project.forgot || open_.contains(stream);
}

// Of this time and before, there may be visits that are not in memory.
void Visits::forget(const Visit& visit) {
  for (Span& span : visit.project->spans)
    if (span.from <= visit.counts.last && visit.counts.last < span.upto) span.from = visit.counts.last + 1;
  visit.project->forgot = true;
}

void Visits::make_room() {
  std::erase_if(open_, [&](const auto& entry) {
    const Visit& visit = entry.second;
    bool ended = plus(visit.counts.last, kVisitSilence + kSlack) < visit.project->latest;
    if (ended) forget(visit);
    return ended;
  });
  if (open_.size() < visits_max_ - visits_max_ / 8) return;
  // Everyone is active: forget the quarter that has been silent longest.
  std::vector<UnixMillis> lasts;
  lasts.reserve(open_.size());
  for (const auto& [stream, visit] : open_) lasts.push_back(visit.counts.last);
  auto quarter = lasts.begin() + static_cast<std::ptrdiff_t>(lasts.size() / 4);
  std::nth_element(lasts.begin(), quarter, lasts.end());
  UnixMillis limit = *quarter;
  std::erase_if(open_, [&](const auto& entry) {
    bool oldest = entry.second.counts.last <= limit;
    if (oldest) forget(entry.second);
    return oldest;
  });
}

}  // namespace weir::enrich
