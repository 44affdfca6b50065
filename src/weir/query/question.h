#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/query/filter.h"
#include "weir/query/names.h"
#include "weir/query/range.h"
#include "weir/query/zone.h"

namespace weir::query {

// Something people want visitors to do. One of `event` and `page` is set.
struct Goal {
  std::string name;                                             // what event:goal shows
  std::string event;                                            // the event's name
  std::string page;                                             // a wildcard pattern of paths
  std::optional<std::pair<std::string, std::string>> property;  // and this property has this value
  std::string currency;                                         // revenue in it counts
};

// A filter that people gave a name.
struct Segment {
  std::string id;
  std::string body;  // a JSON object, whose `filters` is a list of filters
};

// What a question is asked about, besides its own words.
struct Context {
  ProjectId project{};
  std::string project_name;
  std::string time_zone = "UTC";
  std::vector<Goal> goals = {};
  std::vector<Segment> segments = {};
  UnixMillis now = 0;
  std::optional<UnixMillis> complete_to = {};  // everything that was taken before is stored
  std::string lock = {};                       // JSON array of filters that hold whatever is asked; or empty
  std::vector<Segment> lock_segments = {};     // the segments that the lock may name
  // When the project's first event was, for the range "all". Blocking.
  std::function<Result<std::optional<UnixMillis>>()> first_event = {};
};

inline constexpr size_t kQuestionBytesMax = 256 * 1024;
inline constexpr size_t kMetricsMax = 21;
inline constexpr size_t kDimensionsMax = 5;
inline constexpr size_t kFiltersMax = 100;  // leaves, those of segments included
inline constexpr size_t kFilterDepthMax = 8;
// Of all leaves together: each is a parameter of the statement, of which the store takes less than a thousand.
inline constexpr size_t kFilterValuesMax = 500;
inline constexpr size_t kFilterValueBytesMax = 2'000;
inline constexpr size_t kFilterBytesMax = 256 * 1024;  // of all values
inline constexpr uint64_t kLimitMax = 10'000;
inline constexpr uint64_t kOffsetMax = 10'000'000;
inline constexpr int64_t kDaysMax = 366 * 50;

struct Order {
  bool by_metric = true;
  size_t index = 0;  // in metrics or dimensions
  bool descending = true;
};

// A question about one project, understood and found to be within the limits.
struct Question {
  ProjectId project{};
  std::string project_name;
  Zone zone = Zone::utc();
  std::vector<Metric> metrics = {};
  std::vector<Dimension> dimensions = {};
  Filter filter = {};   // all of it, the lock included
  size_t asked = 0;     // how many of the filter's parts were asked; those behind are the lock's
  std::string filters;  // the filters as they were asked, JSON
  Range range = {};
  bool range_of_days = true;
  std::vector<Order> order = {};
  uint64_t limit = kLimitMax;
  uint64_t offset = 0;

  Comparing comparing = Comparing::none;
  bool match_weekday = false;
  Range compared = {};  // when comparing

  bool with_time_labels = false;
  bool with_total_rows = false;
  bool with_coverage = false;
  bool with_sql = false;
  bool more_follow = false;  // questions about the same time with the same filters

  std::vector<std::string> traffic = {"human"};
  bool exact = true;        // else visitors and visits are estimated
  bool may_sample = false;  // an estimate out of some of the visitors will do
  uint32_t one_in = 1;      // of so many visitors one is looked at (sampling.h): set by who decides that
  std::vector<Goal> goals = {};
  UnixMillis now = 0;
  std::optional<UnixMillis> complete_to = {};

  // Its dimension that cuts time into stretches, or null.
  const Dimension* time() const;
};

// Reads a question in the form of Plausible's Stats API v2 with weir's extensions (docs/query.md).
// Errors: kBadInput, kTooLarge; the message names the place: "query: filters[1]: ...". Also those of
// Context::first_event.
Result<Question> parse_question(std::string_view json, const Context& context);

// Reads a list of filters alone, as segments and locks hold it: checks it without a question.
Result<Filter> parse_filters(std::string_view json, const Context& context);

}  // namespace weir::query
