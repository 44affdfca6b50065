#include "weir/base/random.h"

#include <sodium.h>

#include "weir/base/check.h"

namespace weir {

namespace {
void ready() {
  static const bool done = [] {
    WEIR_CHECK(sodium_init() >= 0);
    return true;
  }();
  (void)done;
}
}  // namespace

uint64_t random_u64() {
  ready();
  uint64_t value;
  randombytes_buf(&value, sizeof value);
  return value;
}

std::string random_bytes(size_t count) {
  ready();
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return bytes;
}

}  // namespace weir
