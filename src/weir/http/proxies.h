#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "weir/base/address.h"
#include "weir/base/result.h"
#include "weir/http/message.h"

namespace weir::http {

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
  std::vector<Network> networks_;
};

}  // namespace weir::http
