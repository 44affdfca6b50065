#include "simulation/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace weir::simulation {

namespace {
namespace context = boost::context;

constexpr size_t kStackBytes = 256 * 1024;
constexpr int64_t kStepNanos = 1000;

// Stacks are used again: mapping one costs more than a whole run of its thread. They begin at different distances from
// a page, else the tops of all would want the same few lines of the processor's first cache.
class StackPool {
 public:
  context::stack_context allocate() {
    auto& free = unused();
    if (free.empty()) {
      constexpr size_t kLineBytes = 64;
      constexpr size_t kLinesApart = 13;
      constexpr size_t kLinesOfPage = 4096 / kLineBytes;
      static size_t made = 0;
      context::stack_context stack = context::protected_fixedsize_stack(kStackBytes).allocate();
      const size_t less = made++ * kLinesApart % kLinesOfPage * kLineBytes;
      stack.sp = static_cast<char*>(stack.sp) - less;
      stack.size -= less;
      return stack;
    }
    context::stack_context stack = free.back();
    free.pop_back();
    return stack;
  }
  void deallocate(context::stack_context& stack) noexcept { unused().push_back(stack); }

 private:
  static std::vector<context::stack_context>& unused() {
    static std::vector<context::stack_context> stacks;
    return stacks;
  }
};

// AddressSanitizer wants to know which stack is the present one.
struct StackNote {
  void* fake = nullptr;
  const void* bottom = nullptr;
  size_t size = 0;
};
void leave([[maybe_unused]] StackNote* from, [[maybe_unused]] const StackNote& to) {
#if defined(__SANITIZE_ADDRESS__)
  __sanitizer_start_switch_fiber(from != nullptr ? &from->fake : nullptr, to.bottom, to.size);
#endif
}
void arrive([[maybe_unused]] const StackNote& here, [[maybe_unused]] StackNote* from) {
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom = nullptr;
  size_t size = 0;
  __sanitizer_finish_switch_fiber(here.fake, &bottom, &size);
  if (from != nullptr && from->bottom == nullptr) {
    from->bottom = bottom;
    from->size = size;
  }
#endif
}
StackNote loop_stack;
}  // namespace

struct Scheduler::Fiber {
  Thread number = 0;
  context::fiber rest;
  bool ended = false;
  bool woken = false;
  StackNote stack;
};

Scheduler::Scheduler(uint64_t seed, uint64_t steps_max, std::function<void(const std::string&)> stuck)
    : random_(seed), steps_max_(steps_max), stuck_(std::move(stuck)) {}

Scheduler::~Scheduler() = default;

Scheduler* Scheduler::current_ = nullptr;

void Scheduler::run(std::function<void()> body) {
  begin(std::move(body));
  while (!fibers_.empty()) {
    running_ = pick();
    Fiber* next = fibers_[running_].get();
    trace_ = (trace_ ^ next->number ^ static_cast<uint64_t>(now_)) * 0x100000001b3;
    current_ = this;
    leave(&loop_stack, next->stack);
    next->rest = std::move(next->rest).resume();
    arrive(loop_stack, nullptr);
    current_ = nullptr;
    if (next->ended) {
      const auto at = static_cast<ptrdiff_t>(running_);
      fibers_.erase(fibers_.begin() + at);
      runs_from_.erase(runs_from_.begin() + at);
      waits_on_.erase(waits_on_.begin() + at);
    }
  }
}

size_t Scheduler::pick() {
  if (++steps_ > steps_max_) stuck_(fmt::format("{} steps without an end", steps_max_));
  now_ += kStepNanos;
  int64_t first_deadline = kNever;
  size_t ready = 0;
  for (const int64_t from : runs_from_) {
    ready += from <= now_ ? 1 : 0;
    first_deadline = std::min(first_deadline, from <= now_ ? kNever : from);
  }
  if (ready == 0) {
    if (first_deadline == kNever) stuck_(fmt::format("all {} threads wait for ever", fibers_.size()));
    now_ = first_deadline;
    ready = static_cast<size_t>(std::count(runs_from_.begin(), runs_from_.end(), now_));
  }
  size_t chosen = random() % ready;
  size_t at = 0;
  for (; runs_from_[at] > now_ || chosen-- != 0; ++at) {
  }
  return at;
}

void Scheduler::suspend() {
  Fiber* self = fibers_[running_].get();
  leave(&self->stack, loop_stack);
  loop_ = std::move(loop_).resume();
  arrive(self->stack, &loop_stack);
}

void Scheduler::yield() { suspend(); }

bool Scheduler::wait(Address on, int64_t deadline) {
  Fiber* self = fibers_[running_].get();
  self->woken = false;
  waits_on_[running_] = on;
  runs_from_[running_] = deadline;
  ++waiting_at(on);
  suspend();
  --waiting_at(on);
  waits_on_[running_] = nullptr;
  runs_from_[running_] = kReady;
  return self->woken;
}

void Scheduler::wake(Address on, size_t count) {
  if (waiting_at(on) == 0) return;
  size_t waiting = 0;
  auto waits = [&](size_t i) { return waits_on_[i] == on && runs_from_[i] > now_; };
  for (size_t i = 0; i < fibers_.size(); ++i) waiting += waits(i) ? 1 : 0;
  for (; count > 0 && waiting > 0; --count, --waiting) {
    size_t chosen = waiting > 1 ? random() % waiting : 0;
    size_t i = 0;
    for (; !waits(i) || chosen-- != 0; ++i) {
    }
    runs_from_[i] = kReady;
    fibers_[i]->woken = true;
  }
}

Scheduler::Thread Scheduler::begin(std::function<void()> body) {
  auto fiber = std::make_unique<Fiber>();
  Fiber* self = fiber.get();
  self->number = ++begun_;
  StackPool pool;
  context::stack_context stack = pool.allocate();
  self->stack.bottom = static_cast<const char*>(stack.sp) - stack.size;
  self->stack.size = stack.size;
  self->rest = context::fiber(std::allocator_arg, context::preallocated(stack.sp, stack.size, stack), pool,
                              [this, self, body = std::move(body)](context::fiber&& loop) {
                                loop_ = std::move(loop);
                                arrive(self->stack, &loop_stack);
                                body();
                                self->ended = true;
                                wake(self, SIZE_MAX);
                                leave(nullptr, loop_stack);
                                return std::move(loop_);
                              });
  fibers_.push_back(std::move(fiber));
  runs_from_.push_back(kReady);
  waits_on_.push_back(nullptr);
  return self->number;
}

void Scheduler::join(Thread thread) {
  auto alive = [&]() -> const Fiber* {
    for (const auto& fiber : fibers_)
      if (fiber->number == thread && !fiber->ended) return fiber.get();
    return nullptr;
  };
  while (const Fiber* fiber = alive()) wait(fiber, kNever);
}

Scheduler::Thread Scheduler::self() const { return fibers_[running_]->number; }

}  // namespace weir::simulation
