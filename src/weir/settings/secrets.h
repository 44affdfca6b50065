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
  std::string_view hints;  // JSON object of Sec-CH-UA* headers and X-Requested-With, or empty
  std::string_view accept_language;
  bool gpc = false;
  bool empty() const { return ip.empty() && user_agent.empty() && hints.empty() && accept_language.empty() && !gpc; }
};

// The secrets that expire: the daily salts of cookieless visitors and the keys, per project and day of receipt, under
// which personal fields are kept in the journal. Once a key is destroyed, what was sealed under it is unreadable
// everywhere, archives and backups included.
//
// When they end, N being the UTC day of `now`:
// - the salt of day D is used on D and D + 1 (48 h from the start of its day) and destroyed on D + 2;
// - the key of day D is destroyed once N > D + personal_days: what was received is readable for at least personal_days
//   and less than personal_days + 1 days.
// Destroyed: overwritten with random bytes, synced, unlinked. (What a copying file system or a disk's spare blocks
// keep of it is beyond a program's reach; an encrypted volume is the answer to that.)
//
// Thread-safe. The keys of today are in memory, read under a shared lock; a new day or project costs one synced file.
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
  // Errors: kNotFound (the key was destroyed, or never was here), kCorrupt (damaged, or of another project),
  // kUnavailable (the key could not be read).
  virtual Result<Opened> open(ProjectId project, std::string_view personal) = 0;

  // The cookieless visitor id: a keyed hash (SipHash-2-4) of project, address and user agent under the salt of
  // `event_time`'s UTC day if that is N or N - 1, else of N. Never 0.
  // Errors: kUnavailable (a new day's salt could not be stored).
  virtual Result<uint64_t> visitor(ProjectId project, UnixMillis event_time, UnixMillis now, std::string_view ip,
                                   std::string_view user_agent) = 0;

  // Destroys what has expired. Call it at the start and every few minutes. Goes on after a failure; answers the first.
  virtual Result<> expire(UnixMillis now) = 0;
};

struct SecretsOptions {
  std::string directory;  // DATA/secrets
  uint32_t personal_days = 7;
};

// Secrets kept as files of mode 0600 in a directory of mode 0700, created if absent (its parent must exist):
// `salt-2026-11-20` and `personal-2026-11-20-<project>` (key_file.h).
// A damaged file is named in the log and replaced by a new secret. Keeps `files` by reference; it must outlive the
// object. Errors: kForbidden (the directory is open to others), kUnavailable.
Result<std::unique_ptr<Secrets>> open_file_secrets(FileSystem& files, const SecretsOptions& options);

}  // namespace weir::settings
