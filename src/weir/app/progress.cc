#include "weir/app/progress.h"

#include <unistd.h>

#include <cstdio>

namespace weir::app {

Progress::Progress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::show(const std::function<std::string(std::chrono::milliseconds)>& text) {
  Steady::time_point now = Steady::now();
  if (now - last_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5000))) return;
  bool first = last_ == Steady::time_point();
  last_ = now;
  if (first && !terminal_) return;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "weir: %s\n", text(took()).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void Progress::note(const std::string& text) {
  clear();
  std::fprintf(stderr, "weir: %s\n", text.c_str());
}

void Progress::clear() {
  if (terminal_ && shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

std::chrono::milliseconds Progress::took() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - started_);
}

}  // namespace weir::app
