#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/base/thread.h"
#include "weir/event/event.h"
#include "weir/journal/journal.h"
#include "weir/load/id_run.h"
#include "weir/load/outcomes.h"
#include "weir/load/ranges.h"

namespace weir::load {

// Tells whether a client's event id was seen before: exact for kWindow, at any rate, with bounded memory.
//
// An id is first seen at one place of the journal, and that place keeps it: asked again about the same place (after a
// kill, after any doubt), the answer is the same. What is known is derived from the journal. The newest ids are in
// memory, older ones in sorted files (DATA/dedup/, docs/formats/dedup.md); after a start, the records behind those
// files are read from the journal again, and when a file is damaged or missing, all of the window.
//
// Thread-safe: the loaders of all partitions share one. Keeps the references.
class Dedup {
 public:
  static constexpr UnixMillis kWindow = 7 * kMillisPerDay;

  struct Options {
    size_t recent_max = 131'072;          // ids in memory before they become a file
    size_t filter_bytes_max = 16u << 20;  // of the files' filters in memory; beyond, a look reads a page of each file
    size_t merge_at = 4;                  // files of about one size before they become one
  };

  // Errors: kUnavailable, kOverloaded (no space).
  static Result<std::unique_ptr<Dedup>> open(FileSystem& files, std::string directory, const std::string& journal_uuid,
                                             Options options);
  ~Dedup();

  // What there is beside the files.
  struct Sources {
    journal::Journal& journal;
    std::array<Outcomes*, 2> outcomes;  // of each partition, in the order of their numbers
    // The offsets of a partition in [first, next) that have a row, rising.
    std::function<Result<std::vector<uint64_t>>(journal::Partition, journal::Offset first, journal::Offset next)>
        stored;
  };
  // Says that nothing behind `end` was judged before this process: where the partition's journal ended when it was
  // opened.
  void begins_at(journal::Partition partition, journal::Offset end);
  // Reads from the journal what the files do not hold, before the first verdict is asked for: once, whoever comes
  // first; the others wait. Where one id was taken in two partitions, the record that has a row is the first.
  // `now`: records received more than two windows before it are not read. `stop`: answers true when it is to be given
  // up. Errors: kUnavailable (also while something that was judged is on its way to the store, which would not tell of
  // its row yet); call it again.
  Result<> fill(const Sources& sources, UnixMillis now, const std::function<bool()>& stop);

  enum class Verdict : uint8_t {
    first,      // it is to become a row; also when asked again about the same place
    duplicate,  // the same id within the window before or after, and the same content
    conflict,   // the same id, other content: the first counts
  };
  // About the record at `offset` of `partition`, whose id the client gave. Errors: kUnavailable (a file could not be
  // read or written, or was found damaged: call fill(), then ask again).
  Result<Verdict> judge(const event::Event& event, journal::Partition partition, journal::Offset offset);
  struct Place {
    journal::Partition partition;
    journal::Offset offset;
  };
  // What was judged of the partition below `offset` is a row, or has its outcome, or is given up: it is not on its way
  // to the store any more. Until then fill() does not ask which of two records has the row.
  void settled_below(journal::Partition partition, journal::Offset offset);
  // Where the id was seen first, as far as that is remembered. Errors: as judge().
  Result<std::optional<Place>> find(ProjectId project, std::string_view id) const;
  // Every record of the partition below `offset` was asked about: a start need not read them again.
  void decided_below(journal::Partition partition, journal::Offset offset);

  // The offset below which the journal may forget the partition's records: their ids are in files, and none is lost
  // with this process. Writes them once a day (`now`), however few there are.
  journal::Offset safe_below(journal::Partition partition, UnixMillis now);

  // Puts what is in memory into a file, so that the next start reads little. At a clean stop.
  Result<> checkpoint();

  size_t memory_bytes() const;
  uint64_t ids() const;
  size_t runs() const;
  // Waits until no files are to be made one. For tests.
  void wait_for_merges();

 private:
  struct Run {
    uint64_t number = 0;
    std::shared_ptr<IdRun> ids;
  };
  // Open addressing, linear probing, at most half full.
  class Recent {
   public:
    explicit Recent(size_t count_max);
    const IdEntry* find(const IdEntry& key) const;
    IdEntry* find(const IdEntry& key) { return const_cast<IdEntry*>(std::as_const(*this).find(key)); }
    void put(const IdEntry& entry);  // its key must not be there
    std::vector<IdEntry> sorted() const;
    size_t size() const { return size_; }
    size_t bytes() const { return slots_.size() * sizeof(IdEntry); }
    void clear();

   private:
    std::vector<IdEntry> slots_;  // key 0/0: free
    size_t size_ = 0;
  };

  Dedup(FileSystem& files, std::string directory, std::string journal_uuid, Options options);
  std::string path_of(uint64_t number) const;
  Result<> load_manifest();
  void forget_everything();
  Error failed(Error error);
  Result<Verdict> judge_known(const IdEntry& entry);
  Result<> write_manifest(const std::vector<Run>& runs);
  IdEntry key_of(ProjectId project, std::string_view id) const;
  IdEntry entry_of(const event::Event& event, journal::Partition partition, journal::Offset offset) const;
  Result<IdEntry*> known(const IdEntry& entry, IdEntry& found);
  Result<> remember(const IdEntry& entry);
  Result<> flush();
  Result<> open_filters(std::vector<Run>& runs);
  enum class Which : uint8_t { stored, all };
  Result<> judge_again(const Sources& sources, journal::Partition partition, Range range, Which which, uint64_t losses,
                       const std::function<bool()>& stop);
  void merge_loop();
  std::vector<Run> runs_to_merge() const;
  Result<> merge(const std::vector<Run>& some);

  FileSystem& files_;
  const std::string directory_;
  const std::string journal_uuid_;
  const Options options_;

  std::mutex fill_mutex_;  // held while filling; before mutex_
  bool filled_ = false;
  std::array<journal::Offset, 2> begins_{UINT64_MAX, UINT64_MAX};

  mutable std::mutex mutex_;  // guards all below
  std::string secret_;        // of the keys' hash
  Recent recent_;
  std::vector<Run> runs_;  // oldest first
  uint64_t next_number_ = 1;
  std::array<journal::Offset, 2> decided_{};  // by partition: below it, all is in recent_ or runs_
  std::array<journal::Offset, 2> covered_{};  // by partition: below it, all is in runs_
  UnixMillis flush_at_ = 0;                   // however few there are in recent_; 0: not known yet
  std::array<journal::Offset, 2>
      under_way_{};         // by partition: one past what may be on its way to the store; 0: nothing
  uint64_t losses_ = 0;     // times that a file was found damaged, and all thrown away
  uint64_t made_good_ = 0;  // of them, those behind which all was filled in again
  // Receipt of the id remembered last, Unix seconds. Not the newest of all: one that was received while the clock ran
  // ahead would have all others forgotten.
  uint32_t latest_ = 0;
  bool merging_ = false;
  bool stopping_ = false;
  std::condition_variable changed_;
  Thread merger_;
};

}  // namespace weir::load
