#include "weir/event/url.h"

#include <gtest/gtest.h>

#include <vector>

namespace weir::event {
namespace {

struct Case {
  const char* url;
  const char* scheme;
  const char* hostname;
  const char* path;
  const char* query;
};

TEST(SplitUrl, TakesEachForm) {
  const std::vector<Case> cases = {
      {"https://a.example/b/c?d=e#f", "https", "a.example", "/b/c", "d=e"},
      {"https://user:pw@a.example:8080/b", "https", "a.example", "/b", ""},
      {"http://a.example", "http", "a.example", "", ""},
      {"http://a.example?x=//y", "http", "a.example", "", "x=//y"},
      {"//a.example/b", "", "a.example", "/b", ""},
      {"/b//c?d", "", "", "/b//c", "d"},
      {"https://[2001:db8::1]:443/x", "https", "2001:db8::1", "/x", ""},
      {"https://a.example./x", "https", "a.example", "/x", ""},
      {"android-app://com.google.android.gm/", "android-app", "com.google.android.gm", "/", ""},
      {"", "", "", "", ""},
      {"?a=b", "", "", "", "a=b"},
      {"https://[broken/x", "https", "", "/x", ""},
      {"no url at all", "", "", "", ""},
  };
  for (const Case& c : cases) {
    UrlParts parts = split_url(c.url);
    EXPECT_EQ(parts.scheme, c.scheme) << c.url;
    EXPECT_EQ(parts.hostname, c.hostname) << c.url;
    EXPECT_EQ(parts.path, c.path) << c.url;
    EXPECT_EQ(parts.query, c.query) << c.url;
  }
}

TEST(UrlDecode, UndoesEscapesAndRepairsBrokenText) {
  auto decoded = [](std::string_view text) {
    std::string out;
    append_url_decoded(text, out);
    return out;
  };
  EXPECT_EQ(decoded("a+b%20c%C3%A9"), "a b c\xc3\xa9");
  EXPECT_EQ(decoded("100%"), "100%");
  EXPECT_EQ(decoded("%zz%4"), "%zz%4");
  EXPECT_EQ(decoded("a%FFb"),
            "a\xef\xbf\xbd"
            "b");
  EXPECT_EQ(decoded("%E2%82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Parameters, ComeInOrderWithAndWithoutValues) {
  std::string seen;
  for_each_parameter("a=1&b&&c=2=3", [&](std::string_view name, std::string_view value) {
    seen.append(name).append(":").append(value).append(";");
  });
  EXPECT_EQ(seen, "a:1;b:;c:2=3;");
}

}  // namespace
}  // namespace weir::event
