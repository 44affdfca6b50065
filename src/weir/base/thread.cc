#include "weir/base/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>

#include "weir/base/check.h"
#include "weir/base/logging.h"

namespace weir {

Thread::Thread(std::string name, std::function<void()> body) {
  WEIR_CHECK(name.size() <= 15);
  thread_ = std::thread([name = std::move(name), body = std::move(body)] {
    pthread_setname_np(pthread_self(), name.c_str());
    try {
      body();
    } catch (const std::exception& e) {
      fatal("thread " + name + ": " + e.what());
    } catch (...) {
      fatal("thread " + name + ": unknown exception");
    }
  });
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

}  // namespace weir
