#pragma once

#include <string>

#include "weir/event/event.h"
#include "weir/transfer/access_log.h"

namespace weir::transfer {

// Whether the name of HTTP authentication becomes the event's user_id. Left out unless asked for: it names a person in
// clear, and a site that protects a corner with a password has not thereby asked its visitors.
enum class KeepUser : uint8_t { no, yes };

// Makes the event of a log line, as docs/formats/imports.md tells it: kind, name, time, url, hostname, path, referrer,
// user_id, properties, protocol. Who imports adds project, id, time of receipt, visitor and personal fields.
//
// Confined to one thread; keeps its buffers from line to line.
class LineEvents {
 public:
  // The event's texts stay valid until the next call and as long as the line's.
  const event::Event& make(const LogLine& line, KeepUser keep_user);

 private:
  std::string_view text(std::string_view field, std::string& buffer);
  void split_target(std::string_view target);
  void write_properties(const LogLine& line, std::string_view method, std::string_view query, bool is_request);

  event::Event event_;
  std::string request_;
  std::string referrer_;
  std::string user_;
  std::string url_;
  std::string properties_;
};

}  // namespace weir::transfer
