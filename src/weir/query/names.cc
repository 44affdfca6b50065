#include "weir/query/names.h"

#include <array>

#include "weir/base/check.h"

namespace weir::query {

namespace {
struct MetricName {
  Metric metric;
  std::string_view name;
};
constexpr std::array<MetricName, kMetrics> kMetricNames = {{
    {Metric::visitors, "visitors"},
    {Metric::visits, "visits"},
    {Metric::pageviews, "pageviews"},
    {Metric::events, "events"},
    {Metric::views_per_visit, "views_per_visit"},
    {Metric::bounce_rate, "bounce_rate"},
    {Metric::visit_duration, "visit_duration"},
    {Metric::time_on_page, "time_on_page"},
    {Metric::scroll_depth, "scroll_depth"},
    {Metric::entries, "entries"},
    {Metric::exits, "exits"},
    {Metric::exit_rate, "exit_rate"},
    {Metric::percentage, "percentage"},
    {Metric::visits_percentage, "visits_percentage"},
    {Metric::pageviews_percentage, "pageviews_percentage"},
    {Metric::events_percentage, "events_percentage"},
    {Metric::conversions, "conversions"},
    {Metric::conversion_rate, "conversion_rate"},
    {Metric::group_conversion_rate, "group_conversion_rate"},
    {Metric::total_revenue, "total_revenue"},
    {Metric::average_revenue, "average_revenue"},
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

const AttributeName& entry_of(Attribute attribute) {
  for (const AttributeName& known : kAttributes)
    if (known.attribute == attribute) return known;
  fatal("query: an attribute without a name");
}
}  // namespace

std::string_view name_of(Metric metric) {
  const MetricName& known = kMetricNames.at(static_cast<size_t>(metric));
  WEIR_CHECK(known.metric == metric);
  return known.name;
}

bool parse_metric(std::string_view name, Metric& metric) {
  for (const MetricName& known : kMetricNames) {
    if (known.name != name) continue;
    metric = known.metric;
    return true;
  }
  return false;
}

bool is_rate(Metric metric) {
  switch (metric) {
    case Metric::bounce_rate:
    case Metric::exit_rate:
    case Metric::scroll_depth:
    case Metric::percentage:
    case Metric::visits_percentage:
    case Metric::pageviews_percentage:
    case Metric::events_percentage:
    case Metric::conversion_rate:
    case Metric::group_conversion_rate:
      return true;
    default:
      return false;
  }
}

bool is_money(Metric metric) { return metric == Metric::total_revenue || metric == Metric::average_revenue; }

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
