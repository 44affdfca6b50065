#include "weir/query/kept_totals.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace weir::query {
namespace {

TEST(KeptTotals, AreFoundOnceHoweverManyWantThem) {
  KeptTotals totals;
  std::atomic<int> looked{0};
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  auto find = [&] {
    gone.wait();
    return Result<uint64_t>(static_cast<uint64_t>(++looked));
  };
  std::vector<std::future<uint64_t>> all;
  for (int i = 0; i < 8; ++i)
    all.push_back(std::async(std::launch::async, [&] { return totals.of("a", find).value(); }));
  go.set_value();
  for (auto& each : all) EXPECT_EQ(each.get(), 1u);
  EXPECT_EQ(totals.of("a", find).value(), 1u);
  EXPECT_EQ(totals.of("b", find).value(), 2u);
}

TEST(KeptTotals, AFailureIsNotKeptAndTheNextOneTries) {
  KeptTotals totals;
  std::promise<void> begun;
  std::promise<void> go;
  auto failing = std::async(std::launch::async, [&] {
    return totals.of("a", [&]() -> Result<uint64_t> {
      begun.set_value();
      go.get_future().wait();
      return Error{ErrorCode::kTimeout, "too long"};
    });
  });
  begun.get_future().wait();
  auto waiting = std::async(std::launch::async, [&] { return totals.of("a", [] { return Result<uint64_t>(7u); }); });
  go.set_value();
  EXPECT_EQ(failing.get().error().message, "too long");
  EXPECT_EQ(waiting.get().value(), 7u);
}

TEST(KeptTotals, TheOldestAreForgotten) {
  KeptTotals totals;
  uint64_t looked = 0;
  auto find = [&] { return Result<uint64_t>(++looked); };
  for (size_t i = 0; i < KeptTotals::kMost; ++i) (void)totals.of(std::to_string(i), find);
  EXPECT_EQ(totals.of("0", find).value(), 1u);
  EXPECT_EQ(totals.of("new", find).value(), KeptTotals::kMost + 1);
  EXPECT_EQ(totals.of("1", find).value(), 2u);
  EXPECT_EQ(totals.of("0", find).value(), KeptTotals::kMost + 2);
}

}  // namespace
}  // namespace weir::query
