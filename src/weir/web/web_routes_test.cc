#include "weir/web/web_routes.h"

#include <brotli/decode.h>

#include <atomic>

#include "weir/http/testing/server_fixture.h"
#include "weir/web/assets.h"

namespace weir::web {
namespace {

using http::testing::Answer;
using http::testing::get;
using http::testing::RawClient;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class WebRoutes : public http::testing::ServerTest {
 protected:
  WebRoutes() {
    add_web_routes(router, {.frame_ancestors = [this](std::string_view token) {
                     asked_token = std::string(token);
                     return token == "open"
                                ? std::vector<std::string>{"https://a.example", "https://b.example; script-src *"}
                                : std::vector<std::string>{};
                   }});
    start();
  }

  Answer ask(std::string_view path, std::string_view headers = {}, std::string_view method = "GET") {
    RawClient client(address);
    std::string request = get(path, headers);
    client.send(std::string(method) + request.substr(3));
    return client.read(method == "HEAD");
  }

  static const Asset& script() {
    for (const Asset& asset : assets())
      if (asset.path.starts_with("/ui/assets/index-") && asset.path.ends_with(".js")) return asset;
    ADD_FAILURE() << "the bundle has no index script";
    return assets().front();
  }

  std::string asked_token;
};

TEST_F(WebRoutes, TheRootLeadsToTheDashboard) {
  for (const char* path : {"/", "/ui"}) {
    Answer answer = ask(path);
    EXPECT_EQ(answer.status, 302) << path;
    EXPECT_EQ(answer.headers["location"], "/ui/") << path;
  }
}

TEST_F(WebRoutes, EveryPathThatIsNoAssetIsThePage) {
  for (const char* path :
       {"/ui/", "/ui/p/shop", "/ui/p/my%20shop?period=7d", "/ui/settings/people", "/ui/index.html", "/ui/a/b/c/d"}) {
    Answer answer = ask(path);
    EXPECT_EQ(answer.status, 200) << path;
    EXPECT_EQ(answer.headers["content-type"], "text/html; charset=utf-8") << path;
    EXPECT_EQ(answer.headers["cache-control"], "no-cache") << path;
    EXPECT_EQ(answer.body, find_asset("/ui/index.html")->identity) << path;
  }
}

TEST_F(WebRoutes, ThePageNamesOnlyAssetsThatAreThere) {
  std::string_view page = find_asset("/ui/index.html")->identity;
  size_t named = 0;
  for (size_t at = page.find("/ui/assets/"); at != std::string_view::npos; at = page.find("/ui/assets/", at + 1)) {
    std::string_view path = page.substr(at, page.find('"', at) - at);
    EXPECT_NE(find_asset(path), nullptr) << path;
    ++named;
  }
  EXPECT_GE(named, 3u);
  // The policy forbids both.
  EXPECT_THAT(std::string(page), Not(HasSubstr("<style")));
  EXPECT_THAT(std::string(page), Not(HasSubstr("style=")));
  EXPECT_THAT(std::string(page), HasSubstr("<script type=\"module\" crossorigin src=\"/ui/assets/"));
}

TEST_F(WebRoutes, AnAssetIsKeptForAYearAndSentAsTheClientTakesIt) {
  const Asset& asset = script();
  Answer plain = ask(asset.path);
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.headers["cache-control"], "public, max-age=31536000, immutable");
  EXPECT_EQ(plain.headers["vary"], "Accept-Encoding");
  EXPECT_EQ(plain.headers["content-type"], "text/javascript; charset=utf-8");
  EXPECT_EQ(plain.body, asset.identity);
  Answer gzip = ask(asset.path, "Accept-Encoding: deflate, gzip;q=0.8\r\n");
  EXPECT_EQ(gzip.headers["content-encoding"], "gzip");
  EXPECT_EQ(gzip.body, asset.gzip);
  Answer brotli = ask(asset.path, "Accept-Encoding: gzip, deflate, br, zstd\r\n");
  EXPECT_EQ(brotli.headers["content-encoding"], "br");
  EXPECT_EQ(brotli.body, asset.brotli);
  EXPECT_EQ(ask(asset.path, "Accept-Encoding: br;q=0, gzip\r\n").headers["content-encoding"], "gzip");
  EXPECT_EQ(ask(asset.path, "Accept-Encoding: brr, identity\r\n").headers.count("content-encoding"), 0u);
  EXPECT_NE(plain.headers["etag"], brotli.headers["etag"]);
}

TEST_F(WebRoutes, TheThreeFormsOfEveryAssetAreTheSameFile) {
  for (const Asset& asset : assets()) {
    std::string inflated(asset.identity.size() + 1, '\0');
    size_t bytes = inflated.size();
    ASSERT_EQ(BrotliDecoderDecompress(asset.brotli.size(), reinterpret_cast<const uint8_t*>(asset.brotli.data()),
                                      &bytes, reinterpret_cast<uint8_t*>(inflated.data())),
              BROTLI_DECODER_RESULT_SUCCESS)
        << asset.path;
    EXPECT_EQ(std::string_view(inflated).substr(0, bytes), asset.identity) << asset.path;
    // Its last four bytes are the length of what it holds.
    ASSERT_GE(asset.gzip.size(), 18u) << asset.path;
    uint32_t length = 0;
    for (size_t i = 0; i < 4; ++i)
      length |= static_cast<uint32_t>(static_cast<unsigned char>(asset.gzip[asset.gzip.size() - 4 + i])) << (8 * i);
    EXPECT_EQ(length, asset.identity.size()) << asset.path;
  }
}

TEST_F(WebRoutes, WhoHasThePageAlreadyIsToldSo) {
  std::string tag = ask("/ui/", "Accept-Encoding: br\r\n").headers["etag"];
  ASSERT_THAT(tag, StartsWith("\""));
  for (const std::string& list : {tag, "\"other\", W/" + tag, std::string("*")}) {
    Answer again = ask("/ui/p/shop", "Accept-Encoding: br\r\nIf-None-Match: " + list + "\r\n");
    EXPECT_EQ(again.status, 304) << list;
    EXPECT_EQ(again.headers["etag"], tag);
    EXPECT_EQ(again.body, "");
    EXPECT_THAT(again.headers["content-security-policy"], HasSubstr("script-src 'self'"));
  }
  EXPECT_EQ(ask("/ui/", "If-None-Match: \"other\"\r\n").status, 200);
}

TEST_F(WebRoutes, HeadAnswersWithoutABody) {
  Answer head = ask("/ui/", {}, "HEAD");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers["content-length"], std::to_string(find_asset("/ui/index.html")->identity.size()));
  EXPECT_EQ(ask("/ui/", {}, "POST").status, 405);
}

TEST_F(WebRoutes, AProjectsPageNamesWhatItWillLoad) {
  std::string links = ask("/ui/p/shop").headers["link"];
  const std::string page(find_asset("/ui/index.html")->identity);
  size_t of_the_page = 0, others = 0;
  for (size_t at = links.find("</ui/"); at != std::string::npos; at = links.find("</ui/", at + 1)) {
    std::string path = links.substr(at + 1, links.find('>', at) - at - 1);
    EXPECT_NE(find_asset(path), nullptr) << path;
    // As the page's own tags ask for it, or it would be fetched twice.
    EXPECT_THAT(links.substr(at, links.find(',', at) - at), HasSubstr("; crossorigin"));
    ++(page.find(path) != std::string::npos ? of_the_page : others);
  }
  EXPECT_EQ(of_the_page, 2u);  // its script and its style
  EXPECT_GE(others, 3u);       // what that script asks for, and the script and the style of what a project shows
  EXPECT_EQ(ask("/ui/share/open").headers["link"], links);
  for (const char* path : {"/ui/", "/ui/p/shop/live", "/ui/settings/people"})
    EXPECT_THAT(ask(path).headers["link"], AllOf(HasSubstr("/shared-"), Not(HasSubstr("/Dashboard-")))) << path;
}

TEST_F(WebRoutes, NoPathLeavesTheBundle) {
  for (const char* path :
       {"/ui/assets/../../../../etc/passwd", "/ui/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/ui/assets/%2e%2e/%2e%2e/etc/passwd", "/ui/assets//etc/passwd", "/ui/assets/....//....//etc/passwd",
        "/ui/assets/..\\..\\etc\\passwd", "/ui/assets/", "/ui/assets/index.js", "/ui/assets/index-%00.js",
        "/ui/assets/%252e%252e%252fetc%252fpasswd"}) {
    Answer answer = ask(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_THAT(answer.body, Not(HasSubstr("root:"))) << path;
  }
  // What looks like a way out of /ui/ is the page, or none of ours.
  Answer page = ask("/ui/../../etc/passwd");
  EXPECT_THAT(page.body, Not(HasSubstr("root:")));
  EXPECT_EQ(ask("/../etc/passwd").status, 404);
}

TEST_F(WebRoutes, EveryAnswerCarriesTheGuards) {
  for (std::string_view path : {std::string_view("/ui/"), script().path, std::string_view("/ui/assets/none.js")}) {
    Answer answer = ask(path);
    EXPECT_EQ(answer.headers["content-security-policy"],
              "default-src 'none'; script-src 'self' " + std::string(inline_scripts()) +
                  "; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
                  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'");
    EXPECT_THAT(std::string(inline_scripts()), MatchesRegex("('sha256-[0-9A-Za-z+/=]{44}' ?)+"));
    EXPECT_EQ(answer.headers["x-content-type-options"], "nosniff");
    EXPECT_EQ(answer.headers["referrer-policy"], "same-origin");
    EXPECT_EQ(answer.headers["cross-origin-opener-policy"], "same-origin");
    EXPECT_EQ(answer.headers["x-frame-options"], "DENY");
    EXPECT_NE(answer.headers["permissions-policy"], "");
  }
}

TEST_F(WebRoutes, OnlyTheSharedPageMayBeFramedAndOnlyByTheOriginsOfItsLink) {
  Answer open = ask("/ui/share/open?embed=1");
  EXPECT_THAT(open.headers["content-security-policy"], HasSubstr("frame-ancestors https://a.example"));
  EXPECT_THAT(open.headers["content-security-policy"], Not(HasSubstr("b.example")));  // it would end the directive
  EXPECT_EQ(open.headers.count("x-frame-options"), 0u);
  EXPECT_EQ(asked_token, "open");
  Answer closed = ask("/ui/share/closed");
  EXPECT_THAT(closed.headers["content-security-policy"], HasSubstr("frame-ancestors 'none'"));
  EXPECT_EQ(closed.headers["x-frame-options"], "DENY");
  asked_token.clear();
  EXPECT_EQ(ask("/ui/p/open").headers["x-frame-options"], "DENY");
  EXPECT_EQ(asked_token, "");
}

TEST(Bundle, TheFirstViewOfAProjectStaysSmall) { EXPECT_LE(first_view_bytes(), 100u * 1024); }

}  // namespace
}  // namespace weir::web
