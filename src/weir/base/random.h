#pragma once

#include <cstdint>
#include <string>

namespace weir {

// Cryptographically strong randomness of the operating system. Thread-safe.
uint64_t random_u64();
std::string random_bytes(size_t count);

}  // namespace weir
