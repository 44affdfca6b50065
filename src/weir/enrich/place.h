#pragma once

#include <memory>
#include <string_view>

#include "weir/base/result.h"
#include "weir/enrich/country_ranges.h"
#include "weir/enrich/place_file.h"

namespace weir::enrich {

// From an address to a place. Of the files each may be absent. Thread-safe.
//
// Asked in this order until one names the country: `city`, an operator's own file for both kinds of addresses, or,
// where it does not know that kind, the two city files; `country`, again an operator's; the ranges of countries.
class Places {
 public:
  struct Files {
    std::shared_ptr<const PlaceFile> city = nullptr;
    std::shared_ptr<const PlaceFile> city_ipv4 = nullptr;
    std::shared_ptr<const PlaceFile> city_ipv6 = nullptr;
    std::shared_ptr<const PlaceFile> country = nullptr;
    std::shared_ptr<const CountryRanges> ranges_ipv4 = nullptr;
    std::shared_ptr<const CountryRanges> ranges_ipv6 = nullptr;
  };
  Places() = default;
  explicit Places(Files files) : files_(std::move(files)) {}

  // Everything empty for what is no public address (address.h) or not known. The texts live as long as the files.
  Location find(std::string_view ip) const;
  Location find(const Address& address) const;

 private:
  Files files_;
};

}  // namespace weir::enrich
