#include "weir/base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace weir {

namespace {
constexpr std::array<uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
constexpr unsigned kMappedBits = 96;
}  // namespace

bool Address::is_v4() const { return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes.begin()); }

std::string Address::text() const {
  char out[INET6_ADDRSTRLEN] = {};
  if (is_v4()) {
    inet_ntop(AF_INET, bytes.data() + kMappedPrefix.size(), out, sizeof out);
  } else {
    inet_ntop(AF_INET6, bytes.data(), out, sizeof out);
  }
  return out;
}

bool parse_address(std::string_view text, Address& address) {
  char buffer[INET6_ADDRSTRLEN + 1] = {};
  if (text.empty() || text.size() > INET6_ADDRSTRLEN || text.find('\0') != std::string_view::npos) return false;
  text.copy(buffer, text.size());
  if (text.find(':') != std::string_view::npos) return inet_pton(AF_INET6, buffer, address.bytes.data()) == 1;
  std::array<uint8_t, 4> v4{};
  if (inet_pton(AF_INET, buffer, v4.data()) != 1) return false;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
  std::copy(v4.begin(), v4.end(), address.bytes.begin() + kMappedPrefix.size());
  return true;
}

bool Network::contains(const Address& other) const {
  const size_t whole_bytes = bits / 8;
  if (std::memcmp(address.bytes.data(), other.bytes.data(), whole_bytes) != 0) return false;
  const unsigned rest = bits % 8;
  if (rest == 0) return true;
  const unsigned mask = 0xFFU << (8 - rest);
  return ((address.bytes[whole_bytes] ^ other.bytes[whole_bytes]) & mask & 0xFFU) == 0;
}

Network Network::whole() const {
  Network out = *this;
  for (unsigned bit = bits; bit < 128; ++bit) out.address.bytes[bit / 8] &= static_cast<uint8_t>(~(0x80U >> (bit % 8)));
  return out;
}

std::string Network::text() const {
  if (bits == 128) return address.text();
  // A v4-mapped network of fewer than 96 bits holds more than IPv4.
  bool v4 = address.is_v4() && bits >= kMappedBits;
  return address.text() + "/" + std::to_string(v4 ? bits - kMappedBits : bits);
}

bool parse_network(std::string_view text, Network& network) {
  const size_t slash = text.find('/');
  const bool written_v4 = text.find(':') == std::string_view::npos;
  if (!parse_address(text.substr(0, slash), network.address)) return false;
  network.bits = 128;
  if (slash == std::string_view::npos) return true;
  std::string_view digits = text.substr(slash + 1);
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), network.bits);
  if (error != std::errc() || end != digits.data() + digits.size() || network.bits > (written_v4 ? 32U : 128U))
    return false;
  network.bits += written_v4 ? kMappedBits : 0;
  return true;
}

}  // namespace weir
