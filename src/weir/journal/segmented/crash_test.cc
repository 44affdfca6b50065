// The whole life of a journal, ended at every single step it takes: by a kill (what was written stays) and by power
// cuts (what was not synced is lost, torn or reordered). After each end it opens again, every acknowledged record is
// there once at its offset, nothing is called damaged, and it goes on.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "weir/journal/testing/fake_journal.h"

namespace weir::journal::segmented {
namespace {

using testing::FakeJournal;
using weir::testing::FakeFiles;
using namespace std::chrono_literals;

// Several callers append over a few rolls and a retention pass until the process dies; answers are remembered.
class Life : public FakeJournal {
 public:
  explicit Life(const char* compression) {
    options.compression = compression;
    options.segment_bytes = 16 * KiB;
    options.keep = 0s;
  }

  void live() {
    auto opened = open();
    if (!opened) return;  // died while opening
    Writer& writer = journal->writer(Partition::live);
    std::mutex mutex;
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 2; ++caller) {
      callers.emplace_back([&] {
        for (int i = 0; i < 16; ++i) {
          std::vector<std::string> mine;
          for (int j = 0; j <= i % 4; ++j) {
            std::lock_guard lock(mutex);
            mine.push_back(text(size_t{300} + size_t{40} * static_cast<size_t>(i)));
          }
          auto appended = append_and_wait(writer, records_of(mine), later());
          std::lock_guard lock(mutex);
          for (const std::string& text : mine) sent_.insert(text);
          if (appended)
            remember(*appended, mine);
          else
            return;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    clock.advance(1s);
    journal->release(Partition::live, writer.end());
    ASSERT_TRUE(testing::eventually([&] {
      return files->died() || writer.failed() ||
             (journal->info(Partition::live).begin > 0 && !files->exists("j/live/" + segment_name(0)));
    }));
    (void)journal->close();
  }

  void check(const std::string& where) {
    SCOPED_TRACE(where);
    auto opened = open();
    ASSERT_TRUE(opened) << opened.error().message;
    PartitionInfo info = journal->info(Partition::live);
    ASSERT_TRUE(info.damaged.empty()) << info.damaged[0].first << ".." << info.damaged[0].next << " "
                                      << info.damaged[0].reason;
    ASSERT_EQ(info.epochs.size(), 1u);
    expect_promises_kept();
    auto all = read_all();
    ASSERT_EQ(all.size(), info.end - info.begin);
    for (const auto& [offset, text] : all) ASSERT_TRUE(sent_.contains(text)) << "offset " << offset;
    // What is readable now is promised from now on: rows may be made of it.
    for (const auto& [offset, text] : all) acknowledged[Partition::live][offset] = text;
    std::vector<std::string> more = texts(3);
    for (const std::string& text : more) sent_.insert(text);
    ASSERT_TRUE(append(more));
    ASSERT_TRUE(verify_is_sound());
  }

  bool verify_is_sound() {
    auto report = verify(*files, "j");
    if (!report) return false;
    for (const PartitionReport& partition : report->partitions) {
      for (const std::string& problem : partition.problems) ADD_FAILURE() << problem;
      for (const SegmentReport& segment : partition.segments)
        for (const std::string& problem : segment.problems) ADD_FAILURE() << segment.file << ": " << problem;
    }
    return report->sound();
  }

 private:
  std::set<std::string> sent_;
};

enum class End { kill, cut_nothing, cut_all, cut_prefix, cut_some };

void end_life(Life& life, End end, uint64_t seed) {
  switch (end) {
    case End::kill:
      return life.crash();
    case End::cut_nothing:
      return life.power_cut(FakeFiles::Cut::nothing, seed);
    case End::cut_all:
      return life.power_cut(FakeFiles::Cut::all, seed);
    case End::cut_prefix:
      return life.power_cut(FakeFiles::Cut::prefix, seed);
    case End::cut_some:
      return life.power_cut(FakeFiles::Cut::some, seed);
  }
}

class Crash : public ::testing::TestWithParam<std::tuple<End, const char*>> {};

TEST_P(Crash, AtEveryStepOfALife) {
  auto [end, compression] = GetParam();
  // What prefix and some leave is a matter of chance: more of it.
  const uint64_t seeds = end == End::cut_prefix || end == End::cut_some ? 3 : 1;
  bool died = true;
  for (uint64_t step = 1; died; ++step) {
    for (uint64_t seed = 1; seed <= seeds; ++seed) {
      Life life(compression);
      life.files->die_at(step);
      life.live();
      died = life.files->died();
      end_life(life, end, seed * 10'000 + step);
      life.check("ended at change " + std::to_string(step) + ", seed " + std::to_string(seed));
      if (HasFatalFailure() || HasNonfatalFailure()) return;
      if (died) continue;
      // All of it was covered: opening, groups, rolls, the MANIFEST, deletion, the close.
      EXPECT_GT(step, 100u);
      EXPECT_GT(life.journal->info(Partition::live).begin, 0u);
    }
    ASSERT_LT(step, 5000u);
  }
}

// Recovery itself is ended at every step, again and again, and then allowed to finish.
TEST_P(Crash, AtEveryStepOfRecovery) {
  auto [end, compression] = GetParam();
  uint64_t seed = 1;
  Life life(compression);
  life.files->die_at(70);
  life.live();
  end_life(life, end, seed);
  for (uint64_t step = 1;; ++step) {
    life.files->die_at(step);
    auto opened = life.open();
    bool died = life.files->died();
    end_life(life, end, ++seed);
    if (!died && opened) {
      EXPECT_GT(step, 5u);
      break;
    }
    ASSERT_LT(step, 500u);
  }
  life.check("after many interrupted recoveries");
}

// One directory that lives through many ends in a row.
TEST_P(Crash, OverAndOver) {
  auto [end, compression] = GetParam();
  Life life(compression);
  for (uint64_t round = 1; round <= 25; ++round) {
    life.files->die_at(11 + round * 7 % 90);
    life.live();
    end_life(life, end, round);
    life.check("round " + std::to_string(round));
    if (HasFatalFailure() || HasNonfatalFailure()) return;
    end_life(life, end, round + 1000);
  }
}

std::string name_of_case(const ::testing::TestParamInfo<Crash::ParamType>& info) {
  constexpr const char* kEnds[] = {"Kill", "CutNothing", "CutAll", "CutPrefix", "CutSome"};
  return std::string(kEnds[static_cast<int>(std::get<0>(info.param))]) + "_" + std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(Ends, Crash,
                         ::testing::Combine(::testing::Values(End::kill, End::cut_nothing, End::cut_all,
                                                              End::cut_prefix, End::cut_some),
                                            ::testing::Values("none", "zstd", "lz4")),
                         name_of_case);

}  // namespace
}  // namespace weir::journal::segmented
