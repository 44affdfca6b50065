#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/ids.h"

namespace weir::settings {

// What people make for their reports. The body of each is a JSON object of these fields, checked when it is written:
//   goal        `event` (a name) or `page` (a path; `*` any text but `/`, `**` any text); may have `property` (an
//   object
//               of `name` and `value`) and `currency` (ISO 4217, which makes it a goal of revenue). Its name is what
//               `event:goal` shows and filters by
//   segment     `filters`, a list as the query language writes them
//   annotation  `date` (a day, or a moment in RFC 3339) and `text`
//   property    `key`, a custom property that reports show
//   query       `sql`, and `chart`, an object, for how to draw the answer
enum class ItemKind : uint8_t { goal, segment, annotation, property, query };
inline constexpr std::array kItemKinds = {ItemKind::goal, ItemKind::segment, ItemKind::annotation, ItemKind::property,
                                          ItemKind::query};
std::string_view name_of(ItemKind kind);
bool parse_item_kind(std::string_view name, ItemKind& kind);
// As in paths and lists: "goals", "queries".
std::string_view plural_of(ItemKind kind);

struct Item {
  std::string id = {};                    // short, public: what lists show
  std::optional<ProjectId> project = {};  // none: of no project in particular, which only a query may be
  ItemKind kind = ItemKind::goal;
  std::optional<UserId> owner = {};  // set: personal, for that person alone
  std::string name = {};
  std::string body = {};  // JSON object, without spaces
  UnixMillis created_at = 0;
  UnixMillis updated_at = 0;
  bool operator==(const Item&) const = default;
};

}  // namespace weir::settings
