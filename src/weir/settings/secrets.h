#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"

namespace weir::settings {

// What is personal in an event, in clear.
struct Personal {
  std::string_view ip;
  std::string_view user_agent;
  std::string_view hints;  // JSON object of Sec-CH-UA* headers, or empty
  std::string_view accept_language;
  bool gpc = false;
  bool empty() const { return ip.empty() && user_agent.empty() && hints.empty() && accept_language.empty() && !gpc; }
};

// The secrets that expire: the daily salts of cookieless visitors and the keys, per project and day of receipt, under
// which personal fields are kept in the journal. Once a key is destroyed, what was sealed under it is unreadable
// everywhere, archives and backups included.
//
// Thread-safe. The keys of today are in memory; a new day or project costs one synced file.
class Secrets {
 public:
  virtual ~Secrets() = default;

  // Seals personal fields: the JSON text of the record's `personal` member, e.g. {"day":"2026-11-20","sealed":"..."}.
  // `now` gives the day. Many events of one request share one sealed text.
  // Errors: kUnavailable (no key could be stored: then the event must not be acknowledged).
  virtual Result<std::string> seal(ProjectId project, UnixMillis now, const Personal& personal) = 0;

  // Opened fields; they own their memory.
  struct Opened {
    std::string ip;
    std::string user_agent;
    std::string hints;
    std::string accept_language;
    bool gpc = false;
  };
  // Errors: kNotFound (the key was destroyed), kCorrupt (not sealed by us, or for another project).
  virtual Result<Opened> open(ProjectId project, std::string_view personal) = 0;

  // The cookieless visitor id: a keyed hash of project, address and user agent under the salt of `event_time`'s UTC
  // day; when that salt is gone (older than 48 h) or not yet due, under that of `now`'s. Never 0.
  virtual Result<uint64_t> visitor(ProjectId project, UnixMillis event_time, UnixMillis now, std::string_view ip,
                                   std::string_view user_agent) = 0;

  // Destroys what has expired: salts after 48 h, personal keys after `personal_days`.
  virtual Result<> expire(UnixMillis now) = 0;
};

struct SecretsOptions {
  std::string directory;  // DATA/secrets
  uint32_t personal_days = 7;
};

// Secrets kept as files of mode 0600. Keeps `files` by reference; it must outlive the object.
Result<std::unique_ptr<Secrets>> open_file_secrets(FileSystem& files, const SecretsOptions& options);

}  // namespace weir::settings
