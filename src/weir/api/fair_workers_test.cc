#include "weir/api/fair_workers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <thread>

#include "weir/base/queue.h"

namespace weir::api {
namespace {
using ::testing::ElementsAre;

// Much longer than anything here takes; then a test fails instead of hanging.
constexpr std::chrono::seconds kPatience{30};

// What was run, in that order; and a gate at which work waits.
class FairWorkersTest : public ::testing::Test {
 protected:
  ~FairWorkersTest() override {
    open();
    workers_.reset();
  }

  FairWorkers& make(size_t threads, size_t waiting_max) { return workers_.emplace("test", threads, waiting_max); }
  void open() {
    if (!opened_) gate_.set_value();
    opened_ = true;
  }
  // Work that says its name and ends.
  FairWorkers::Work quick(std::string name) {
    return {[this, name] { (void)ran_.try_push(name); }, [] { return false; }};
  }
  // Work that says its name and waits for open().
  FairWorkers::Work slow(std::string name) {
    return {[this, name, opened = opening_] {
              (void)ran_.try_push(name);
              opened.wait();
            },
            [] { return false; }};
  }
  std::string next() {
    auto name = ran_.pop_for(kPatience);
    return name.value_or("nothing");
  }

  BoundedQueue<std::string> ran_{1'000};
  std::promise<void> gate_;
  std::shared_future<void> opening_ = gate_.get_future().share();
  bool opened_ = false;
  std::optional<FairWorkers> workers_;
};

TEST_F(FairWorkersTest, CallersTakeTurnsHoweverManyQuestionsOneHas) {
  FairWorkers& workers = make(1, 100);
  ASSERT_TRUE(workers.post({"flood", ""}, slow("f0")));
  EXPECT_EQ(next(), "f0");
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(workers.post({"flood", ""}, quick("f" + std::to_string(i))));
  for (const char* name : {"a1", "a2"}) ASSERT_TRUE(workers.post({"a", ""}, quick(name)));
  ASSERT_TRUE(workers.post({"b", ""}, quick("b1")));
  open();
  std::vector<std::string> order;
  for (int i = 0; i < 7; ++i) order.push_back(next());
  EXPECT_THAT(order, ElementsAre("f1", "a1", "b1", "f2", "a2", "f3", "f4"));
}

TEST_F(FairWorkersTest, TheNetworksOfASharedLinkTakeTurnsWithinItsTurns) {
  FairWorkers& workers = make(1, 100);
  ASSERT_TRUE(workers.post({"share", "1"}, slow("s0")));
  EXPECT_EQ(next(), "s0");
  for (const char* name : {"flood1", "flood2", "flood3"}) ASSERT_TRUE(workers.post({"share", "1"}, quick(name)));
  ASSERT_TRUE(workers.post({"share", "2"}, quick("visitor1")));
  for (const char* name : {"owner1", "owner2"}) ASSERT_TRUE(workers.post({"user", ""}, quick(name)));
  open();
  std::vector<std::string> order;
  for (int i = 0; i < 6; ++i) order.push_back(next());
  EXPECT_THAT(order, ElementsAre("flood1", "owner1", "visitor1", "owner2", "flood2", "flood3"));
}

TEST_F(FairWorkersTest, OneCallerLeavesAThreadToOthers) {
  FairWorkers& workers = make(3, 100);
  for (const char* name : {"f1", "f2", "f3", "f4"}) ASSERT_TRUE(workers.post({"flood", ""}, slow(name)));
  next();
  next();
  ASSERT_TRUE(workers.post({"other", ""}, quick("o1")));
  EXPECT_EQ(next(), "o1");
  ASSERT_TRUE(workers.post({"other", ""}, quick("o2")));
  EXPECT_EQ(next(), "o2");
  open();
  EXPECT_EQ(next(), "f3");
  EXPECT_EQ(next(), "f4");
}

TEST_F(FairWorkersTest, OneCallerGetsAThirdOfThePlacesAndOthersFindRoom) {
  constexpr size_t kPlaces = 30;
  FairWorkers& workers = make(1, kPlaces);
  ASSERT_TRUE(workers.post({"busy", ""}, slow("busy")));
  EXPECT_EQ(next(), "busy");
  auto fill = [&](const Asker& asker) {
    size_t taken = 0;
    for (;; ++taken) {
      auto posted = workers.post(asker, quick("q"));
      if (posted) continue;
      EXPECT_EQ(posted.error().code, ErrorCode::kLimited) << posted.error().message;
      return taken;
    }
  };
  EXPECT_EQ(fill({"flood", ""}), kPlaces / 3);
  // Behind a shared link one network leaves some of that to the others.
  EXPECT_EQ(fill({"share", "1"}), 7u);
  EXPECT_EQ(fill({"share", "2"}), 2u);
  // Newcomers find places until all are taken.
  for (size_t left = kPlaces - 19; left > 0; --left)
    EXPECT_TRUE(workers.post({"newcomer " + std::to_string(left), ""}, quick("n")));
  auto full = workers.post({"one more", ""}, quick("n"));
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, ErrorCode::kOverloaded);
}

TEST_F(FairWorkersTest, WhatNobodyWaitsForTakesNoPlace) {
  FairWorkers& workers = make(1, 1);
  ASSERT_TRUE(workers.post({"busy", ""}, slow("busy")));
  EXPECT_EQ(next(), "busy");
  std::atomic<bool> gone{false};
  FairWorkers::Work left = quick("left");
  left.abandoned = [&] { return gone.load(); };
  ASSERT_TRUE(workers.post({"a", ""}, std::move(left)));
  EXPECT_FALSE(workers.post({"b", ""}, quick("refused")));
  gone = true;
  EXPECT_TRUE(workers.post({"b", ""}, quick("b")));
  EXPECT_EQ(next(), "left");  // so that it ends
  open();
  EXPECT_EQ(next(), "b");
}

TEST_F(FairWorkersTest, StoppingDoesWhatIsWaitingAndRefusesMore) {
  FairWorkers& workers = make(3, 100);
  for (const char* name : {"1", "2", "3", "4", "5"}) ASSERT_TRUE(workers.post({"one", ""}, slow(name)));
  std::vector<std::string> ran = {next(), next()};
  std::thread stopper([&] { workers.stop(); });
  open();
  while (ran.size() < 5) ran.push_back(next());
  stopper.join();
  EXPECT_THAT(ran, ::testing::UnorderedElementsAre("1", "2", "3", "4", "5"));
  auto late = workers.post({"one", ""}, quick("late"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::kOverloaded);
}

}  // namespace
}  // namespace weir::api
