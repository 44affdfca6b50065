#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace weir {

static_assert(std::endian::native == std::endian::little, "files and wires are little-endian, written by memcpy");

inline constexpr uint64_t KiB = 1024;
inline constexpr uint64_t MiB = 1024 * KiB;
inline constexpr uint64_t GiB = 1024 * MiB;

// Fixed-width little-endian integers at the end of `out`.
template <class T>
void append_le(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  size_t size = out.size();
  out.resize(size + sizeof(T));
  std::memcpy(out.data() + size, &value, sizeof(T));
}

// The caller has made sure that `at` has sizeof(T) readable bytes.
template <class T>
T load_le(const char* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <class T>
void store_le(char* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

// LEB128, as ClickHouse's Native format and our own files use it.
inline void append_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

// CRC32C (Castagnoli), with SSE4.2 where the processor has it. `seed` is the CRC of the bytes before, so that
// crc32c(ab) == crc32c(b, crc32c(a)).
uint32_t crc32c(std::string_view bytes, uint32_t seed = 0);
// The table version of the same, for tests and for machines without the instruction.
uint32_t crc32c_portable(std::string_view bytes, uint32_t seed = 0);

// Lower-case hexadecimal.
std::string to_hex(std::string_view bytes);
// False when `hex` is not an even number of hexadecimal digits.
bool from_hex(std::string_view hex, std::string& bytes);

// Base64 with the url-safe alphabet and without padding.
void append_base64url(std::string& out, std::string_view bytes);
std::string to_base64url(std::string_view bytes);
bool from_base64url(std::string_view text, std::string& bytes);

// True when `a` equals `b`, in time that depends on their lengths alone.
bool equal_constant_time(std::string_view a, std::string_view b);

}  // namespace weir
