#include "weir/query/countries.h"

#include <gtest/gtest.h>

#include <set>

namespace weir::query {
namespace {

TEST(Countries, EachHasOneCodeAndAName) {
  std::set<std::string_view> names;
  std::string_view before;
  std::string_view germany;
  for (const Country& country : countries()) {
    EXPECT_LT(before, country.code);
    before = country.code;
    for (char c : country.code) EXPECT_TRUE(c >= 'A' && c <= 'Z') << country.code;
    EXPECT_NE(country.name, country.code);
    EXPECT_TRUE(names.insert(country.name).second) << country.name;
    if (country.code == "DE") germany = country.name;
  }
  EXPECT_EQ(countries().size(), 250u);
  EXPECT_EQ(germany, "Germany");
}

}  // namespace
}  // namespace weir::query
