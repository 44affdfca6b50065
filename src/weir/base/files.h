#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"

namespace weir {

// One open file. Thread-safe for reads beside one writer. Closed by its destructor, whose outcome nobody relies on.
// Errors everywhere: kOverloaded (no space or over quota: ENOSPC, EDQUOT, EFBIG), kUnavailable (any other failure).
class File {
 public:
  virtual ~File() = default;
  virtual const std::string& path() const = 0;
  // Reads up to `size` bytes at `offset`; fewer only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, char* into, size_t size) = 0;
  // Writes all pieces, one behind the other, from `offset` on. Short writes and EINTR are continued.
  virtual Result<> write_at(uint64_t offset, std::span<const iovec> pieces) = 0;
  // fdatasync / fsync. A failure is final for this file: never call it again to "retry" (the kernel may have dropped
  // the dirty pages and would report success).
  virtual Result<> sync_data() = 0;
  virtual Result<> sync() = 0;
  virtual Result<uint64_t> size() = 0;
  virtual Result<> truncate(uint64_t size) = 0;
  // Fills the range with written zeros (not just allocated ones: appending inside is then one journal-less sync).
  virtual Result<> zero(uint64_t offset, uint64_t size) = 0;
  // Tells the system that this file will hardly be read again: its cached pages may serve something else. A hint.
  virtual void forget() {}

  Result<> write_at(uint64_t offset, std::string_view bytes) {
    iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return write_at(offset, std::span<const iovec>(&piece, 1));
  }
};

// Held while it lives; released by the end of the process however it ends.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

// What weir needs of a file system, so that tests can lose, tear and refuse writes. Thread-safe.
class FileSystem {
 public:
  enum class Mode { read, write, create };  // create: must not exist yet; mode 0600
  virtual ~FileSystem() = default;
  // Errors: kNotFound, kConflict (create: exists), kUnavailable, kOverloaded.
  virtual Result<std::unique_ptr<File>> open(const std::string& path, Mode mode) = 0;
  virtual bool exists(const std::string& path) = 0;
  // Names without the directory, sorted, without "." and "..".
  virtual Result<std::vector<std::string>> list(const std::string& directory) = 0;
  // Creates one directory (mode 0700) and syncs its parent. Fine if it exists; then the names in it are synced too: an
  // earlier process may have been killed between a rename and its sync, and what it left is about to be relied upon.
  virtual Result<> make_directory(const std::string& path) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;
  // Fine if it does not exist.
  virtual Result<> remove(const std::string& path) = 0;
  virtual Result<> sync_directory(const std::string& path) = 0;
  // Bytes that an unprivileged writer may still use on the volume of `path`.
  virtual Result<uint64_t> free_bytes(const std::string& path) = 0;
  virtual Result<uint64_t> total_bytes(const std::string& path) = 0;
  // Takes an exclusive lock (flock) on `path`, created if absent, and writes this process's id into it.
  // Errors: kConflict, whose message names the pid of the holder.
  virtual Result<std::unique_ptr<FileLock>> lock(const std::string& path) = 0;
};

// The operating system's files.
FileSystem& real_files();

// Reads a whole file of at most `bytes_max`. Errors: as open(); kTooLarge.
Result<std::string> read_file(FileSystem& files, const std::string& path, uint64_t bytes_max = 64u << 20);
// Replaces `path` so that after a power cut it is the old or the new content, whole: temporary file, fsync, rename,
// fsync of the directory.
Result<> replace_file(FileSystem& files, const std::string& path, std::string_view content);
// The directory part of a path, "." if there is none.
std::string parent_directory(const std::string& path);

}  // namespace weir
