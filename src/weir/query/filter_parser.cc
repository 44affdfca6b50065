#include "weir/query/filter_parser.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

#include "weir/query/json_text.h"

namespace weir::query {

namespace json = boost::json;

namespace {
constexpr size_t kRegexMemory = 1 << 20;

bool compares_numbers(Op op) { return op >= Op::greater; }
bool is_pattern(Op op) { return op == Op::matches || op == Op::matches_not; }
}  // namespace

Result<> FilterParser::list(const json::value& list, std::string_view where, size_t depth, std::vector<Filter>& into) {
  if (!list.is_array()) return bad(fmt::format("{}: expected a list of filters", where));
  const json::array& filters = list.get_array();
  for (size_t i = 0; i < filters.size(); ++i) {
    Filter filter;
    if (auto parsed = one(filters[i], fmt::format("{}[{}]", where, i), depth + 1, filter); !parsed) return parsed;
    into.push_back(std::move(filter));
  }
  return {};
}

Result<> FilterParser::one(const json::value& value, const std::string& where, size_t depth, Filter& filter) {
  if (depth > kFilterDepthMax)
    return bad(fmt::format("{}: more than {} filters within each other", where, kFilterDepthMax));
  if (++leaves_ > kFiltersMax) return bad(fmt::format("{}: more than {} filters", where, kFiltersMax));
  const json::array* parts = value.if_array();
  if (parts == nullptr || parts->size() < 2 || !(*parts)[0].is_string())
    return bad(fmt::format("{}: expected a filter such as [\"is\", \"visit:country\", [\"DE\"]]", where));
  const std::string_view op = view((*parts)[0].get_string());
  if (op == "and" || op == "or") {
    if (parts->size() != 2) return bad(fmt::format("{}: \"{}\" takes one list of filters", where, op));
    filter.kind = op == "and" ? Filter::Kind::all : Filter::Kind::any;
    if (!(*parts)[1].is_array() || (*parts)[1].get_array().empty())
      return bad(fmt::format("{}: \"{}\" takes a list of at least one filter", where, op));
    return list((*parts)[1], where, depth, filter.parts);
  }
  if (op == "not" || op == "has_done" || op == "has_not_done") {
    if (parts->size() != 2) return bad(fmt::format("{}: \"{}\" takes one filter", where, op));
    filter.kind = op == "not" ? Filter::Kind::none : op == "has_done" ? Filter::Kind::done : Filter::Kind::not_done;
    const bool behaviour = filter.kind != Filter::Kind::none;
    if (behaviour && in_behaviour_) return bad(fmt::format("{}: \"{}\" does not stand within another", where, op));
    filter.parts.emplace_back();
    in_behaviour_ = in_behaviour_ || behaviour;
    auto parsed = one((*parts)[1], where + "[1]", depth + 1, filter.parts.front());
    if (behaviour) in_behaviour_ = false;
    return parsed;
  }
  if ((*parts)[1].is_string() && view((*parts)[1].get_string()) == "segment")
    return segment(*parts, where, depth, filter);
  return leaf(*parts, where, filter);
}

Result<> FilterParser::leaf(const json::array& parts, const std::string& where, Filter& filter) {
  filter.kind = Filter::Kind::leaf;
  if (!parse_op(view(parts[0].get_string()), filter.op))
    return bad(fmt::format("{}: no such operator: {}", where, shown(parts[0])));
  if (!parts[1].is_string() || !parse_dimension(view(parts[1].get_string()), filter.dimension) ||
      filter.dimension.attribute == Attribute::time)
    return bad(fmt::format("{}: no such dimension: {}", where, shown(parts[1])));
  if (parts.size() < 3 || parts.size() > 4 || !parts[2].is_array())
    return bad(fmt::format("{}: expected a list of values third", where));
  const json::array& values = parts[2].get_array();
  if (values.empty()) return bad(fmt::format("{}: expected at least one value", where));
  values_ += values.size();
  if (values_ > kFilterValuesMax)
    return bad(fmt::format("{}: more than {} values in all filters together", where, kFilterValuesMax));
  for (size_t i = 0; i < values.size(); ++i)
    if (auto taken = value_of(values[i], fmt::format("{}: value {}", where, i), filter); !taken) return taken;
  if (parts.size() == 4) {
    const json::object* modifiers = parts[3].if_object();
    if (modifiers == nullptr) return bad(fmt::format("{}: expected an object fourth", where));
    for (const auto& entry : *modifiers) {
      if (entry.key() != "case_sensitive" || !entry.value().is_bool())
        return bad(fmt::format("{}: expected {{\"case_sensitive\": true or false}} fourth", where));
      filter.case_sensitive = entry.value().get_bool();
    }
  }
  return checked(where, filter);
}

Result<> FilterParser::value_of(const json::value& value, const std::string& where, Filter& filter) {
  std::string text;
  if (value.is_string()) {
    text = view(value.get_string());
  } else if (value.is_double()) {
    text = fmt::format("{}", value.get_double());
  } else if (value.is_number() || value.is_bool()) {
    text = json::serialize(value);
  } else {
    return bad(fmt::format("{}: expected a text or a number", where));
  }
  if (text.size() > kFilterValueBytesMax)
    return bad(fmt::format("{}: {} bytes, at most {}", where, text.size(), kFilterValueBytesMax));
  value_bytes_ += text.size();
  if (value_bytes_ > kFilterBytesMax)
    return bad(fmt::format("{}: values of more than {} bytes together", where, kFilterBytesMax));
  if (text.find('\0') != std::string::npos) return bad(fmt::format("{}: a NUL in it", where));
  if (compares_numbers(filter.op)) {
    double number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
      return bad(fmt::format("{}: expected a number, not {}", where, shown(text)));
    filter.numbers.push_back(number);
    return {};
  }
  if (is_pattern(filter.op)) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(kRegexMemory);
    RE2 regex(text, options);
    if (!regex.ok()) return bad(fmt::format("{}: not a regular expression: {}", where, regex.error()));
  }
  filter.values.push_back(std::move(text));
  return {};
}

Result<> FilterParser::checked(const std::string& where, const Filter& filter) const {
  const Attribute attribute = filter.dimension.attribute;
  const bool numeric = attribute == Attribute::property || attribute == Attribute::revenue;
  if (compares_numbers(filter.op) && !numeric)
    return bad(
        fmt::format("{}: {} goes with numbers only: event:revenue and event:props:*", where, name_of(filter.op)));
  if (attribute == Attribute::revenue && !compares_numbers(filter.op))
    return bad(fmt::format("{}: event:revenue is a number: greater, greater_or_equal, less or less_or_equal", where));
  if (attribute != Attribute::goal) return {};
  if (filter.op != Op::is && filter.op != Op::is_not && filter.op != Op::contains && filter.op != Op::contains_not)
    return bad(fmt::format("{}: event:goal goes with is, is_not, contains and contains_not", where));
  if (filter.op != Op::is && filter.op != Op::is_not) return {};
  for (const std::string& value : filter.values) {
    const bool known =
        std::any_of(context_.goals.begin(), context_.goals.end(), [&](const Goal& goal) { return goal.name == value; });
    if (!known) return bad(fmt::format("{}: the project has no goal {}", where, shown(value)));
  }
  return {};
}

// A segment stands for its filters. One segment does not hold another.
Result<> FilterParser::segment(const json::array& parts, const std::string& where, size_t depth, Filter& filter) {
  const std::string_view op = view(parts[0].get_string());
  if (op != "is" && op != "is_not") return bad(fmt::format("{}: a segment goes with is and is_not", where));
  if (in_segment_) return bad(fmt::format("{}: a segment within a segment", where));
  if (parts.size() != 3 || !parts[2].is_array() || parts[2].get_array().empty())
    return bad(fmt::format("{}: expected a list of segments' ids", where));
  filter.kind = op == "is" ? Filter::Kind::any : Filter::Kind::none;
  for (const json::value& id : parts[2].get_array()) {
    const std::string wanted = id.is_string() ? std::string(view(id.get_string())) : json::serialize(id);
    auto found = std::find_if(context_.segments.begin(), context_.segments.end(),
                              [&](const Segment& segment) { return segment.id == wanted; });
    if (found == context_.segments.end())
      return bad(fmt::format("{}: the project has no segment {}", where, shown(wanted)));
    boost::system::error_code error;
    json::value body = json::parse(found->body, error, {}, {.max_depth = 32});
    const json::value* filters = error || !body.is_object() ? nullptr : body.get_object().if_contains("filters");
    if (filters == nullptr) return bad(fmt::format("{}: segment {} has no filters", where, shown(wanted)));
    Filter all;
    in_segment_ = true;
    auto parsed = list(*filters, fmt::format("{}: segment {}", where, shown(wanted)), depth, all.parts);
    in_segment_ = false;
    if (!parsed) return parsed;
    filter.parts.push_back(std::move(all));
  }
  return {};
}

}  // namespace weir::query
