#pragma once

#include <functional>
#include <string>
#include <thread>

namespace weir {

// A named thread, joined by its owner's destructor. An exception that reaches the top ends the process: it is our
// bug, and a worker that silently stopped would be worse. Confined to its owner.
class Thread {
 public:
  Thread() = default;
  // `name` has at most 15 bytes; it is what `top -H` and a debugger show.
  Thread(std::string name, std::function<void()> body);
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }

  // Waits for the end. Harmless when there is nothing to wait for.
  void join();
  bool joinable() const { return thread_.joinable(); }

 private:
  std::thread thread_;
};

// Lowers the calling thread's share of the processor (nice 0..19), so that answering comes before catching up.
void lower_priority(int nice);

// Asks for the calling thread to run soon after it wakes, in short turns: for threads that somebody waits for. Its
// share stays the same. A hint that Linux takes from 6.12 on.
void run_promptly();

}  // namespace weir
