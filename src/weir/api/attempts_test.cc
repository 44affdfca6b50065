#include "weir/api/attempts.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace weir::api {
namespace {

TEST(Attempts, OfStrangersAreMoreAndTenBetweenPauses) {
  ManualClock clock(1'790'000'000'000);
  Attempts attempts(clock, {100, std::chrono::hours(1)});
  auto exhaust = [&] {
    int free = 0;
    while (!attempts.count("a")) ++free;
    return free;
  };
  EXPECT_EQ(exhaust(), 100);
  for (int64_t pause : {30, 60, 120}) {
    clock.advance(std::chrono::seconds(pause));
    EXPECT_EQ(exhaust(), 10);
  }
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(exhaust(), 100);
  // As many as one address can make in an hour are fewer.
  Attempts of_addresses(clock, {});
  int made = 0;
  for (int second = 0; second < 3'600; ++second) {
    while (!of_addresses.count("b")) ++made;
    clock.advance(std::chrono::seconds(1));
  }
  EXPECT_LT(made, 100);
}

TEST(Attempts, WaitLongerEachTimeAndForgetInTheEnd) {
  ManualClock clock(1'790'000'000'000);
  Attempts attempts(clock, {});
  auto exhaust = [&] {
    std::optional<std::chrono::seconds> wait;
    int free = 0;
    while (!(wait = attempts.count("a"))) ++free;
    EXPECT_EQ(free, 10);
    return wait->count();
  };
  for (int64_t expected : {30, 60, 120, 240, 480, 900, 900}) {
    EXPECT_EQ(exhaust(), expected);
    EXPECT_FALSE(attempts.count("b"));
    clock.advance(std::chrono::seconds(expected));
  }
  clock.advance(std::chrono::hours(1));
  EXPECT_EQ(exhaust(), 30);
  EXPECT_EQ(Attempts::of_address("2001:db8:0:1::1"), Attempts::of_address("2001:db8:0:1:ffff::9"));
  EXPECT_NE(Attempts::of_address("192.0.2.1"), Attempts::of_address("192.0.2.2"));
  // However many names there are, what is kept is bounded.
  for (int i = 0; i < 50'000; ++i) attempts.count(std::to_string(i));
}

}  // namespace
}  // namespace weir::api
