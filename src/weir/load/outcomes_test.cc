#include "weir/load/outcomes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "weir/base/bytes.h"
#include "weir/base/testing/fake_files.h"

namespace weir::load {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using weir::testing::FakeFiles;
using Call = FakeFiles::Call;

const std::string kUuid = "0123456789abcdef";
const std::string kOther = "fedcba9876543210";

class OutcomesTest : public ::testing::Test {
 protected:
  OutcomesTest() { EXPECT_TRUE(files_.make_directory("d")); }
  std::unique_ptr<Outcomes> open(const std::string& uuid = kUuid) {
    auto opened = Outcomes::open(files_, "d/outcomes", uuid, journal::Partition::live);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? *std::move(opened) : nullptr;
  }
  static std::vector<Range> settled(Outcomes& outcomes) {
    auto ranges = outcomes.settled(0, UINT64_MAX);
    EXPECT_TRUE(ranges);
    return ranges ? ranges->all : std::vector<Range>();
  }
  static Result<> decide(Outcomes& outcomes, journal::Offset offset, Outcome outcome = Outcome::duplicate) {
    const Outcomes::Decision decision{offset, outcome};
    return outcomes.decide({&decision, 1});
  }
  FakeFiles files_;
};

TEST_F(OutcomesTest, WhatWasDecidedIsThereAfterAPowerCut) {
  auto outcomes = open();
  const std::vector<Outcomes::Decision> some = {{7, Outcome::duplicate}, {3, Outcome::expired}, {4, Outcome::erased}};
  ASSERT_TRUE(outcomes->decide(some));
  ASSERT_TRUE(outcomes->bury(std::vector<DeadLetter>{{9, 2, 1'700'000'000'000, "why", "{broken"}}));
  outcomes.reset();
  files_.power_cut(FakeFiles::Cut::nothing, 1);
  outcomes = open();
  EXPECT_THAT(settled(*outcomes), ElementsAre(Range{3, 5}, Range{7, 8}, Range{9, 10}));
  EXPECT_THAT(outcomes->counts(), ElementsAre(0, 1, 1, 1, 1, 0));
  auto letters = outcomes->dead_letters();
  ASSERT_TRUE(letters);
  ASSERT_EQ(letters->size(), 1U);
  EXPECT_EQ(letters->front().offset, 9U);
  EXPECT_EQ(letters->front().epoch, 2U);
  EXPECT_EQ(letters->front().at, 1'700'000'000'000);
  EXPECT_EQ(letters->front().reason, "why");
  EXPECT_EQ(letters->front().record, "{broken");
  EXPECT_THAT(outcomes->settled(4, 9)->all, ElementsAre(Range{4, 5}, Range{7, 8}));
}

TEST_F(OutcomesTest, ADecisionCanBeTakenBack) {
  auto outcomes = open();
  ASSERT_TRUE(outcomes->bury(std::vector<DeadLetter>{{1, 1, 5, "a", "x"}, {2, 1, 5, "b", "y"}}));
  ASSERT_TRUE(decide(*outcomes, 1, Outcome::row));
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(settled(*outcomes), ElementsAre(Range{2, 3}));
    EXPECT_THAT(outcomes->counts(), ElementsAre(0, 0, 1, 0, 0, 0));
    auto letters = outcomes->dead_letters();
    ASSERT_TRUE(letters);
    ASSERT_EQ(letters->size(), 1U);
    EXPECT_EQ(letters->front().record, "y");
    outcomes.reset();
    outcomes = open();
  }
}

TEST_F(OutcomesTest, LettersAreReadBesideWhoeverWritesThem) {
  EXPECT_THAT(*read_dead_letters(files_, "d/outcomes", journal::Partition::live), IsEmpty());
  auto outcomes = open();
  ASSERT_TRUE(outcomes->bury(std::vector<DeadLetter>{{1, 1, 5, "a", "x"}}));
  EXPECT_EQ(read_dead_letters(files_, "d/outcomes", journal::Partition::live)->size(), 1U);
  EXPECT_THAT(*read_dead_letters(files_, "d/outcomes", journal::Partition::bulk), IsEmpty());
}

TEST_F(OutcomesTest, AnotherJournalsDecisionsAreNotOurs) {
  ASSERT_TRUE(decide(*open(kOther), 1));
  auto outcomes = open();
  EXPECT_THAT(settled(*outcomes), IsEmpty());
  ASSERT_TRUE(decide(*outcomes, 2));
  outcomes.reset();
  EXPECT_THAT(settled(*open()), ElementsAre(Range{2, 3}));
  EXPECT_THAT(settled(*open(kOther)), ElementsAre(Range{1, 2}));
}

// Each call that can fail fails in turn, then the process ends: nothing that was said to be durable is lost.
TEST_F(OutcomesTest, AFailureOfAnyCallLosesNothingThatWasConfirmed) {
  for (Call call : {Call::open, Call::write, Call::sync_data, Call::sync, Call::rename, Call::sync_directory}) {
    for (uint64_t nth = 1; nth <= 12; ++nth) {
      SCOPED_TRACE(std::string(FakeFiles::name_of(call)) + " " + std::to_string(nth));
      FakeFiles files;
      ASSERT_TRUE(files.make_directory("d"));
      std::set<journal::Offset> confirmed;
      {
        auto outcomes = Outcomes::open(files, "d/outcomes", kUuid, journal::Partition::live);
        ASSERT_TRUE(outcomes);
        files.fail(call, nth, ErrorCode::kUnavailable, "outcomes");
        for (journal::Offset offset = 0; offset < 8; ++offset)
          if (decide(**outcomes, offset) || decide(**outcomes, offset)) confirmed.insert(offset);
      }
      EXPECT_EQ(confirmed.size(), 8U);  // trying once more is enough
      files.power_cut(FakeFiles::Cut::nothing, nth);
      auto outcomes = Outcomes::open(files, "d/outcomes", kUuid, journal::Partition::live);
      ASSERT_TRUE(outcomes) << outcomes.error().message;
      EXPECT_THAT((*outcomes)->settled(0, 100)->all, ElementsAre(Range{0, 8}));
    }
  }
}

// The process dies at each changing call in turn, and the power goes: what was confirmed is there, and it goes on.
TEST_F(OutcomesTest, ADeathAtAnyStepKeepsWhatWasConfirmed) {
  for (auto cut : {FakeFiles::Cut::nothing, FakeFiles::Cut::prefix, FakeFiles::Cut::some, FakeFiles::Cut::all}) {
    for (uint64_t step = 1; step <= 24; ++step) {
      SCOPED_TRACE(step);
      FakeFiles files;
      ASSERT_TRUE(files.make_directory("d"));
      std::vector<Range> confirmed;
      files.die_at(step);
      if (auto outcomes = Outcomes::open(files, "d/outcomes", kUuid, journal::Partition::live)) {
        for (journal::Offset offset = 0; offset < 6; ++offset)
          if (decide(**outcomes, offset)) append_range(confirmed, {offset, offset + 1});
      }
      files.die_at(0);
      files.power_cut(cut, step);
      auto outcomes = Outcomes::open(files, "d/outcomes", kUuid, journal::Partition::live);
      ASSERT_TRUE(outcomes) << outcomes.error().message;
      auto found = (*outcomes)->settled(0, 100);
      ASSERT_TRUE(found);
      for (Range range : confirmed) EXPECT_EQ(overlap(range, found->all), range.next - range.first);
      ASSERT_TRUE(decide(**outcomes, 50));
      EXPECT_EQ(overlap({50, 51}, (*outcomes)->settled(0, 100)->all), 1U);
    }
  }
}

TEST_F(OutcomesTest, DamageCostsItsGroupOnly) {
  {
    auto outcomes = open();
    for (journal::Offset offset = 0; offset < 5; ++offset) ASSERT_TRUE(decide(*outcomes, offset));
  }
  const std::string path = "d/outcomes/live-00000001.log";
  const size_t header = 24;
  const size_t group = (files_.content(path)->size() - header) / 5;
  files_.flip(path, header + 2 * group + group - 1);
  auto outcomes = open();
  EXPECT_THAT(settled(*outcomes), ElementsAre(Range{0, 2}, Range{3, 5}));
  ASSERT_TRUE(decide(*outcomes, 9));  // in a file of its own
  outcomes.reset();
  EXPECT_THAT(settled(*open()), ElementsAre(Range{0, 2}, Range{3, 5}, Range{9, 10}));
}

TEST_F(OutcomesTest, WholeFilesAreForgottenWithTheJournal) {
  auto outcomes = open();
  std::vector<Outcomes::Decision> many;
  journal::Offset offset = 0;
  for (int file = 0; file < 3; ++file) {
    for (uint64_t bytes = 0; bytes < EntryLog::kFileBytes; bytes += 13) many.push_back({offset++, Outcome::duplicate});
    ASSERT_TRUE(outcomes->decide(many));
    many.clear();
  }
  EXPECT_EQ(outcomes->counts()[1], offset);
  ASSERT_TRUE(outcomes->retire_below(offset / 3 - 1));
  EXPECT_EQ(outcomes->counts()[1], offset);
  ASSERT_TRUE(outcomes->retire_below(offset));
  EXPECT_EQ(outcomes->counts()[1], offset / 3);  // the newest file stays
  EXPECT_EQ(settled(*outcomes).front().first, offset / 3 * 2);
  outcomes.reset();
  EXPECT_EQ(open()->counts()[1], offset / 3);
}

}  // namespace
}  // namespace weir::load
