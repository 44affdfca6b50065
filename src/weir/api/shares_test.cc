#include <fmt/format.h>

#include "weir/api/testing/people_fixture.h"

namespace weir::api {
namespace {
using testing::Answer;
using testing::PeopleTest;
namespace json = boost::json;
using http::Method;

TEST_F(PeopleTest, ASharedLinkShowsItsProjectAloneUntilItEnds) {
  Browser boss = set_up();
  Answer made = send(boss, Method::post, "/api/v1/shares",
                     R"({"project":"website","name":"Board","password":"open sesame",)"
                     R"("segment":[["is","visit:country",["DE"]]],"origins":["https://intranet.example"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  std::string link(made.parsed().at("link").as_string());
  std::string token = link.substr(link.rfind('/') + 1);
  EXPECT_EQ(send(boss, Method::get, "/api/v1/shares?project=website").body.find(token), std::string::npos);
  auto open = [&](Browser& browser, const std::string& with, const char* password) {
    json::object body{{"token", with}};
    if (password != nullptr) body["password"] = password;
    return send(browser, Method::post, "/api/v1/share", json::serialize(body));
  };
  Browser guest;
  EXPECT_EQ(open(guest, token + "x", nullptr).status, 404);
  EXPECT_EQ(open(guest, std::string(made.parsed().at("id").as_string()), nullptr).status, 404);
  Answer asked = open(guest, token, nullptr);
  EXPECT_EQ(asked.status, 401);
  EXPECT_EQ(code_of(asked), "password");
  EXPECT_EQ(code_of(open(guest, token, "wrong")), "password");
  EXPECT_TRUE(guest.cookies.empty());
  Answer opened = open(guest, token, "open sesame");
  ASSERT_EQ(opened.status, 200) << opened.body;
  EXPECT_EQ(opened.parsed().at("share").at("project").as_string(), "website");
  EXPECT_EQ(json::serialize(opened.parsed().at("share").at("segment")), R"([["is","visit:country",["DE"]]])");
  EXPECT_TRUE(opened.parsed().at("user").is_null());
  EXPECT_EQ(opened.parsed().at("projects").as_array().size(), 1u);
  EXPECT_EQ(send(guest, Method::get, "/api/v1/projects").parsed().at("projects").as_array().size(), 1u);
  EXPECT_EQ(send(guest, Method::get, "/api/v1/projects/app").status, 404);
  EXPECT_EQ(send(guest, Method::get, "/api/v1/account").status, 403);
  EXPECT_EQ(send(guest, Method::post, "/api/v1/sql", "select 1").status, 403);
  // In a frame of another site, where cookies are not sent, the page says it itself.
  std::string session(opened.parsed().at("share_session").as_string());
  auto by_header = [&](const std::string& value) {
    return ask(Method::get, "/api/v1/projects/website", "", {{"x-weir-share", value}}).status;
  };
  EXPECT_EQ(by_header(session), 200);
  // Forged, altered, of another link.
  for (size_t at = 0; at < session.size(); at += 3) {
    std::string forged = session;
    forged[at] = forged[at] == 'a' ? 'b' : 'a';
    EXPECT_EQ(by_header(forged), 401) << forged;
  }
  auto other = settings_.create_share({.project = app_.id, .name = "other"});
  ASSERT_TRUE(other);
  std::string swapped = other->share.id + session.substr(session.find('.'));
  for (const std::string& forged : {swapped, session + ".x", std::string(), std::string("."), std::string("..")})
    EXPECT_EQ(by_header(forged), 401) << forged;
  // It ends: after a day, with the link, and replayed it stays so.
  clock_.advance(std::chrono::milliseconds(kShareSessionMillis));
  EXPECT_EQ(by_header(session), 401);
  Answer anew = open(guest, token, "open sesame");
  session = std::string(anew.parsed().at("share_session").as_string());
  EXPECT_EQ(by_header(session), 200);
  ASSERT_EQ(sign_in(boss, "boss@example.com").status, 200);
  EXPECT_EQ(send(boss, Method::del, "/api/v1/shares/" + std::string(made.parsed().at("id").as_string())).status, 204);
  EXPECT_EQ(by_header(session), 401);
  EXPECT_EQ(send(guest, Method::get, "/api/v1/projects/website").status, 401);
  EXPECT_EQ(open(guest, token, "open sesame").status, 404);
}

TEST_F(PeopleTest, ASharedLinksPasswordIsNotGuessedFromManyAddresses) {
  Browser boss = set_up();
  Answer made =
      send(boss, Method::post, "/api/v1/shares", R"({"project":"website","name":"Board","password":"open sesame"})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string link(made.parsed().at("link").as_string());
  auto open = [&](std::string_view password) {
    Browser guest;
    const json::object body{{"token", link.substr(link.rfind('/') + 1)}, {"password", password}};
    return send(guest, Method::post, "/api/v1/share", json::serialize(body)).status;
  };
  for (int i = 0; i < 100; ++i) {
    address_ = fmt::format("198.51.{}.1", i);
    ASSERT_EQ(open("a guess"), 401) << i;
  }
  address_ = "203.0.113.9";
  EXPECT_EQ(open("open sesame"), 429);
  clock_.advance(std::chrono::seconds(31));
  EXPECT_EQ(open("open sesame"), 200);
}

}  // namespace
}  // namespace weir::api
