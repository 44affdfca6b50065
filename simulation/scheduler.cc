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
  bool ready = true;
  bool ended = false;
  bool woken = false;
  Address on = nullptr;
  int64_t deadline = kNever;
  StackNote stack;
};

Scheduler::Scheduler(uint64_t seed, uint64_t steps_max, std::function<void(const std::string&)> stuck)
    : random_(seed), steps_max_(steps_max), stuck_(std::move(stuck)) {}

Scheduler::~Scheduler() = default;

Scheduler* Scheduler::current_ = nullptr;

void Scheduler::run(std::function<void()> body) {
  begin(std::move(body));
  while (!fibers_.empty()) {
    Fiber* next = pick();
    trace_ = (trace_ ^ next->number ^ static_cast<uint64_t>(now_)) * 0x100000001b3;
    running_ = next;
    current_ = this;
    leave(&loop_stack, next->stack);
    next->rest = std::move(next->rest).resume();
    arrive(loop_stack, nullptr);
    current_ = nullptr;
    running_ = nullptr;
    if (next->ended) std::erase_if(fibers_, [next](const auto& fiber) { return fiber.get() == next; });
  }
}

Scheduler::Fiber* Scheduler::pick() {
  if (++steps_ > steps_max_) stuck_(fmt::format("{} steps without an end", steps_max_));
  now_ += kStepNanos;
  int64_t first_deadline = kNever;
  size_t ready = 0;
  for (const auto& fiber : fibers_) {
    if (!fiber->ready && fiber->deadline <= now_) make_ready(*fiber);
    ready += fiber->ready ? 1 : 0;
    if (!fiber->ready) first_deadline = std::min(first_deadline, fiber->deadline);
  }
  if (ready == 0) {
    if (first_deadline == kNever) stuck_(fmt::format("all {} threads wait for ever", fibers_.size()));
    now_ = first_deadline;
    for (const auto& fiber : fibers_) {
      if (fiber->deadline > now_) continue;
      make_ready(*fiber);
      ++ready;
    }
  }
  size_t chosen = random() % ready;
  for (const auto& fiber : fibers_)
    if (fiber->ready && chosen-- == 0) return fiber.get();
  return nullptr;
}

void Scheduler::make_ready(Fiber& fiber) {
  fiber.ready = true;
  --waiting_at(fiber.on);
}

void Scheduler::suspend() {
  Fiber* self = running_;
  leave(&self->stack, loop_stack);
  loop_ = std::move(loop_).resume();
  arrive(self->stack, &loop_stack);
}

void Scheduler::yield() { suspend(); }

bool Scheduler::wait(Address on, int64_t deadline) {
  Fiber* self = running_;
  self->ready = false;
  self->woken = false;
  self->on = on;
  self->deadline = deadline;
  ++waiting_at(on);
  suspend();
  self->on = nullptr;
  self->deadline = kNever;
  return self->woken;
}

void Scheduler::wake(Address on, size_t count) {
  if (waiting_at(on) == 0) return;
  size_t waiting = 0;
  auto waits = [on](const Fiber& fiber) { return !fiber.ready && fiber.on == on; };
  for (const auto& fiber : fibers_) waiting += waits(*fiber) ? 1 : 0;
  for (; count > 0 && waiting > 0; --count, --waiting) {
    size_t chosen = waiting > 1 ? random() % waiting : 0;
    for (const auto& fiber : fibers_) {
      if (!waits(*fiber) || chosen-- != 0) continue;
      make_ready(*fiber);
      fiber->woken = true;
      break;
    }
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

Scheduler::Thread Scheduler::self() const { return running_->number; }

}  // namespace weir::simulation
