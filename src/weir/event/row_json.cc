#include "weir/event/row_json.h"

#include <fmt/format.h>

#include <iterator>

#include "weir/base/json_writer.h"

namespace weir::event {

void append_json_text(std::string& out, std::string_view key, std::string_view value) {
  append_json_key(out, key);
  append_json_string(out, value);
}

void append_json_moment(std::string& out, std::string_view key, UnixMillis t) {
  std::string text = format_rfc3339(t);
  text.pop_back();
  text[text.find('T')] = ' ';
  append_json_text(out, key, text);
}

namespace {
// Millionths as a decimal number without zeros at its end.
void append_decimal(std::string& out, int64_t micros) {
  const uint64_t size = micros < 0 ? 0 - static_cast<uint64_t>(micros) : static_cast<uint64_t>(micros);
  if (micros < 0) out.push_back('-');
  fmt::format_to(std::back_inserter(out), "{}", size / 1'000'000);
  if (size % 1'000'000 == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:06}", size % 1'000'000);
  while (out.back() == '0') out.pop_back();
}

void append_properties(std::string& out, const Row& row) {
  append_json_key(out, "properties");
  char before = '{';
  for (const auto& [key, value] : row.properties) {
    out.push_back(before);
    append_json_string(out, key);
    out.push_back(':');
    append_json_string(out, value);
    before = ',';
  }
  out.append(before == '{' ? "{}" : "}");
  append_json_key(out, "numbers");
  before = '{';
  for (const auto& [key, value] : row.numbers) {
    out.push_back(before);
    append_json_string(out, key);
    fmt::format_to(std::back_inserter(out), ":{}", value);
    before = ',';
  }
  out.append(before == '{' ? "{}" : "}");
}
}  // namespace

void append_row_members(std::string& out, const Row& row) {
  append_json_text(out, "name", row.name);
  append_json_moment(out, "timestamp", row.time);
  append_json_text(out, "time_rule", name_of(row.time_rule));
  append_json_text(out, "kind", name_of(row.kind));
  append_json_text(out, "user_id", row.user_id);
  append_json_text(out, "anonymous_id", row.anonymous_id);
  append_json_text(out, "client_session_id", row.client_session_id);
  append_json_text(out, "hostname", row.hostname);
  append_json_text(out, "path", row.path);
  append_json_text(out, "title", row.title);
  append_json_text(out, "referrer", row.referrer);
  append_json_text(out, "source", row.source);
  append_json_text(out, "medium", row.medium);
  append_json_text(out, "channel", row.channel);
  append_json_text(out, "utm_source", row.utm_source);
  append_json_text(out, "utm_medium", row.utm_medium);
  append_json_text(out, "utm_campaign", row.utm_campaign);
  append_json_text(out, "utm_term", row.utm_term);
  append_json_text(out, "utm_content", row.utm_content);
  append_json_text(out, "click_id", row.click_id);
  append_json_text(out, "country", row.country);
  append_json_text(out, "region", row.region);
  append_json_text(out, "city", row.city);
  append_json_text(out, "browser", row.browser);
  append_json_text(out, "browser_version", row.browser_version);
  append_json_text(out, "os", row.os);
  append_json_text(out, "os_version", row.os_version);
  append_json_text(out, "device", row.device);
  append_json_text(out, "screen", row.screen);
  append_json_text(out, "locale", row.locale);
  append_json_text(out, "app_version", row.app_version);
  append_properties(out, row);
  append_json_key(out, "revenue_amount");
  if (row.has_revenue)
    append_decimal(out, row.revenue_micros);
  else
    out.append("null");
  append_json_text(out, "revenue_currency", row.revenue_currency);
  append_json_text(out, "traffic", name_of(row.traffic));
  append_json_text(out, "traffic_reason", row.traffic_reason);
  append_json_text(out, "sdk", row.sdk);
}

}  // namespace weir::event
