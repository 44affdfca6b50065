#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include "weir/base/result.h"

namespace weir {

// A named thread, joined by its owner's destructor. An exception that reaches the top ends the process: it is our
// bug, and a worker that silently stopped would be worse. Confined to its owner.
class Thread {
 public:
  Thread() = default;
  // `name` has at most 15 bytes; it is what `top -H` and a debugger show. Throws std::runtime_error, which says so,
  // when the system lets no more threads be: at a start nothing but ending helps.
  Thread(std::string name, std::function<void()> body);
  // The same for who can go on without. Errors: kOverloaded.
  static Result<Thread> start(std::string name, std::function<void()> body);
  Thread(Thread&&) noexcept = default;
  Thread& operator=(Thread&& other) noexcept;
  ~Thread() { join(); }

  // Waits for the end. Harmless when there is nothing to wait for.
  void join();
  bool joinable() const { return thread_.joinable(); }

 private:
  std::thread thread_;
};

// What to tell a person when the system refuses a thread.
Error no_thread(std::string_view name, const std::system_error& why);

// Lowers the calling thread's share of the processor (nice 0..19), so that answering comes before catching up.
void lower_priority(int nice);

// Asks for the calling thread to run soon after it wakes, in short turns: for threads that somebody waits for. Its
// share stays the same. A hint that Linux takes from 6.12 on.
void run_promptly();

}  // namespace weir
