#include "weir/base/bytes.h"

#include <sodium.h>

#include <array>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace weir {

namespace {
constexpr std::array<uint32_t, 256> kTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82f63b78u : 0);
    table[i] = crc;
  }
  return table;
}();

constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::array<uint8_t, 256> kBase64UrlDigits = [] {
  std::array<uint8_t, 256> digits{};
  for (uint8_t& digit : digits) digit = 0x80;
  for (size_t i = 0; i < kBase64Url.size(); ++i)
    digits[static_cast<unsigned char>(kBase64Url[i])] = static_cast<uint8_t>(i);
  return digits;
}();

#if defined(__x86_64__)
// The processor takes three cycles for eight bytes and may be at three such steps at once: so long texts are three
// lanes side by side, and what is behind a lane is put together with tables.
constexpr size_t kLane = 256;
constexpr std::array<std::array<uint32_t, 256>, 4> kOverLane = [] {
  std::array<uint32_t, 32> bits{};
  for (uint32_t i = 0; i < 32; ++i) {
    bits[i] = uint32_t{1} << i;
    for (size_t n = 0; n < kLane; ++n) bits[i] = (bits[i] >> 8) ^ kTable[bits[i] & 0xff];
  }
  std::array<std::array<uint32_t, 256>, 4> tables{};
  for (size_t byte = 0; byte < 4; ++byte)
    for (uint32_t value = 0; value < 256; ++value)
      for (uint32_t bit = 0; bit < 8; ++bit)
        if ((value >> bit & 1) != 0) tables[byte][value] ^= bits[byte * 8 + bit];
  return tables;
}();
// What a checksum becomes with a lane of zeros.
uint32_t over_lane(uint32_t crc) {
  return kOverLane[0][crc & 0xff] ^ kOverLane[1][crc >> 8 & 0xff] ^ kOverLane[2][crc >> 16 & 0xff] ^
         kOverLane[3][crc >> 24];
}

__attribute__((target("sse4.2"))) uint32_t crc32c_sse42(std::string_view bytes, uint32_t seed) {
  uint64_t crc = ~seed;
  const char* p = bytes.data();
  size_t n = bytes.size();
  for (; n >= 3 * kLane; p += 3 * kLane, n -= 3 * kLane) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kLane; i += 8) {
      crc = _mm_crc32_u64(crc, load_le<uint64_t>(p + i));
      second = _mm_crc32_u64(second, load_le<uint64_t>(p + kLane + i));
      third = _mm_crc32_u64(third, load_le<uint64_t>(p + 2 * kLane + i));
    }
    const uint32_t two = over_lane(static_cast<uint32_t>(crc)) ^ static_cast<uint32_t>(second);
    crc = over_lane(two) ^ static_cast<uint32_t>(third);
  }
  for (; n >= 8; p += 8, n -= 8) crc = _mm_crc32_u64(crc, load_le<uint64_t>(p));
  auto crc32 = static_cast<uint32_t>(crc);
  for (; n > 0; ++p, --n) crc32 = _mm_crc32_u8(crc32, static_cast<uint8_t>(*p));
  return ~crc32;
}
#endif

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}
}  // namespace

uint32_t crc32c_portable(std::string_view bytes, uint32_t seed) {
  uint32_t crc = ~seed;
  for (char c : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<uint8_t>(c)) & 0xff];
  return ~crc;
}

uint32_t crc32c(std::string_view bytes, uint32_t seed) {
#if defined(__x86_64__)
  static const bool fast = __builtin_cpu_supports("sse4.2");
  if (fast) return crc32c_sse42(bytes, seed);
#endif
  return crc32c_portable(bytes, seed);
}

std::string to_hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    auto b = static_cast<uint8_t>(c);
    out.push_back(kDigits[b >> 4]);
    out.push_back(kDigits[b & 15]);
  }
  return out;
}

bool from_hex(std::string_view hex, std::string& bytes) {
  if (hex.size() % 2 != 0) return false;
  bytes.clear();
  for (size_t i = 0; i < hex.size(); i += 2) {
    int high = hex_digit(hex[i]);
    int low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high << 4 | low));
  }
  return true;
}

// libsodium's base64 takes constant time, which what is encoded here does not need, and seven times as long.
void append_base64url(std::string& out, std::string_view bytes) {
  const size_t before = out.size();
  out.resize(before + (bytes.size() * 4 + 2) / 3);
  char* to = out.data() + before;
  auto byte = [&bytes](size_t i) { return uint32_t{static_cast<unsigned char>(bytes[i])}; };
  size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3, to += 4) {
    const uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    to[0] = kBase64Url[bits >> 18];
    to[1] = kBase64Url[(bits >> 12) & 63];
    to[2] = kBase64Url[(bits >> 6) & 63];
    to[3] = kBase64Url[bits & 63];
  }
  if (i == bytes.size()) return;
  const uint32_t bits = byte(i) << 16 | (i + 2 == bytes.size() ? byte(i + 1) << 8 : 0);
  for (int shift = 18; to < out.data() + out.size(); shift -= 6) *to++ = kBase64Url[(bits >> shift) & 63];
}

std::string to_base64url(std::string_view bytes) {
  std::string out;
  append_base64url(out, bytes);
  return out;
}

bool from_base64url(std::string_view text, std::string& bytes) {
  if (text.size() % 4 == 1) return false;
  bytes.resize(text.size() * 3 / 4);
  char* to = bytes.data();
  uint32_t bad = 0;  // bit 7 of any digit that is none
  auto digit = [&](size_t i) {
    uint32_t value = kBase64UrlDigits[static_cast<unsigned char>(text[i])];
    bad |= value;
    return value & 63;
  };
  size_t i = 0;
  for (; i + 4 <= text.size(); i += 4) {
    uint32_t bits = digit(i) << 18 | digit(i + 1) << 12 | digit(i + 2) << 6 | digit(i + 3);
    *to++ = static_cast<char>(bits >> 16);
    *to++ = static_cast<char>(bits >> 8);
    *to++ = static_cast<char>(bits);
  }
  // Bits that no byte takes must be zero: one text for one value.
  uint32_t rest = 0;
  if (text.size() - i == 2) {
    uint32_t bits = digit(i) << 6 | digit(i + 1);
    *to++ = static_cast<char>(bits >> 4);
    rest = bits & 15;
  } else if (text.size() - i == 3) {
    uint32_t bits = digit(i) << 12 | digit(i + 1) << 6 | digit(i + 2);
    *to++ = static_cast<char>(bits >> 10);
    *to++ = static_cast<char>(bits >> 2);
    rest = bits & 3;
  }
  return (bad & 0x80) == 0 && rest == 0;
}

bool equal_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace weir
