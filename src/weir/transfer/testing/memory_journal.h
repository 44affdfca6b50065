#pragma once

#include <algorithm>
#include <array>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "weir/journal/journal.h"

namespace weir::transfer::testing {

// A journal in memory that outlives the importers of a test, as a real one outlives processes. Appends are durable at
// once unless `refuse` says otherwise. Thread-safe.
class MemoryJournal final : public journal::Journal {
 public:
  // Asked before each append to the bulk partition; an error refuses it.
  std::function<Result<>()> refuse;
  // Called after each append that was kept, before it is answered; false swallows the answer's success: the process
  // "dies" there (kUnavailable is answered, the records stay).
  std::function<bool()> survives;

  std::vector<std::string> bulk() const {
    std::lock_guard lock(mutex_);
    return records_[1];
  }

  const std::string& uuid() const override { return uuid_; }
  std::string_view kind() const override { return "memory"; }
  std::string_view topic() const override { return {}; }
  journal::Writer& writer(journal::Partition partition) override { return writers_[static_cast<size_t>(partition)]; }
  std::unique_ptr<journal::Reader> reader(journal::Partition partition) override {
    return std::make_unique<MemoryReader>(*this, static_cast<size_t>(partition));
  }
  journal::PartitionInfo info(journal::Partition partition) const override {
    journal::PartitionInfo info;
    info.partition = partition;
    std::lock_guard lock(mutex_);
    info.end = records_[static_cast<size_t>(partition)].size();
    info.epochs = {{1, 0}};
    return info;
  }
  void release(journal::Partition, journal::Offset) override {}
  Result<journal::Offset> offset_at(journal::Partition, UnixMillis) override { return journal::Offset{0}; }
  Result<> close() override { return {}; }

 private:
  class MemoryWriter final : public journal::Writer {
   public:
    MemoryWriter(MemoryJournal& journal, size_t partition) : journal_(journal), partition_(partition) {}
    void append(journal::Records records, std::chrono::steady_clock::time_point, Done done) override {
      if (journal_.refuse) {
        if (auto allowed = journal_.refuse(); !allowed) return done(std::move(allowed).error());
      }
      journal::Appended where;
      {
        std::lock_guard lock(journal_.mutex_);
        auto& held = journal_.records_[partition_];
        where.first = held.size();
        std::string_view bytes = records.bytes();
        while (!bytes.empty()) {
          uint32_t size = load_le<uint32_t>(bytes.data());
          held.emplace_back(bytes.substr(4, size));
          bytes.remove_prefix(4 + size);
        }
        where.last = held.size() - 1;
      }
      if (journal_.survives && !journal_.survives()) return done(Error{ErrorCode::kUnavailable, "journal: killed"});
      done(where);
    }
    journal::Offset end() const override {
      std::lock_guard lock(journal_.mutex_);
      return journal_.records_[partition_].size();
    }
    bool failed() const override { return false; }
    bool full() const override { return false; }
    uint64_t waiting_bytes() const override { return 0; }
    Result<> close() override { return {}; }

   private:
    MemoryJournal& journal_;
    const size_t partition_;
  };

  class MemoryReader final : public journal::Reader {
   public:
    MemoryReader(MemoryJournal& journal, size_t partition) : journal_(journal), partition_(partition) {}
    Result<journal::Batch> read(journal::Offset from, uint64_t bytes_max, std::chrono::milliseconds) override {
      journal::Batch batch;
      batch.epoch = 1;
      batch.first = from;
      std::lock_guard lock(journal_.mutex_);
      const auto& held = journal_.records_[partition_];
      uint64_t bytes = 0;
      journal::Offset at = from;
      for (; at < held.size() && bytes < bytes_max; ++at) bytes += held[at].size();
      batch.storage.assign(held.begin() + static_cast<long>(std::min<size_t>(from, held.size())),
                           held.begin() + static_cast<long>(std::min<size_t>(at, held.size())));
      for (size_t i = 0; i < batch.storage.size(); ++i) batch.records.push_back({from + i, batch.storage[i]});
      batch.next = at;
      return batch;
    }

   private:
    MemoryJournal& journal_;
    const size_t partition_;
  };

  const std::string uuid_ = std::string(16, 'u');
  mutable std::mutex mutex_;  // guards records_
  std::array<std::vector<std::string>, 2> records_;
  std::array<MemoryWriter, 2> writers_{MemoryWriter(*this, 0), MemoryWriter(*this, 1)};
};

}  // namespace weir::transfer::testing
