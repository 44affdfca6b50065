#include "weir/base/result.h"

#include <cstdio>
#include <cstdlib>

namespace weir {

namespace {
struct Row {
  std::string_view name;
  int status;
  bool retryable;
};

// In the order of ErrorCode. The one place that knows which status answers which error.
constexpr Row kRows[] = {
    {"bad_input", 400, false}, {"too_large", 413, false},  {"unsupported", 415, false}, {"unauthenticated", 401, false},
    {"forbidden", 403, false}, {"not_found", 404, false},  {"conflict", 409, false},    {"limited", 429, true},
    {"overloaded", 503, true}, {"unavailable", 503, true}, {"timeout", 504, true},      {"corrupt", 500, false},
};

const Row& row(ErrorCode code) { return kRows[static_cast<size_t>(code)]; }
}  // namespace

std::string_view name_of(ErrorCode code) { return row(code).name; }
int http_status(ErrorCode code) { return row(code).status; }
bool is_retryable(ErrorCode code) { return row(code).retryable; }

void fatal(std::string_view message, const char* file, int line) {
  std::fprintf(stderr, "fatal: %.*s (%s:%d)\n", static_cast<int>(message.size()), message.data(), file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace weir
