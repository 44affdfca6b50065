#include "weir/api/totp.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

namespace weir::api {
namespace {

TEST(Totp, FollowsRfc6238) {
  // Appendix B, the last six of its eight digits.
  const std::string secret = "12345678901234567890";
  for (auto [seconds, code] : std::initializer_list<std::pair<int64_t, const char*>>{{59, "287082"},
                                                                                     {1111111109, "081804"},
                                                                                     {1111111111, "050471"},
                                                                                     {1234567890, "005924"},
                                                                                     {2000000000, "279037"},
                                                                                     {20000000000, "353130"}}) {
    EXPECT_EQ(totp_code(secret, seconds / 30), code) << seconds;
    EXPECT_EQ(totp_step(secret, code, seconds * 1000, 0), seconds / 30);
    EXPECT_EQ(totp_step(secret, code, seconds * 1000, seconds / 30), std::nullopt);
    EXPECT_EQ(totp_step(secret, code, seconds * 1000 + 90'000, 0), std::nullopt);
  }
  EXPECT_EQ(totp_step(secret, "2870", 59'000, 0), std::nullopt);
  EXPECT_EQ(totp_step(secret, "", 59'000, 0), std::nullopt);
  // RFC 4648 section 10.
  EXPECT_EQ(to_base32("foobar"), "MZXW6YTBOI");
  EXPECT_EQ(to_base32("fooba"), "MZXW6YTB");
  EXPECT_EQ(to_base32(""), "");
}

}  // namespace
}  // namespace weir::api
