#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/event/event.h"

namespace weir::event {

// Who caused an event. Reports show humans unless asked.
enum class Traffic : uint8_t { human, bot, ai_crawler, monitor, spam, internal };
std::string_view name_of(Traffic traffic);

// What a row says of its visit (enrich/visits.h). Additive: visits = countIf(visit_seq = 0), bounces =
// sum(visit_bounce), time = sum(visit_gap_ms), exits of a page = its pageviews - pageviews whose previous_path it is.
struct VisitColumns {
  uint64_t session_id = 0;
  uint16_t seq = 0;                // 0 for the visit's first event
  uint32_t gap_ms = 0;             // since the visit's previous event
  int8_t bounce = 0;               // by how much this event changes whether the visit is a bounce: 1, 0 or -1
  std::string_view entry_path;     // of the visit's first pageview so far
  std::string_view previous_path;  // of the pageview before this one
  // Where the visit came from: source, channel and utm_campaign of its first event.
  std::string_view source, channel, campaign;
};

// One enriched event: one row of the store, with the columns of the public view `events`. A view, like Event; the
// vectors belong to the row and are reused from event to event.
struct Row {
  ProjectId project_id{};
  std::string_view id;  // the client's; empty: computed by the view from p and o
  std::string_view name;
  UnixMillis time = 0;
  UnixMillis received_at = 0;
  TimeRule time_rule = TimeRule::received;
  Kind kind = Kind::event;
  std::string_view user_id;
  std::string_view anonymous_id;
  uint64_t visitor_id = 0;
  std::string_view client_session_id;
  std::string_view hostname, path, title, referrer;
  std::string_view source, medium, channel;
  std::string_view utm_source, utm_medium, utm_campaign, utm_term, utm_content;
  std::string_view click_id;
  std::string_view country, region, city;  // country: ISO 3166-1 alpha-2
  std::string_view browser, browser_version, os, os_version, device;
  std::string_view screen, locale, app_version;
  std::vector<std::pair<std::string_view, std::string_view>> properties;  // values as text; see design of the view
  std::vector<std::pair<std::string_view, double>> numbers;               // the numeric ones again, in the same order
  int64_t revenue_micros = 0;                                             // amount * 10^6
  bool has_revenue = false;
  std::string_view revenue_currency;
  Traffic traffic = Traffic::human;
  std::string_view traffic_reason;
  std::string_view sdk;
  std::string_view ip;
  VisitColumns visit;
  // Identity: the store's journal number and the position in it.
  uint32_t p = 0;
  uint64_t o = 0;
};

// Orders the events of one millisecond. Where the client gave the time: a hash of its id, or, without one, of what the
// event says, so that it does not depend on when it arrived. Else the time is that of receipt, and the order that of
// the journal: the row's `o`. The store computes the same from its columns (kEventHash in store/clickhouse.cc).
uint64_t event_hash(const Row& row);

}  // namespace weir::event
