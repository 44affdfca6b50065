#include "weir/api/body.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace weir::api {

namespace {
namespace json = boost::json;

Error bad(std::string message) { return {ErrorCode::kBadInput, "api: " + std::move(message)}; }

// The digits [at, at + count) as a number; -1 when they are none.
int digits(std::string_view text, size_t at, size_t count) {
  int value = 0;
  if (at + count > text.size()) return -1;
  for (size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}
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

bool parse_rfc3339(std::string_view text, UnixMillis& moment) {
  int year = digits(text, 0, 4);
  int month = digits(text, 5, 2);
  int day = digits(text, 8, 2);
  int hour = digits(text, 11, 2);
  int minute = digits(text, 14, 2);
  int second = digits(text, 17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59) {
    return false;
  }
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':') {
    return false;
  }
  CivilDay civil{year, static_cast<unsigned>(month), static_cast<unsigned>(day)};
  int64_t days = days_from_civil(civil);
  if (civil_from_days(days).day != civil.day) return false;  // 30 February
  size_t at = 19;
  int millis = 0;
  if (at < text.size() && text[at] == '.') {
    size_t begin = ++at;
    int factor = 100;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      millis += (text[at] - '0') * factor;
      factor /= 10;
    }
    if (at == begin) return false;
  }
  int64_t offset_minutes = 0;
  std::string_view zone = text.substr(std::min(at, text.size()));
  if (zone != "Z" && zone != "z") {
    int hours = digits(zone, 1, 2);
    int minutes = digits(zone, 4, 2);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || hours < 0 || hours > 23 ||
        minutes < 0 || minutes > 59) {
      return false;
    }
    offset_minutes = (zone[0] == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  int64_t seconds_of_day = (hour * 60 + minute - offset_minutes) * 60 + second;
  moment = days * kMillisPerDay + seconds_of_day * 1000 + millis;
  return true;
}

}  // namespace weir::api
