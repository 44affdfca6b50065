#include "weir/transfer/line_event.h"

#include <fmt/format.h>

#include "weir/base/json_writer.h"
#include "weir/event/url.h"

namespace weir::transfer {

namespace {
bool is_page_answer(uint16_t status) { return (status >= 200 && status <= 299) || status == 304; }

void append_number(std::string& out, uint64_t value) {
  fmt::format_int text(value);
  out.append(text.data(), text.size());
}
}  // namespace

std::string_view LineEvents::text(std::string_view field, std::string& buffer) {
  if (is_plain(field)) return field;
  buffer.clear();
  append_unescaped(field, buffer);
  return buffer;
}

// A browser's request names a path; a proxy's names a whole URL. Nothing is decoded: paths stay as pages' own scripts
// report them.
void LineEvents::split_target(std::string_view target) {
  bool absolute = target.starts_with("http://") || target.starts_with("https://");
  if (absolute) {
    event::UrlParts parts = event::split_url(target);
    event_.url = target;
    event_.hostname = parts.hostname;
    event_.path = parts.path.empty() ? "/" : parts.path;
    return;
  }
  size_t end = target.find_first_of("?#");
  event_.path = target.substr(0, end);
  if (end == std::string_view::npos || target[end] != '?') return;
  // The campaign is read from the URL. A path that begins with two slashes would read as a host there.
  event_.url = target.starts_with("//") ? target.substr(end) : target;
}

void LineEvents::write_properties(const LogLine& line, std::string_view method, std::string_view query,
                                  bool is_request) {
  properties_.assign(1, '{');
  if (line.status != 0) {
    append_json_key(properties_, "status");
    append_number(properties_, line.status);
  }
  if (!method.empty()) {
    append_json_key(properties_, "method");
    append_json_string(properties_, method);
  }
  if (line.has_bytes) {
    append_json_key(properties_, "bytes");
    append_number(properties_, line.bytes);
  }
  if (!query.empty()) {
    append_json_key(properties_, "query");
    append_json_string(properties_, query);
  }
  if (!is_request && !line.request.empty() && line.request != "-") {
    // Not HTTP: kept as the server wrote it, escapes and all, for that is readable.
    append_json_key(properties_, "request");
    std::string valid;
    append_valid_utf8(line.request, valid);
    append_json_string(properties_, valid);
  }
  properties_.push_back('}');
  if (properties_ == "{}") properties_.clear();
}

const event::Event& LineEvents::make(const LogLine& line, KeepUser keep_user) {
  event_ = event::Event{};
  event_.protocol = "access-log";
  event_.time = line.time;
  event_.time_rule = event::TimeRule::client;
  event_.client_time = line.clock;
  event_.referrer = text(line.referrer, referrer_);
  if (keep_user == KeepUser::yes) event_.user_id = text(line.user, user_);

  std::string_view request = text(line.request, request_);
  RequestLine parts;
  bool is_request = parse_request(request, parts);
  std::string_view query;
  if (is_request) {
    split_target(parts.target);
    size_t mark = parts.target.find('?');
    if (mark != std::string_view::npos) query = parts.target.substr(mark + 1);
    query = query.substr(0, query.find('#'));
  }
  bool page = is_request && parts.method == "GET" && is_page_answer(line.status) && is_page(event_.path);
  event_.kind = page ? event::Kind::pageview : event::Kind::event;
  event_.name = page ? "pageview" : "request";
  write_properties(line, is_request ? parts.method : std::string_view(), query, is_request);
  event_.properties = properties_;
  return event_;
}

}  // namespace weir::transfer
