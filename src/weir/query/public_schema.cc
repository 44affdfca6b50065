#include "weir/query/public_schema.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "weir/base/json_writer.h"

namespace weir::query {

namespace {
struct Note {
  std::string_view table;
  std::string_view column;  // empty: of the table itself
  std::string_view text;
};

// public_schema_engine_test.cc holds it against the views.
constexpr Note kNotes[] = {
    {"events", "", "One row an event."},
    {"events", "project", "The project's name."},
    {"events", "event_id", "The client's id, or else w<journal>-<position>."},
    {"events", "name", "The event's name; pageview for page views."},
    {"events", "timestamp", "When it happened, UTC, to the millisecond."},
    {"events", "received_at", "When it arrived."},
    {"events", "time_rule", "Where timestamp is from: client, received or clamped."},
    {"events", "kind", "event, pageview, identify, alias, group or engagement."},
    {"events", "user_id", "As the client gave it; empty when it gave none."},
    {"events", "anonymous_id", "As the client gave it."},
    {"events", "visitor_id", "Who it was: a hash of the user, or of the cookieless visitor of that day."},
    {"events", "session_id", "The visit: 30 minutes of silence or 24 hours end it."},
    {"events", "client_session_id", "The client's own id of its session."},
    {"events", "visit_seq", "0 for the visit's first event."},
    {"events", "visit_gap_ms", "Milliseconds since the visit's event before."},
    {"events", "visit_bounce", "Their sum over a visit is 1 when it is a bounce."},
    {"events", "visit_source", "Source of the visit's first event."},
    {"events", "visit_channel", "Channel of the visit's first event."},
    {"events", "visit_campaign", "utm_campaign of the visit's first event."},
    {"events", "entry_path", "Path of the visit's first page view so far."},
    {"events", "previous_path", "Path of the page view before this one."},
    {"events", "hostname", "The page's host."},
    {"events", "path", "The page's path, without query."},
    {"events", "title", "The page's title."},
    {"events", "referrer", "The page before."},
    {"events", "source", "Where this event came from: utm_source, or the referrer's name."},
    {"events", "medium", "utm_medium, or what is known of the source."},
    {"events", "channel", "Organic Search, Paid Social, Email, Direct and so on."},
    {"events", "utm_source", "Of the page's address."},
    {"events", "utm_medium", "Of the page's address."},
    {"events", "utm_campaign", "Of the page's address."},
    {"events", "utm_term", "Of the page's address."},
    {"events", "utm_content", "Of the page's address."},
    {"events", "click_id", "An advertisement's parameter and value in the page's address: gclid:Cj0..."},
    {"events", "country", "ISO 3166-1, two letters."},
    {"events", "region", "ISO 3166-2, or empty."},
    {"events", "city", "English name, or empty."},
    {"events", "browser", "Name of the browser or program."},
    {"events", "browser_version", "Its version, as far as it tells."},
    {"events", "os", "Name of the operating system."},
    {"events", "os_version", "Its version, as far as it tells."},
    {"events", "device", "desktop, mobile, tablet and so on."},
    {"events", "screen", "Width x height, as the client gave it."},
    {"events", "locale", "As the client gave it."},
    {"events", "app_version", "As the client gave it."},
    {"events", "properties", "Free properties: properties['plan'] is the value as text."},
    {"events", "numbers", "The numeric ones again: numbers['price'] is a Float64."},
    {"events", "revenue_amount", "NULL when the event has none."},
    {"events", "revenue_currency", "ISO 4217."},
    {"events", "traffic", "human, bot, ai_crawler, monitor, spam or internal."},
    {"events", "traffic_reason", "Why it is not human: the list or the rule."},
    {"events", "sdk", "The client library, if it says so."},
    {"events", "ip", "By the project's policy: empty, masked or whole."},
    {"events", "_p", "Number of the journal; with _o the row's identity."},
    {"events", "_o", "Position in the journal."},
};

std::string_view note_of(std::string_view table, std::string_view column) {
  const auto* found = std::find_if(std::begin(kNotes), std::end(kNotes),
                                   [&](const Note& n) { return n.table == table && n.column == column; });
  return found == std::end(kNotes) ? std::string_view() : found->text;
}

// Calls `row` with the two texts of each line "table\tcolumn\ttype"; names of views and types hold no tabs.
template <class Row>
void for_each_row(std::string_view lines, Row row) {
  while (!lines.empty()) {
    std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    const size_t first = line.find('\t');
    const size_t second = line.find('\t', first + 1);
    if (second == std::string_view::npos) continue;
    row(line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1));
  }
}
}  // namespace

Result<std::string> public_schema(store::Store& store) {
  auto columns =
      store.query("SELECT table, name, type FROM system.columns WHERE database = 'weir' ORDER BY table, position",
                  {.format = "TSVRaw", .parameters = {}, .timeout = std::chrono::seconds(10)});
  if (!columns) return std::move(columns).error();
  std::string out = "[";
  std::string_view open;
  for_each_row(*columns, [&](std::string_view table, std::string_view name, std::string_view type) {
    const bool first = table != open;
    if (first) {
      out += open.empty() ? "{" : "]},{";
      append_json_key(out, "name");
      append_json_string(out, table);
      append_json_key(out, "note");
      append_json_string(out, note_of(table, ""));
      append_json_key(out, "columns");
      open = table;
    }
    out += first ? "[{" : ",{";
    append_json_key(out, "name");
    append_json_string(out, name);
    append_json_key(out, "type");
    append_json_string(out, type);
    append_json_key(out, "note");
    append_json_string(out, note_of(table, name));
    out += '}';
  });
  out += open.empty() ? "]" : "]}]";
  return out;
}

}  // namespace weir::query
