#include "weir/store/engine/landlock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace weir::store::engine {

namespace {
// Rights that Debian 12's headers know; `truncate` (version 3) and `ioctl` (5) came with later kernels.
constexpr uint64_t kTruncate = 1ull << 14;
constexpr uint64_t kIoctlDevice = 1ull << 15;

constexpr uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr uint64_t kReadDirectory = LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                            LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
                            LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | kTruncate;

uint64_t rights_known(int version) {
  uint64_t all = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // version 1: all up to MAKE_SYM
  if (version >= 2) all |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) all |= kTruncate;
  if (version >= 5) all |= kIoctlDevice;
  return all;
}

Error refused(std::string_view what) {
  return {ErrorCode::kUnavailable,
          fmt::format("store: landlock: {}: {}", what, std::generic_category().message(errno))};
}
}  // namespace

int landlock_version() {
  long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<> restrict_to(const std::vector<Allowed>& allowed) {
  int version = landlock_version();
  if (version == 0) return refused("not in this kernel");
  uint64_t known = rights_known(version);
  struct {
    uint64_t handled_access_fs;
  } attributes{known};
  auto ruleset = static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  if (ruleset < 0) return refused("create");
  for (const Allowed& place : allowed) {
    int fd = open(place.path.c_str(), O_PATH | O_CLOEXEC);
    if (fd < 0) {
      if (errno == ENOENT || errno == EACCES || errno == ENOTDIR) continue;
      Error error = refused(place.path);
      close(ruleset);
      return error;
    }
    uint64_t rights = place.use == Allowed::Use::list    ? kReadDirectory
                      : place.use == Allowed::Use::write ? kReadFile | kReadDirectory | kWrite
                                                         : kReadFile | kReadDirectory;
    struct stat info {};
    bool directory = fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    if (!directory) rights &= kReadFile | LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
    landlock_path_beneath_attr rule{};
    rule.allowed_access = rights & known;
    rule.parent_fd = fd;
    long added =
        rule.allowed_access == 0 ? 0 : syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    Error error = refused(place.path);
    // A rule belongs to an inode, and /proc makes a new one once it has forgotten the old: keep those open.
    if (!place.path.starts_with("/proc/")) close(fd);
    if (added != 0) {
      close(ruleset);
      return error;
    }
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
    Error error = refused("restrict");
    close(ruleset);
    return error;
  }
  close(ruleset);
  return {};
}

}  // namespace weir::store::engine
