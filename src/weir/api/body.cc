#include "weir/api/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

namespace weir::api {

namespace {
namespace json = boost::json;

Error bad(std::string message) { return {ErrorCode::kBadInput, "api: " + std::move(message)}; }
}  // namespace

struct Body::State {
  json::object object;
};

Body::Body(std::unique_ptr<State> state) : state_(std::move(state)) {}
Body::~Body() = default;
Body::Body(Body&&) noexcept = default;

Result<Body> Body::parse(std::string_view text, std::initializer_list<std::string_view> known) {
  boost::system::error_code failed;
  json::value whole = json::parse({text.data(), text.size()}, failed);
  if (failed) return bad("body: not JSON: " + failed.message());
  json::object* object = whole.if_object();
  if (object == nullptr) return bad("body: expected a JSON object");
  for (const auto& member : *object) {
    std::string_view name = member.key();
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return bad(fmt::format("body: unknown field `{}`; known are {}", name.substr(0, 80), fmt::join(known, ", ")));
    }
  }
  auto state = std::make_unique<State>();
  state->object = std::move(*object);
  return Body(std::move(state));
}

Result<std::optional<std::string>> Body::text(std::string_view field) const {
  const json::value* value = state_->object.if_contains(field);
  if (value == nullptr || value->is_null()) return std::optional<std::string>();
  if (!value->is_string()) return bad(fmt::format("body: {}: expected a text", field));
  return std::optional<std::string>(std::string_view(value->get_string()));
}

Result<std::optional<uint64_t>> Body::number(std::string_view field) const {
  const json::value* value = state_->object.if_contains(field);
  if (value == nullptr || value->is_null()) return std::optional<uint64_t>();
  boost::system::error_code failed;
  auto number = value->to_number<uint64_t>(failed);
  if (failed) return bad(fmt::format("body: {}: expected a whole number", field));
  return std::optional<uint64_t>(number);
}

Result<std::optional<std::vector<std::string>>> Body::texts(std::string_view field) const {
  const json::value* value = state_->object.if_contains(field);
  if (value == nullptr || value->is_null()) return std::optional<std::vector<std::string>>();
  const json::array* list = value->if_array();
  std::vector<std::string> texts;
  bool fine = list != nullptr;
  for (size_t i = 0; fine && i < list->size(); ++i) {
    fine = (*list)[i].is_string();
    if (fine) texts.emplace_back(std::string_view((*list)[i].get_string()));
  }
  if (!fine) return bad(fmt::format("body: {}: expected a list of texts", field));
  return std::optional<std::vector<std::string>>(std::move(texts));
}

Result<std::optional<UnixMillis>> Body::moment(std::string_view field) const {
  auto written = text(field);
  if (!written) return std::move(written).error();
  if (!*written) return std::optional<UnixMillis>();
  UnixMillis parsed = 0;
  if (!parse_rfc3339(**written, parsed)) {
    return bad(fmt::format("body: {}: `{}`: expected a time such as 2026-11-20T09:00:00Z", field,
                           std::string_view(**written).substr(0, 80)));
  }
  return std::optional<UnixMillis>(parsed);
}

Result<std::string> Body::needed_text(std::string_view field) const {
  auto written = text(field);
  if (!written) return std::move(written).error();
  if (!*written) return bad(fmt::format("body: {}: is missing", field));
  return std::move(**written);
}

}  // namespace weir::api
