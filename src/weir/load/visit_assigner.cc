#include "weir/load/visit_assigner.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "weir/base/logging.h"

namespace weir::load {

namespace {
using std::chrono::milliseconds;

// Restoring more open visits than this costs more memory than looking at the others' rows costs time.
constexpr uint64_t kRestoredVisitsMax = 200'000;
// Visits that ended longer ago cannot go on, but for events that are a little late.
constexpr UnixMillis kRestoredSilence = 2 * enrich::kVisitSilence;
// The memory is told about a project's other times at most so often a batch, and, where that was in vain, not for a
// while: else a client with a clock of its own could make each event a question.
constexpr int kLooksPerBatch = 4;
constexpr milliseconds kLookAgain{30'000};

// The texts of an event, in the order in which they are kept.
std::array<std::string_view*, 5> texts_of(enrich::VisitEvent& event) {
  return {&event.client_session, &event.path, &event.acquisition.source, &event.acquisition.channel,
          &event.acquisition.campaign};
}
}  // namespace

VisitAssigner::VisitAssigner(const Parts& parts, journal::Partition partition)
    : parts_(parts), partition_(partition), visits_(parts.healer.visits(partition)) {}

Result<> VisitAssigner::restore() {
  visits_.clear();
  looked_in_vain_.clear();
  if (partition_ != journal::Partition::live) return {};
  UnixMillis from = parts_.clock.now() - kRestoredSilence;
  if (auto restored = restore({std::nullopt, from, INT64_MAX}, from); !restored) {
    // Too many of them for what the store has of memory or disk: loading must not wait for that to change.
    if (!parts_.store.up()) return restored;
    log::warning("load: {}: the open visits cannot be read ({}); those of the next events are worked out one by one",
                 journal::name_of(partition_), restored.error().message);
    from = parts_.clock.now();
  }
  visits_.know_all_from(from);
  return {};
}

// Takes up visits from the store. `from` rises where they are too many.
Result<> VisitAssigner::restore(const store::VisitScope& scope, UnixMillis& from) {
  const auto pending = parts_.healer.pending();
  auto open = parts_.store.open_visits(scope, kRestoredVisitsMax);
  if (!open) return std::move(open).error();
  if (open->size() == kRestoredVisitsMax) from = open->back().last + 1;
  for (store::OpenVisit& v : *open) {
    enrich::VisitState state;
    state.session = v.session_id;
    state.last = v.last;
    state.events = static_cast<uint32_t>(std::min<uint64_t>(v.events, UINT16_MAX));
    state.pageviews = static_cast<uint8_t>(std::min<uint64_t>(v.pageviews, 2));
    state.interactions = static_cast<uint8_t>(std::min<uint64_t>(v.interactions, 2));
    state.entry_path = std::move(v.entry_path);
    state.last_path = std::move(v.last_path);
    state.source = std::move(v.source);
    state.channel = std::move(v.channel);
    state.campaign = std::move(v.campaign);
    visits_.restore(v.project_id, enrich::stream_of(v.project_id, v.visitor_id, v.client_session_id), state,
                    std::binary_search(pending.begin(), pending.end(), std::pair(v.project_id, v.visitor_id)));
  }
  return {};
}

// The memory knows nothing of the project around `time`: history that is imported, a client that was away for long.
// Takes up what the store has of that day, so that the events behind can be assigned as they come. Where that fails
// their visits are worked out afterwards, one by one.
void VisitAssigner::look_around(ProjectId project, UnixMillis time) {
  if (looks_ >= kLooksPerBatch) return;
  auto vain = looked_in_vain_.find(project);
  if (vain != looked_in_vain_.end() && parts_.clock.steady() < vain->second) return;
  ++looks_;
  UnixMillis from = time - kRestoredSilence;
  const UnixMillis day_end = (time / kMillisPerDay + 1) * kMillisPerDay;
  auto next_day = parts_.store.day_with_events(project, day_end);
  if (next_day)
    if (restore({project, from, day_end}, from)) visits_.know(project, from, next_day->value_or(INT64_MAX));
  if (visits_.knows(project, time))
    looked_in_vain_.erase(project);
  else
    looked_in_vain_[project] = parts_.clock.steady() + kLookAgain;
}

void VisitAssigner::begin() {
  unassigned_.clear();
  texts_.clear();
  looks_ = 0;
}

void VisitAssigner::add(Piece& piece, const event::Row& row, size_t watched) {
  enrich::VisitEvent event = enrich::visit_event(row);
  Unassigned& one = unassigned_.emplace_back(Unassigned{&piece,
                                                        event.project,
                                                        event.visitor,
                                                        event.time,
                                                        event.hash,
                                                        watched,
                                                        static_cast<uint32_t>(piece.block.rows() - 1),
                                                        static_cast<uint32_t>(texts_.size()),
                                                        {},
                                                        event.kind});
  size_t i = 0;
  for (const std::string_view* text : texts_of(event)) {
    texts_ += *text;
    one.sizes[i++] = static_cast<uint32_t>(text->size());
  }
}

enrich::VisitEvent VisitAssigner::event_of(const Unassigned& one) const {
  enrich::VisitEvent event;
  event.project = one.project;
  event.visitor = one.visitor;
  event.time = one.time;
  event.hash = one.hash;
  event.kind = one.kind;
  std::string_view rest = std::string_view(texts_).substr(one.at);
  size_t i = 0;
  for (std::string_view* text : texts_of(event)) {
    *text = rest.substr(0, one.sizes[i]);
    rest.remove_prefix(one.sizes[i++]);
  }
  return event;
}

// In the order of time: events of one moment come over several connections, and stand in the journal as they were
// written.
std::vector<uint64_t> VisitAssigner::assign(event::RowWatch::Batch* watched, std::vector<DirtyVisits>& dirty) {
  std::vector<uint32_t> order(unassigned_.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    const Unassigned& x = unassigned_[a];
    const Unassigned& y = unassigned_[b];
    return x.time != y.time ? x.time < y.time : x.hash != y.hash ? x.hash < y.hash : a < b;
  });
  std::vector<uint64_t> visitors;
  visitors.reserve(order.size());
  for (uint32_t index : order) {
    const Unassigned& one = unassigned_[index];
    const enrich::VisitEvent event = event_of(one);
    if (!visits_.knows(event.project, event.time)) look_around(event.project, event.time);
    const enrich::Visits::Assigned assigned = visits_.assign(event);
    one.piece->block.set_visit(one.row, assigned.facts);
    if (one.watched != event::RowWatch::kNotShown) watched->visit(one.watched, assigned.facts);
    if (!assigned.certain) dirty.push_back({event.project, event.visitor, event.time, event.time});
    if (visitors.empty() || visitors.back() != event.visitor) visitors.push_back(event.visitor);
  }
  begin();
  return visitors;
}

}  // namespace weir::load
