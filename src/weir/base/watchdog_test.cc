#include "weir/base/watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <stdexcept>

namespace weir {
namespace {

// A thread that does one thing after the other, each when it is told to.
class Obedient {
 public:
  explicit Obedient(std::string name)
      : thread_(std::move(name), [this] {
          for (;;) {
            std::function<void()> act;
            {
              std::unique_lock lock(mutex_);
              told_.wait(lock, [&] { return act_.has_value(); });
              act = *std::exchange(act_, std::nullopt);
            }
            if (act == nullptr) return;
            act();
            done_->set_value();
          }
        }) {}
  ~Obedient() { tell(nullptr); }

  // Returns once it is done.
  void does(std::function<void()> act) {
    std::promise<void> done;
    done_ = &done;
    tell(std::move(act));
    done.get_future().wait();
  }

 private:
  void tell(std::function<void()> act) {
    std::lock_guard lock(mutex_);
    act_ = std::move(act);
    told_.notify_one();
  }

  std::mutex mutex_;  // guards act_
  std::condition_variable told_;
  std::optional<std::function<void()>> act_;
  std::promise<void>* done_ = nullptr;
  Thread thread_;
};

// What the watchdog answers at the last of so many looks; none before it may find anything.
std::string look(unsigned times) {
  for (unsigned i = 1; i < times; ++i) EXPECT_EQ(Watchdog::look(), "") << "at look " << i;
  return Watchdog::look();
}

TEST(WatchdogTest, NamesAThreadThatStandsStillForTenLooks) {
  Obedient busy("busy");
  Obedient stuck("stuck");
  Obedient stranger("stranger");
  stuck.does(&Watchdog::beat);
  for (unsigned i = 0; i < Watchdog::kLooks; ++i) {
    busy.does(&Watchdog::beat);
    ASSERT_EQ(Watchdog::look(), "");
  }
  busy.does(&Watchdog::beat);
  EXPECT_EQ(Watchdog::look(), "stuck");
  // It goes on, and is as good as any other.
  stuck.does(&Watchdog::beat);
  EXPECT_EQ(look(Watchdog::kLooks - 1), "");
}

TEST(WatchdogTest, WaitsForAThreadThatRests) {
  Obedient thread("waits");
  std::optional<Watchdog::Rest> rest;
  thread.does(&Watchdog::beat);
  thread.does([&] { rest.emplace(); });
  EXPECT_EQ(look(3 * Watchdog::kLooks), "");
  // A shorter wait within a longer one does not end it.
  thread.does([] { const Watchdog::Rest inner; });
  EXPECT_EQ(look(3 * Watchdog::kLooks), "");
  thread.does([&] { rest.reset(); });
  EXPECT_EQ(look(Watchdog::kLooks + 1), "waits");
}

TEST(WatchdogTest, ForgetsAThreadThatHasEnded) {
  {
    Obedient thread("gone");
    thread.does(&Watchdog::beat);
    EXPECT_EQ(look(Watchdog::kLooks), "");
  }
  EXPECT_EQ(look(3 * Watchdog::kLooks), "");
}

TEST(WatchdogDeathTest, EndsTheProcessAndNamesTheThread) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const Watchdog watchdog(std::chrono::milliseconds(50));
        std::promise<void> never;
        Thread thread("stuck", [&] {
          Watchdog::beat();
          never.get_future().wait();
        });
        thread.join();
      },
      "watchdog: thread stuck has stood still for 50 ms");
}

TEST(ThreadDeathTest, AnExceptionThatReachesTheTopEndsTheProcessAndIsNamed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Thread("thrower", [] { throw std::runtime_error("out of luck"); }).join(),
               "thread thrower: out of luck");
  EXPECT_DEATH(Thread("thrower", [] { throw 7; }).join(), "thread thrower: unknown exception");
}

}  // namespace
}  // namespace weir
