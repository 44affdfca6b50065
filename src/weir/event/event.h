#pragma once

#include <cstdint>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/ids.h"

namespace weir::event {

enum class Kind : uint8_t { event, pageview, identify, alias, group, engagement };

// Which rule gave the event its time.
enum class TimeRule : uint8_t {
  client,    // the client's own, as sent
  received,  // none sent: time of receipt
  clamped,   // sent, but more than 24 h ahead of us: time of receipt
};

std::string_view name_of(Kind kind);
std::string_view name_of(TimeRule rule);
bool parse_kind(std::string_view name, Kind& kind);
bool parse_time_rule(std::string_view name, TimeRule& rule);

// One accepted event before enrichment: what the canonical record (docs/formats/event.md) holds. A view: every text
// points into memory that the maker keeps alive. Absent text is empty.
struct Event {
  Kind kind = Kind::event;
  ProjectId project_id{};
  std::string_view id;    // deduplication id, or empty: then the event is known by its place in the journal
  bool id_given = false;  // the client gave the id; false when weir made it from the event's content
  std::string_view name;
  UnixMillis received_at = 0;
  std::string_view client_time;  // exactly as the client wrote it
  std::string_view sent_at;      // likewise
  UnixMillis time = 0;
  TimeRule time_rule = TimeRule::received;
  std::string_view user_id;
  std::string_view anonymous_id;
  std::string_view client_session_id;
  uint64_t visitor = 0;  // cookieless visitor id, when neither user_id nor anonymous_id is given; else 0
  std::string_view url;
  std::string_view hostname;
  std::string_view path;
  std::string_view title;
  std::string_view referrer;
  std::string_view locale;
  std::string_view screen;
  std::string_view app_version;
  std::string_view properties;      // JSON text of an object, minified, keys unique; or empty
  std::string_view set;             // JSON text of an object, or empty
  std::string_view set_once;        // likewise
  std::string_view groups;          // likewise
  std::string_view revenue_amount;  // decimal text: "12.50", or empty
  std::string_view revenue_currency;
  std::string_view protocol;  // by which door it came: "native", "access-log"
  std::string_view sdk;
  std::string_view personal;  // sealed personal fields (settings/secrets.h): JSON text of an object, or empty
  std::string_view extra;     // JSON text of an object with the keys this version does not know, or empty
};

}  // namespace weir::event
