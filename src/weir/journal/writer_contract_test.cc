#include "weir/journal/testing/writer_contract.h"

#include <filesystem>

#include "weir/base/clock.h"
#include "weir/base/testing/fake_files.h"
#include "weir/journal/open.h"

namespace weir::journal::testing {
namespace {

class SegmentedMaker : public JournalMaker {
 public:
  SegmentedMaker(FileSystem& files, std::string directory, std::string compression)
      : files_(files), directory_(std::move(directory)) {
    options_.segment_bytes = 1 * MiB;
    options_.free_percent_min = 0;
    options_.compression = std::move(compression);
  }
  std::unique_ptr<Journal> open() override {
    auto opened = journal::open(files_, clock_, metrics_, directory_ + "/journal", options_);
    if (!opened) {
      ADD_FAILURE() << opened.error().message;
      return nullptr;
    }
    return *std::move(opened);
  }

 private:
  FileSystem& files_;
  const std::string directory_;
  SystemClock clock_;
  metrics::Registry metrics_;
  Options options_;
};

class OnFakeFiles final : public JournalMaker {
 public:
  std::unique_ptr<Journal> open() override { return maker_.open(); }

 private:
  weir::testing::FakeFiles files_;
  SegmentedMaker maker_{files_, ".", "none"};
};

class OnRealFiles final : public JournalMaker {
 public:
  OnRealFiles() : directory_(made()), maker_(real_files(), directory_, "lz4") {}
  ~OnRealFiles() override { std::filesystem::remove_all(directory_); }
  std::unique_ptr<Journal> open() override { return maker_.open(); }

 private:
  static std::string made() {
    std::string pattern = ::testing::TempDir() + "journal-contract-XXXXXX";
    return mkdtemp(pattern.data());
  }
  const std::string directory_;
  SegmentedMaker maker_;
};

INSTANTIATE_TEST_SUITE_P(SegmentedOnFakeFiles, JournalContract,
                         ::testing::Values([] { return std::make_unique<OnFakeFiles>(); }));
INSTANTIATE_TEST_SUITE_P(SegmentedOnRealFiles, JournalContract,
                         ::testing::Values([] { return std::make_unique<OnRealFiles>(); }));

}  // namespace
}  // namespace weir::journal::testing
