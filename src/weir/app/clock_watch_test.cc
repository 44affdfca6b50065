#include "weir/app/clock_watch.h"

#include <gtest/gtest.h>

namespace weir::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ClockWatch, StepsOfMoreThanASecondAreToldAndCountedAndNothingElse) {
  metrics::Registry registry;
  ClockWatch watch(registry);
  std::chrono::system_clock::time_point wall(hours(500'000));
  std::chrono::steady_clock::time_point monotonic(hours(3));
  auto look = [&](milliseconds elapsed, milliseconds step) {
    monotonic += elapsed;
    wall += elapsed + step;
    return watch.look(wall, monotonic);
  };
  EXPECT_EQ(look(seconds(1), hours(7)), milliseconds(0)) << "there is nothing to compare with yet";
  EXPECT_EQ(look(seconds(5), milliseconds(0)), milliseconds(0));
  EXPECT_EQ(look(seconds(5), milliseconds(900)), milliseconds(0));
  EXPECT_EQ(look(seconds(5), milliseconds(-900)), milliseconds(0));
  EXPECT_EQ(look(seconds(5), hours(2)), milliseconds(hours(2)));
  EXPECT_EQ(look(seconds(5), milliseconds(0)), milliseconds(0)) << "a step is told once";
  EXPECT_EQ(look(seconds(5), -hours(500'000)), -milliseconds(hours(500'000)));
  EXPECT_NE(registry.text().find("weir_app_clock_steps_total 2"), std::string::npos) << registry.text();
}

}  // namespace
}  // namespace weir::app
