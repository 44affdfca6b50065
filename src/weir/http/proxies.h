#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"
#include "weir/http/message.h"

namespace weir::http {

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

// Who is believed when it says whom it speaks for. Immutable.
class TrustedProxies {
 public:
  // Each entry an address or a network: "10.0.0.0/8", "::1", "2001:db8::/32".
  // Errors: kBadInput (names the entry).
  static Result<TrustedProxies> parse(const std::vector<std::string>& entries);

  bool trusts(const Address& address) const;
  bool empty() const { return networks_.empty(); }

  // Walks from the peer towards the client over X-Forwarded-For, or RFC 7239's Forwarded where that is absent, and
  // stops at the first hop that is not trusted: what stands further left, anybody may have written. A hop that is no
  // address ends the walk at the last good one. An untrusted peer is itself the client, whatever it claims.
  Address client(const Request& request, const Address& peer) const;
  // The nearest proxy, being trusted, says the client came by https.
  static bool says_https(const Request& request);

 private:
  struct Network {
    Address address;
    unsigned bits;
  };
  std::vector<Network> networks_;
};

}  // namespace weir::http
