#include "weir/base/thread.h"

#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <exception>
#include <stdexcept>

#include "weir/base/check.h"
#include "weir/base/logging.h"

namespace weir {

Thread::Thread(std::string name, std::function<void()> body) {
  auto started = start(std::move(name), std::move(body));
  if (!started) throw std::runtime_error(started.error().message);
  *this = std::move(*started);
}

Result<Thread> Thread::start(std::string name, std::function<void()> body) {
  WEIR_CHECK(name.size() <= 15);
  Thread thread;
  try {
    thread.thread_ = std::thread([name, body = std::move(body)] {
      pthread_setname_np(pthread_self(), name.c_str());
      try {
        body();
      } catch (const std::exception& e) {
        fatal("thread " + name + ": " + e.what());
      } catch (...) {
        fatal("thread " + name + ": unknown exception");
      }
    });
  } catch (const std::system_error& e) {
    return no_thread(name, e);
  }
  return thread;
}

Error no_thread(std::string_view name, const std::system_error& why) {
  return {ErrorCode::kOverloaded, "base: the thread " + std::string(name) +
                                      " could not be started: " + why.code().message() +
                                      ". Is the limit on processes and threads too low (ulimit -u, TasksMax)?"};
}

Thread& Thread::operator=(Thread&& other) noexcept {
  join();
  thread_ = std::move(other.thread_);
  return *this;
}

void Thread::join() {
  if (thread_.joinable()) thread_.join();
}

void lower_priority(int nice) {
  // On Linux a priority belongs to the thread, not the process. Without the right to change it nothing is lost.
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), nice) != 0)
    log::debug("base: could not lower a thread's priority");
}

void run_promptly() {
  prctl(PR_SET_TIMERSLACK, 1000);  // nanoseconds; a pause of 80 us is not to become one of 130
  // The scheduler's own 3 ms let a thread that loads or merges hold up answers for as long as that: with this, 4 % more
  // single events a second when both cores are busy. glibc 2.36 has no name for it.
  struct {
    uint32_t size = 48;
    uint32_t policy = SCHED_OTHER;
    uint64_t flags = 0;
    int32_t nice = 0;
    uint32_t priority = 0;
    uint64_t slice_nanos = 100'000;
    uint64_t deadline = 0;
    uint64_t period = 0;
  } attributes;
  static_assert(sizeof attributes == 48);
  attributes.nice = getpriority(PRIO_PROCESS, 0);
  if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0) log::debug("base: could not shorten a thread's turns");
}

}  // namespace weir
