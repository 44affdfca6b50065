#include "weir/query/kept_answers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace weir::query {
namespace {

TEST(KeptAnswers, AreFoundOnceHoweverManyWantThem) {
  KeptAnswers answers;
  std::atomic<int> looked{0};
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  auto find = [&] {
    gone.wait();
    return Result<std::string>(std::to_string(++looked));
  };
  std::vector<std::future<std::string>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(std::async(std::launch::async, [&] { return answers.of("a", find).value(); }));
  go.set_value();
  for (auto& each : all) EXPECT_EQ(each.get(), "1");
  EXPECT_EQ(answers.of("a", find).value(), "1");
  EXPECT_EQ(answers.of("b", find).value(), "2");
}

TEST(KeptAnswers, AFailureIsNotKeptAndTheNextOneTries) {
  KeptAnswers answers;
  std::promise<void> begun;
  std::promise<void> go;
  auto failing = std::async(std::launch::async, [&] {
    return answers.of("a", [&]() -> Result<std::string> {
      begun.set_value();
      go.get_future().wait();
      return Error{ErrorCode::kTimeout, "too long"};
    });
  });
  begun.get_future().wait();
  auto waiting =
      std::async(std::launch::async, [&] { return answers.of("a", [] { return Result<std::string>("7"); }); });
  go.set_value();
  EXPECT_EQ(failing.get().error().message, "too long");
  EXPECT_EQ(waiting.get().value(), "7");
}

TEST(KeptAnswers, ThoseAskedForLongestAgoGoWhenThereAreTooManyBytes) {
  int looked = 0;
  auto find = [&] { return Result<std::string>(std::string(100, 'x') + std::to_string(++looked)); };
  KeptAnswers answers(3'600);  // of some 300 bytes each
  const std::string first = answers.of("0", find).value();
  for (int i = 1; i < 50; ++i) {
    (void)answers.of(std::to_string(i), find);
    EXPECT_EQ(answers.of("0", find).value(), first) << "asked for again and again";
  }
  EXPECT_EQ(looked, 50);
  (void)answers.of("49", find);
  EXPECT_EQ(looked, 50) << "one of the last";
  (void)answers.of("1", find);
  EXPECT_EQ(looked, 51) << "gone";
}

TEST(KeptAnswers, ALargeOneIsNotKept) {
  int looked = 0;
  auto find = [&] { return ++looked, Result<std::string>(std::string(1'000, 'x')); };
  KeptAnswers answers(31'000);
  EXPECT_EQ(answers.of("a", find).value().size(), 1'000u);
  (void)answers.of("a", find);
  EXPECT_EQ(looked, 2);
}

}  // namespace
}  // namespace weir::query
