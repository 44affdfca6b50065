#include "weir/settings/key_file.h"

#include <sodium.h>

#include "weir/base/bytes.h"
#include "weir/base/logging.h"
#include "weir/base/random.h"

namespace weir::settings {

namespace {
constexpr std::string_view kMagic = "weirkey1";
constexpr size_t kFileBytes = kMagic.size() + kKeyBytes + sizeof(uint32_t);
}  // namespace

Result<std::string> read_key_file(FileSystem& files, const std::string& path) {
  auto content = read_file(files, path, kFileBytes);
  if (!content) {
    ErrorCode code = content.error().code;
    if (code == ErrorCode::kNotFound) return std::string();
    if (code != ErrorCode::kTooLarge) return Error{ErrorCode::kUnavailable, "settings: " + content.error().message};
  }
  std::string_view all = content ? std::string_view(*content) : std::string_view();
  std::string secret;
  if (all.size() == kFileBytes && all.starts_with(kMagic) &&
      crc32c(all.substr(0, kFileBytes - 4)) == load_le<uint32_t>(all.data() + kFileBytes - 4)) {
    secret = all.substr(kMagic.size(), kKeyBytes);
  } else {
    log::error("settings: {} is damaged: what was sealed under it cannot be read any more", path);
  }
  if (content) sodium_memzero(content->data(), content->size());
  return secret;
}

Result<std::string> make_key_file(FileSystem& files, const std::string& path) {
  std::string secret = random_bytes(kKeyBytes);
  std::string content(kMagic);
  content += secret;
  append_le(content, crc32c(content));
  auto stored = replace_file(files, path, content);
  sodium_memzero(content.data(), content.size());
  if (stored) return secret;
  sodium_memzero(secret.data(), secret.size());
  return Error{ErrorCode::kUnavailable, "settings: no key could be stored: " + stored.error().message};
}

}  // namespace weir::settings
