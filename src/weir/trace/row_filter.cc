#include "weir/trace/row_filter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace weir::trace {

namespace {
using event::Row;

struct Column {
  std::string_view name;
  std::string_view Row::*text;  // null: computed, see text_of()
};

constexpr std::array kColumns = {
    Column{"name", &Row::name},
    Column{"path", &Row::path},
    Column{"hostname", &Row::hostname},
    Column{"title", &Row::title},
    Column{"referrer", &Row::referrer},
    Column{"source", &Row::source},
    Column{"medium", &Row::medium},
    Column{"channel", &Row::channel},
    Column{"utm_source", &Row::utm_source},
    Column{"utm_medium", &Row::utm_medium},
    Column{"utm_campaign", &Row::utm_campaign},
    Column{"country", &Row::country},
    Column{"region", &Row::region},
    Column{"city", &Row::city},
    Column{"browser", &Row::browser},
    Column{"os", &Row::os},
    Column{"device", &Row::device},
    Column{"locale", &Row::locale},
    Column{"app_version", &Row::app_version},
    Column{"user_id", &Row::user_id},
    Column{"anonymous_id", &Row::anonymous_id},
    Column{"event_id", &Row::id},
    Column{"sdk", &Row::sdk},
    Column{"traffic_reason", &Row::traffic_reason},
    Column{"traffic", nullptr},
    Column{"kind", nullptr},
    Column{"visitor_id", nullptr},
};
constexpr std::string_view kProperties = "properties.";

std::string_view text_of(const Row& row, const Column& column, std::string& made) {
  if (column.text != nullptr) return row.*column.text;
  if (column.name == "traffic") return name_of(row.traffic);
  if (column.name == "kind") return name_of(row.kind);
  made = std::to_string(row.visitor_id);
  return made;
}

std::string_view property_of(const Row& row, std::string_view key) {
  for (const auto& [name, value] : row.properties)
    if (name == key) return value;
  return {};
}

Error bad(std::string message) { return {ErrorCode::kBadInput, std::move(message)}; }
}  // namespace

bool RowFilter::parse_op(std::string_view name, Op& op) {
  if (name == "is") return op = Op::is, true;
  if (name == "is_not") return op = Op::is_not, true;
  if (name == "contains") return op = Op::contains, true;
  if (name == "contains_not") return op = Op::contains_not, true;
  return false;
}

Result<> RowFilter::add(Op op, std::string_view column, std::vector<std::string> values) {
  if (conditions_.size() == kConditionsMax) return bad(fmt::format("at most {} conditions", kConditionsMax));
  if (values.empty() || values.size() > kValuesMax) return bad(fmt::format("1 to {} values", kValuesMax));
  for (const std::string& value : values)
    if (value.size() > kValueBytesMax) return bad(fmt::format("a value has at most {} bytes", kValueBytesMax));
  Condition condition{op, 0, {}, std::move(values)};
  if (column.starts_with(kProperties)) {
    condition.property = column.substr(kProperties.size());
    if (condition.property.empty() || condition.property.size() > kValueBytesMax) return bad("not a property's name");
  } else {
    auto known = std::find_if(kColumns.begin(), kColumns.end(), [&](const Column& c) { return c.name == column; });
    if (known == kColumns.end()) return bad("no such column");
    condition.column = static_cast<size_t>(known - kColumns.begin());
  }
  conditions_.push_back(std::move(condition));
  return {};
}

bool RowFilter::Condition::holds(const Row& row) const {
  std::string made;
  const std::string_view text = property.empty() ? text_of(row, kColumns[column], made) : property_of(row, property);
  const bool whole = op == Op::is || op == Op::is_not;
  const bool fits = std::any_of(values.begin(), values.end(), [&](const std::string& value) {
    return whole ? text == value : text.find(value) != std::string_view::npos;
  });
  return fits == (op == Op::is || op == Op::contains);
}

bool RowFilter::fits(const Row& row) const {
  return std::all_of(conditions_.begin(), conditions_.end(), [&](const Condition& c) { return c.holds(row); });
}

}  // namespace weir::trace
