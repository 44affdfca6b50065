#include "weir/web/first_view.h"

#include <array>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <regex>
#include <set>

#include "weir/http/inflate.h"
#include "weir/http/testing/server_fixture.h"
#include "weir/web/assets.h"
#include "weir/web/web_routes.h"

namespace weir::web {
namespace {

using boost::asio::awaitable;
using http::testing::Answer;
using http::testing::get;
using http::testing::RawClient;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kItems[] = {"/api/v1/goals", "/api/v1/segments", "/api/v1/annotations", "/api/v1/properties"};

// A server whose API answers what the tests say, to a viewer and an editor by their cookies.
class FirstViewOfAProject : public http::testing::ServerTest {
 protected:
  FirstViewOfAProject() {
    add_web_routes(
        router, {.frame_ancestors = nullptr, .viewer_of = [](const http::Request& request, std::string_view project) {
                   std::optional<Viewer> viewer;
                   bool edits = request.header("cookie") == "who=editor";
                   if (project == "my-shop_2.x" && (edits || request.header("cookie") == "who=viewer"))
                     viewer = Viewer{edits, "America/Argentina/Buenos_Aires", "the-token"};
                   return viewer;
                 }});
    router.add(http::Method::get, "/api/v1/session", {}, [this](http::Request& request) -> awaitable<http::Response> {
      note(request);
      co_return http::json_response(200, session);
    });
    for (const char* path : kItems)
      router.add(http::Method::get, path, {}, [this](http::Request& request) -> awaitable<http::Response> {
        note(request);
        co_return http::json_response(200, items);
      });
    router.add(http::Method::post, "/api/v1/query", {}, [this](http::Request& request) -> awaitable<http::Response> {
      note(request);
      bodies += request.body + "\n";
      http::Response response = http::json_response(query_status, "");
      if (query_status == 200)
        response.stream = [this, given = 0]() mutable -> awaitable<Result<std::string>> { return next(given++); };
      co_return response;
    });
    start();
  }

  awaitable<Result<std::string>> next(int piece) {
    if (piece == 1 && fails) co_return Error{ErrorCode::kTimeout, "query: too long"};
    co_return piece == 0 ? R"({"results":)" : piece == 1 ? answer : std::string();
  }

  void note(const http::Request& request) {
    std::lock_guard lock(mutex);
    asked.insert(std::string(request.target));
    for (const char* name : {"cookie", "x-weir-csrf", "sec-fetch-site"}) heads.emplace(name, request.header(name));
  }

  Answer ask(const std::string& target, const std::string& headers = "Cookie: who=editor\r\n",
             std::string_view method = "GET") {
    RawClient client(address);
    client.send(std::string(method) + get(target, headers).substr(3));
    return client.read(method == "HEAD");
  }

  // The answers that came with the page, in their order.
  static std::vector<std::string> answers_of(const std::string& page) {
    static const std::regex kAnswer(R"re(<script type="application/json" id="answer-(\d+)">([^<]*)</script>\n)re");
    std::vector<std::string> found;
    for (std::sregex_iterator at(page.begin(), page.end(), kAnswer), end; at != end; ++at) {
      EXPECT_EQ((*at)[1], std::to_string(found.size()));
      found.push_back((*at)[2]);
    }
    return found;
  }

  static bool is_plain(const Answer& answer) { return answer.body == find_asset("/ui/index.html")->identity; }

  std::mutex mutex;  // guards the next two
  std::set<std::string> asked;
  std::set<std::pair<std::string, std::string>> heads;
  std::string bodies;
  // What the API answers.
  std::string session = R"({"user":1})";
  std::string items = "{}";
  std::string answer = "[]}";
  int query_status = 200;
  bool fails = false;
};

TEST_F(FirstViewOfAProject, ComesWithTheAnswersToWhatItsScriptWouldAsk) {
  Answer page = ask("/ui/p/my-shop_2.x");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers["content-type"], "text/html; charset=utf-8");
  EXPECT_EQ(page.headers["cache-control"], "no-store");
  EXPECT_EQ(page.headers["vary"], "Accept-Encoding, Cookie");
  EXPECT_EQ(page.headers.count("etag"), 0u);
  EXPECT_EQ(page.headers["x-frame-options"], "DENY");
  EXPECT_THAT(page.headers["link"], HasSubstr("/Dashboard-"));
  EXPECT_THAT(page.body,
              AllOf(HasSubstr("<title>my-shop_2.x · weir</title>"), HasSubstr("href=\"/ui/p/my-shop_2.x/live\""),
                    HasSubstr("Times are those of America/Argentina/Buenos_Aires"), HasSubstr("Last 28 days"),
                    Not(HasSubstr("__")), Not(HasSubstr(" style=")), HasSubstr("</html>")));
  EXPECT_THAT(answers_of(page.body), ElementsAre(session, "{}", "{}", "{}", "{}", R"({"results":[]})",
                                                 R"({"results":[]})", R"({"results":[]})"));
  EXPECT_THAT(asked, ElementsAre("/api/v1/annotations?project=my-shop_2.x", "/api/v1/goals?project=my-shop_2.x",
                                 "/api/v1/properties?project=my-shop_2.x", "/api/v1/query",
                                 "/api/v1/segments?project=my-shop_2.x", "/api/v1/session"));
  EXPECT_THAT(bodies, HasSubstr(R"({"site_id":"my-shop_2.x","metrics":["visitors",)"));
  // As the viewer's own page would ask.
  EXPECT_THAT(heads, ElementsAre(std::pair("cookie", "who=editor"), std::pair("sec-fetch-site", "same-origin"),
                                 std::pair("x-weir-csrf", "the-token")));
  EXPECT_EQ(page.body.find("the-token"), std::string::npos);
}

TEST_F(FirstViewOfAProject, PacksItPieceByPieceForWhoTakesThat) {
  std::string plain = ask("/ui/p/my-shop_2.x").body;
  Answer packed = ask("/ui/p/my-shop_2.x", "Cookie: who=editor\r\nAccept-Encoding: gzip, br\r\n");
  EXPECT_EQ(packed.headers["content-encoding"], "gzip");
  EXPECT_LT(packed.body.size(), 8u * 1024);
  std::string unpacked;
  auto inflater = http::Inflater::open(http::Coding::gzip, packed.body);
  ASSERT_TRUE(inflater);
  for (bool ended = false; !ended;) {
    auto more = (*inflater)->next(unpacked, 64 << 10, 1 << 20);
    ASSERT_TRUE(more) << more.error().message;
    ended = *more;
  }
  EXPECT_EQ(unpacked, plain);
}

TEST_F(FirstViewOfAProject, ShowsEachRoleWhatItMay) {
  EXPECT_THAT(ask("/ui/p/my-shop_2.x").body, AllOf(HasSubstr("/my-shop_2.x/sql\""), HasSubstr(" Note</button>")));
  EXPECT_THAT(
      ask("/ui/p/my-shop_2.x", "Cookie: who=viewer\r\n").body,
      AllOf(HasSubstr("/my-shop_2.x/live\""), Not(HasSubstr("/my-shop_2.x/sql\"")), Not(HasSubstr(" Note</button>"))));
}

TEST_F(FirstViewOfAProject, IsThereForEachRangeOfTheMenu) {
  for (const char* period : {"day", "realtime", "24h", "7d", "30d", "91d", "month", "6mo", "12mo", "year", "all"}) {
    Answer page = ask(std::string("/ui/p/my-shop_2.x?period=") + period);
    EXPECT_FALSE(is_plain(page)) << period;
    EXPECT_THAT(bodies, HasSubstr(R"("date_range":")" + std::string(period) + '"'));
  }
}

TEST_F(FirstViewOfAProject, NothingInAnAnswerEndsTheScriptThatItStandsIn) {
  answer = R"(["</script><script>alert(1)</script><!--"]})";
  session = R"({"user":"</SCRIPT >"})";
  std::vector<std::string> answers = answers_of(ask("/ui/p/my-shop_2.x").body);
  ASSERT_EQ(answers.size(), 8u);
  EXPECT_EQ(answers[0], R"({"user":"\u003c/SCRIPT >"})");
  EXPECT_EQ(answers[5], R"({"results":["\u003c/script>\u003cscript>alert(1)\u003c/script>\u003c!--"]})");
}

TEST_F(FirstViewOfAProject, WhatCannotBeAnsweredIsLeftToThePage) {
  query_status = 503;
  EXPECT_EQ(answers_of(ask("/ui/p/my-shop_2.x").body)[5], "null");
  query_status = 200;
  fails = true;
  EXPECT_EQ(answers_of(ask("/ui/p/my-shop_2.x").body)[5], "null");
  fails = false;
  answer = '"' + std::string(200 << 10, 'x') + "\"}";
  Answer page = ask("/ui/p/my-shop_2.x");
  EXPECT_EQ(answers_of(page.body)[5], "null");
  EXPECT_THAT(page.body, HasSubstr("</html>"));
  items = '"' + std::string(200 << 10, 'x') + '"';
  EXPECT_EQ(answers_of(ask("/ui/p/my-shop_2.x").body)[1], "null");
}

TEST_F(FirstViewOfAProject, AllOthersGetThePageAsItIsForEverybody) {
  for (const char* target : {"/ui/", "/ui/p/", "/ui/p/other", "/ui/p/my-shop_2.x/live", "/ui/p/my%2Dshop_2.x",
                             "/ui/p/<b>", "/ui/share/my-shop_2.x", "/ui/p/my-shop_2.x?period=2d",
                             "/ui/p/my-shop_2.x?period=7d&f=is,page,/", "/ui/p/my-shop_2.x?period=day&date=2026-01-01"})
    EXPECT_TRUE(is_plain(ask(target))) << target;
  for (const char* cookie : {"", "Cookie: who=stranger\r\n"})
    EXPECT_TRUE(is_plain(ask("/ui/p/my-shop_2.x", cookie))) << cookie;
  EXPECT_EQ(ask("/ui/p/my-shop_2.x", "Cookie: who=editor\r\n", "HEAD").headers["cache-control"], "no-cache");
  EXPECT_TRUE(asked.empty());
}

TEST(FirstViews, HoldNothingThatDependsOnWhenTheyWereBuilt) {
  ASSERT_FALSE(first_views().empty());
  static const std::regex kDate(R"(20\d\d-\d\d)");
  for (const FirstView& view : first_views()) {
    EXPECT_FALSE(std::regex_search(std::string(view.before), kDate)) << view.query;
    EXPECT_FALSE(std::regex_search(std::string(view.requests), kDate)) << view.query;
  }
}

}  // namespace
}  // namespace weir::web
