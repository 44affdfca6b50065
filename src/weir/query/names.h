#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// The names of the metric layer, each defined once: what they mean stands in docs/query.md, how they are computed in
// statement.cc.
namespace weir::query {

enum class Metric : uint8_t {
  visitors,
  visits,
  pageviews,
  events,
  views_per_visit,
  bounce_rate,
  visit_duration,
  time_on_page,
  scroll_depth,
  entries,
  exits,
  exit_rate,
  percentage,
  visits_percentage,
  pageviews_percentage,
  events_percentage,
  conversions,
  conversion_rate,
  group_conversion_rate,
  total_revenue,
  average_revenue,
};
inline constexpr size_t kMetrics = 21;
std::string_view name_of(Metric metric);
bool parse_metric(std::string_view name, Metric& metric);
// How many there are of something: where nothing happened it is 0.
bool is_count(Metric metric);
// A rate's change is the difference of the two, any other number's the share by which it grew.
bool is_rate(Metric metric);
bool is_money(Metric metric);
// Whether each visitor adds to it; else it is a mean over what some of them did.
bool adds_up(Metric metric);
// The last digit that is shown, to which it is rounded; 0: it is not rounded.
double unit_of(Metric metric);

// Into what time is cut. The last two are no stretches of time but sets of them.
enum class Bucket : uint8_t { none, minute, hour, day, week, month, quarter, year, weekday, hour_of_day };
std::string_view name_of(Bucket bucket);  // "day"
// A visit belongs to the bucket of its first event, but counts in each minute and hour that it touches.
constexpr bool is_fine(Bucket bucket) {
  return bucket == Bucket::minute || bucket == Bucket::hour || bucket == Bucket::hour_of_day;
}
// Whether it is a stretch of time, with a label of its own in each range.
constexpr bool is_stretch(Bucket bucket) { return bucket != Bucket::none && bucket < Bucket::weekday; }

enum class Attribute : uint8_t {
  time,  // with a Bucket
  page,
  hostname,
  title,
  event_name,
  goal,
  property,  // with its key
  app_version,
  traffic,
  traffic_reason,
  revenue,   // in filters only: a number
  currency,  // of the revenue
  entry_page,
  exit_page,
  channel,
  source,
  referrer,
  utm_source,
  utm_medium,
  utm_campaign,
  utm_term,
  utm_content,
  country,
  region,
  city,
  country_name,
  region_name,
  city_name,
  browser,
  browser_version,
  os,
  os_version,
  device,
  screen,
  locale,
  visitor_group,  // of a sample's visitors (sampling.h); not to be asked for
};

struct Dimension {
  Attribute attribute = Attribute::page;
  Bucket bucket = Bucket::none;  // of time
  std::string property = {};     // its key
  friend bool operator==(const Dimension&, const Dimension&) = default;
};
inline constexpr size_t kPropertyKeyBytesMax = 300;
// "visit:country", "event:props:plan", "time:day".
std::string name_of(const Dimension& dimension);
// False: no such name. "time" alone has no bucket yet.
bool parse_dimension(std::string_view name, Dimension& dimension);
// The column of weir_data.events and of the public view that holds it; empty where it takes more than a column.
std::string_view column_of(Attribute attribute);
// What an empty value is shown as.
std::string_view empty_label(Attribute attribute);
// Whether it says something of the event, not of its visit.
bool is_of_event(Attribute attribute);

}  // namespace weir::query
