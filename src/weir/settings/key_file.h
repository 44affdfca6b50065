#pragma once

#include <string>

#include "weir/base/files.h"
#include "weir/base/result.h"

namespace weir::settings {

// A file with a secret of 32 random bytes, mode 0600: "weirkey1", the bytes, CRC32C of both.
inline constexpr size_t kKeyBytes = 32;

// The secret; empty when there is no such file, or it is damaged, which the log then says. Errors: kUnavailable.
Result<std::string> read_key_file(FileSystem& files, const std::string& path);
// A new secret, stored and synced, in place of whatever is there. Errors: kUnavailable.
Result<std::string> make_key_file(FileSystem& files, const std::string& path);

}  // namespace weir::settings
