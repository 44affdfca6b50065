#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/files.h"
#include "weir/base/result.h"

namespace weir::load {

// One entry: a key, by which whole files are retired, and bytes.
struct LogEntry {
  uint64_t key = 0;
  std::string_view bytes;  // at most EntryLog::kEntryBytesMax
};

// A durable list of entries that only grows at its end and is cut at its beginning, file by file: what loading decided
// about records. In the form of docs/formats/outcomes.md: files `<name>-<number>.log` of one directory, each entry in a
// group with a checksum.
//
// An entry that was appended stays, whatever is killed; a torn end is cut when the log is opened. Damage in the middle
// costs the groups it hits, is logged, and the rest stays readable.
//
// Thread-safe. Keeps `files` by reference.
class EntryLog {
 public:
  static constexpr size_t kEntryBytesMax = 16u << 20;
  static constexpr uint64_t kFileBytes = 4u << 20;  // a file that is longer is followed by another

  // Opens or creates the log. `owner`: 16 bytes that say whose entries these are (the journal's uuid); files of another
  // owner are left alone and said so. Empty: anybody's, for reading only. The directory must exist.
  // Errors: kUnavailable, kOverloaded.
  static Result<std::unique_ptr<EntryLog>> open(FileSystem& files, std::string directory, std::string name,
                                                std::string owner);

  // All entries are durable, or (on an error) it is unknown whether some are: append them again.
  // Errors: kUnavailable, kOverloaded (no space), kTooLarge.
  Result<> append(std::span<const LogEntry> entries);

  // Calls `visit` for each entry, oldest first, until it answers false. Appends wait meanwhile.
  // Errors: kUnavailable (a file could not be read).
  Result<> read(const std::function<bool(const LogEntry&)>& visit);

  // Removes the files all of whose keys are below `key`; the newest file stays. Answers whether any went.
  Result<bool> retire_below(uint64_t key);

  uint64_t bytes() const;

 private:
  struct Part {
    uint64_t number = 0;
    uint64_t size = 0;     // up to the last whole group
    uint64_t key_end = 0;  // one past the highest key
    bool whole = true;     // it may be appended to
  };

  EntryLog(FileSystem& files, std::string directory, std::string name, std::string owner);
  std::string path_of(uint64_t number) const;
  Result<> load_parts();
  Result<> start_part();
  // Walks the groups of one file. `end`: where the last whole group ends.
  Result<> walk(const Part& part, const std::function<bool(const LogEntry&)>& visit, uint64_t& end, bool& damaged);

  FileSystem& files_;
  const std::string directory_;
  const std::string name_;
  const std::string owner_;

  mutable std::mutex mutex_;  // guards all below
  std::vector<Part> parts_;   // oldest first
  std::unique_ptr<File> last_;
  uint64_t next_number_ = 1;
};

}  // namespace weir::load
