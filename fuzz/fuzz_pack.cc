// libraries: weir_enrich
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/enrich/bots.h"
#include "weir/enrich/place.h"

namespace {
using namespace weir;
using namespace weir::enrich;

constexpr std::string_view kAddresses[] = {"1.2.3.4",        "8.8.8.8",        "81.2.69.142", "223.255.255.255",
                                           "2001:218::1",    "2a02:ff40::1",   "2606::",      "3ffe:ffff::1",
                                           "::ffff:1.2.3.4", "2002:808:808::", "10.0.0.1",    "2001:db8::1"};
constexpr std::string_view kUserAgents[] = {"Googlebot/2.1", "Mozilla/5.0 (compatible; a/1.0; +http://a.b/c)",
                                            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
                                            "\xff\x01 \xc3\xa4"};

void look_up(const Places& places) {
  for (std::string_view ip : kAddresses) {
    Location location = places.find(ip);
    WEIR_CHECK(location.country.empty() || location.country.size() == 2);
    WEIR_CHECK(location.region.size() <= 200 && location.city.size() <= 200);
    if (!public_address(ip)) WEIR_CHECK(location.country.empty() && location.city.empty());
    // Every byte is readable.
    volatile unsigned sum = 0;
    for (std::string_view part : {location.country, location.region, location.city})
      for (char c : part) sum = sum + static_cast<unsigned char>(c);
  }
}

void places_of(std::string_view bytes) {
  static const int fd = ::memfd_create("pack", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(fd);
  WEIR_CHECK(::ftruncate(fd, 0) == 0);
  WEIR_CHECK(::pwrite(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  // Both checks: what the quick one lets through must be as harmless.
  for (PlaceFile::Check check : {PlaceFile::Check::sample, PlaceFile::Check::all})
    if (auto file = PlaceFile::open(path, "", check)) look_up(Places({.city = *file, .country = *file}));
}

void ranges_of(std::string_view text) {
  auto ranges = CountryRanges::load(text);
  if (!ranges) return;
  if ((*ranges)->v4())
    look_up(Places({.ranges_ipv4 = *ranges}));
  else
    look_up(Places({.ranges_ipv6 = *ranges}));
}

void bots_of(const Bots& bots) {
  for (std::string_view user_agent : kUserAgents) {
    Verdict verdict = bots.verdict(user_agent);
    WEIR_CHECK((verdict.traffic == event::Traffic::human) == verdict.reason.empty());
  }
}
}  // namespace

// A data pack as a damaged disk or a stranger may have left it: it is refused, or answers without harm.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'm':
      places_of(bytes);
      break;
    case 'r':
      ranges_of(bytes);
      break;
    case 'c':
      if (auto crawlers = CrawlerList::load(bytes)) bots_of(Bots(nullptr, nullptr, *crawlers));
      break;
    case 'i':
      if (auto isbot = IsbotRules::load(bytes)) bots_of(Bots(nullptr, *isbot, nullptr));
      break;
    case 'a':
      if (auto agents = AgentTable::load(bytes)) bots_of(Bots(*agents, nullptr, nullptr));
      break;
    default:
      break;
  }
  return 0;
}
