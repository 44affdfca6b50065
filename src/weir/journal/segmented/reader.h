#pragma once

#include <memory>
#include <string>

#include "weir/base/files.h"
#include "weir/journal/journal.h"
#include "weir/journal/segmented/catalog.h"
#include "weir/journal/segmented/codec.h"

namespace weir::journal::segmented {

// Reads one partition's segments, only what the catalog says is durable, and checks every frame again.
// Confined to one thread; several may read at once.
class SegmentedReader final : public Reader {
 public:
  // `files` and `catalog` outlive it.
  SegmentedReader(FileSystem& files, Catalog& catalog) : files_(files), catalog_(catalog) {}
  Result<Batch> read(Offset from, uint64_t bytes_max, std::chrono::milliseconds wait) override;

 private:
  Result<> go_to(const SegmentInfo& segment, Offset from);
  Result<> read_segment(const SegmentInfo& segment, Offset& from, uint64_t bytes_max, Batch& batch);
  Result<bool> take_frame(std::string_view frame, const FrameHeader& header, Offset from, Batch& batch,
                          uint64_t& inflated_bytes);
  Result<> pass_damage(const SegmentInfo& segment, const std::string& reason);
  Error lost(const SegmentInfo& segment, Damage damage);

  FileSystem& files_;
  Catalog& catalog_;
  std::string piece_;  // of the file, read last
  // Where the next frame is expected: a continued read needs no search.
  std::unique_ptr<File> file_;
  Offset base_ = 0;        // of the segment `file_` is
  uint64_t position_ = 0;  // in it
  Offset at_ = 0;          // base offset of the frame there
};

}  // namespace weir::journal::segmented
