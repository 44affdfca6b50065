#pragma once

#include <chrono>
#include <thread>

namespace weir::testing {

// Waits until `condition` holds, which other threads or processes bring about; false after `patience`. For tests.
template <class Condition>
[[nodiscard]] bool eventually(Condition&& condition, std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace weir::testing
