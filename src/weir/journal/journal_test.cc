#include "weir/journal/journal.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <thread>

#include "weir/base/random.h"
#include "weir/journal/inspect.h"
#include "weir/journal/open.h"

// The journal on the machine's own files, with the machine's own clock.
namespace weir::journal {
namespace {

using namespace std::chrono_literals;

class RealJournal : public testing::Test {
 protected:
  RealJournal() {
    std::string pattern = testing::TempDir() + "journal-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    options_.segment_bytes = 256 * KiB;
    options_.free_percent_min = 0;
  }
  ~RealJournal() override {
    journal_.reset();
    std::filesystem::remove_all(directory_);
  }
  void open() {
    journal_.reset();
    auto opened = journal::open(real_files(), clock_, metrics_, directory_ + "/journal", options_);
    ASSERT_TRUE(opened) << opened.error().message;
    journal_ = *std::move(opened);
  }
  static auto soon() { return std::chrono::steady_clock::now() + 30s; }

  std::string directory_;
  SystemClock clock_;
  metrics::Registry metrics_;
  Options options_;
  std::unique_ptr<Journal> journal_;
};

TEST_F(RealJournal, GivesBackWhatWasAppendedAcrossReopeningAndSegments) {
  open();
  std::vector<std::string> expected;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200; ++i) {
      Records records;
      for (int j = 0; j < 10; ++j) {
        expected.push_back(to_hex(random_bytes(50 + static_cast<size_t>(j) * 7)));
        records.add(expected.back());
      }
      auto appended = append_and_wait(journal_->writer(Partition::live), std::move(records), soon());
      ASSERT_TRUE(appended) << appended.error().message;
      EXPECT_EQ(appended->last + 1, expected.size());
      EXPECT_EQ(appended->first + 10, expected.size());
    }
    if (round == 0) {
      ASSERT_TRUE(journal_->close());
    }
    std::string uuid = journal_->uuid();
    open();
    EXPECT_EQ(journal_->uuid(), uuid);
    EXPECT_EQ(journal_->writer(Partition::live).end(), expected.size());
  }
  EXPECT_GT(journal_->info(Partition::live).segments, 2u);
  EXPECT_EQ(journal_->info(Partition::live).epochs.size(), 1u);
  EXPECT_EQ(journal_->info(Partition::bulk).epochs.size(), 1u);
  EXPECT_TRUE(journal_->info(Partition::live).damaged.empty());
  auto reader = journal_->reader(Partition::live);
  Offset at = 0;
  while (at < expected.size()) {
    auto batch = reader->read(at, 64 * KiB, 0ms);
    ASSERT_TRUE(batch) << batch.error().message;
    ASSERT_FALSE(batch->empty());
    EXPECT_EQ(batch->first, at);
    for (const Record& record : batch->records) {
      ASSERT_EQ(record.offset, at);
      ASSERT_EQ(record.bytes, expected[at]);
      ++at;
    }
    EXPECT_EQ(batch->next, at);
  }
}

TEST_F(RealJournal, CoroutinesGoOnInTheirOwnContext) {
  open();
  boost::asio::io_context context;
  int done = 0;
  const auto home = std::this_thread::get_id();
  for (int i = 0; i < 50; ++i) {
    boost::asio::co_spawn(
        context,
        [&]() -> boost::asio::awaitable<void> {
          Records records;
          records.add("a record");
          auto appended = co_await append(journal_->writer(Partition::bulk), std::move(records), soon());
          EXPECT_TRUE(appended);
          EXPECT_EQ(std::this_thread::get_id(), home);
          ++done;
          auto refused = co_await append(journal_->writer(Partition::bulk), Records(), soon());
          EXPECT_FALSE(refused);
          EXPECT_EQ(std::this_thread::get_id(), home);
          ++done;
        },
        boost::asio::detached);
  }
  context.run();
  EXPECT_EQ(done, 100);
  EXPECT_EQ(journal_->writer(Partition::bulk).end(), 50u);
  journal_.reset();  // its thread may still be leaving post()
}

TEST(JournalOpen, SaysThatKafkaIsNotBuiltIn) {
  SystemClock clock;
  metrics::Registry metrics;
  Options options;
  options.kind = "kafka";
  auto opened = open(real_files(), clock, metrics, "/nowhere", options);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace weir::journal
