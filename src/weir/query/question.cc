#include "weir/query/question.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "weir/base/time_text.h"
#include "weir/query/filter_parser.h"
#include "weir/query/json_text.h"

namespace weir::query {

namespace json = boost::json;

namespace {
constexpr Seconds kDaySeconds = 86'400;
constexpr Seconds kRealtime = 30 * 60;
constexpr int kMonthsMax = 600;

constexpr std::array<std::string_view, 6> kTraffic = {"human", "bot", "ai_crawler", "monitor", "spam", "internal"};

// A day that a range may begin or end with: in the years 1970 to 2200.
bool parse_day_of_range(std::string_view text, int64_t& day) {
  return parse_day(text, day) && day >= 0 && day < days_from_civil({2201, 1, 1});
}

// Reads one question, member by member, in an order in which each finds what it needs.
class QuestionParser {
 public:
  QuestionParser(const json::object& body, const Context& context) : body_(body), context_(context) {}

  Result<Question> parse() {
    q_.project = context_.project;
    q_.project_name = context_.project_name;
    q_.goals = context_.goals;
    q_.now = context_.now;
    q_.complete_to = context_.complete_to;
    for (auto step :
         {&QuestionParser::known_members, &QuestionParser::zone, &QuestionParser::metrics, &QuestionParser::dimensions,
          &QuestionParser::date_range, &QuestionParser::filters, &QuestionParser::goals, &QuestionParser::order,
          &QuestionParser::pagination, &QuestionParser::include, &QuestionParser::traffic, &QuestionParser::accuracy,
          &QuestionParser::more_follow, &QuestionParser::fitting})
      if (auto done = (this->*step)(); !done) return std::move(done).error();
    return std::move(q_);
  }

 private:
  const json::value* member(std::string_view name) const {
    const json::value* found = body_.if_contains(name);
    return found == nullptr || found->is_null() ? nullptr : found;
  }

  Result<> known_members() {
    static constexpr std::array<std::string_view, 14> kKnown = {
        "site_id",    "metrics",  "date_range", "dimensions", "filters",       "order_by", "include",
        "pagination", "timezone", "traffic",    "accuracy",   "relative_date", "project",  "more_follow"};
    for (const auto& entry : body_)
      if (std::find(kKnown.begin(), kKnown.end(), std::string_view(entry.key())) == kKnown.end())
        return bad(fmt::format("no such member: {}", std::string_view(entry.key())));
    return {};
  }

  Result<> zone() {
    std::string name = context_.time_zone;
    if (const json::value* asked = member("timezone")) {
      if (!asked->is_string()) return bad("timezone: expected an IANA name such as \"Europe/Berlin\"");
      name = view(asked->get_string());
    }
    auto zone = Zone::load(name);
    if (!zone && name == "UTC") zone = Zone::utc();
    if (!zone) return bad(fmt::format("timezone: not an IANA time zone: {}", shown(name)));
    q_.zone = std::move(*zone);
    return {};
  }

  Result<> metrics() {
    const json::value* list = member("metrics");
    if (list == nullptr || !list->is_array() || list->get_array().empty())
      return bad("metrics: expected a list of at least one metric");
    const json::array& names = list->get_array();
    if (names.size() > kMetricsMax) return bad(fmt::format("metrics: at most {}", kMetricsMax));
    for (size_t i = 0; i < names.size(); ++i) {
      Metric metric{};
      if (!names[i].is_string() || !parse_metric(view(names[i].get_string()), metric))
        return bad(fmt::format("metrics[{}]: no such metric: {}", i, shown(names[i])));
      if (std::find(q_.metrics.begin(), q_.metrics.end(), metric) != q_.metrics.end())
        return bad(fmt::format("metrics[{}]: {} is there twice", i, name_of(metric)));
      q_.metrics.push_back(metric);
    }
    return {};
  }

  Result<> dimensions() {
    const json::value* list = member("dimensions");
    if (list == nullptr) return {};
    if (!list->is_array()) return bad("dimensions: expected a list");
    const json::array& names = list->get_array();
    if (names.size() > kDimensionsMax) return bad(fmt::format("dimensions: at most {}", kDimensionsMax));
    bool stretch = false;
    for (size_t i = 0; i < names.size(); ++i) {
      Dimension dimension;
      if (!names[i].is_string() || !parse_dimension(view(names[i].get_string()), dimension) ||
          dimension.attribute == Attribute::revenue)
        return bad(fmt::format("dimensions[{}]: no such dimension: {}", i, shown(names[i])));
      if (std::find(q_.dimensions.begin(), q_.dimensions.end(), dimension) != q_.dimensions.end())
        return bad(fmt::format("dimensions[{}]: {} is there twice", i, name_of(dimension)));
      if (dimension.attribute == Attribute::time) {
        const bool another = dimension.bucket == Bucket::none || is_stretch(dimension.bucket);
        if (another && stretch) return bad(fmt::format("dimensions[{}]: time is cut into stretches already", i));
        stretch = stretch || another;
      }
      q_.dimensions.push_back(std::move(dimension));
    }
    return {};
  }

  Seconds now() const { return context_.now / 1000; }

  Result<> date_range() {
    int64_t today = q_.zone.local_day(now());
    if (const json::value* relative = member("relative_date")) {
      if (!relative->is_string() || !parse_day_of_range(view(relative->get_string()), today))
        return bad(fmt::format("relative_date: expected a day such as \"2026-11-20\", not {}", shown(*relative)));
    }
    const json::value* asked = member("date_range");
    if (asked == nullptr) return bad("date_range: it is missing");
    if (auto range = range_of(*asked, today, "date_range", q_.range, q_.range_of_days); !range) return range;
    for (Dimension& dimension : q_.dimensions)
      if (dimension.attribute == Attribute::time && dimension.bucket == Bucket::none)
        dimension.bucket = bucket_for(q_.range);
    return {};
  }

  Result<> range_of(const json::value& asked, int64_t today, std::string_view where, Range& range, bool& of_days) {
    of_days = true;
    if (asked.is_array()) return pair_of(asked.get_array(), where, range, of_days);
    if (!asked.is_string()) return bad(fmt::format("{}: expected a name or a pair of days or moments", where));
    const std::string_view name = view(asked.get_string());
    int64_t first = today;
    int64_t last = today;
    int count = 0;
    if (name == "24h" || name == "realtime") {
      const Seconds length = name == "24h" ? kDaySeconds : kRealtime;
      range = {now() - length, now() + 1};
      of_days = false;
      return {};
    }
    if (name == "day") {
      // As it is.
    } else if (name == "month") {
      first = start_of_month(today);
      last = add_months(first, 1) - 1;
    } else if (name == "year") {
      first = start_of_year(today);
      last = add_months(first, 12) - 1;
    } else if (name == "all") {
      Result<std::optional<UnixMillis>> begun =
          context_.first_event ? context_.first_event() : std::optional<UnixMillis>();
      if (!begun) return std::move(begun).error();
      if (*begun) first = std::min(today, q_.zone.local_day(day_floor(**begun)));
    } else if (number_before(name, "mo", count) && count <= kMonthsMax) {
      first = add_months(start_of_month(today), -count);
      last = start_of_month(today) - 1;
    } else if (number_before(name, "d", count) && count <= kDaysMax) {
      first = today - count;
      last = today - 1;
    } else {
      return bad(fmt::format("{}: no such range: {}", where, shown(asked)));
    }
    range = range_of_days(q_.zone, first, last);
    return {};
  }

  static Seconds day_floor(UnixMillis t) { return t >= 0 ? t / 1000 : -((-t + 999) / 1000); }

  static bool number_before(std::string_view name, std::string_view unit, int& count) {
    if (!name.ends_with(unit)) return false;
    name.remove_suffix(unit.size());
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), count);
    return error == std::errc() && end == name.data() + name.size() && count >= 1;
  }

  Result<> pair_of(const json::array& pair, std::string_view where, Range& range, bool& of_days) {
    if (pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      return bad(fmt::format("{}: expected two days or two moments", where));
    const std::string_view a = view(pair[0].get_string());
    const std::string_view b = view(pair[1].get_string());
    int64_t first = 0;
    int64_t last = 0;
    const bool days[] = {parse_day_of_range(a, first), parse_day_of_range(b, last)};
    if (days[0] && days[1]) {
      if (last < first) return bad(fmt::format("{}: {} is before {}", where, b, a));
      if (last - first >= kDaysMax) return bad(fmt::format("{}: more than {} days", where, kDaysMax));
      range = range_of_days(q_.zone, first, last);
      return {};
    }
    UnixMillis from = 0;
    UnixMillis to = 0;
    for (auto [text, moment, i] : {std::tuple(a, &from, 0), std::tuple(b, &to, 1)})
      if (!days[i] && (!parse_time(text, *moment) || *moment < 0 || *moment > 7'258'118'400'000))
        return bad(fmt::format("{}[{}]: neither a day nor a moment of RFC 3339: {}", where, i, shown(text)));
    if (days[0] || days[1]) return bad(fmt::format("{}: a day and a moment: expected two of one kind", where));
    range = {day_floor(from), day_floor(to) + 1};
    of_days = false;
    if (range.to <= range.from) return bad(fmt::format("{}: its end is before its beginning", where));
    if (range.to - range.from > kDaysMax * kDaySeconds)
      return bad(fmt::format("{}: more than {} days", where, kDaysMax));
    return {};
  }

  Result<> filters() {
    FilterParser parser(context_);
    q_.filter.kind = Filter::Kind::all;
    if (const json::value* list = member("filters")) {
      if (auto parsed = parser.list(*list, "filters", 0, q_.filter.parts); !parsed) return parsed;
      q_.filters = json::serialize(*list);
    } else {
      q_.filters = "[]";
    }
    q_.asked = q_.filter.parts.size();
    if (context_.lock.empty()) return {};
    boost::system::error_code error;
    json::value lock = json::parse(context_.lock, error);
    if (error) return bad("lock: not JSON");
    Context of_lock = context_;
    of_lock.segments = context_.lock_segments;
    FilterParser locking(of_lock);
    return locking.list(lock, "lock", 0, q_.filter.parts);
  }

  // Only the goals that the question is about; a goal that is asked for must be one.
  Result<> goals() {
    asks_for_goals_ = asks_for(q_.filter, Attribute::goal) ||
                      std::any_of(q_.dimensions.begin(), q_.dimensions.end(),
                                  [](const Dimension& d) { return d.attribute == Attribute::goal; });
    return {};
  }

  Result<> order() {
    const json::value* list = member("order_by");
    if (list == nullptr) {
      for (size_t i = 0; i < q_.dimensions.size(); ++i)
        if (q_.dimensions[i].attribute == Attribute::time) q_.order.push_back({false, i, false});
      if (q_.order.empty() && !q_.dimensions.empty()) q_.order.push_back({true, 0, true});
      return {};
    }
    if (!list->is_array()) return bad("order_by: expected a list of pairs");
    const json::array& pairs = list->get_array();
    if (pairs.size() > kMetricsMax) return bad(fmt::format("order_by: at most {}", kMetricsMax));
    for (size_t i = 0; i < pairs.size(); ++i) {
      const json::array* pair = pairs[i].if_array();
      if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string())
        return bad(fmt::format("order_by[{}]: expected a pair such as [\"visitors\", \"desc\"]", i));
      Order order;
      const std::string_view direction = view((*pair)[1].get_string());
      if (direction != "asc" && direction != "desc")
        return bad(fmt::format("order_by[{}]: \"asc\" or \"desc\", not {}", i, shown((*pair)[1])));
      order.descending = direction == "desc";
      if (!find_ordered(view((*pair)[0].get_string()), order))
        return bad(fmt::format("order_by[{}]: {} is not among the metrics and dimensions", i, shown((*pair)[0])));
      q_.order.push_back(order);
    }
    return {};
  }

  bool find_ordered(std::string_view name, Order& order) const {
    for (size_t i = 0; i < q_.metrics.size(); ++i) {
      if (name_of(q_.metrics[i]) != name) continue;
      order.by_metric = true;
      order.index = i;
      return true;
    }
    for (size_t i = 0; i < q_.dimensions.size(); ++i) {
      const bool same =
          name_of(q_.dimensions[i]) == name || (name == "time" && q_.dimensions[i].attribute == Attribute::time);
      if (!same) continue;
      order.by_metric = false;
      order.index = i;
      return true;
    }
    return false;
  }

  Result<> pagination() {
    const json::value* asked = member("pagination");
    if (asked == nullptr) return {};
    const json::object* object = asked->if_object();
    if (object == nullptr) return bad("pagination: expected an object");
    for (const auto& entry : *object) {
      const std::string_view key = entry.key();
      if (key != "limit" && key != "offset") return bad(fmt::format("pagination: no such member: {}", key));
      const uint64_t max = key == "limit" ? kLimitMax : kOffsetMax;
      auto number = count_of(entry.value(), max);
      if (!number || (key == "limit" && *number == 0))
        return bad(fmt::format("pagination.{}: expected a number from {} to {}, not {}", key, key == "limit" ? 1 : 0,
                               max, shown(entry.value())));
      (key == "limit" ? q_.limit : q_.offset) = *number;
    }
    return {};
  }

  static std::optional<uint64_t> count_of(const json::value& value, uint64_t max) {
    if (!value.is_int64() || value.get_int64() < 0) return std::nullopt;
    auto number = static_cast<uint64_t>(value.get_int64());
    if (number > max) return std::nullopt;
    return number;
  }

  Result<> include() {
    const json::value* asked = member("include");
    if (asked == nullptr) return {};
    const json::object* object = asked->if_object();
    if (object == nullptr) return bad("include: expected an object");
    for (const auto& entry : *object) {
      const std::string_view key = entry.key();
      const json::value& value = entry.value();
      if (key == "comparisons") {
        if (value.is_null() || (value.is_bool() && !value.get_bool())) continue;
        if (auto done = comparisons(value); !done) return done;
        continue;
      }
      bool* flag = key == "time_labels"  ? &q_.with_time_labels
                   : key == "total_rows" ? &q_.with_total_rows
                   : key == "coverage"   ? &q_.with_coverage
                   : key == "sql"        ? &q_.with_sql
                                         : nullptr;
      // Plausible's own; nothing is imported here that is not an event.
      if (flag == nullptr && key != "imports") return bad(fmt::format("include: no such member: {}", key));
      if (!value.is_bool()) return bad(fmt::format("include.{}: expected true or false", key));
      if (flag != nullptr) *flag = value.get_bool();
    }
    if (q_.with_time_labels && q_.time() == nullptr)
      return bad("include.time_labels: there is no dimension of time with labels");
    return {};
  }

  Result<> comparisons(const json::value& value) {
    const json::object* object = value.if_object();
    if (object == nullptr) return bad("include.comparisons: expected an object");
    const json::value* range = nullptr;
    for (const auto& entry : *object) {
      const std::string_view key = entry.key();
      if (key == "mode") {
        const std::string_view mode = entry.value().is_string() ? view(entry.value().get_string()) : "";
        if (mode == "previous_period") q_.comparing = Comparing::previous_period;
        if (mode == "year_over_year") q_.comparing = Comparing::year_over_year;
        if (mode == "custom") q_.comparing = Comparing::custom;
        if (q_.comparing == Comparing::none)
          return bad(fmt::format("include.comparisons.mode: previous_period, year_over_year or custom, not {}",
                                 shown(entry.value())));
      } else if (key == "date_range") {
        range = &entry.value();
      } else if (key == "match_day_of_week") {
        if (!entry.value().is_bool()) return bad("include.comparisons.match_day_of_week: expected true or false");
        q_.match_weekday = entry.value().get_bool();
      } else {
        return bad(fmt::format("include.comparisons: no such member: {}", key));
      }
    }
    if (q_.comparing == Comparing::none) return bad("include.comparisons.mode: it is missing");
    if (q_.comparing != Comparing::custom) {
      if (range != nullptr && !range->is_null())
        return bad("include.comparisons.date_range: it goes with the mode custom only");
      q_.compared = compared_range(q_.zone, q_.range, q_.range_of_days, q_.comparing, q_.match_weekday, now());
      return {};
    }
    if (range == nullptr || !range->is_array())
      return bad("include.comparisons.date_range: expected two days or two moments");
    bool of_days = true;
    return pair_of(range->get_array(), "include.comparisons.date_range", q_.compared, of_days);
  }

  Result<> traffic() {
    const json::value* list = member("traffic");
    if (list == nullptr) return {};
    if (!list->is_array() || list->get_array().empty()) return bad("traffic: expected a list of labels");
    q_.traffic.clear();
    for (const json::value& label : list->get_array()) {
      const std::string_view name = label.is_string() ? view(label.get_string()) : "";
      if (std::find(kTraffic.begin(), kTraffic.end(), name) == kTraffic.end())
        return bad(fmt::format("traffic: no such label: {}", shown(label)));
      if (std::find(q_.traffic.begin(), q_.traffic.end(), name) == q_.traffic.end()) q_.traffic.emplace_back(name);
    }
    return {};
  }

  Result<> accuracy() {
    const json::value* asked = member("accuracy");
    if (asked == nullptr) return {};
    const std::string_view name = asked->is_string() ? view(asked->get_string()) : "";
    if (name != "exact" && name != "fast" && name != "sampled")
      return bad(fmt::format("accuracy: \"exact\", \"fast\" or \"sampled\", not {}", shown(*asked)));
    q_.exact = name != "fast";
    q_.may_sample = name == "sampled";
    return {};
  }

  Result<> more_follow() {
    const json::value* asked = member("more_follow");
    if (asked == nullptr) return {};
    if (!asked->is_bool()) return bad("more_follow: expected true or false");
    q_.more_follow = asked->get_bool();
    return {};
  }

  // What metrics ask of the rest of the question.
  Result<> fitting() {
    for (size_t i = 0; i < q_.metrics.size(); ++i) {
      const Metric metric = q_.metrics[i];
      const bool of_goals =
          metric == Metric::conversions || metric == Metric::conversion_rate || metric == Metric::group_conversion_rate;
      if (of_goals && !asks_for_goals_)
        return bad(fmt::format("metrics[{}]: {} needs event:goal among the dimensions or filters", i, name_of(metric)));
    }
    return {};
  }

  const json::object& body_;
  const Context& context_;
  bool asks_for_goals_ = false;
  Question q_;
};
}  // namespace

const Dimension* Question::time() const {
  for (const Dimension& dimension : dimensions)
    if (dimension.attribute == Attribute::time && is_stretch(dimension.bucket)) return &dimension;
  return nullptr;
}

Result<Question> parse_question(std::string_view text, const Context& context) {
  if (text.size() > kQuestionBytesMax)
    return Error{ErrorCode::kTooLarge, fmt::format("query: a question of more than {} bytes", kQuestionBytesMax)};
  boost::system::error_code error;
  json::value body = json::parse(text, error, {}, {.max_depth = 32});
  if (error) return bad("not JSON: " + error.message());
  const json::object* object = body.if_object();
  if (object == nullptr) return bad("expected a JSON object");
  return QuestionParser(*object, context).parse();
}

Result<Filter> parse_filters(std::string_view text, const Context& context) {
  boost::system::error_code error;
  json::value list = json::parse(text, error, {}, {.max_depth = 32});
  if (error) return bad("filters: not JSON");
  Filter filter;
  FilterParser parser(context);
  if (auto parsed = parser.list(list, "filters", 0, filter.parts); !parsed) return std::move(parsed).error();
  return filter;
}

}  // namespace weir::query
