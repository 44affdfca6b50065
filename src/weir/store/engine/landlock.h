#pragma once

#include <string>
#include <vector>

#include "weir/base/result.h"

namespace weir::store::engine {

// A place that a restricted process may still use. Places that do not exist are left out.
struct Allowed {
  enum class Use { read, write, list };  // read: files, recursively; write: everything below; list: names only
  std::string path;
  Use use;
};

// The kernel's version of Landlock, or 0 where it has none or it is switched off.
int landlock_version();

// Takes from this thread, and from all threads and processes it will start, every access to files but what `allowed`
// names. Cannot be undone. Call it while there is only one thread.
// Errors: kUnavailable (the kernel has no Landlock, or refused).
Result<> restrict_to(const std::vector<Allowed>& allowed);

}  // namespace weir::store::engine
