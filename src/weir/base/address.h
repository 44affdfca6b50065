#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir {

// An IP address as 16 bytes; IPv4 in its v4-mapped form, so that one comparison serves both.
struct Address {
  std::array<uint8_t, 16> bytes{};
  bool operator==(const Address&) const = default;
  bool is_v4() const;
  // Textual, v4-mapped unwrapped.
  std::string text() const;
};

// Reads "1.2.3.4", "::1", "::ffff:1.2.3.4". False for anything else: scopes, ports, names, leading zeros.
bool parse_address(std::string_view text, Address& address);

// The addresses that share their first bits with one.
struct Network {
  Address address;
  unsigned bits = 128;  // of the 16 bytes: an IPv4 network has 96 more than it is written with

  bool contains(const Address& other) const;
  // With the bits that do not count at zero.
  Network whole() const;
  // As it is written: "10.0.0.0/8", and a single address without its number of bits.
  std::string text() const;
};

// Reads an address or a network: "10.0.0.0/8", "::1", "2001:db8::/32". Bits that do not count may be set.
bool parse_network(std::string_view text, Network& network);

}  // namespace weir
