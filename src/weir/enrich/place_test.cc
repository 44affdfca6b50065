#include "weir/enrich/place.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "weir/enrich/packs.h"
#include "weir/enrich/testing/recorded.h"

// libmaxminddb loses some bytes when it refuses damaged metadata. weir tries such a file once, until it changes.
extern "C" const char* __lsan_default_suppressions() { return "leak:libmaxminddb"; }  // NOLINT(*-reserved-identifier)

namespace weir::enrich {
namespace {

using testing::content;
using testing::recorded;

class Scratch {
 public:
  Scratch() {
    std::string pattern = ::testing::TempDir() + "places-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string file(const std::string& name, std::string_view bytes) const {
    std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::shared_ptr<const PlaceFile> open_file(const std::string& path, PlaceFile::Check check = PlaceFile::Check::all) {
  Scratch copies;
  auto opened = PlaceFile::open(path, copies.path(), check);
  if (!opened) throw std::runtime_error(opened.error().message);
  return *opened;
}

std::string text(const Location& location) {
  return fmt::format("{}/{}/{}", location.country, location.region, location.city);
}

TEST(Address, OnlyOnesThatHaveAPlace) {
  for (std::string_view none : {"",
                                "x",
                                "1.2.3",
                                "1.2.3.4.5",
                                "1.2.3.4 ",
                                "0.1.2.3",
                                "10.0.0.1",
                                "100.64.0.1",
                                "100.127.255.255",
                                "127.0.0.1",
                                "169.254.1.1",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.0.0.8",
                                "192.0.2.1",
                                "192.168.1.1",
                                "198.18.0.1",
                                "198.19.255.255",
                                "198.51.100.7",
                                "203.0.113.9",
                                "224.0.0.1",
                                "240.0.0.1",
                                "255.255.255.255",
                                "::",
                                "::1",
                                "::1.2.3.4",
                                "fe80::1",
                                "fe80::1%eth0",
                                "fc00::1",
                                "fdff::1",
                                "fec0::1",
                                "ff02::1",
                                "2001:db8::1",
                                "2001::1",
                                "2001:2::1",
                                "2001:10::1",
                                "3fff::1",
                                "3fff:fff::1",
                                "4000::1",
                                "64:ff9b:1::1",
                                "100::1",
                                "::ffff:10.0.0.1",
                                "64:ff9b::192.168.0.1",
                                "2002:7f00:1::",
                                "2002:c0a8:101::1",
                                "1111:1111:1111:1111:1111:1111:255.255.255.255.255"})
    EXPECT_FALSE(public_address(none)) << none;
  EXPECT_FALSE(public_address(std::string_view("1.2.3.4\0", 8)));
  for (std::string_view v4 : {"1.2.3.4", "::ffff:1.2.3.4", "::ffff:102:304", "64:ff9b::1.2.3.4",
                              "2002:102:304::", "2002:0102:0304:ffff::9"}) {
    auto address = public_address(v4);
    ASSERT_TRUE(address) << v4;
    EXPECT_TRUE(address->v4) << v4;
    EXPECT_EQ(address->bytes, (std::array<uint8_t, 16>{1, 2, 3, 4})) << v4;
  }
  for (std::string_view v4 : {"1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.0.1",
                              "172.32.0.1", "192.0.1.1", "198.17.0.1", "198.20.0.1", "223.255.255.255"})
    EXPECT_TRUE(public_address(v4)) << v4;
  for (std::string_view v6 : {"2001:200::1", "2a00:1450:4001:800::200e", "2001:db7::1", "2001:db9::1", "3ffe::1"}) {
    auto address = public_address(v6);
    ASSERT_TRUE(address) << v6;
    EXPECT_FALSE(address->v4) << v6;
  }
}

std::string country(const CountryRanges& ranges, std::string_view ip) {
  return std::string(ranges.find(*public_address(ip)));
}

TEST(CountryRanges, FindsWhatLiesInARange) {
  auto v4 = CountryRanges::load(
      "# Generated: Thu, 25 Jun 2026 04:33:59 GMT\n16777216,16777471,AU\n16777472,16778239,CN\r\n"
      "16778240,16779263,??\n3405803776,3758096383,ZZ\n");
  ASSERT_TRUE(v4) << v4.error().message;
  EXPECT_TRUE((*v4)->v4());
  EXPECT_EQ((*v4)->size(), 3U);
  EXPECT_EQ(format_day(day_of((*v4)->generated())), "2026-06-25");
  EXPECT_EQ(country(**v4, "1.0.0.0"), "AU");
  EXPECT_EQ(country(**v4, "1.0.0.255"), "AU");
  EXPECT_EQ(country(**v4, "1.0.1.0"), "CN");
  EXPECT_EQ(country(**v4, "1.0.4.0"), "");
  EXPECT_EQ(country(**v4, "1.0.8.0"), "");
  EXPECT_EQ(country(**v4, "8.8.8.8"), "");
  EXPECT_EQ(country(**v4, "223.255.255.255"), "ZZ");
  EXPECT_EQ(country(**v4, "2001:200::"), "");

  auto v6 = CountryRanges::load(
      "2001:200::,2001:200:ffff:ffff:ffff:ffff:ffff:ffff,JP\n2001:218:2000:d::,2001:218:2000:d:ffff:ffff:ffff:ffff,"
      "NL\n");
  ASSERT_TRUE(v6) << v6.error().message;
  EXPECT_FALSE((*v6)->v4());
  EXPECT_EQ((*v6)->generated(), 0);
  EXPECT_EQ(country(**v6, "2001:200:1::1"), "JP");
  EXPECT_EQ(country(**v6, "2001:218:2000:d::1"), "NL");
  EXPECT_EQ(country(**v6, "2001:218:2000:e::"), "");
  EXPECT_EQ(country(**v6, "1.0.0.0"), "");
}

TEST(CountryRanges, RefusesWhatIsNoList) {
  for (std::string_view bad :
       {"", "# only words\n", "16777216,16777471\n", "16777216,16777471,au\n", "16777471,16777216,AU\n", "x,y,AU\n",
        "16777216,16777471,AU\n16777471,16777472,AU\n", "16777216,16777471,AU\n2001:200::,2001:201::,JP\n",
        "4294967296,4294967297,AU\n", "2001:200::,2001:100::,JP\n", ",,AU\n", "1,2,AUS\n"})
    EXPECT_FALSE(CountryRanges::load(bad)) << bad;
  auto damaged = CountryRanges::load("16777216,16777471,AU\nfoo\n");
  ASSERT_FALSE(damaged);
  EXPECT_TRUE(damaged.error().message.starts_with("line 2: ")) << damaged.error().message;
}

// The source of the file says what each network should give.
void expect_records(const std::string& name) {
  std::string mmdb = recorded(fmt::format("geo/{}.mmdb", name));
  std::string source = recorded(fmt::format("geo/{}.json.xz", name));
  if (mmdb.empty() || source.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
  auto file = open_file(mmdb);
  EXPECT_TRUE(file->knows_v4());
  EXPECT_TRUE(file->knows_v6());
  EXPECT_TRUE(file->knows_cities());
  EXPECT_EQ(file->type(), name.substr(0, name.rfind('-')));
  EXPECT_GT(file->built(), 1'300'000'000'000);
  Places places({.city = file});
  simdjson::dom::parser parser;
  size_t networks = 0;
  size_t with_city = 0;
  for (simdjson::dom::object entry : parser.parse(simdjson::padded_string(testing::unpacked(source))).get_array()) {
    for (auto [network, record] : entry) {
      auto field = [&record = record](const char* pointer) {
        std::string_view value;
        return record.at_pointer(pointer).get(value) ? std::string() : std::string(value);
      };
      std::string ip(network.substr(0, network.find('/')));
      if (ip.starts_with("::") && ip.find('.') == std::string::npos) {
        // IPv4 in an IPv6 tree, written as IPv6.
        unsigned high = 0;
        unsigned low = 0;
        ASSERT_GE(std::sscanf(ip.c_str(), "::%x:%x", &high, &low), 1) << ip;
        ip = fmt::format("{}.{}.{}.{}", high >> 8, high & 0xff, low >> 8, low & 0xff);
      }
      ++networks;
      if (!public_address(ip)) {
        EXPECT_EQ(text(places.find(ip)), "//") << network;
        continue;
      }
      Location location = places.find(ip);
      std::string code = field("/country/iso_code");
      if (code.empty()) {
        EXPECT_EQ(text(location), "//") << network;
        continue;
      }
      EXPECT_EQ(text(location),
                fmt::format("{}/{}/{}", code, field("/subdivisions/0/names/en"), field("/city/names/en")))
          << network;
      with_city += location.city.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(networks, 200U);
  EXPECT_GT(with_city, 10U);
}

TEST(PlaceFile, GivesTheExpectedRecords) { expect_records("GeoLite2-City-Test"); }

TEST(PlaceFile, WhatIsNotListedIsUnknown) {
  std::string path = recorded("geo/GeoLite2-City-Test.mmdb");
  if (path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
  Places places({.city = open_file(path)});
  EXPECT_EQ(text(places.find("81.2.69.142")), "GB/England/London");
  EXPECT_EQ(text(places.find("::ffff:81.2.69.142")), "GB/England/London");
  EXPECT_EQ(places.find("2001:218::1").country, "JP");
  for (std::string_view ip : {"8.8.8.8", "1.1.1.1", "2606:4700::1111", "192.168.0.1", "not an address", ""})
    EXPECT_EQ(text(places.find(ip)), "//") << ip;
}

TEST(PlaceFile, RefusesOtherData) {
  for (const char* name : {"GeoLite2-ASN-Test", "MaxMind-DB-test-decoder", "MaxMind-DB-test-ipv4-24",
                           "MaxMind-DB-test-ipv6-32", "MaxMind-DB-test-mixed-28"}) {
    std::string path = recorded(fmt::format("geo/{}.mmdb", name));
    if (path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
    auto opened = PlaceFile::open(path, "", PlaceFile::Check::all);
    ASSERT_FALSE(opened) << name;
    EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << name;
  }
  Scratch scratch;
  EXPECT_EQ(PlaceFile::open(scratch.path() + "/none", "", PlaceFile::Check::all).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(PlaceFile::open(scratch.file("empty", ""), scratch.path(), PlaceFile::Check::all).error().code,
            ErrorCode::kCorrupt);
}

TEST(PlaceFile, KnowsCountriesWithoutCities) {
  std::string path = recorded("geo/GeoLite2-Country-Test.mmdb");
  if (path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
  auto file = open_file(path);
  EXPECT_FALSE(file->knows_cities());
  EXPECT_EQ(text(Places({.country = file}).find("81.2.69.160")), "GB//");
}

// Cut anywhere, or with any of its bytes changed, it is refused or answers something, and what it answers is text.
TEST(PlaceFile, SurvivesDamage) {
  std::vector<std::string> sources;
  for (const char* name :
       {"GeoLite2-City-Test", "GeoIP2-City-Test", "GeoIP2-City-Test-Broken-Double-Format", "GeoLite2-Country-Test"}) {
    std::string path = recorded(fmt::format("geo/{}.mmdb", name));
    if (path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
    sources.push_back(content(path));
  }
  Scratch scratch;
  size_t opened_ones = 0;
  auto look = [&](std::string_view bytes) {
    auto opened = PlaceFile::open(scratch.file("damaged.mmdb", bytes), scratch.path(), PlaceFile::Check::sample);
    if (!opened) return;
    ++opened_ones;
    Places places({.city = *opened});
    for (std::string_view ip : {"81.2.69.142", "2.125.160.216", "216.160.83.56", "175.16.199.1", "2001:218::1",
                                "2a02:ff40::1", "8.8.8.8", "223.1.1.1"}) {
      Location location = places.find(ip);
      for (std::string_view part : {location.country, location.region, location.city})
        ASSERT_TRUE(simdjson::validate_utf8(part.data(), part.size()));
    }
  };
  for (const std::string& source : sources) {
    look(source);
    for (size_t size = 0; size < source.size(); size += 997) look(std::string_view(source).substr(0, size));
    for (size_t at = 0; at < source.size(); at += 89) {
      std::string changed = source;
      changed[at] = static_cast<char>(changed[at] ^ 0xff);
      look(changed);
    }
  }
  EXPECT_GT(opened_ones, 50U);
}

// A read behind the end of a mapped file would end the process.
TEST(PlaceFile, IsNotHurtWhenItsFileIsCutShort) {
  std::string path = recorded("geo/GeoLite2-City-Test.mmdb");
  if (path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
  Scratch scratch;
  std::string copy = scratch.file("city.mmdb", content(path));
  auto opened = PlaceFile::open(copy, scratch.path(), PlaceFile::Check::all);
  ASSERT_TRUE(opened) << opened.error().message;
  std::filesystem::resize_file(copy, 0);
  EXPECT_EQ(text(Places({.city = *opened}).find("81.2.69.142")), "GB/England/London");
  auto files = [&] {
    const auto begin = std::filesystem::directory_iterator(scratch.path());
    return std::distance(begin, std::filesystem::directory_iterator());
  };
  EXPECT_EQ(files(), 2);
  opened->reset();
  EXPECT_EQ(files(), 1);  // the copy goes with it

  auto killed = PlaceFile::open(recorded("geo/GeoLite2-City-Test.mmdb"), scratch.path(), PlaceFile::Check::sample);
  ASSERT_TRUE(killed);
  EXPECT_EQ(files(), 2);
  PlaceFile::remove_copies(scratch.path());
  EXPECT_EQ(files(), 1);
}

TEST(Places, FallBackToRangesOfCountries) {
  Places places({.ranges_ipv4 = *CountryRanges::load("134744072,134744072,US\n"),
                 .ranges_ipv6 = *CountryRanges::load("2a00::,2a01::,IE\n")});
  EXPECT_EQ(text(places.find("8.8.8.8")), "US//");
  EXPECT_EQ(text(places.find("2a00::1")), "IE//");
  EXPECT_EQ(text(places.find("8.8.8.9")), "//");
  std::string path = recorded("geo/GeoLite2-City-Test.mmdb");
  if (path.empty()) GTEST_SKIP() << "WEIR_TEST_DATA does not hold data/geo";
  Places both({.city = open_file(path), .ranges_ipv4 = *CountryRanges::load("134744072,1358000000,US\n")});
  EXPECT_EQ(text(both.find("8.8.8.8")), "US//");
  EXPECT_EQ(text(both.find("81.2.69.142")), "GB/England/London");
}

// What weir ships.
class ShippedPlaces : public ::testing::Test {
 protected:
  static std::shared_ptr<const PlaceFile> city(const std::string& name) {
    std::string path = find_shipped_packs("") + "/" + name;
    return std::filesystem::exists(path) ? open_file(path, PlaceFile::Check::sample) : nullptr;
  }
};

TEST_F(ShippedPlaces, CitiesOfKnownAddresses) {
  auto v4 = city("city-ipv4.mmdb");
  auto v6 = city("city-ipv6.mmdb");
  if (!v4 || !v6) GTEST_SKIP() << "there are no city packs";
  EXPECT_FALSE(v4->knows_v6());
  EXPECT_FALSE(v6->knows_v4());
  EXPECT_EQ(format_day(day_of(v4->built())), "2026-06-05");
  Places places({.city_ipv4 = v4, .city_ipv6 = v6});
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"8.8.8.8", "US/California/Mountain View"},
      {"1.1.1.1", "AU/New South Wales/Sydney"},
      {"81.2.69.142", "GB/England/London"},
      {"193.0.6.139", "NL/North Holland/Amsterdam"},
      {"202.12.27.33", "JP/Kanagawa/Fujisawa"},
      {"2a00:1450:4001:800::200e", "DE/Hesse/Frankfurt am Main"},
      {"::ffff:8.8.8.8", "US/California/Mountain View"},
      {"2002:0808:0808::1", "US/California/Mountain View"},
      {"2001:db8::1", "//"},
      {"10.0.0.1", "//"},
  };
  for (const auto& [ip, expected] : cases) EXPECT_EQ(text(places.find(ip)), expected) << ip;
}

TEST_F(ShippedPlaces, CountriesOfKnownAddresses) {
  const std::string packs = find_shipped_packs("");
  if (!std::filesystem::exists(packs + "/country-ipv4.txt")) GTEST_SKIP() << "there are no country packs";
  auto v4 = CountryRanges::load(content(packs + "/country-ipv4.txt"));
  auto v6 = CountryRanges::load(content(packs + "/country-ipv6.txt"));
  ASSERT_TRUE(v4 && v6);
  EXPECT_GT((*v4)->size(), 380'000U);
  EXPECT_GT((*v6)->size(), 270'000U);
  EXPECT_GT((*v4)->generated(), 1'782'000'000'000);
  Places places({.ranges_ipv4 = *v4, .ranges_ipv6 = *v6});
  EXPECT_EQ(places.find("8.8.8.8").country, "US");
  EXPECT_EQ(places.find("2001:4860:4860::8888").country, "US");
  EXPECT_EQ(places.find("2606:4700:4700::1111").country, "US");
  EXPECT_EQ(places.find("2a00:1450:4001:800::200e").country, "IE");
  EXPECT_EQ(places.find("2001:db8::1").country, "");
}

}  // namespace
}  // namespace weir::enrich
