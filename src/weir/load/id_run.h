#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/files.h"
#include "weir/base/result.h"

namespace weir::load {

// Where an event's id was first seen. Ordered by key; the key is a keyed 128-bit hash of (project, id).
struct IdEntry {
  uint64_t key_high = 0;
  uint64_t key_low = 0;
  uint64_t place = 0;     // of the record, see Dedup
  uint32_t received = 0;  // Unix seconds
  uint32_t payload = 0;   // hash of what the event says

  bool same_key(const IdEntry& other) const { return key_high == other.key_high && key_low == other.key_low; }
  bool before(const IdEntry& other) const {
    return key_high != other.key_high ? key_high < other.key_high : key_low < other.key_low;
  }
};
static_assert(sizeof(IdEntry) == 32);

// A sorted file of ids that never changes (docs/formats/dedup.md): pages of entries, then the first keys of pages, then
// a Bloom filter. In memory are the first keys (at most 2 MiB, of every page up to 66 million ids, of every second one
// up to twice as many, and so on) and, where it is asked for, the filter (10 bits an id). A look reads a page, or a
// few.
class IdRun {
 public:
  static constexpr size_t kPageBytes = 4096;
  static constexpr size_t kPageEntries = 127;  // and a checksum
  static constexpr size_t kFencesMax = 512 * 1024;

  // Errors: kCorrupt (not whole), kNotFound, kUnavailable.
  static Result<std::unique_ptr<IdRun>> open(FileSystem& files, const std::string& path, bool with_filter);

  // Thread-safe. Errors: kCorrupt, kUnavailable.
  Result<std::optional<IdEntry>> find(const IdEntry& key) const;

  uint64_t count() const { return count_; }
  size_t memory_bytes() const { return fences_.size() * sizeof(uint32_t) + filter_.size() * sizeof(uint64_t); }
  size_t filter_bytes() const { return filter_.size() * sizeof(uint64_t); }

  // Reads the entries in their order. Confined to one thread; the run must outlive it.
  class Cursor {
   public:
    explicit Cursor(const IdRun& run) : run_(run) {}
    // Null at the end. Errors: kCorrupt, kUnavailable.
    Result<const IdEntry*> next();

   private:
    const IdRun& run_;
    std::vector<IdEntry> page_;
    size_t at_ = 0;
    uint64_t next_page_ = 0;
  };

 private:
  IdRun() = default;
  Result<> read_page(uint64_t page, IdEntry* into) const;
  size_t entries_of(uint64_t page) const;

  std::unique_ptr<File> file_;
  uint64_t count_ = 0;
  uint64_t pages_ = 0;
  unsigned fence_shift_ = 0;
  std::vector<uint32_t> fences_;  // the top 32 bits of the first key of every (1 << fence_shift_)th page
  std::vector<uint64_t> filter_;  // empty: not in memory
};

// Writes a run: add() in rising order of keys, each key once, then finish(). Confined to one thread.
class IdRunWriter {
 public:
  // `count_max`: at least as many as will be added. There will be a filter when it takes no more than
  // `filter_bytes_max`; memory is that and 3 MiB.
  static Result<std::unique_ptr<IdRunWriter>> create(FileSystem& files, const std::string& path, uint64_t count_max,
                                                     size_t filter_bytes_max);
  Result<> add(const IdEntry& entry);
  // The file is whole and its content synced; its name is not yet.
  Result<> finish();
  uint64_t count() const { return count_; }

 private:
  IdRunWriter() = default;
  Result<> flush_page();
  Result<> write_out(bool all);

  std::unique_ptr<File> file_;
  uint64_t position_ = 0;
  uint64_t count_ = 0;
  uint32_t newest_ = 0;
  uint64_t pages_ = 0;
  unsigned fence_shift_ = 0;
  std::vector<IdEntry> page_;
  std::string buffer_;
  std::vector<uint32_t> fences_;
  std::vector<uint64_t> filter_;
};

}  // namespace weir::load
