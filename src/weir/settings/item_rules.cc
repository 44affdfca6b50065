#include "weir/settings/item_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <initializer_list>

#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/settings/checks.h"
#include "weir/settings/limits.h"

namespace weir::settings {

namespace {
namespace json = boost::json;

// The field's text, or null when it is absent; an error when it is something else.
Result<const json::string*> text_of(const json::object& body, std::string_view field) {
  const json::value* value = body.if_contains(field);
  if (value == nullptr) return static_cast<const json::string*>(nullptr);
  if (!value->is_string()) return bad(field, json::serialize(*value), "expected a text");
  return &value->get_string();
}

Result<> check_text_of(const json::object& body, std::string_view field, size_t bytes_max) {
  auto text = text_of(body, field);
  if (!text) return std::move(text).error();
  if (*text == nullptr) return bad(field, "", "is missing");
  return check_text(field, **text, 1, bytes_max);
}

Result<> check_fields(const json::object& body, std::initializer_list<std::string_view> known) {
  for (const auto& member : body) {
    if (std::find(known.begin(), known.end(), std::string_view(member.key())) == known.end())
      return bad("field", member.key(), fmt::format("unknown; known are {}", fmt::join(known, ", ")));
  }
  return {};
}

Result<> check_goal(const json::object& body) {
  if (auto fine = check_fields(body, {"event", "page", "property", "currency"}); !fine) return fine;
  bool event = body.contains("event");
  if (event == body.contains("page")) return bad("goal", "", "must have either `event` or `page`");
  if (auto fine = check_text_of(body, event ? "event" : "page", event ? 200 : kGoalPageBytesMax); !fine) return fine;
  if (!event) {
    std::string_view page = body.at("page").get_string();
    if (page.front() != '/' && page.front() != '*') return bad("page", page, "must begin with `/` or `*`");
    if (std::count(page.begin(), page.end(), '*') > static_cast<std::ptrdiff_t>(kGoalStarsMax))
      return bad("page", page, fmt::format("more than {} `*`", kGoalStarsMax));
  }
  if (const json::value* property = body.if_contains("property"); property != nullptr) {
    const json::object* object = property->if_object();
    if (object == nullptr) return bad("property", json::serialize(*property), "expected an object of name and value");
    if (auto fine = check_fields(*object, {"name", "value"}); !fine) return fine;
    if (auto fine = check_text_of(*object, "name", 200); !fine) return fine;
    if (auto fine = check_text_of(*object, "value", 2'000); !fine) return fine;
  }
  if (!body.contains("currency")) return {};
  if (auto fine = check_text_of(body, "currency", 3); !fine) return fine;
  std::string_view currency = body.at("currency").get_string();
  bool upper = std::all_of(currency.begin(), currency.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (currency.size() != 3 || !upper) return bad("currency", currency, "not of ISO 4217, such as EUR");
  return {};
}

// The shape alone; what the names in them mean is the query language's business.
Result<> check_filter(const json::value& filter, size_t depth, size_t& count) {
  if (depth > kFilterDepthMax) return bad("filters", "", fmt::format("more than {} deep", kFilterDepthMax));
  if (++count > kFiltersMax) return bad("filters", "", fmt::format("more than {}", kFiltersMax));
  const json::array* parts = filter.if_array();
  if (parts == nullptr || parts->size() < 2 || parts->size() > 4 || !parts->front().is_string())
    return bad("filters", json::serialize(filter), "expected a list such as [\"is\",\"visit:country\",[\"DE\"]]");
  const json::value& second = (*parts)[1];
  if (second.is_string()) return {};
  if (second.is_array() && !second.get_array().empty() && second.get_array().front().is_array()) {  // and, or
    for (const json::value& inner : second.get_array()) {
      if (auto fine = check_filter(inner, depth + 1, count); !fine) return fine;
    }
    return {};
  }
  return check_filter(second, depth + 1, count);  // not, has_done
}

Result<> check_filter_list(const json::value* filters) {
  if (filters == nullptr || !filters->is_array() || filters->get_array().empty())
    return bad("filters", "", "expected a list of filters");
  size_t count = 0;
  for (const json::value& filter : filters->get_array()) {
    if (auto fine = check_filter(filter, 1, count); !fine) return fine;
  }
  return {};
}

Result<> check_segment(const json::object& body) {
  if (auto fine = check_fields(body, {"filters"}); !fine) return fine;
  return check_filter_list(body.if_contains("filters"));
}

Result<> check_annotation(const json::object& body) {
  if (auto fine = check_fields(body, {"date", "text"}); !fine) return fine;
  if (auto fine = check_text_of(body, "date", 40); !fine) return fine;
  std::string_view date = body.at("date").get_string();
  int64_t days = 0;
  UnixMillis moment = 0;
  if (!parse_day(date, days) && !parse_rfc3339(date, moment))
    return bad("date", date, "neither a day such as 2026-11-20 nor a time such as 2026-11-20T09:00:00Z");
  return check_text_of(body, "text", 1'000);
}

Result<> check_property(const json::object& body) {
  if (auto fine = check_fields(body, {"key"}); !fine) return fine;
  return check_text_of(body, "key", 200);
}

Result<> check_query(const json::object& body) {
  if (auto fine = check_fields(body, {"sql", "chart"}); !fine) return fine;
  // Its lines and tabs make it no plain text.
  auto sql = text_of(body, "sql");
  if (!sql) return std::move(sql).error();
  if (*sql == nullptr || (*sql)->empty()) return bad("sql", "", "is missing");
  const json::value* chart = body.if_contains("chart");
  if (chart != nullptr && !chart->is_object()) return bad("chart", json::serialize(*chart), "expected an object");
  return {};
}

Result<> check_body(ItemKind kind, const json::object& body) {
  switch (kind) {
    case ItemKind::goal:
      return check_goal(body);
    case ItemKind::segment:
      return check_segment(body);
    case ItemKind::annotation:
      return check_annotation(body);
    case ItemKind::property:
      return check_property(body);
    case ItemKind::query:
      return check_query(body);
  }
  return {};
}

size_t most_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::goal:
      return kGoalsMax;
    case ItemKind::segment:
      return kSegmentsMax;
    case ItemKind::annotation:
      return kAnnotationsMax;
    case ItemKind::property:
      return kPropertiesMax;
    case ItemKind::query:
      return kQueriesMax;
  }
  return 0;
}
}  // namespace

Result<Item> new_item(const Item& wanted, UnixMillis now) {
  Item item = wanted;
  if (auto fine = check_text("name", item.name, 1, kItemNameBytesMax); !fine) return std::move(fine).error();
  if (!item.project && item.kind != ItemKind::query) return bad("project", "", "is missing");
  if (item.body.size() > kItemBodyBytesMax)
    return bad(name_of(item.kind), "", fmt::format("more than {} bytes", kItemBodyBytesMax));
  boost::system::error_code failed;
  json::value body = json::parse(item.body, failed);
  if (failed || !body.is_object()) return bad(name_of(item.kind), item.body, "expected a JSON object");
  json::object& object = body.get_object();
  // A field that is null is the same as one that is absent.
  for (auto it = object.begin(); it != object.end();)
    it = it->value().is_null() ? object.stable_erase(it) : std::next(it);
  if (auto fine = check_body(item.kind, object); !fine) return std::move(fine).error();
  item.body = json::serialize(body);
  item.id = to_hex(random_bytes(6));
  item.created_at = now;
  item.updated_at = now;
  return item;
}

Result<std::string> check_filters(std::string_view filters) {
  if (filters.size() > kItemBodyBytesMax)
    return bad("filters", "", fmt::format("more than {} bytes", kItemBodyBytesMax));
  boost::system::error_code failed;
  json::value list = json::parse({filters.data(), filters.size()}, failed);
  if (failed) return bad("filters", filters, "not JSON");
  if (auto fine = check_filter_list(&list); !fine) return std::move(fine).error();
  return json::serialize(list);
}

Result<> check_place(const State& state, const Item& item) {
  if (item.project) {
    bool known = std::any_of(state.projects.begin(), state.projects.end(),
                             [&](const Project& project) { return project.id == *item.project; });
    if (!known) return Error{ErrorCode::kNotFound, "settings: project: no such project"};
  }
  size_t bytes = item.body.size();
  size_t alike = 0;
  for (const Item& other : state.items) {
    if (other.id == item.id) continue;
    bytes += other.body.size();
    if (other.project != item.project || other.kind != item.kind) continue;
    ++alike;
    bool taken = (item.kind == ItemKind::goal && other.name == item.name) ||
                 (item.kind == ItemKind::property && other.body == item.body);
    if (taken) {
      return Error{ErrorCode::kConflict,
                   fmt::format("settings: {}: `{}`: exists already", name_of(item.kind), item.name)};
    }
  }
  if (alike >= most_of(item.kind)) {
    return Error{ErrorCode::kTooLarge,
                 fmt::format("settings: more than {} {} in a project", most_of(item.kind), plural_of(item.kind))};
  }
  if (state.items.size() >= kItemsMax || bytes > kItemBodiesBytesMax)
    return Error{ErrorCode::kTooLarge, "settings: more goals, segments, annotations and queries than weir keeps"};
  return {};
}

}  // namespace weir::settings
