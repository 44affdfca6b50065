#include "weir/base/address.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

Address address(std::string_view text) {
  Address out;
  EXPECT_TRUE(parse_address(text, out)) << text;
  return out;
}

TEST(Address, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(address("1.2.3.4").text(), "1.2.3.4");
  EXPECT_EQ(address("::ffff:1.2.3.4").text(), "1.2.3.4");
  EXPECT_EQ(address("::FFFF:102:304"), address("1.2.3.4"));
  EXPECT_EQ(address("2001:DB8:0::1").text(), "2001:db8::1");
  Address out;
  for (const char* text : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", " 1.2.3.4", "1.2.3.4 ", "fe80::1%eth0",
                           "localhost", "1.2.3.4:5", "[::1]", ":::", "0x1.2.3.4"})
    EXPECT_FALSE(parse_address(text, out)) << text;
}

TEST(Network, KeepsItsFormAndHoldsItsAddresses) {
  for (const char* text : {"10.0.0.0/8", "192.0.2.7", "0.0.0.0/0", "2001:db8::/33", "::/0", "::1"}) {
    Network network;
    ASSERT_TRUE(parse_network(text, network)) << text;
    EXPECT_EQ(network.whole().text(), network.text());
    Network again;
    ASSERT_TRUE(parse_network(network.text(), again)) << network.text();
    EXPECT_EQ(again.bits, network.bits) << text;
    EXPECT_TRUE(network.contains(network.address));
  }
  Network network;
  ASSERT_TRUE(parse_network("10.129.3.4/9", network));
  EXPECT_EQ(network.text(), "10.129.3.4/9");
  EXPECT_EQ(network.whole().text(), "10.128.0.0/9");
  EXPECT_TRUE(network.contains(address("10.255.0.1")));
  EXPECT_TRUE(network.contains(address("::ffff:10.255.0.1")));
  EXPECT_FALSE(network.contains(address("10.127.0.1")));
  EXPECT_FALSE(network.contains(address("::10.255.0.1")));
}

TEST(Network, RefusesWhatIsNone) {
  Network network;
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8",
                           "10.0.0/8", "::/129", "fe80::1%eth0/64", "name/8", "10.0.0.0/ 8"})
    EXPECT_FALSE(parse_network(text, network)) << text;
}

}  // namespace
}  // namespace weir
