#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"

// Equal lines of a log (two requests of one visitor within one second) are told apart by their ordinal in the file.
// The file arrives in chunks, each understood alone, so that a chunk may be sent again after a failure: of a line
// that stood in an earlier chunk already, the chunk says how often.
namespace weir::transfer {

// The line `index` (from 0) of a chunk stood `before` times in the file before this chunk. Said once a chunk, at the
// line's first appearance there; what follows within the chunk is counted by the reader of the chunk.
struct Repeat {
  uint32_t index;
  uint32_t before;
};

// As text, rising by index: "12:1,40:3". Empty for none.
std::string write_repeats(std::span<const Repeat> repeats);
// Errors: kBadInput (not of that form, not rising).
Result<std::vector<Repeat>> parse_repeats(std::string_view text);

// A small table from hashes to counts. Confined to one thread.
class LineCounts {
 public:
  struct Entry {
    uint64_t hash = 0;
    uint32_t count = 0;
    uint32_t chunk = 0;
  };
  // The entry of a hash, made with count 0 if absent. Valid until the next call.
  Entry& entry(uint64_t hash);
  const Entry* find(uint64_t hash) const;
  size_t size() const { return size_; }
  void clear();

 private:
  void grow();
  std::vector<Entry> table_;  // a power of two long; count 0 and chunk 0: free
  size_t size_ = 0;
};

// Counts the lines of one file as they go by and finds each chunk's repeats. Remembers the last half million to
// million distinct lines: equal lines farther apart than that (they bear the same second) count as one.
// Confined to one thread.
class RepeatWindow {
 public:
  // `seed`: random, so that nobody can write lines whose hashes meet.
  explicit RepeatWindow(uint64_t seed) : seed_(seed) {}
  // A new chunk begins.
  void begin_chunk() { ++chunk_; }
  // The next line of the chunk. Answers how often it stood in earlier chunks if this is its first time in this one,
  // else 0.
  uint32_t add(std::string_view line);

 private:
  static constexpr size_t kGenerationLines = 512 * 1024;
  const uint64_t seed_;
  uint32_t chunk_ = 0;
  LineCounts young_;
  LineCounts old_;
};

}  // namespace weir::transfer
