#include "weir/store/endpoint.h"

#include <gtest/gtest.h>

namespace weir::store {
namespace {

TEST(FixedEndpoint, TakesAServersAddress) {
  Options options;
  options.url = "https://db.example:8443/";
  options.user = "u";
  options.password = "p";
  auto endpoint = fixed_endpoint(options);
  ASSERT_TRUE(endpoint) << endpoint.error().message;
  EXPECT_EQ((*endpoint)->endpoint().value().url, "https://db.example:8443");
  EXPECT_EQ((*endpoint)->endpoint().value().headers.size(), 2u);
}

TEST(FixedEndpoint, RefusesWhatIsNone) {
  for (auto url : {"db.example:8123", "http://", "http://a/b", "http://a?b", "http://u:p@a", "ftp://a", "http://a b"}) {
    Options options;
    options.url = url;
    auto endpoint = fixed_endpoint(options);
    ASSERT_FALSE(endpoint) << url;
    EXPECT_EQ(endpoint.error().code, ErrorCode::kBadInput);
  }
  Options options;
  options.url = "http://a";
  options.password = "x\r\nX-Other: y";
  EXPECT_FALSE(fixed_endpoint(options));
}

}  // namespace
}  // namespace weir::store
