#include "weir/enrich/client_hints.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weir::enrich {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> names(const ClientHints& hints) {
  std::vector<std::string> out;
  for (const auto& brand : hints.brands) out.push_back(brand.name + " " + brand.version);
  return out;
}

TEST(ClientHints, ReadsWhatChromeSends) {
  ClientHints hints = ClientHints::parse(
      R"({"sec-ch-ua":"\"Chromium\";v=\"147\", \"Google Chrome\";v=\"147\", \"Not)A;Brand\";v=\"8\"",)"
      R"("sec-ch-ua-mobile":"?1","sec-ch-ua-platform":"\"Android\"","sec-ch-ua-platform-version":"\"15.0.0\"",)"
      R"("sec-ch-ua-model":"\"Pixel 9\"","sec-ch-ua-form-factors":"\"Mobile\", \"XR\"","x-requested-with":"com.example"})");
  EXPECT_THAT(names(hints), ElementsAre("Chromium 147", "Google Chrome 147"));
  EXPECT_EQ(hints.mobile, ClientHints::Mobile::yes);
  EXPECT_EQ(hints.platform, "Android");
  EXPECT_EQ(hints.platform_version, "15.0.0");
  EXPECT_EQ(hints.model, "Pixel 9");
  EXPECT_THAT(hints.form_factors, ElementsAre("Mobile", "XR"));
  EXPECT_EQ(hints.requested_with, "com.example");
}

TEST(ClientHints, TheFullVersionsWinWhereverTheyStand) {
  constexpr const char* kShort = R"("sec-ch-ua":"\"Opera\";v=\"120\"")";
  constexpr const char* kFull = R"("sec-ch-ua-full-version-list":"\"Opera\";v=\"120.0.5543.61\"")";
  for (const std::string& json :
       {std::string("{") + kShort + "," + kFull + "}", std::string("{") + kFull + "," + kShort + "}"})
    EXPECT_THAT(names(ClientHints::parse(json)), ElementsAre("Opera 120.0.5543.61")) << json;
}

TEST(ClientHints, MadeUpBrandsAreLeftOut) {
  for (std::string brand : {"Not A;Brand", " Not A;Brand", "Not)A;Brand", "Not/A)Brand", "(Not(A:Brand", "Not?A_Brand",
                            "Not.A/Brand", "Not:A-Brand", ";Not A Brand", "Not;A=Brand", "Not-A.Brand"})
    EXPECT_THAT(ClientHints::parse(R"({"sec-ch-ua":"\")" + brand + R"(\";v=\"99\""})").brands, IsEmpty()) << brand;
}

TEST(ClientHints, WhatCannotBeUnderstoodIsAbsent) {
  EXPECT_THAT(ClientHints::parse("").brands, IsEmpty());
  EXPECT_THAT(ClientHints::parse("[1]").brands, IsEmpty());
  EXPECT_EQ(ClientHints::parse(R"({"sec-ch-ua-model":"\"x\"","sec-ch-ua-platform":"\"L)").model, "");
  ClientHints hints =
      ClientHints::parse(R"({"sec-ch-ua-mobile":true,"sec-ch-ua":"\"never closed","sec-ch-ua-model":"\"a\\\"b\""})");
  EXPECT_EQ(hints.mobile, ClientHints::Mobile::unknown);
  EXPECT_THAT(names(hints), ElementsAre("never closed "));
  EXPECT_EQ(hints.model, "a\"b");
  EXPECT_EQ(ClientHints::parse(R"({"sec-ch-ua-platform":"Linux"})").platform, "Linux");
}

TEST(ClientHints, ListsAndTextsHaveALimit) {
  std::string many;
  for (int i = 0; i < 100; ++i)
    many += (i == 0 ? "" : ", ") + std::string("\\\"b") + std::to_string(i) + "\\\";v=\\\"1\\\"";
  EXPECT_EQ(ClientHints::parse("{\"sec-ch-ua\":\"" + many + "\"}").brands.size(), 8u);
  EXPECT_EQ(ClientHints::parse("{\"sec-ch-ua-model\":\"" + std::string(1000, 'x') + "\"}").model, "");
}

}  // namespace
}  // namespace weir::enrich
