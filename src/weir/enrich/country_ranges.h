#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/enrich/address.h"

namespace weir::enrich {

// Ranges of addresses by country, as Tor ships them: a line is first,last,COUNTRY, in rising order, with IPv4 addresses
// as decimal numbers, IPv6 ones as text, `??` for unknown and comments behind #. Immutable.
class CountryRanges {
 public:
  // Errors: kCorrupt (names the line).
  static Result<std::shared_ptr<const CountryRanges>> load(std::string_view text);
  ~CountryRanges();
  // ISO 3166-1 alpha-2 in capitals, valid for ever; empty when unknown. 86 ns.
  std::string_view find(const Address& address) const;
  bool v4() const;  // of which family it is
  size_t size() const;
  UnixMillis generated() const;  // by the comment at its head; 0 when that says nothing

 private:
  struct State;
  explicit CountryRanges(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::enrich
