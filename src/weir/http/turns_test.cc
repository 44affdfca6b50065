#include "weir/http/turns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weir::http {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kLarge = Turns::kServiceBytes;

class TurnsTest : public ::testing::Test {
 protected:
  // Asks for a turn; its name then stands in `served`, or in `refused`.
  void ask(const std::string& name, uint64_t tenant, uint64_t bytes, std::chrono::milliseconds patience = 1h) {
    const Steady deadline = std::chrono::steady_clock::now() + patience;
    auto turn = [this, name, tenant, bytes, deadline]() -> asio::awaitable<void> {
      const bool ours = co_await turns.enter(tenant, bytes, deadline);
      (ours ? served : refused).push_back(name);
    };
    // The coroutine's lambda has to outlive it.
    asks.push_back(std::make_unique<std::function<asio::awaitable<void>()>>(std::move(turn)));
    asio::co_spawn(context, *asks.back(), asio::detached);
    run();
  }
  void leave(uint64_t bytes) {
    turns.leave(bytes);
    run();
  }
  // All that can be done without waiting.
  void run() {
    context.restart();
    context.poll();
  }

  std::vector<std::string> served;
  std::vector<std::string> refused;
  std::vector<std::unique_ptr<std::function<asio::awaitable<void>()>>> asks;
  Turns turns{context};
  asio::io_context context{1};  // destroyed first, and with it the coroutines that wait in `turns`
};

TEST_F(TurnsTest, AsMuchAsIsLetInDoesNotWait) {
  for (int i = 0; i < 4; ++i) ask("small", 1, kLarge / 4);
  EXPECT_EQ(served.size(), 4U);
  ask("waits", 1, 1);
  EXPECT_EQ(served.size(), 4U);
  leave(kLarge / 4);
  EXPECT_EQ(served.back(), "waits");
}

TEST_F(TurnsTest, LargeOnesAreLetInTwoAtATime) {
  for (const char* name : {"a", "b", "c", "d"}) ask(name, 1, 10 * kLarge);
  EXPECT_THAT(served, ElementsAre("a", "b"));
  leave(10 * kLarge);
  EXPECT_THAT(served, ElementsAre("a", "b", "c"));
}

TEST_F(TurnsTest, AFloodWaitsInItsOwnQueue) {
  for (int i = 0; i < 100; ++i) ask("flood", 1, kLarge);
  EXPECT_EQ(served.size(), 2U);
  served.clear();
  ask("quiet", 2, kLarge);
  EXPECT_THAT(served, IsEmpty());
  leave(kLarge);
  EXPECT_THAT(served, ElementsAre("quiet"));
}

TEST_F(TurnsTest, TenantsAreServedByTheirBytesNotByTheirRequests) {
  ask("first", 3, kLarge);
  ask("second", 3, kLarge);
  for (int i = 0; i < 8; ++i) ask("large", 1, 4 * kLarge);
  for (int i = 0; i < 32; ++i) ask("small", 2, kLarge);
  served.clear();
  leave(kLarge);
  leave(kLarge);
  // Until half of it is done; one is in service beside the one that leaves.
  while (served.size() < 20) {
    const bool large = served[served.size() - 2] == "large";
    leave(large ? 4 * kLarge : kLarge);
  }
  const auto large = std::count(served.begin(), served.end(), "large");
  EXPECT_EQ(large, 4) << "of 20, so that 4 times 4 parts are as much as 16";
}

TEST_F(TurnsTest, WhoWaitsBeyondItsTimeIsRefusedAndHoldsNobodyUp) {
  ask("first", 1, kLarge);
  ask("second", 1, kLarge);
  ask("impatient", 1, kLarge, 0ms);
  EXPECT_THAT(refused, ElementsAre("impatient"));
  ask("patient", 1, kLarge);
  leave(kLarge);
  EXPECT_THAT(served, ElementsAre("first", "second", "patient"));
}

}  // namespace
}  // namespace weir::http
