#pragma once

#include <string_view>

namespace weir {

// Prints `message` with the place and aborts. For broken invariants and for states in which going on would break a
// promise (a failed fsync); never for bytes that came from outside.
[[noreturn]] void fatal(std::string_view message, const char* file = __builtin_FILE(), int line = __builtin_LINE());

}  // namespace weir

// A broken invariant is our bug: stop, in release builds too.
#define WEIR_CHECK(condition)                                         \
  do {                                                                \
    if (!(condition)) [[unlikely]]                                    \
      ::weir::fatal("check failed: " #condition, __FILE__, __LINE__); \
  } while (false)
