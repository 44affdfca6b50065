#include "weir/trace/trace.h"

#include "weir/base/json_writer.h"

namespace weir::trace {

std::string_view name_of(Stage stage) {
  switch (stage) {
    case Stage::unknown:
      return "unknown";
    case Stage::forgotten:
      return "forgotten";
    case Stage::damaged:
      return "damaged";
    case Stage::waiting:
      return "waiting";
    case Stage::stored:
      return "stored";
    case Stage::settled:
      return "settled";
  }
  return "unknown";
}

std::string to_json(const std::string& id, const std::vector<Sighting>& sightings) {
  std::string out = "{\"id\":";
  append_json_string(out, id);
  out += R"(,"sightings":[)";
  for (const Sighting& s : sightings) {
    if (out.back() != '[') out += ',';
    auto text = [&](std::string_view key, std::string_view value) {
      if (value.empty()) return;
      append_json_key(out, key);
      append_json_string(out, value);
    };
    auto json = [&](std::string_view key, std::string_view value) {
      if (value.empty()) return;
      append_json_key(out, key);
      out += value;
    };
    out += '{';
    text("position", s.partition + ":" + std::to_string(s.offset));
    json("epoch", std::to_string(s.epoch));
    text("project", s.project);
    text("stage", name_of(s.stage));
    text("outcome", s.outcome);
    text("reason", s.reason);
    text("first", s.first);
    if (s.stage == Stage::waiting) json("before", std::to_string(s.before));
    if (s.received_at != 0) text("received_at", format_rfc3339(s.received_at));
    json("record", s.record);
    json("row", s.row);
    out += '}';
  }
  return out + "]}";
}

}  // namespace weir::trace
