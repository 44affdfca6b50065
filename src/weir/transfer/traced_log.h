#pragma once

#include <string>

#include "weir/transfer/log_source.h"
#include "weir/transfer/repeats.h"

namespace weir::transfer {

// A chunk, and what must be known of the lines before it to understand it alone.
struct TracedChunk {
  LogChunk chunk;
  std::string repeats;  // write_repeats()
  std::string fields;   // of a W3C log: what stands behind the last "#Fields:" before the chunk; or empty
};

// One log from its first line on, cut into chunks that are understood alone. Confined to one thread.
class TracedLog {
 public:
  // Keeps `source`.
  TracedLog(LogSource& source, size_t chunk_bytes, ChunkCutter::AtEnd at_end = ChunkCutter::AtEnd::last_line);
  // As ChunkCutter's.
  Result<TracedChunk> next();
  void finish() { cutter_.finish(); }
  uint64_t too_long() const { return cutter_.too_long(); }

 private:
  ChunkCutter cutter_;
  RepeatWindow window_;
  std::string fields_;
};

}  // namespace weir::transfer
