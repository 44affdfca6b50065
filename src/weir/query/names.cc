#include "weir/query/names.h"

#include <array>

#include "weir/base/check.h"

namespace weir::query {

namespace {
enum class Kind : uint8_t {
  count,
  share,  // of a count in that of more, in percent
  mean,
  percent,  // a mean in percent
  money,
  mean_money,
};
struct MetricEntry {
  Metric metric;
  std::string_view name;
  Kind kind;
  double unit;  // to which it is rounded; 0: it is not
};
constexpr std::array<MetricEntry, kMetrics> kMetricEntries = {{
    {Metric::visitors, "visitors", Kind::count, 0},
    {Metric::visits, "visits", Kind::count, 0},
    {Metric::pageviews, "pageviews", Kind::count, 0},
    {Metric::events, "events", Kind::count, 0},
    {Metric::views_per_visit, "views_per_visit", Kind::mean, 0.01},
    {Metric::bounce_rate, "bounce_rate", Kind::percent, 1},
    {Metric::visit_duration, "visit_duration", Kind::mean, 1},
    {Metric::time_on_page, "time_on_page", Kind::mean, 1},
    {Metric::scroll_depth, "scroll_depth", Kind::percent, 1},
    {Metric::entries, "entries", Kind::count, 0},
    {Metric::exits, "exits", Kind::count, 0},
    {Metric::exit_rate, "exit_rate", Kind::percent, 0.1},
    {Metric::percentage, "percentage", Kind::share, 0.01},
    {Metric::visits_percentage, "visits_percentage", Kind::share, 0.01},
    {Metric::pageviews_percentage, "pageviews_percentage", Kind::share, 0.01},
    {Metric::events_percentage, "events_percentage", Kind::share, 0.01},
    {Metric::conversions, "conversions", Kind::count, 0},
    {Metric::conversion_rate, "conversion_rate", Kind::share, 0.01},
    {Metric::group_conversion_rate, "group_conversion_rate", Kind::share, 0.01},
    {Metric::total_revenue, "total_revenue", Kind::money, 0},
    {Metric::average_revenue, "average_revenue", Kind::mean_money, 0},
}};

constexpr std::array<std::string_view, 10> kBucketNames = {"",      "minute",  "hour", "day",     "week",
                                                           "month", "quarter", "year", "weekday", "hour_of_day"};

struct AttributeName {
  Attribute attribute;
  std::string_view name;
  std::string_view column;
  std::string_view empty;
};
constexpr std::string_view kNotSet = "(not set)";
constexpr std::string_view kDirect = "Direct / None";
constexpr AttributeName kAttributes[] = {
    {Attribute::page, "event:page", "path", kNotSet},
    {Attribute::hostname, "event:hostname", "hostname", kNotSet},
    {Attribute::title, "event:title", "title", kNotSet},
    {Attribute::event_name, "event:name", "name", kNotSet},
    {Attribute::goal, "event:goal", "", ""},
    {Attribute::app_version, "event:app_version", "app_version", kNotSet},
    {Attribute::traffic, "event:traffic", "traffic", kNotSet},
    {Attribute::traffic_reason, "event:traffic_reason", "traffic_reason", kNotSet},
    {Attribute::revenue, "event:revenue", "revenue_amount", ""},
    {Attribute::currency, "event:currency", "revenue_currency", kNotSet},
    {Attribute::entry_page, "visit:entry_page", "", kNotSet},
    {Attribute::exit_page, "visit:exit_page", "", kNotSet},
    {Attribute::channel, "visit:channel", "visit_channel", kNotSet},
    {Attribute::source, "visit:source", "visit_source", kDirect},
    {Attribute::referrer, "visit:referrer", "referrer", kDirect},
    {Attribute::utm_source, "visit:utm_source", "utm_source", kNotSet},
    {Attribute::utm_medium, "visit:utm_medium", "utm_medium", kNotSet},
    {Attribute::utm_campaign, "visit:utm_campaign", "visit_campaign", kNotSet},
    {Attribute::utm_term, "visit:utm_term", "utm_term", kNotSet},
    {Attribute::utm_content, "visit:utm_content", "utm_content", kNotSet},
    {Attribute::country, "visit:country", "country", kNotSet},
    {Attribute::region, "visit:region", "region", kNotSet},
    {Attribute::city, "visit:city", "city", kNotSet},
    {Attribute::country_name, "visit:country_name", "country", kNotSet},
    {Attribute::region_name, "visit:region_name", "region", kNotSet},
    {Attribute::city_name, "visit:city_name", "city", kNotSet},
    {Attribute::browser, "visit:browser", "browser", kNotSet},
    {Attribute::browser_version, "visit:browser_version", "browser_version", kNotSet},
    {Attribute::os, "visit:os", "os", kNotSet},
    {Attribute::os_version, "visit:os_version", "os_version", kNotSet},
    {Attribute::device, "visit:device", "device", kNotSet},
    {Attribute::screen, "visit:screen", "screen", kNotSet},
    {Attribute::locale, "visit:locale", "locale", kNotSet},
};
constexpr std::string_view kProps = "event:props:";

const MetricEntry& entry_of(Metric metric) {
  const MetricEntry& known = kMetricEntries.at(static_cast<size_t>(metric));
  WEIR_CHECK(known.metric == metric);
  return known;
}

const AttributeName& entry_of(Attribute attribute) {
  for (const AttributeName& known : kAttributes)
    if (known.attribute == attribute) return known;
  fatal("query: an attribute without a name");
}
}  // namespace

std::string_view name_of(Metric metric) { return entry_of(metric).name; }

bool parse_metric(std::string_view name, Metric& metric) {
  for (const MetricEntry& known : kMetricEntries) {
    if (known.name != name) continue;
    metric = known.metric;
    return true;
  }
  return false;
}

bool is_count(Metric metric) { return entry_of(metric).kind == Kind::count; }

bool is_rate(Metric metric) {
  const Kind kind = entry_of(metric).kind;
  return kind == Kind::share || kind == Kind::percent;
}

bool is_money(Metric metric) {
  const Kind kind = entry_of(metric).kind;
  return kind == Kind::money || kind == Kind::mean_money;
}

bool adds_up(Metric metric) {
  const Kind kind = entry_of(metric).kind;
  return kind == Kind::count || kind == Kind::share || kind == Kind::money;
}

double unit_of(Metric metric) { return entry_of(metric).unit; }

std::string_view name_of(Bucket bucket) { return kBucketNames.at(static_cast<size_t>(bucket)); }

std::string name_of(const Dimension& dimension) {
  if (dimension.attribute == Attribute::time)
    return dimension.bucket == Bucket::none ? "time" : "time:" + std::string(name_of(dimension.bucket));
  if (dimension.attribute == Attribute::property) return std::string(kProps) + dimension.property;
  return std::string(entry_of(dimension.attribute).name);
}

bool parse_dimension(std::string_view name, Dimension& dimension) {
  dimension = {};
  if (name == "time" || name.starts_with("time:")) {
    dimension.attribute = Attribute::time;
    if (name == "time") return true;
    for (size_t i = 1; i < kBucketNames.size(); ++i) {
      if (kBucketNames[i] != name.substr(5)) continue;
      dimension.bucket = static_cast<Bucket>(i);
      return true;
    }
    return false;
  }
  if (name.starts_with(kProps)) {
    dimension.attribute = Attribute::property;
    dimension.property = name.substr(kProps.size());
    return !dimension.property.empty() && dimension.property.size() <= kPropertyKeyBytesMax;
  }
  for (const AttributeName& known : kAttributes) {
    if (known.name != name) continue;
    dimension.attribute = known.attribute;
    return true;
  }
  return false;
}

std::string_view column_of(Attribute attribute) {
  if (attribute == Attribute::time || attribute == Attribute::property) return {};
  if (attribute == Attribute::visitor_group) return "visitor_id";
  return entry_of(attribute).column;
}

std::string_view empty_label(Attribute attribute) {
  if (attribute == Attribute::time || attribute == Attribute::visitor_group) return {};
  if (attribute == Attribute::property) return "(none)";
  return entry_of(attribute).empty;
}

bool is_of_event(Attribute attribute) { return attribute < Attribute::entry_page; }

}  // namespace weir::query
