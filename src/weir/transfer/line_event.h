#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "weir/event/event.h"
#include "weir/transfer/access_log.h"
#include "weir/transfer/summary.h"

namespace weir::transfer {

// Whether the name of HTTP authentication becomes the event's user_id. Left out unless asked for: it names a person in
// clear, and a site that protects a corner with a password has not thereby asked its visitors.
enum class KeepUser : uint8_t { no, yes };

// What becomes of requests for parts of a page.
enum class Assets : uint8_t {
  keep,  // events named `request`, as everything that is no page
  mark,  // events named `asset`
  skip,  // not taken
};
bool parse_assets(std::string_view name, Assets& assets);  // "keep", "mark", "skip"

// The name of a host, or its address, in lower case and without port and root dot; empty when it is none.
std::string hostname_of(std::string_view host);

// What an import makes of its lines.
struct LineRules {
  KeepUser keep_user = KeepUser::no;
  Assets assets = Assets::keep;
  bool pages_only = false;    // everything but pageviews is not taken
  std::string hostname = {};  // of lines that name no host, as hostname_of() makes it; or empty
  bool may_skip() const { return pages_only || assets == Assets::skip; }
};

// What a line's request was.
enum class RequestClass : uint8_t { page, asset, redirect, error, other };

// Makes the event of a log line, as docs/formats/imports.md tells it: kind, name, time, url, hostname, path, referrer,
// user_id, properties, protocol. Who imports adds project, id, time of receipt, visitor and personal fields.
//
// Confined to one thread; keeps its buffers from line to line.
class LineEvents {
 public:
  // The event's texts stay valid until the next call and as long as the line's.
  const event::Event& make(const LogLine& line, const LineRules& rules);
  // Why the rules leave out the line that make() was called for last; nothing when they do not.
  std::optional<Skip> skip(const LineRules& rules) const;

 private:
  void split_target(const LogLine& line, std::string_view target, std::string_view default_hostname);
  void write_properties(const LogLine& line, std::string_view method, std::string_view query, bool is_request);

  event::Event event_;
  RequestClass class_ = RequestClass::other;
  std::string request_;
  std::string referrer_;
  std::string user_;
  std::string url_;
  std::string hostname_;
  std::string properties_;
};

// Appends a field as text: its server's escapes undone if it has them, always valid UTF-8.
void append_field(const LogLine& line, std::string_view field, std::string& out);

}  // namespace weir::transfer
