#include "weir/transfer/line_event.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/json_writer.h"
#include "weir/event/url.h"

namespace weir::transfer {

namespace {
bool is_page_answer(uint16_t status) { return (status >= 200 && status <= 299) || status == 304; }

// The name of a host that was asked for, in lower case and without port and root dot. Clients say what they like: what
// is no name and no address gives nothing.
void append_hostname(std::string_view host, std::string& out) {
  if (host.starts_with('[')) {
    host = host.substr(1, std::min(host.find(']'), host.size()) - 1);
  } else if (size_t colon = host.find(':'); colon != std::string_view::npos) {
    // More than one colon and no brackets: an address.
    if (host.find(':', colon + 1) == std::string_view::npos) host = host.substr(0, colon);
  }
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.empty() || host.size() > 253) return;
  size_t size = out.size();
  bool named = false;  // "_" is nginx's name for any host
  bool address = host.find(':') != std::string_view::npos;
  for (char c : host) {
    bool upper = c >= 'A' && c <= 'Z';
    bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    bool word = digit || upper || (c >= 'a' && c <= 'z');
    named = named || word;
    bool fits = address ? digit || c == ':' || c == '.' : word || c == '.' || c == '-' || c == '_';
    if (!fits) return out.resize(size);
    out.push_back(upper ? static_cast<char>(c | 0x20) : c);
  }
  if (!named) out.resize(size);
}

RequestClass class_of(std::string_view method, std::string_view path, uint16_t status) {
  bool reads = method == "GET" || method == "HEAD";
  if (method == "GET" && is_page_answer(status) && is_page(path)) return RequestClass::page;
  if (reads && is_asset(path)) return RequestClass::asset;
  if (status >= 400) return RequestClass::error;
  if (status >= 300 && status != 304) return RequestClass::redirect;
  return RequestClass::other;
}

void append_number(std::string& out, uint64_t value) {
  fmt::format_int text(value);
  out.append(text.data(), text.size());
}
}  // namespace

bool parse_assets(std::string_view name, Assets& assets) {
  constexpr std::string_view kNames[] = {"keep", "mark", "skip"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] != name) continue;
    assets = static_cast<Assets>(i);
    return true;
  }
  return false;
}

std::string hostname_of(std::string_view host) {
  std::string out;
  append_hostname(host, out);
  return out;
}

void append_field(const LogLine& line, std::string_view field, std::string& out) {
  line.is_decoded ? append_valid_utf8(field, out) : append_unescaped(field, out);
}

// A browser's request names a path; a proxy's names a whole URL. Nothing is decoded: paths stay as pages' own scripts
// report them.
void LineEvents::split_target(const LogLine& line, std::string_view target, std::string_view default_hostname) {
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
  hostname_.clear();
  append_hostname(line.host, hostname_);
  if (hostname_.empty()) hostname_ = default_hostname;
  event_.hostname = hostname_;
  if (!hostname_.empty() && target.starts_with('/')) {
    url_.assign(line.scheme).append(line.scheme.empty() ? "//" : "://");
    bool v6 = hostname_.find(':') != std::string::npos;
    url_.append(v6 ? "[" : "").append(hostname_).append(v6 ? "]" : "").append(target);
    event_.url = url_;
    return;
  }
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

const event::Event& LineEvents::make(const LogLine& line, const LineRules& rules) {
  auto text = [&line](std::string_view field, std::string& buffer) {
    if (is_plain(field)) return field;
    buffer.clear();
    append_field(line, field, buffer);
    return std::string_view(buffer);
  };
  event_ = event::Event{};
  event_.protocol = "access-log";
  event_.time = line.time;
  event_.time_rule = event::TimeRule::client;
  event_.client_time = line.clock;
  event_.referrer = text(line.referrer, referrer_);
  if (rules.keep_user == KeepUser::yes) event_.user_id = text(line.user, user_);

  std::string_view request = text(line.request, request_);
  RequestLine parts;
  bool is_request = parse_request(request, parts);
  std::string_view query;
  if (is_request) {
    split_target(line, parts.target, rules.hostname);
    size_t mark = parts.target.find('?');
    if (mark != std::string_view::npos) query = parts.target.substr(mark + 1);
    query = query.substr(0, query.find('#'));
  }
  class_ = is_request           ? class_of(parts.method, event_.path, line.status)
           : line.status >= 400 ? RequestClass::error
                                : RequestClass::other;
  bool page = class_ == RequestClass::page;
  event_.kind = page ? event::Kind::pageview : event::Kind::event;
  event_.name = page ? "pageview" : class_ == RequestClass::asset && rules.assets == Assets::mark ? "asset" : "request";
  write_properties(line, is_request ? parts.method : std::string_view(), query, is_request);
  event_.properties = properties_;
  return event_;
}

std::optional<Skip> LineEvents::skip(const LineRules& rules) const {
  switch (class_) {
    case RequestClass::page:
      return std::nullopt;
    case RequestClass::asset:
      if (rules.pages_only || rules.assets == Assets::skip) return Skip::asset;
      return std::nullopt;
    case RequestClass::redirect:
      if (rules.pages_only) return Skip::redirect;
      return std::nullopt;
    case RequestClass::error:
      if (rules.pages_only) return Skip::error;
      return std::nullopt;
    case RequestClass::other:
      if (rules.pages_only) return Skip::not_page;
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace weir::transfer
