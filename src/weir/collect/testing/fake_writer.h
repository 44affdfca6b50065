#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weir/base/bytes.h"
#include "weir/journal/journal.h"

namespace weir::collect::testing {

// Keeps records in memory and says done on the caller's thread, or refuses everything. Thread-safe.
class FakeWriter final : public journal::Writer {
 public:
  void append(journal::Records records, std::chrono::steady_clock::time_point, Done done) override {
    std::optional<Error> refusal;
    journal::Appended appended;
    {
      std::lock_guard lock(mutex_);
      refusal = refusal_;
      if (!refusal) {
        ++appends_;
        appended.first = records_.size();
        const std::string& bytes = records.bytes();
        for (size_t at = 0; at < bytes.size();) {
          auto size = load_le<uint32_t>(bytes.data() + at);
          records_.push_back(bytes.substr(at + sizeof size, size));
          at += sizeof size + size;
        }
        appended.last = records_.size() - 1;
      }
    }
    if (refusal)
      done(*refusal);
    else
      done(appended);
  }
  journal::Offset end() const override {
    std::lock_guard lock(mutex_);
    return records_.size();
  }
  bool failed() const override { return false; }
  bool full() const override { return false; }
  uint64_t waiting_bytes() const override { return 0; }
  Result<> close() override { return {}; }

  void refuse(std::optional<Error> refusal) {
    std::lock_guard lock(mutex_);
    refusal_ = std::move(refusal);
  }
  std::vector<std::string> take_records() {
    std::lock_guard lock(mutex_);
    return std::exchange(records_, {});
  }
  int appends() const {
    std::lock_guard lock(mutex_);
    return appends_;
  }

 private:
  mutable std::mutex mutex_;  // guards the rest
  std::vector<std::string> records_;
  std::optional<Error> refusal_;
  int appends_ = 0;
};

}  // namespace weir::collect::testing
