#include "weir/app/explained_event.h"

#include "weir/base/json_writer.h"
#include "weir/event/row_json.h"

namespace weir::app {

namespace {
void append_reasons(std::string& out, const event::Row& row, const enrich::Findings& why) {
  append_json_key(out, "reasons");
  out.push_back('{');
  event::append_json_text(out, "browser", why.browser_reason);
  event::append_json_text(out, "os", why.os_reason);
  event::append_json_text(out, "device", why.device_reason);
  event::append_json_text(out, "place", why.place_reason);
  event::append_json_text(out, "source", why.source_reason);
  event::append_json_text(out, "traffic",
                          row.traffic_reason.empty() ? "no list and no rule says otherwise" : row.traffic_reason);
  out.push_back('}');
}
}  // namespace

void append_explained_event(std::string_view project, const event::Row& row, const enrich::Findings& why,
                            std::string& out) {
  out.push_back('{');
  if (!project.empty()) event::append_json_text(out, "project", project);
  if (!row.id.empty()) event::append_json_text(out, "event_id", row.id);
  event::append_row_members(out, row);
  event::append_json_text(out, "ip", row.ip);
  append_reasons(out, row, why);
  out.push_back('}');
}

}  // namespace weir::app
