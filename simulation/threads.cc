// The functions of the C library that decide who runs when and what time it is, for this program: within
// Scheduler::run() they ask the scheduler, everywhere else the C library's own.
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#include "simulation/scheduler.h"

namespace {
using weir::simulation::Scheduler;

// The next definition behind ours. Conditions have two versions; dlsym() alone would answer the old one.
template <class Function>
Function* real(Function*, const char* name, const char* version = nullptr) {
  void* found = version != nullptr ? dlvsym(RTLD_NEXT, name, version) : dlsym(RTLD_NEXT, name);
  return reinterpret_cast<Function*>(found);
}
constexpr const char* kConditions = "GLIBC_2.3.2";

constexpr int64_t kSecond = 1'000'000'000;
// What the clocks show when a run begins: any time will do, as long as it is not 0.
constexpr int64_t kSteadyStart = 1'000 * kSecond;
constexpr int64_t kWallStart = 1'790'000'000 * kSecond;

int64_t start_of(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ? kWallStart : kSteadyStart;
}
int64_t nanos(const timespec& t) { return t.tv_sec * kSecond + t.tv_nsec; }
int64_t deadline_of(clockid_t clock, const timespec& t) { return nanos(t) - start_of(clock); }

// A mutex says in its own memory whether it is held, as the C library's do.
int& held(pthread_mutex_t* mutex) { return mutex->__data.__lock; }

void lock(Scheduler& scheduler, pthread_mutex_t* mutex) {
  while (held(mutex) != 0) scheduler.wait(mutex, Scheduler::kNever);
  held(mutex) = 1;
}
void unlock(Scheduler& scheduler, pthread_mutex_t* mutex) {
  held(mutex) = 0;
  scheduler.wake(mutex, 1);
}
int wait(Scheduler& scheduler, pthread_cond_t* condition, pthread_mutex_t* mutex, int64_t deadline) {
  unlock(scheduler, mutex);
  // One in 64 wakes for no reason, as it may.
  bool woken = true;
  if ((scheduler.random() & 63) == 0)
    scheduler.yield();
  else
    woken = scheduler.wait(condition, deadline);
  lock(scheduler, mutex);
  return woken ? 0 : ETIMEDOUT;
}

void sleep_until(Scheduler& scheduler, int64_t deadline) {
  const char nobody_wakes_this = 0;
  scheduler.wait(&nobody_wakes_this, deadline);
}

long futex(Scheduler& scheduler, const int* word, int operation, int value, const timespec* timeout) {
  switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAKE:
      scheduler.wake(word, static_cast<size_t>(value));
      return value;
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET: {
      if (__atomic_load_n(word, __ATOMIC_RELAXED) != value) {
        errno = EAGAIN;
        return -1;
      }
      int64_t deadline = Scheduler::kNever;
      if (timeout != nullptr && (operation & FUTEX_CMD_MASK) == FUTEX_WAIT)
        deadline = scheduler.now() + nanos(*timeout);
      if (timeout != nullptr && (operation & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET)
        deadline = deadline_of((operation & FUTEX_CLOCK_REALTIME) != 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, *timeout);
      if (scheduler.wait(word, deadline)) return 0;
      errno = ETIMEDOUT;
      return -1;
    }
    default:
      errno = ENOSYS;
      return -1;
  }
}
}  // namespace

extern "C" {

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*routine)(void*),
                   void* argument) noexcept {
  if (Scheduler* scheduler = Scheduler::current()) {
    *thread = scheduler->begin([routine, argument] { routine(argument); });
    scheduler->maybe_yield();
    return 0;
  }
  static auto* const next = real(&pthread_create, "pthread_create");
  return next(thread, attributes, routine, argument);
}

int pthread_join(pthread_t thread, void** result) {
  if (Scheduler* scheduler = Scheduler::current()) {
    scheduler->join(thread);
    return 0;
  }
  static auto* const next = real(&pthread_join, "pthread_join");
  return next(thread, result);
}

pthread_t pthread_self() noexcept {
  if (Scheduler* scheduler = Scheduler::current()) return scheduler->self();
  static auto* const next = real(&pthread_self, "pthread_self");
  return next();
}

int pthread_setname_np(pthread_t thread, const char* name) noexcept {
  if (Scheduler::current() != nullptr) return 0;
  static auto* const next = real(&pthread_setname_np, "pthread_setname_np");
  return next(thread, name);
}

int pthread_getname_np(pthread_t thread, char* name, size_t size) noexcept {
  if (Scheduler::current() != nullptr) {
    if (size > 0) name[0] = '\0';
    return 0;
  }
  static auto* const next = real(&pthread_getname_np, "pthread_getname_np");
  return next(thread, name, size);
}

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  if (Scheduler* scheduler = Scheduler::current()) {
    scheduler->maybe_yield();
    lock(*scheduler, mutex);
    return 0;
  }
  static auto* const next = real(&pthread_mutex_lock, "pthread_mutex_lock");
  return next(mutex);
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  if (Scheduler* scheduler = Scheduler::current()) {
    scheduler->maybe_yield();
    if (held(mutex) != 0) return EBUSY;
    held(mutex) = 1;
    return 0;
  }
  static auto* const next = real(&pthread_mutex_trylock, "pthread_mutex_trylock");
  return next(mutex);
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  if (Scheduler* scheduler = Scheduler::current()) {
    unlock(*scheduler, mutex);
    scheduler->maybe_yield();
    return 0;
  }
  static auto* const next = real(&pthread_mutex_unlock, "pthread_mutex_unlock");
  return next(mutex);
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  if (Scheduler* scheduler = Scheduler::current()) return wait(*scheduler, condition, mutex, Scheduler::kNever);
  static auto* const next = real(&pthread_cond_wait, "pthread_cond_wait", kConditions);
  return next(condition, mutex);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* deadline) {
  if (Scheduler* scheduler = Scheduler::current())
    return wait(*scheduler, condition, mutex, deadline_of(CLOCK_REALTIME, *deadline));
  static auto* const next = real(&pthread_cond_timedwait, "pthread_cond_timedwait", kConditions);
  return next(condition, mutex, deadline);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* deadline) {
  if (Scheduler* scheduler = Scheduler::current())
    return wait(*scheduler, condition, mutex, deadline_of(clock, *deadline));
  static auto* const next = real(&pthread_cond_clockwait, "pthread_cond_clockwait");
  return next(condition, mutex, clock, deadline);
}

int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  if (Scheduler* scheduler = Scheduler::current()) {
    scheduler->wake(condition, 1);
    return 0;
  }
  static auto* const next = real(&pthread_cond_signal, "pthread_cond_signal", kConditions);
  return next(condition);
}

int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  if (Scheduler* scheduler = Scheduler::current()) {
    scheduler->wake(condition, SIZE_MAX);
    return 0;
  }
  static auto* const next = real(&pthread_cond_broadcast, "pthread_cond_broadcast", kConditions);
  return next(condition);
}

int clock_gettime(clockid_t clock, timespec* into) noexcept {
  if (Scheduler* scheduler = Scheduler::current()) {
    const int64_t now = start_of(clock) + scheduler->now();
    *into = {now / kSecond, now % kSecond};
    return 0;
  }
  static auto* const next = real(&clock_gettime, "clock_gettime");
  return next(clock, into);
}

int nanosleep(const timespec* how_long, timespec* rest) {
  if (Scheduler* scheduler = Scheduler::current()) {
    sleep_until(*scheduler, scheduler->now() + nanos(*how_long));
    return 0;
  }
  static auto* const next = real(&nanosleep, "nanosleep");
  return next(how_long, rest);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* when, timespec* rest) {
  if (Scheduler* scheduler = Scheduler::current()) {
    sleep_until(*scheduler, flags == TIMER_ABSTIME ? deadline_of(clock, *when) : scheduler->now() + nanos(*when));
    return 0;
  }
  static auto* const next = real(&clock_nanosleep, "clock_nanosleep");
  return next(clock, flags, when, rest);
}

int setpriority(__priority_which_t which, id_t who, int priority) noexcept {
  if (Scheduler::current() != nullptr) return 0;
  static auto* const next = real(&setpriority, "setpriority");
  return next(which, who, priority);
}

long syscall(long number, ...) noexcept {
  va_list list;
  va_start(list, number);
  Scheduler* scheduler = Scheduler::current();
  long outcome = 0;
  if (scheduler != nullptr && number == SYS_futex) {
    const int* word = va_arg(list, const int*);
    const int operation = va_arg(list, int);
    const int value = va_arg(list, int);
    outcome = futex(*scheduler, word, operation, value, va_arg(list, const timespec*));
  } else if (scheduler == nullptr || number != SYS_sched_setattr) {
    long a[6];
    for (long& argument : a) argument = va_arg(list, long);
    static auto* const next = real(&syscall, "syscall");
    outcome = next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  va_end(list);
  return outcome;
}

}  // extern "C"
