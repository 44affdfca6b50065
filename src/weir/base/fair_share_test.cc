#include "weir/base/fair_share.h"

#include <gtest/gtest.h>

#include <vector>

#include "weir/base/random.h"
#include "weir/base/thread.h"

namespace weir {
namespace {

// Takes one byte after the other until that is refused; answers how many it got.
uint64_t take_all(FairShare& share, uint64_t tenant) {
  uint64_t taken = 0;
  while (share.resize(tenant, 0, 1)) ++taken;
  return taken;
}

TEST(FairShare, WhoeverAsksWithoutEndLeavesRoomForTheNext) {
  FairShare share(1200);
  EXPECT_EQ(take_all(share, 1), 601U);  // the last one while it held no more than was free
  EXPECT_EQ(take_all(share, 2), 300U);
  EXPECT_TRUE(share.has_room(3, 299));
  EXPECT_FALSE(share.has_room(3, 300));
  // What the second gives back the first cannot have: it holds more than its share.
  EXPECT_TRUE(share.resize(2, 300, 0));
  EXPECT_FALSE(share.has_room(1, 1));
  // Once it holds less, both come to a third.
  EXPECT_TRUE(share.resize(1, 601, 0));
  uint64_t first = 0;
  uint64_t second = 0;
  for (bool going_on = true; going_on;) {
    going_on = share.resize(1, 0, 1);
    if (going_on) ++first;
    if (share.resize(2, 0, 1)) ++second;
  }
  EXPECT_NEAR(static_cast<double>(first), 400, 1);
  EXPECT_NEAR(static_cast<double>(second), 400, 1);
  EXPECT_EQ(share.held(), first + second);
}

TEST(FairShare, SharesShrinkWhileWhatIsHeldWaitsAndGrowBack) {
  constexpr uint64_t kAll = 64 << 20;
  constexpr uint64_t kPiece = 64 << 10;
  FairShare share(kAll);
  auto flood = [&share] {
    uint64_t pieces = 0;
    while (share.resize(1, 0, kPiece)) ++pieces;
    EXPECT_TRUE(share.has_room(2, 8 << 20)) << "whoever holds nothing finds room";
    for (uint64_t i = 0; i < pieces; ++i) share.resize(1, kPiece, 0);
    return pieces * kPiece;
  };
  EXPECT_GE(flood(), kAll / 2);
  for (int i = 0; i < 100; ++i) share.waited(FairShare::kWaitMost + std::chrono::milliseconds(1));
  EXPECT_LE(flood(), FairShare::kLeastBytes / 2 + kPiece);
  for (int i = 0; i < 2000; ++i) share.waited(std::chrono::milliseconds(1));
  EXPECT_GE(flood(), kAll / 2);
}

TEST(FairShare, OneAloneMayHoldAllAndNoneMore) {
  FairShare share(1000);
  EXPECT_TRUE(share.resize(1, 0, 600));
  EXPECT_TRUE(share.resize(1, 600, 1000));
  EXPECT_FALSE(share.resize(1, 1000, 1001));
  EXPECT_FALSE(share.resize(2, 0, 1));
  EXPECT_EQ(share.held(), 1000U);
  EXPECT_TRUE(share.resize(1, 1000, 400));
  EXPECT_FALSE(share.resize(2, 0, 601));
  EXPECT_TRUE(share.resize(2, 0, 600));
  EXPECT_FALSE(share.resize(2, 600, 601));
  EXPECT_EQ(share.held(), 1000U);
}

TEST(FairShare, ThreadsNeverHoldMoreThanThereIs) {
  FairShare share(1000);
  std::atomic<uint64_t> held{0};
  std::atomic<uint64_t> granted{0};
  {
    std::vector<Thread> threads;
    for (uint64_t tenant = 0; tenant < 4; ++tenant)
      threads.emplace_back("asks", [&, tenant] {
        for (int i = 0; i < 20'000; ++i) {
          const uint64_t bytes = 1 + random_u64() % 400;
          if (!share.resize(tenant % 2, 0, bytes)) continue;
          ++granted;
          EXPECT_LE(held.fetch_add(bytes) + bytes, 1000U);
          held.fetch_sub(bytes);
          EXPECT_TRUE(share.resize(tenant % 2, bytes, 0));
        }
      });
  }
  EXPECT_GT(granted, 0U);
  EXPECT_EQ(share.held(), 0U);
  EXPECT_TRUE(share.has_room(0, 1000));
}

}  // namespace
}  // namespace weir
