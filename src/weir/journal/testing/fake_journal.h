#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/logging.h"
#include "weir/base/metrics.h"
#include "weir/base/testing/eventually.h"
#include "weir/base/testing/fake_files.h"
#include "weir/journal/inspect.h"
#include "weir/journal/open.h"
#include "weir/journal/segmented/format.h"

namespace weir::journal::testing {

using weir::testing::eventually;
using weir::testing::FakeFiles;
using namespace std::chrono_literals;

// A journal on fake files and a fake clock that remembers what it was promised. For tests.
class FakeJournal {
 public:
  FakeJournal() {
    log::configure(log::Level::critical, log::Format::text);
    options.segment_bytes = 64 * KiB;
    options.free_percent_min = 0;
    options.record_bytes_max = 1 * MiB;
  }
  ~FakeJournal() {
    if (files) files->on_call(nullptr);
  }

  Result<> open() {
    journal.reset();
    auto opened = journal::open(*files, clock, metrics, "j", options);
    if (!opened) return std::move(opened).error();
    journal = *std::move(opened);
    return {};
  }
  // The process ends, whatever it was doing.
  void crash() {
    files->kill();
    journal.reset();
  }
  void power_cut(FakeFiles::Cut cut, uint64_t seed) {
    files->power_cut(cut, seed);
    journal.reset();
  }

  std::chrono::steady_clock::time_point later() { return clock.steady() + 1h; }
  static Records records_of(const std::vector<std::string>& texts) {
    Records records;
    for (const std::string& text : texts) records.add(text);
    return records;
  }
  // Appends and remembers what was acknowledged.
  Result<Appended> append(const std::vector<std::string>& texts, Partition partition = Partition::live) {
    auto appended = append_and_wait(journal->writer(partition), records_of(texts), later());
    if (appended) remember(*appended, texts, partition);
    return appended;
  }
  void remember(const Appended& appended, const std::vector<std::string>& texts,
                Partition partition = Partition::live) {
    Offset offset = appended.first;
    for (const std::string& text : texts) {
      auto [at, fresh] = acknowledged[partition].emplace(offset++, text);
      EXPECT_TRUE(fresh) << "offset " << at->first << " was given out twice";
    }
    EXPECT_EQ(offset, appended.last + 1);
  }
  // One record of about `size` bytes, no two alike, compressing somewhat.
  std::string text(size_t size = 100) {
    std::string text = "record " + std::to_string(++made_) + " ";
    uint64_t state = made_ * 0x9e3779b97f4a7c15;
    while (text.size() < size) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      text.push_back(static_cast<char>('a' + state % 26));
    }
    return text;
  }
  std::vector<std::string> texts(size_t count, size_t size = 100) {
    std::vector<std::string> all;
    for (size_t i = 0; i < count; ++i) all.push_back(text(size));
    return all;
  }

  // All readable records. Damage is passed over, as the loader does.
  std::map<Offset, std::string> read_all(Partition partition = Partition::live, uint64_t bytes_max = 64 * KiB) {
    std::map<Offset, std::string> all;
    auto reader = journal->reader(partition);
    Offset at = 0;
    int corrupt = 0;
    while (true) {
      auto batch = reader->read(at, bytes_max, 0ms);
      if (!batch) {
        EXPECT_EQ(batch.error().code, ErrorCode::kCorrupt) << batch.error().message;
        if (++corrupt > 1000) {
          ADD_FAILURE() << "the reader does not get past " << at << ": " << batch.error().message;
          break;
        }
        continue;
      }
      if (batch->empty() && batch->next >= journal->info(partition).end) break;
      EXPECT_GE(batch->first, at);
      Offset last = batch->first;
      for (const Record& record : batch->records) {
        EXPECT_GE(record.offset, last);
        EXPECT_LT(record.offset, batch->next);
        last = record.offset;
        EXPECT_TRUE(all.emplace(record.offset, std::string(record.bytes)).second);
      }
      if (batch->next <= at) {
        ADD_FAILURE() << "no progress at " << at;
        break;
      }
      at = batch->next;
    }
    return all;
  }
  // Every acknowledged record is there, at its offset, unless in a listed damage. Records that were never
  // acknowledged may be there too, between or behind them.
  void expect_promises_kept(Partition partition = Partition::live) {
    auto all = read_all(partition);
    auto damaged = journal->info(partition).damaged;
    size_t missing = 0;
    for (const auto& [offset, text] : acknowledged[partition]) {
      bool lost = false;
      for (const Damage& damage : damaged) lost = lost || (damage.first <= offset && offset < damage.next);
      if (lost || offset < journal->info(partition).begin) continue;
      auto at = all.find(offset);
      if (at == all.end()) {
        ++missing;
        continue;
      }
      ASSERT_EQ(at->second, text) << "at offset " << offset;
    }
    EXPECT_EQ(missing, 0u);
  }

  std::vector<std::string> segments(Partition partition = Partition::live) const {
    std::vector<std::string> found;
    const std::string prefix = "j/" + std::string(name_of(partition)) + "/";
    for (const std::string& path : files->paths())
      if (path.starts_with(prefix) && path.ends_with(".seg") && path.find('/', prefix.size()) == std::string::npos)
        found.push_back(path);
    return found;
  }
  // Positions of the frames of a segment, in order, with what they say.
  std::vector<std::pair<uint64_t, segmented::FrameHeader>> frames(const std::string& path,
                                                                  Partition partition = Partition::live) {
    std::vector<std::pair<uint64_t, segmented::FrameHeader>> found;
    std::string content = *files->content(path);
    auto header = segmented::decode_segment_header(content);
    EXPECT_TRUE(header);
    uint32_t tag = segmented::tag_of(header->uuid, partition);
    for (uint64_t at = segmented::kSegmentHeaderBytes; at + segmented::kFrameHeaderBytes <= content.size();) {
      segmented::FrameHeader frame;
      if (segmented::decode_frame_header(content.data() + at, tag, frame) != segmented::FrameFault::none) break;
      found.emplace_back(at, frame);
      at += frame.size();
    }
    return found;
  }

  std::unique_ptr<FakeFiles> files = std::make_unique<FakeFiles>();
  ManualClock clock{1'790'000'000'000};
  metrics::Registry metrics;
  Options options;
  std::unique_ptr<Journal> journal;
  std::map<Partition, std::map<Offset, std::string>> acknowledged;

 private:
  uint64_t made_ = 0;
};

}  // namespace weir::journal::testing
