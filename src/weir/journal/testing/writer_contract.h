#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "weir/journal/journal.h"

// What every journal promises, whatever keeps its records. An implementation's test names how to make, close and
// reopen one, and instantiates the suite:
//
//   INSTANTIATE_TEST_SUITE_P(Segmented, JournalContract, ::testing::Values(make_segmented_maker));
namespace weir::journal::testing {

// Owns one journal's place. reopen() is a new process life after an orderly close.
class JournalMaker {
 public:
  virtual ~JournalMaker() = default;
  virtual std::unique_ptr<Journal> open() = 0;
};
using MakeJournalMaker = std::function<std::unique_ptr<JournalMaker>()>;

class JournalContract : public ::testing::TestWithParam<MakeJournalMaker> {
 protected:
  void SetUp() override {
    maker_ = GetParam()();
    journal_ = maker_->open();
    ASSERT_NE(journal_, nullptr);
  }
  void reopen() {
    ASSERT_TRUE(journal_->close());
    journal_.reset();
    journal_ = maker_->open();
    ASSERT_NE(journal_, nullptr);
  }
  static auto soon() { return std::chrono::steady_clock::now() + std::chrono::minutes(1); }
  Result<Appended> append(const std::vector<std::string>& texts, Partition partition = Partition::live) {
    Records records;
    for (const std::string& text : texts) records.add(text);
    return append_and_wait(journal_->writer(partition), std::move(records), soon());
  }
  std::map<Offset, std::string> read_all(Offset from = 0, Partition partition = Partition::live) {
    std::map<Offset, std::string> all;
    auto reader = journal_->reader(partition);
    const Offset end = journal_->writer(partition).end();
    for (Offset at = from; at < end;) {
      auto batch = reader->read(at, 10'000, std::chrono::seconds(10));
      if (!batch) {
        ADD_FAILURE() << batch.error().message;
        break;
      }
      for (const Record& record : batch->records) all.emplace(record.offset, record.bytes);
      if (batch->next <= at) {
        ADD_FAILURE() << "no progress at " << at;
        break;
      }
      at = batch->next;
    }
    return all;
  }

  std::unique_ptr<JournalMaker> maker_;
  std::unique_ptr<Journal> journal_;
};

TEST_P(JournalContract, GivesRecordsBackInOrderAtTheirOffsets) {
  std::map<Offset, std::string> expected;
  for (int i = 0; i < 50; ++i) {
    std::vector<std::string> texts;
    for (int j = 0; j <= i % 5; ++j) texts.push_back("record " + std::to_string(i) + "." + std::to_string(j));
    auto appended = append(texts);
    ASSERT_TRUE(appended) << appended.error().message;
    ASSERT_EQ(appended->last - appended->first + 1, texts.size());
    ASSERT_TRUE(expected.empty() || appended->first > expected.rbegin()->first);
    Offset offset = appended->first;
    for (const std::string& text : texts) expected.emplace(offset++, text);
  }
  EXPECT_EQ(read_all(), expected);
  EXPECT_EQ(journal_->writer(Partition::live).end(), expected.rbegin()->first + 1);
  auto middle = std::next(expected.begin(), static_cast<ptrdiff_t>(expected.size() / 2));
  EXPECT_EQ(read_all(middle->first), (std::map<Offset, std::string>(middle, expected.end())));
}

TEST_P(JournalContract, KeepsRecordsOffsetsAndIdentityThroughReopening) {
  ASSERT_TRUE(append({"one", "two"}));
  auto before = read_all();
  std::string uuid = journal_->uuid();
  reopen();
  EXPECT_EQ(journal_->uuid(), uuid);
  EXPECT_EQ(read_all(), before);
  auto appended = append({"three"});
  ASSERT_TRUE(appended);
  EXPECT_GT(appended->first, before.rbegin()->first);
  EXPECT_EQ(read_all().size(), 3u);
}

TEST_P(JournalContract, TakesAnyBytes) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  ASSERT_TRUE(append({"", all_bytes, std::string(200'000, '\0'), "WJF1WEIRSEG1WEIRFTR1"}));
  auto all = read_all();
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all.begin()->second, "");
  EXPECT_EQ(std::next(all.begin(), 1)->second, all_bytes);
  EXPECT_EQ(std::next(all.begin(), 2)->second, std::string(200'000, '\0'));
}

TEST_P(JournalContract, KeepsPartitionsApart) {
  ASSERT_TRUE(append({"live"}, Partition::live));
  ASSERT_TRUE(append({"bulk 1", "bulk 2"}, Partition::bulk));
  EXPECT_EQ(read_all(0, Partition::live).size(), 1u);
  EXPECT_EQ(read_all(0, Partition::bulk).size(), 2u);
}

TEST_P(JournalContract, RefusesNothingAndWhatCameTooLate) {
  EXPECT_EQ(append({}).error().code, ErrorCode::kBadInput);
  Records records;
  records.add("late");
  auto late = append_and_wait(journal_->writer(Partition::live), std::move(records), std::chrono::steady_clock::now());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kTimeout);
}

TEST_P(JournalContract, AReaderWaitsForNewRecords) {
  auto reader = journal_->reader(Partition::live);
  auto nothing = reader->read(0, 1000, std::chrono::milliseconds(1));
  ASSERT_TRUE(nothing);
  EXPECT_TRUE(nothing->empty());
  std::thread appending([&] { EXPECT_TRUE(append({"a"})); });
  auto batch = reader->read(nothing->next, 1000, std::chrono::seconds(60));
  appending.join();
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->records.size(), 1u);
  EXPECT_EQ(batch->records[0].bytes, "a");
  EXPECT_GT(batch->appended_at, 0);
}

TEST_P(JournalContract, ManyCallersGetDistinctOffsetsAndReadersSeeOnlyWhatIsAcknowledged) {
  std::mutex mutex;
  std::map<Offset, std::string> expected;
  std::atomic<int> running{4};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 40; ++i) {
        std::vector<std::string> texts = {std::to_string(caller) + ":" + std::to_string(i), "second"};
        auto appended = append(texts);
        ASSERT_TRUE(appended);
        std::lock_guard lock(mutex);
        ASSERT_TRUE(expected.emplace(appended->first, texts[0]).second);
        ASSERT_TRUE(expected.emplace(appended->last, texts[1]).second);
      }
      --running;
    });
  }
  auto reader = journal_->reader(Partition::live);
  std::map<Offset, std::string> seen;
  Offset at = 0;
  while (running > 0 || at < journal_->writer(Partition::live).end()) {
    auto batch = reader->read(at, 500, std::chrono::milliseconds(10));
    ASSERT_TRUE(batch);
    ASSERT_LE(batch->next, std::max(at, journal_->writer(Partition::live).end()));
    for (const Record& record : batch->records) seen.emplace(record.offset, record.bytes);
    at = batch->next;
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(seen, expected);
}

TEST_P(JournalContract, AfterCloseNothingIsTaken) {
  ASSERT_TRUE(append({"a"}));
  ASSERT_TRUE(journal_->close());
  EXPECT_EQ(append({"b"}).error().code, ErrorCode::kUnavailable);
}

}  // namespace weir::journal::testing
