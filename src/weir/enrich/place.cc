#include "weir/enrich/place.h"

namespace weir::enrich {

Location Places::find(std::string_view ip) const {
  auto address = public_address(ip);
  return address ? find(*address) : Location{};
}

Location Places::find(const Address& address) const {
  Location location;
  auto asked = [&](const std::shared_ptr<const PlaceFile>& file) {
    return file && (address.v4 ? file->knows_v4() : file->knows_v6());
  };
  const auto& cities = asked(files_.city) ? files_.city : address.v4 ? files_.city_ipv4 : files_.city_ipv6;
  for (const auto& file : {cities, files_.country})
    if (asked(file) && file->find(address, location) && !location.country.empty()) return location;
  const auto& ranges = address.v4 ? files_.ranges_ipv4 : files_.ranges_ipv6;
  if (ranges) location.country = ranges->find(address);
  return location;
}

}  // namespace weir::enrich
