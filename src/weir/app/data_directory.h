#pragma once

#include <memory>
#include <string>

#include "weir/base/files.h"
#include "weir/base/result.h"

namespace weir::app {

// The format of the data directory that this program writes.
inline constexpr int kDataVersion = 1;

// DATA: its lock, its version and where things lie in it. Confined to main. The lock is held while this lives.
class DataDirectory {
 public:
  // Creates the directory where it is absent, takes the lock, checks the version and makes the subdirectories.
  // `new_journal` allows a directory that lost its journal to begin a new one.
  // Errors (each says what to do): kForbidden (permission), kConflict (another process: names its pid; a directory
  // that is not weir's; data without its journal), kUnsupported (made by a later version), kUnavailable.
  static Result<DataDirectory> open(FileSystem& files, const std::string& path, bool new_journal);

  const std::string& path() const { return path_; }
  std::string journal() const { return path_ + "/journal"; }
  std::string clickhouse() const { return path_ + "/clickhouse"; }
  std::string dedup() const { return path_ + "/dedup"; }
  std::string outcomes() const { return path_ + "/outcomes"; }
  std::string imports() const { return path_ + "/imports"; }
  std::string packs() const { return path_ + "/packs"; }
  std::string secrets() const { return path_ + "/secrets"; }
  std::string temporary() const { return path_ + "/tmp"; }
  std::string socket() const { return path_ + "/weir.sock"; }
  // True when this call of open() made the directory's first contents.
  bool created() const { return created_; }

 private:
  DataDirectory(std::string path, std::unique_ptr<FileLock> lock, bool created)
      : path_(std::move(path)), lock_(std::move(lock)), created_(created) {}

  std::string path_;
  std::unique_ptr<FileLock> lock_;
  bool created_;
};

}  // namespace weir::app
