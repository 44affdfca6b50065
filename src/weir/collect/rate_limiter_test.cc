#include "weir/collect/rate_limiter.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace weir::collect {
namespace {

using std::chrono::milliseconds;

int allowed(RateLimiter& limiter, std::string_view address, ProjectId project, int attempts) {
  int count = 0;
  for (int i = 0; i < attempts; ++i) count += limiter.allow(address, project) ? 1 : 0;
  return count;
}

constexpr ProjectId kProject{1};

TEST(RateLimiter, ABurstThenTheRate) {
  ManualClock clock(1'000'000);
  RateLimiter limiter(60, 240, clock);
  EXPECT_EQ(allowed(limiter, "192.0.2.1", kProject, 1000), 240);
  clock.advance(milliseconds(1000));
  EXPECT_EQ(allowed(limiter, "192.0.2.1", kProject, 1000), 60);
  clock.advance(milliseconds(500));
  EXPECT_EQ(allowed(limiter, "192.0.2.1", kProject, 1000), 30);
  clock.advance(milliseconds(3'600'000));
  EXPECT_EQ(allowed(limiter, "192.0.2.1", kProject, 1000), 240);
}

TEST(RateLimiter, EachAddressAndProjectHasItsOwn) {
  ManualClock clock(1'000'000);
  RateLimiter limiter(1, 1, clock);
  EXPECT_TRUE(limiter.allow("192.0.2.1", kProject));
  EXPECT_FALSE(limiter.allow("192.0.2.1", kProject));
  EXPECT_TRUE(limiter.allow("192.0.2.2", kProject));
  EXPECT_TRUE(limiter.allow("192.0.2.1", ProjectId{2}));
  EXPECT_TRUE(limiter.allow("192.0.2.1", ProjectId{}));
  EXPECT_FALSE(limiter.allow("192.0.2.1", ProjectId{}));
}

TEST(RateLimiter, AnIpv6NetworkIsOneClient) {
  ManualClock clock(1'000'000);
  RateLimiter limiter(1, 1, clock);
  EXPECT_TRUE(limiter.allow("2001:db8:1:2::1", kProject));
  EXPECT_FALSE(limiter.allow("2001:db8:1:2:ffff::9", kProject));
  EXPECT_TRUE(limiter.allow("2001:db8:1:3::1", kProject));
}

TEST(RateLimiter, ZeroIsNoLimit) {
  ManualClock clock(1'000'000);
  RateLimiter no_rate(0, 240, clock);
  RateLimiter no_burst(60, 0, clock);
  EXPECT_EQ(allowed(no_rate, "192.0.2.1", kProject, 1000), 1000);
  EXPECT_EQ(allowed(no_burst, "192.0.2.1", kProject, 1000), 1000);
}

TEST(RateLimiter, AUnixSocketIsNotLimited) {
  ManualClock clock(1'000'000);
  RateLimiter limiter(1, 1, clock);
  EXPECT_EQ(allowed(limiter, "", kProject, 100), 100);
}

TEST(RateLimiter, ManyAddressesAreEachLimitedStill) {
  ManualClock clock(1'000'000);
  RateLimiter limiter(1, 1, clock);
  int first = 0;
  int second = 0;
  for (int i = 0; i < 20'000; ++i)
    first += limiter.allow("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), kProject);
  for (int i = 0; i < 20'000; ++i)
    second += limiter.allow("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250), kProject);
  EXPECT_EQ(first, 20'000);
  // A few share a group with eight others and are forgotten.
  EXPECT_LT(second, 400);
}

TEST(RateLimiter, ThreadsTogetherGetNoMoreThanTheBurst) {
  ManualClock clock(1'000'000);
  RateLimiter limiter(1, 500, clock);
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { count += allowed(limiter, "192.0.2.1", kProject, 1000); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 500);
}

}  // namespace
}  // namespace weir::collect
