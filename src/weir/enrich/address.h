#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::enrich {

// An address somebody on the Internet can have.
struct Address {
  bool v4 = false;
  std::array<uint8_t, 16> bytes{};  // of IPv4 the first four
};

// Reads an IPv4 or IPv6 address. An IPv4 address inside of an IPv6 one (::ffff:a.b.c.d, NAT64's 64:ff9b::/96, 6to4's
// 2002::/16) is taken out of it. Nothing when it is no address, or none of a place: private, shared (carriers' NAT),
// loopback, link-local, documentation, benchmarking, multicast, reserved.
std::optional<Address> public_address(std::string_view text);

}  // namespace weir::enrich
