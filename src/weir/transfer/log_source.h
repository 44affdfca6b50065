#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"

namespace weir::transfer {

// The bytes of a log file, unpacked. What packed it is told by its first bytes, never by its name: gzip, xz, zstd
// (several members one behind the other, as rotation by appending makes them, included), else plain.
// Confined to one thread.
class LogSource {
 public:
  virtual ~LogSource() = default;
  // Up to `size` bytes; 0 at the end. Errors: kUnavailable (reading failed), kCorrupt (packed bytes that do not unpack
  // or end too early), kTooLarge (xz that wants more than 256 MiB to unpack).
  virtual Result<size_t> read(char* into, size_t size) = 0;
  virtual std::string_view packing() const = 0;  // "gzip", "xz", "zstd", "plain"
  // Bytes of the file itself read so far, and in all (0: unknown, a pipe).
  virtual uint64_t read_bytes() const = 0;
  virtual uint64_t total_bytes() const = 0;
};

// Opens a file, or standard input for "-".
// Errors: kNotFound, kForbidden, kBadInput (a directory), kUnsupported (packed in another way), kUnavailable.
Result<std::unique_ptr<LogSource>> open_log(const std::string& path);

// Whole lines of a log.
struct LogChunk {
  std::string lines;        // each ends in '\n', the file's last one perhaps not
  uint64_t first_line = 0;  // number of its first line in the file, from 0
  uint64_t count = 0;
};

// Cuts a source into chunks of whole lines. A line above kLineBytesMax is left out and counted, whatever its length:
// memory stays bounded. Confined to one thread.
class ChunkCutter {
 public:
  // What the end of the source means: the end of its last line, or that more may come.
  enum class AtEnd : uint8_t { last_line, wait };
  ChunkCutter(LogSource& source, size_t chunk_bytes, AtEnd at_end = AtEnd::last_line)
      : source_(source), chunk_bytes_(chunk_bytes), at_end_(at_end) {}
  // The next chunk; an empty one (count 0) at the end, or when there is no whole line yet. The lines of a chunk are
  // consecutive.
  Result<LogChunk> next();
  // No more will come: what is left is the last line.
  void finish() { at_end_ = AtEnd::last_line; }
  uint64_t too_long() const { return too_long_; }

 private:
  Result<bool> fill();

  LogSource& source_;
  const size_t chunk_bytes_;
  AtEnd at_end_;
  bool skipping_ = false;  // within a line that is too long
  std::string rest_;       // read, not yet handed out
  size_t at_ = 0;          // in rest_
  bool end_ = false;
  uint64_t line_ = 0;
  uint64_t too_long_ = 0;
};

}  // namespace weir::transfer
