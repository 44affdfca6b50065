#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/files.h"
#include "weir/base/metrics.h"
#include "weir/base/thread.h"
#include "weir/journal/journal.h"
#include "weir/journal/metrics.h"
#include "weir/journal/options.h"
#include "weir/journal/segmented/catalog.h"
#include "weir/journal/segmented/preparer.h"
#include "weir/journal/segmented/recovery.h"
#include "weir/journal/segmented/writer.h"

namespace weir::journal::segmented {

inline constexpr std::array<Partition, 2> kPartitions = {Partition::live, Partition::bulk};

// The journal in files of our own. Thread-safe. Threads: one writer a partition; "journal-keeper", which prepares
// segments, keeps the MANIFESTs, writes indexes, watches the free space and deletes what may go; "journal-timer",
// which answers appends whose deadline passes while the disk hangs, and so never touches a file itself.
class SegmentedJournal final : public Journal {
 public:
  // As journal::open().
  static Result<std::unique_ptr<Journal>> open(FileSystem& files, Clock& clock, metrics::Registry& metrics,
                                               const std::string& directory, const Options& options);
  // Without close() before: as after a crash.
  ~SegmentedJournal() override;

  const std::string& uuid() const override { return uuid_; }
  std::string_view kind() const override { return "segmented"; }
  std::string_view topic() const override { return ""; }
  Writer& writer(Partition partition) override;
  std::unique_ptr<Reader> reader(Partition partition) override;
  PartitionInfo info(Partition partition) const override;
  void release(Partition partition, Offset loaded) override;
  Result<Offset> offset_at(Partition partition, UnixMillis t) override;
  Result<> begin_epoch(Partition partition, Offset next) override;
  Result<> close() override;

 private:
  struct Part {
    Part(PartitionManifest manifest, std::vector<SegmentInfo> segments, Index open_index, metrics::Registry& registry)
        : catalog(std::move(manifest), std::move(segments), std::move(open_index)),
          metrics(registry, catalog.partition()) {}
    std::string directory;
    Catalog catalog;
    Preparer preparer;
    PartitionMetrics metrics;
    std::atomic<Offset> released{0};
    std::vector<SegmentInfo> given_up;  // to be deleted once the MANIFEST says so; the keeper's
    std::unique_ptr<SegmentedWriter> writer;
  };

  SegmentedJournal(FileSystem& files, Clock& clock, std::string directory, std::string uuid, const Options& options);
  void start(Partition partition, Recovered recovered, metrics::Registry& registry);
  Part& part(Partition partition) const;
  // What was appended before this may go.
  UnixMillis keep_from() const;
  void poke();
  void keep_house();
  void keep(Part& part);
  void write_indexes();
  void retire(Part& part);
  bool save_manifest(Part& part);
  void watch_space();
  void watch_deadlines();
  void stop_threads();

  FileSystem& files_;
  Clock& clock_;
  const std::string directory_;
  const std::string uuid_;
  const Options options_;
  std::array<std::unique_ptr<Part>, kPartitions.size()> parts_;

  std::mutex mutex_;  // guards all below
  std::condition_variable poked_;
  std::condition_variable stopped_;
  bool poke_ = false;
  bool stop_ = false;
  struct PendingIndex {
    Part* part;
    SegmentInfo segment;
    Index index;
  };
  std::deque<PendingIndex> indexes_;
  Thread keeper_;
  Thread timer_;
};

}  // namespace weir::journal::segmented
