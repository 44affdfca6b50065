#include "weir/http/cors.h"

#include <algorithm>

#include "weir/http/text.h"

namespace weir::http {

namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// Whether a page of this request's origin may read the answer.
bool is_allowed(Cors cors, const Origins& origins, std::string_view origin) {
  if (origin.empty()) return false;
  return cors == Cors::capture || (cors == Cors::listed && origins.contains(origin));
}

void append_line(std::string& head, std::string_view name, std::string_view value) {
  head += name;
  head += ": ";
  head += value;
  head += "\r\n";
}

}  // namespace

Result<Origins> Origins::parse(const std::vector<std::string>& entries) {
  Origins origins;
  for (const std::string& entry : entries) {
    const std::string_view text = trim(entry);
    if (text.empty()) continue;
    const size_t scheme = text.find("://");
    const std::string_view host = scheme == std::string_view::npos ? std::string_view() : text.substr(scheme + 3);
    if (scheme == 0 || host.empty() || host.find_first_of("/?#@ \t\r\n") != std::string_view::npos)
      return Error{ErrorCode::kBadInput, "http: origins: not an origin like https://example.org: " + entry};
    origins.origins_.push_back(lower_case(text));
  }
  return origins;
}

bool Origins::contains(std::string_view origin) const {
  return std::any_of(origins_.begin(), origins_.end(),
                     [&](const std::string& known) { return equal_ignoring_case(known, origin); });
}

void append_cors(std::string& head, Cors cors, const Origins& origins, const Request& request) {
  if (cors == Cors::none) return;
  head += "Vary: Origin\r\n";
  const std::string_view origin = request.header("Origin");
  if (!is_allowed(cors, origins, origin)) return;
  append_line(head, "Access-Control-Allow-Origin", origin);
  head += "Access-Control-Allow-Credentials: true\r\n";
  // Without it a browser's SDK cannot see how long to wait.
  head += "Access-Control-Expose-Headers: Retry-After\r\n";
}

void append_preflight(std::string& head, Cors cors, const Origins& origins, const Request& request,
                      std::string_view allowed) {
  if (!is_allowed(cors, origins, request.header("Origin"))) return;
  append_line(head, "Access-Control-Allow-Methods", cors == Cors::capture ? "GET, POST, OPTIONS" : allowed);
  // Mirrored, because a wildcard does not cover Authorization.
  const std::string_view wanted = request.header("Access-Control-Request-Headers");
  if (!wanted.empty()) append_line(head, "Access-Control-Allow-Headers", wanted);
  head += "Access-Control-Max-Age: 7200\r\n";
}

}  // namespace weir::http
