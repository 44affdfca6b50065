#include "weir/enrich/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace weir::enrich {

namespace {
struct Network {
  std::array<uint8_t, 8> prefix;
  unsigned bits;
};

// IANA's registries of special-purpose addresses.
constexpr Network kNoPlaceV4[] = {
    {{0}, 8},              // "this network"
    {{10}, 8},             // private
    {{100, 64}, 10},       // shared by a carrier's customers
    {{127}, 8},            // loopback
    {{169, 254}, 16},      // link-local
    {{172, 16}, 12},       // private
    {{192, 0, 0}, 24},     // protocol assignments
    {{192, 0, 2}, 24},     // documentation
    {{192, 88, 99}, 24},   // 6to4 relays
    {{192, 168}, 16},      // private
    {{198, 18}, 15},       // benchmarking
    {{198, 51, 100}, 24},  // documentation
    {{203, 0, 113}, 24},   // documentation
    {{224}, 3},            // multicast, reserved, broadcast
};
// Within 2000::/3, outside of which nobody has an address.
constexpr Network kNoPlaceV6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23},  // protocol assignments: Teredo, benchmarking, ORCHID
    {{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    {{0x3f, 0xff, 0x00}, 20},        // documentation
};

bool within(std::span<const uint8_t> address, const Network& network) {
  unsigned whole = network.bits / 8;
  if (std::memcmp(address.data(), network.prefix.data(), whole) != 0) return false;
  unsigned rest = network.bits % 8;
  return rest == 0 || ((address[whole] ^ network.prefix[whole]) >> (8 - rest)) == 0;
}

bool within_any(std::span<const uint8_t> address, std::span<const Network> networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [address](const Network& network) { return within(address, network); });
}

// Where in an IPv6 address an IPv4 address stands; 16 when it holds none.
size_t embedded_v4(const std::array<uint8_t, 16>& a) {
  constexpr std::array<uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<uint8_t, 12> kNat64 = {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
  if (std::equal(kMapped.begin(), kMapped.end(), a.begin()) || std::equal(kNat64.begin(), kNat64.end(), a.begin()))
    return 12;
  return a[0] == 0x20 && a[1] == 0x02 ? 2 : 16;
}
}  // namespace

std::optional<Address> public_address(std::string_view text) {
  char terminated[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof terminated || text.find('\0') != std::string_view::npos) return std::nullopt;
  terminated[text.copy(terminated, sizeof terminated - 1)] = '\0';
  Address address;
  if (::inet_pton(AF_INET, terminated, address.bytes.data()) == 1) {
    address.v4 = true;
  } else {
    if (::inet_pton(AF_INET6, terminated, address.bytes.data()) != 1) return std::nullopt;
    if (size_t at = embedded_v4(address.bytes); at < address.bytes.size()) {
      address.v4 = true;
      std::memmove(address.bytes.data(), address.bytes.data() + at, 4);
      std::fill(address.bytes.begin() + 4, address.bytes.end(), 0);
    }
  }
  if (address.v4) {
    if (within_any(address.bytes, kNoPlaceV4)) return std::nullopt;
  } else if ((address.bytes[0] & 0xe0) != 0x20 || within_any(address.bytes, kNoPlaceV6)) {
    return std::nullopt;
  }
  return address;
}

}  // namespace weir::enrich
