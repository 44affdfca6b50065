#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace weir::app {

// How far a command is, on standard error: on a terminal one line that changes, elsewhere a line every few seconds.
// Short commands show nothing. Confined to one thread.
class Progress {
 public:
  using Steady = std::chrono::steady_clock;
  Progress();
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Asks for the text only when it is time to show it.
  void show(const std::function<std::string(std::chrono::milliseconds took)>& text);
  // A line that stays.
  void note(const std::string& text);
  void clear();
  std::chrono::milliseconds took() const;

 private:
  const Steady::time_point started_ = Steady::now();
  const bool terminal_;
  Steady::time_point last_{};
  bool shown_ = false;
};

}  // namespace weir::app
