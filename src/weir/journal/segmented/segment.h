#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/journal/segmented/format.h"
#include "weir/journal/segmented/scanner.h"

namespace weir::journal::segmented {

// What is known of one segment without reading its frames.
struct SegmentInfo {
  std::string path;
  Offset base = 0;
  Offset end = 0;  // one past the last durable record
  uint32_t epoch = 0;
  uint64_t frames_end = 0;  // where its durable frames end
  uint64_t bytes = 0;       // of the file
  uint32_t last_crc = 0;
  UnixMillis created_at = 0;
  UnixMillis last_at = 0;    // of its last frame; created_at if it has none
  UnixMillis newest_at = 0;  // the newest of its frames
  bool sealed = false;
  std::string hash;  // from its footer; empty: it has none
};

// The name under which the segment after the open one waits, filled with synced zeros.
inline constexpr char kPreparedName[] = "next";

// Makes `directory`/next of `bytes` zeros, synced and named durably. Keeps one that is there with this size.
// Errors: kOverloaded (no space; nothing is left behind), kUnavailable.
Result<> prepare_segment(FileSystem& files, const std::string& directory, uint64_t bytes);

// The segment that is written to. Confined to its partition's writer.
class OpenSegment {
 public:
  // Turns the prepared file into the segment that begins at header.base: header, sync, rename, sync of the directory.
  // Errors: kOverloaded (no space; may be tried again), kUnavailable.
  static Result<std::unique_ptr<OpenSegment>> start(FileSystem& files, const std::string& directory,
                                                    const SegmentHeader& header);
  // Goes on behind what `walked` found in an existing file.
  static Result<std::unique_ptr<OpenSegment>> resume(FileSystem& files, const std::string& path,
                                                     const SegmentHeader& header, const Walk& walked);
  ~OpenSegment();

  // Whether a payload of this size (stored) still fits without growing the file.
  bool fits(uint64_t payload_bytes) const;
  // It holds no record, though perhaps a note of the end.
  bool empty() const { return next_ == base_; }

  // Writes one frame and syncs it; fills in base-independent fields (previous_crc, crc).
  // Errors: kOverloaded (no space: nothing of it stays, see take_back()), kUnavailable (write or sync failed; the
  // file must not be used any more).
  Result<> append(FrameHeader& frame, std::span<const iovec> payload, uint64_t& sync_nanos);
  // After kOverloaded: cuts the file behind the last frame. A failure is final.
  Result<> take_back();
  // Fills the rest of the file with zeros again: proves that there is space. Errors: as append().
  Result<> refill();
  // Writes the footer, cuts the file behind it, syncs. Nothing is appended afterwards.
  Result<Footer> seal();

  SegmentInfo info() const;
  Offset next() const { return next_; }
  uint64_t position() const { return position_; }
  uint32_t last_crc() const { return last_crc_; }
  uint32_t tag() const { return tag_; }
  const std::string& path() const { return path_; }

 private:
  struct Hash;
  OpenSegment(std::unique_ptr<File> file, std::string path, const SegmentHeader& header, uint64_t capacity);

  std::unique_ptr<File> file_;
  std::string path_;
  Offset base_;
  uint32_t epoch_;
  uint32_t tag_;
  UnixMillis created_at_;
  uint64_t capacity_;  // size of the zero-filled file
  uint64_t position_ = kSegmentHeaderBytes;
  Offset next_;
  uint32_t last_crc_;
  uint64_t frames_ = 0;
  UnixMillis first_at_ = 0;
  UnixMillis last_at_ = 0;
  UnixMillis newest_at_ = INT64_MIN;
  bool sealed_ = false;
  std::string hash_bytes_;
  std::unique_ptr<Hash> hash_;
};

// XXH3-128 of a file's first `bytes`, in canonical form. Errors: kUnavailable, kCorrupt (the file is shorter).
Result<std::string> hash_file(File& file, uint64_t bytes);

}  // namespace weir::journal::segmented
