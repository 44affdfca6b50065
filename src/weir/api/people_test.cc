#include "weir/api/people.h"

#include <boost/asio/co_spawn.hpp>
#include <map>

#include "weir/api/testing/people_fixture.h"
#include "weir/api/totp.h"
#include "weir/base/bytes.h"
#include "weir/settings/rules.h"

namespace weir::api {
namespace {
using testing::Answer;
using ::testing::HasSubstr;
using testing::kOrigin;
using testing::kPassword;
using testing::PeopleTest;
namespace asio = boost::asio;
namespace json = boost::json;
using http::Method;

TEST_F(PeopleTest, TheSetUpLinkMakesOneOwnerAndNoMore) {
  std::string token = people_->setup_token();
  EXPECT_EQ(token.size(), 43u);
  Browser stranger;
  EXPECT_TRUE(send(stranger, Method::get, "/api/v1/session").parsed().at("setup_needed").as_bool());
  auto body = [](const std::string& with, const std::string& password = kPassword) {
    return json::serialize(
        json::object{{"token", with}, {"email", "boss@example.com"}, {"name", "Boss"}, {"password", password}});
  };
  EXPECT_EQ(send(stranger, Method::post, "/api/v1/setup", body("guess")).status, 403);
  EXPECT_EQ(send(stranger, Method::post, "/api/v1/setup", body("")).status, 403);
  EXPECT_EQ(send(stranger, Method::post, "/api/v1/setup", body(token, "short")).status, 400);
  EXPECT_TRUE(settings_.snapshot()->users().empty());
  Browser boss = set_up();
  Answer session = send(boss, Method::get, "/api/v1/session");
  EXPECT_EQ(session.parsed().at("user").at("email").as_string(), "boss@example.com");
  EXPECT_EQ(session.parsed().at("user").at("role").as_string(), "owner");
  EXPECT_FALSE(session.parsed().at("setup_needed").as_bool());
  EXPECT_EQ(session.parsed().at("projects").as_array().size(), 2u);
  // The link is used up, in this process and in the next.
  EXPECT_EQ(people_->setup_token(), "");
  EXPECT_EQ(send(stranger, Method::post, "/api/v1/setup", body(token)).status, 409);
  make_api();
  EXPECT_EQ(people_->setup_token(), "");
  EXPECT_EQ(send(stranger, Method::post, "/api/v1/setup", body("")).status, 409);
  EXPECT_EQ(settings_.snapshot()->users().size(), 1u);
}

TEST_F(PeopleTest, TheSessionTellsTheTimeInEachProjectsZoneAndUntilWhenThatHolds) {
  Browser boss = set_up();  // in September 2026
  ASSERT_EQ(send(boss, Method::post, "/api/v1/projects", R"({"name":"berlin","time_zone":"Europe/Berlin"})").status,
            201);
  ASSERT_EQ(send(boss, Method::post, "/api/v1/projects", R"({"name":"delhi","time_zone":"Asia/Kolkata"})").status, 201);
  std::map<std::string, std::string> clocks;
  const json::value session = send(boss, Method::get, "/api/v1/session").parsed();
  for (const json::value& project : session.at("projects").as_array())
    clocks[std::string(project.at("name").as_string())] = json::serialize(project.at("clock"));
  EXPECT_EQ(clocks.at("berlin"), R"({"offset":7200,"until":1792890000})");  // 2026-10-25, 01:00 UTC
  EXPECT_EQ(clocks.at("delhi"), R"({"offset":19800,"until":null})");
}

TEST_F(PeopleTest, ASessionIsNewAtEachSignInAndItsCookieIsGuarded) {
  Browser boss = set_up();
  std::string first = boss.cookies.at("weir_session");
  boss.cookies["weir_session"] = "planted-by-somebody";
  Answer again = sign_in(boss, "boss@example.com");
  ASSERT_EQ(again.status, 200) << again.body;
  std::string second = boss.cookies.at("weir_session");
  EXPECT_NE(second, "planted-by-somebody");
  EXPECT_NE(second, first);
  std::string set = set_cookie(again, "weir_session");
  EXPECT_THAT(set, HasSubstr("; HttpOnly"));
  EXPECT_THAT(set, HasSubstr("; SameSite=Lax"));
  EXPECT_THAT(set, HasSubstr("; Path=/"));
  EXPECT_EQ(set.find("Secure"), std::string::npos);
  EXPECT_EQ(again.header("Cache-Control"), "no-store");
  // Signing in on top of a session ends that one.
  Answer third = sign_in(boss, "boss@example.com");
  Browser old = boss;
  old.cookies["weir_session"] = second;
  EXPECT_TRUE(send(old, Method::get, "/api/v1/session").parsed().at("user").is_null());
  boss.origin = "https://weir.example";
  Answer secure = send(boss, Method::post, "/api/v1/session", sign_in_body("boss@example.com", kPassword), true);
  EXPECT_THAT(set_cookie(secure, "weir_session"), HasSubstr("; Secure"));
  // Neither the cookie nor its hash is in an answer; the database has the hash alone.
  EXPECT_EQ(secure.body.find(boss.cookies.at("weir_session")), std::string::npos);
  const auto kept = settings_.sessions();
  ASSERT_TRUE(kept);
  for (const settings::Session& session : *kept) EXPECT_NE(session.token, boss.cookies.at("weir_session"));
}

TEST_F(PeopleTest, ASessionEndsBySigningOutByBeingRevokedAndByAge) {
  Browser boss = set_up();
  Browser phone;
  ASSERT_EQ(sign_in(phone, "boss@example.com").status, 200);
  Answer list = send(boss, Method::get, "/api/v1/account/sessions");
  ASSERT_EQ(list.parsed().at("sessions").as_array().size(), 2u) << list.body;
  std::string other;
  const json::value listed = list.parsed();
  for (const json::value& one : listed.at("sessions").as_array()) {
    EXPECT_EQ(one.at("agent").as_string(), "Firefox");
    EXPECT_EQ(one.at("address").as_string(), address_);
    if (!one.at("current").as_bool()) other = std::string(one.at("id").as_string());
  }
  EXPECT_EQ(send(boss, Method::del, "/api/v1/account/sessions/" + other).status, 204);
  EXPECT_EQ(send(boss, Method::del, "/api/v1/account/sessions/" + other).status, 404);
  EXPECT_EQ(send(phone, Method::get, "/api/v1/account").status, 401);

  // A copy of the cookie is worth nothing after signing out.
  Browser copy = boss;
  EXPECT_EQ(send(boss, Method::del, "/api/v1/session").status, 204);
  EXPECT_EQ(boss.cookies.count("weir_session"), 0u);
  EXPECT_EQ(send(copy, Method::get, "/api/v1/account").status, 401);

  ASSERT_EQ(sign_in(boss, "boss@example.com").status, 200);
  clock_.advance(std::chrono::milliseconds(kSessionIdleMillis - 1));
  EXPECT_EQ(send(boss, Method::get, "/api/v1/account").status, 200);
  clock_.advance(std::chrono::milliseconds(kSessionIdleMillis));
  EXPECT_EQ(send(boss, Method::get, "/api/v1/account").status, 401);
  ASSERT_TRUE(sessions_.keep_seen());
  EXPECT_TRUE(settings_.sessions()->empty());
}

TEST_F(PeopleTest, NoSessionBeginsByAPasswordThatWasReplacedMeanwhile) {
  Browser boss = set_up();
  newcomer(boss, "new@example.com", "viewer", "website");
  // The new password is hashed first; by then the other request has read the old hash, and is told that it fits.
  auto replaced = asio::co_spawn(io_,
                                 drive(Method::post, "/api/v1/users/password",
                                       sign_in_body("new@example.com", "another horse battery"), "", true, {}),
                                 asio::use_future);
  auto thief = begin_ask(Method::post, "/api/v1/session", sign_in_body("new@example.com", kPassword),
                         {{"host", "weir.example"}, {"origin", kOrigin}});
  EXPECT_EQ(replaced.get().status, 204);
  EXPECT_EQ(thief.get().status, 401);
  EXPECT_TRUE(sessions_.of(settings_.snapshot()->user_of_email("new@example.com")->id).empty());
}

TEST_F(PeopleTest, WhenASessionWasUsedIsKeptWithoutANewSnapshot) {
  Browser boss = set_up();
  auto before = settings_.snapshot();
  clock_.advance(std::chrono::minutes(10));
  EXPECT_EQ(send(boss, Method::get, "/api/v1/account").status, 200);
  EXPECT_EQ(settings_.snapshot(), before);
  EXPECT_EQ(settings_.sessions()->at(0).seen_at, clock_.now() - 600'000);
  ASSERT_TRUE(sessions_.keep_seen());
  EXPECT_EQ(settings_.sessions()->at(0).seen_at, clock_.now());
  EXPECT_EQ(settings_.snapshot(), before);
  // Another process finds them.
  Sessions later(settings_, clock_);
  EXPECT_TRUE(later.find(boss.cookies.at("weir_session"), ""));
}

TEST_F(PeopleTest, APasswordChangeNeedsTheOldOneAndEndsAllOtherSessions) {
  Browser boss = set_up();
  Browser thief;
  ASSERT_EQ(sign_in(thief, "boss@example.com").status, 200);
  auto change = [&](const char* current, const char* next) {
    return send(boss, Method::patch, "/api/v1/account",
                json::serialize(json::object{{"current_password", current}, {"password", next}}))
        .status;
  };
  EXPECT_EQ(change("wrong", "another long password"), 403);
  EXPECT_EQ(change(kPassword, "short"), 400);
  EXPECT_EQ(send(boss, Method::patch, "/api/v1/account", R"({"password":"another long password"})").status, 400);
  EXPECT_EQ(send(thief, Method::get, "/api/v1/account").status, 200);
  EXPECT_EQ(change(kPassword, "another long password"), 200);
  EXPECT_EQ(send(thief, Method::get, "/api/v1/account").status, 401);
  EXPECT_EQ(send(boss, Method::get, "/api/v1/account").status, 200);
  Browser fresh;
  EXPECT_EQ(sign_in(fresh, "boss@example.com").status, 401);
  EXPECT_EQ(sign_in(fresh, "boss@example.com", "another long password").status, 200);
  EXPECT_EQ(send(boss, Method::patch, "/api/v1/account", R"({"email":"x@example.com"})").status, 400);
  EXPECT_EQ(send(boss, Method::patch, "/api/v1/account", R"({"name":"Chief"})").parsed().at("name").as_string(),
            "Chief");
}

TEST_F(PeopleTest, AForgedRequestChangesNothing) {
  Browser boss = set_up();
  const std::string target = "/api/v1/projects";
  auto attempt = [&](const std::string& csrf, const std::string& origin, Method method = Method::post) {
    Browser forged = boss;
    forged.csrf = csrf;
    forged.origin = origin;
    return send(forged, method, method == Method::post ? target : "/api/v1/projects/website", R"({"name":"forged"})")
        .status;
  };
  for (Method method : {Method::post, Method::patch, Method::del}) {
    EXPECT_EQ(attempt("", kOrigin, method), 403);
    EXPECT_EQ(attempt("x" + boss.csrf, kOrigin, method), 403);
    EXPECT_EQ(attempt(boss.csrf, "https://evil.example", method), 403);
    EXPECT_EQ(attempt(boss.csrf, "null", method), 403);
    EXPECT_EQ(attempt(boss.csrf, "http://weir.example.evil.example", method), 403);
    EXPECT_EQ(attempt(boss.csrf, "http://weir.example:8000", method), 403);
    EXPECT_EQ(attempt(boss.csrf, "", method), 403);
  }
  EXPECT_EQ(settings_.snapshot()->projects().size(), 2u);
  // Without Origin, a browser's own word for it counts.
  Headers headers = {{"host", "weir.example"},
                     {"cookie", "weir_session=" + boss.cookies.at("weir_session")},
                     {"x-weir-csrf", boss.csrf},
                     {"sec-fetch-site", "same-origin"}};
  EXPECT_EQ(ask(Method::post, target, R"({"name":"good"})", headers).status, 201);
  headers.back().second = "cross-site";
  EXPECT_EQ(ask(Method::post, target, R"({"name":"bad"})", headers).status, 403);
  // Over https a page of the same host by http is another origin.
  Browser plain = boss;
  EXPECT_EQ(send(plain, Method::post, target, R"({"name":"downgrade"})", true).status, 403);
  // A key needs neither.
  EXPECT_EQ(call(Method::post, target, R"({"name":"by-key"})", key(settings::Scope::admin)).status, 201);
  // Signing somebody in from another page (login CSRF), or by its cookie of a form.
  for (const char* path : {"/api/v1/session", "/api/v1/setup", "/api/v1/share", "/api/v1/invitations/accept"}) {
    Browser victim;
    victim.origin = "https://evil.example";
    EXPECT_EQ(send(victim, Method::post, path, sign_in_body("boss@example.com", kPassword)).status, 403) << path;
    EXPECT_TRUE(victim.cookies.empty());
  }
}

TEST_F(PeopleTest, GuessingIsSlowedDownByAccountAndByAddressWhetherOrNotThereIsAnAccount) {
  set_up();
  // One account from everywhere.
  for (const char* email : {"boss@example.com", "nobody@example.com"}) {
    clock_.advance(std::chrono::hours(2));
    Browser guesser;
    Answer first = sign_in(guesser, email, "wrong password");
    EXPECT_EQ(first.status, 401);
    EXPECT_THAT(first.body, HasSubstr("do not belong together"));
    clock_.advance(std::chrono::hours(2));
    EXPECT_TRUE(guess_from_everywhere(email));
    for (const char* password : {"wrong password", kPassword}) {
      Answer answer = sign_in(guesser, email, password);
      EXPECT_EQ(answer.status, 429) << email;
      EXPECT_EQ(answer.header("Retry-After"), "30");
    }
  }
  // One address against everybody; an IPv6 client is its /64.
  int limited = 0;
  for (int i = 0; i < 20; ++i) {
    Browser guesser;
    address_ = fmt::format("2001:db8:0:1::{}", i + 1);
    limited += sign_in(guesser, fmt::format("p{}@example.com", i), "wrong password").status == 429 ? 1 : 0;
  }
  EXPECT_EQ(limited, 10);
  clock_.advance(std::chrono::hours(2));
  address_ = "203.0.113.5";
  Browser boss;
  EXPECT_EQ(sign_in(boss, "boss@example.com").status, 200);
}

TEST_F(PeopleTest, AStrangerWhoGuessesDoesNotKeepTheOwnerOut) {
  set_up();
  Browser stranger;
  address_ = "198.51.100.1";
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(sign_in(stranger, "boss@example.com", "wrong password").status, i < 10 ? 401 : 429);
  Browser boss;  // one that was never seen before
  address_ = "203.0.113.5";
  EXPECT_EQ(sign_in(boss, "boss@example.com").status, 200);
}

TEST_F(PeopleTest, ManyStrangersWhoGuessDoNotKeepTheOwnersBrowserOut) {
  Browser boss = set_up();
  const std::string known = boss.cookies.at("weir_browser");
  EXPECT_EQ(send(boss, Method::del, "/api/v1/session").status, 204);
  EXPECT_TRUE(guess_from_everywhere("boss@example.com"));
  Browser unknown;
  EXPECT_EQ(sign_in(unknown, "boss@example.com").status, 429);
  unknown.cookies["weir_browser"] = known + "x";
  EXPECT_EQ(sign_in(unknown, "boss@example.com").status, 429);
  Answer in = sign_in(boss, "boss@example.com");
  ASSERT_EQ(in.status, 200) << in.body;
  EXPECT_EQ(set_cookie(in, "weir_browser"), "") << "it is known already";

  // Whoever has the cookie gets no more tries than others, and none at other accounts.
  Browser thief;
  thief.cookies["weir_browser"] = known;
  for (int i = 0; i < 11; ++i) {
    address_ = fmt::format("198.51.101.{}", i);
    EXPECT_EQ(sign_in(thief, "boss@example.com", "wrong password").status, i < 10 ? 401 : 429);
  }
  EXPECT_TRUE(guess_from_everywhere("other@example.com"));
  EXPECT_EQ(sign_in(thief, "other@example.com").status, 429);
  // It ends with the password.
  json::object change{{"password", "another password"}, {"current_password", kPassword}};
  ASSERT_EQ(send(boss, Method::patch, "/api/v1/account", json::serialize(change)).status, 200);
  address_ = "203.0.113.5";
  Browser old;
  old.cookies["weir_browser"] = known;
  EXPECT_EQ(sign_in(old, "boss@example.com", "another password").status, 429);
}

TEST_F(PeopleTest, CodesAreGuessedTenTimesAMinuteFromWhereverTheyCome) {
  set_up();
  const settings::User user = settings_.snapshot()->users().at(0);
  ASSERT_TRUE(settings_.change_user(user.id, [&](settings::User& kept) -> Result<> {
    kept.totp_secret = sealer_.seal(kept.id, "secret of 20 bytes..");
    return {};
  }));
  for (int i = 0; i < 11; ++i) {
    Browser guesser;
    address_ = fmt::format("198.51.100.{}", i);
    EXPECT_EQ(sign_in(guesser, "boss@example.com", kPassword, "wrong code").status, i < 10 ? 401 : 429) << i;
  }
}

TEST_F(PeopleTest, TheCookieOfAKnownBrowserIsGuarded) {
  set_up();
  Browser boss;
  boss.origin = "https://weir.example";
  Answer in = send(boss, Method::post, "/api/v1/session", sign_in_body("boss@example.com", kPassword), true);
  ASSERT_EQ(in.status, 200) << in.body;
  const std::string set = set_cookie(in, "weir_browser");
  EXPECT_THAT(set, HasSubstr("; Path=/api/v1/session; HttpOnly; SameSite=Lax; Max-Age=31536000; Secure"));
  // By itself it signs nobody in.
  Browser alone;
  alone.cookies["weir_browser"] = boss.cookies.at("weir_browser");
  EXPECT_TRUE(send(alone, Method::get, "/api/v1/session").parsed().at("user").is_null());
}

TEST_F(PeopleTest, SomebodyWhoSignsInRightIsNotSlowedDown) {
  set_up();
  for (int i = 0; i < 25; ++i) {
    Browser boss;
    EXPECT_EQ(sign_in(boss, "boss@example.com").status, 200) << i;
  }
}

TEST_F(PeopleTest, ASecondFactorOfALostKeyTakesNoCodeButRecoveryCodes) {
  set_up();
  const std::string secret = "secret of 20 bytes..";
  const settings::User boss = settings_.snapshot()->users().at(0);
  ASSERT_TRUE(settings_.change_user(boss.id, [&](settings::User& user) -> Result<> {
    user.totp_secret = settings::Sealer(std::string(32, 'o')).seal(user.id, secret);
    user.recovery = {settings::hash_of_secret("abcd")};
    return {};
  }));
  Browser phone;
  // Neither of the secret nor of what is kept in its place.
  for (const std::string& key : {secret, settings_.snapshot()->users().at(0).totp_secret})
    EXPECT_EQ(code_of(sign_in(phone, "boss@example.com", kPassword, totp_code(key, clock_.now() / 30'000))),
              "second_factor");
  EXPECT_EQ(sign_in(phone, "boss@example.com", kPassword, "abcd").status, 200);
}

TEST_F(PeopleTest, ASecondFactorIsSetUpAskedForAndNoCodeCountsTwice) {
  Browser boss = set_up();
  Answer offered = send(boss, Method::post, "/api/v1/account/second-factor", "{}");
  ASSERT_EQ(offered.status, 200) << offered.body;
  EXPECT_THAT(std::string(offered.parsed().at("uri").as_string()),
              HasSubstr("otpauth://totp/weir:boss%40example.com?secret="));
  // Offered is not set.
  EXPECT_TRUE(settings_.snapshot()->users().at(0).totp_secret.empty());
  EXPECT_EQ(send(boss, Method::post, "/api/v1/account/second-factor/confirm", R"({"code":"000000"})").status, 400);
  // What an authenticator makes of the secret, by its own base32.
  std::string letters(offered.parsed().at("secret").as_string());
  std::string secret;
  uint32_t held = 0;
  int bits = 0;
  for (char c : letters) {
    held = held << 5 | static_cast<uint32_t>(c >= 'A' ? c - 'A' : c - '2' + 26);
    for (bits += 5; bits >= 8; bits -= 8) secret.push_back(static_cast<char>(held >> (bits - 8) & 0xff));
  }
  auto code = [&](int64_t steps = 0) { return totp_code(secret, clock_.now() / 30'000 + steps); };
  Answer confirmed = send(boss, Method::post, "/api/v1/account/second-factor/confirm",
                          json::serialize(json::object{{"code", code()}}));
  ASSERT_EQ(confirmed.status, 200) << confirmed.body;
  ASSERT_EQ(confirmed.parsed().at("recovery_codes").as_array().size(), 10u);
  std::string recovery(confirmed.parsed().at("recovery_codes").at(3).as_string());
  const settings::User kept = settings_.snapshot()->users().at(0);
  EXPECT_TRUE(settings::Sealer::is_sealed(kept.totp_secret));
  EXPECT_EQ(*sealer_.unseal(kept.id, kept.totp_secret), secret);

  Browser phone;
  Answer without = sign_in(phone, "boss@example.com");
  EXPECT_EQ(without.status, 401);
  EXPECT_EQ(code_of(without), "second_factor");
  // The one that confirmed it is used up.
  EXPECT_EQ(code_of(sign_in(phone, "boss@example.com", kPassword, code())), "second_factor");
  clock_.advance(std::chrono::seconds(30));
  std::string fresh = code();
  EXPECT_EQ(sign_in(phone, "boss@example.com", kPassword, fresh).status, 200);
  Browser replay;
  EXPECT_EQ(sign_in(replay, "boss@example.com", kPassword, fresh).status, 401);
  EXPECT_EQ(sign_in(replay, "boss@example.com", kPassword, code(-1)).status, 401);  // before the last one
  EXPECT_EQ(sign_in(replay, "boss@example.com", kPassword, code(5)).status, 401);
  EXPECT_TRUE(replay.cookies.empty());
  // Without the password a code says nothing about itself.
  EXPECT_EQ(code_of(sign_in(replay, "boss@example.com", "wrong password", code(1))), "unauthenticated");
  // A recovery code, however it is typed, once.
  std::string typed;
  for (char c : recovery) typed.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  EXPECT_EQ(sign_in(replay, "boss@example.com", kPassword, " " + typed).status, 200);
  Browser again;
  EXPECT_EQ(sign_in(again, "boss@example.com", kPassword, recovery).status, 401);
  EXPECT_EQ(send(boss, Method::get, "/api/v1/account").parsed().at("recovery_codes_left").as_int64(), 9);

  clock_.advance(std::chrono::minutes(20));
  EXPECT_EQ(send(boss, Method::del, "/api/v1/account/second-factor", R"({"current_password":"wrong"})").status, 403);
  EXPECT_EQ(send(boss, Method::del, "/api/v1/account/second-factor",
                 json::serialize(json::object{{"current_password", kPassword}}))
                .status,
            204);
  EXPECT_EQ(sign_in(again, "boss@example.com").status, 200);
}

TEST_F(PeopleTest, ADemandedSecondFactorLeavesNothingElseOpen) {
  Browser boss = set_up();
  Browser guest = newcomer(boss, "guest@example.com", "viewer", "website");
  ASSERT_EQ(send(boss, Method::patch, "/api/v1/policy", R"({"second_factor_required":true})").status, 200);
  for (Browser* browser : {&boss, &guest}) {
    EXPECT_TRUE(
        send(*browser, Method::get, "/api/v1/session").parsed().at("user").at("second_factor_required").as_bool());
    EXPECT_EQ(send(*browser, Method::get, "/api/v1/projects").status, 403);
    EXPECT_EQ(send(*browser, Method::get, "/api/v1/account").status, 200);
    EXPECT_EQ(send(*browser, Method::post, "/api/v1/account/second-factor", "{}").status, 200);
  }
  EXPECT_EQ(call(Method::get, "/api/v1/projects", "", key(settings::Scope::stats)).status, 200);
}

TEST_F(PeopleTest, AnInvitedPersonComesInWithTheInvitedRoleAndNoOther) {
  Browser boss = set_up();
  Answer made = send(boss, Method::post, "/api/v1/invitations",
                     R"({"email":"new@example.com","role":"editor","project":"website"})");
  ASSERT_EQ(made.status, 201) << made.body;
  std::string link(made.parsed().at("link").as_string());
  ASSERT_TRUE(link.starts_with("/ui/invite#"));
  std::string token = link.substr(link.find('#') + 1);
  EXPECT_EQ(send(boss, Method::get, "/api/v1/invitations").body.find(token), std::string::npos);
  Browser guest;
  Answer look = send(guest, Method::post, "/api/v1/invitations/look", json::serialize(json::object{{"token", token}}));
  EXPECT_EQ(look.body, R"({"email":"new@example.com","role":"editor","project":"website","has_account":false})");
  auto accept = [&](json::object extra) {
    extra["token"] = token;
    extra["name"] = "New";
    extra["password"] = kPassword;
    return send(guest, Method::post, "/api/v1/invitations/accept", json::serialize(extra));
  };
  // More than was offered cannot be asked for.
  for (const char* field : {"role", "roles", "grants", "project", "email", "id", "owner"}) {
    EXPECT_EQ(accept({{field, "owner"}}).status, 400) << field;
  }
  Answer in = accept({});
  ASSERT_EQ(in.status, 200) << in.body;
  EXPECT_TRUE(in.parsed().at("user").at("role").is_null());
  ASSERT_EQ(in.parsed().at("projects").as_array().size(), 1u);
  EXPECT_EQ(in.parsed().at("projects").at(0).at("role").as_string(), "editor");
  EXPECT_EQ(accept({}).status, 404);

  // Another project, for who has an account: by their own session alone.
  Answer second =
      send(boss, Method::post, "/api/v1/invitations", R"({"email":"new@example.com","role":"viewer","project":"app"})");
  token = std::string(second.parsed().at("link").as_string()).substr(11);
  Browser stranger;
  std::string body = json::serialize(json::object{{"token", token}, {"password", "a stranger's password"}});
  EXPECT_EQ(send(stranger, Method::post, "/api/v1/invitations/accept", body).status, 409);
  EXPECT_EQ(send(boss, Method::post, "/api/v1/invitations/accept", body).status, 409);
  EXPECT_EQ(send(guest, Method::post, "/api/v1/invitations/accept", body).status, 200);
  EXPECT_EQ(send(guest, Method::get, "/api/v1/session").parsed().at("projects").as_array().size(), 2u);
  Browser old_password;
  EXPECT_EQ(sign_in(old_password, "new@example.com", "a stranger's password").status, 401);
}

TEST_F(PeopleTest, NobodyRaisesThemselvesOrReachesAboveTheirRole) {
  Browser boss = set_up();
  Browser admin = newcomer(boss, "admin@example.com", "admin", "website");
  Browser all = newcomer(boss, "all@example.com", "admin", nullptr);
  auto id_of = [&](const char* email) { return to_string(settings_.snapshot()->user_of_email(email)->id); };
  auto patch = [&](Browser& browser, const char* email, const char* body) {
    return send(browser, Method::patch, "/api/v1/users/" + id_of(email), body).status;
  };
  const char* owner = R"({"grants":[{"project":null,"role":"owner"}]})";
  EXPECT_EQ(patch(admin, "admin@example.com", owner), 403);
  EXPECT_EQ(patch(all, "all@example.com", owner), 403);
  EXPECT_EQ(patch(admin, "admin@example.com", R"({"grants":[{"project":"app","role":"viewer"}]})"), 404);
  EXPECT_EQ(patch(admin, "boss@example.com", R"({"grants":[]})"), 404);
  // An owner's role is none of an admin's business: it stays.
  EXPECT_EQ(patch(all, "boss@example.com", R"({"grants":[]})"), 200);
  EXPECT_TRUE(settings_.snapshot()->user_of_email("boss@example.com")->is_owner());
  EXPECT_EQ(send(all, Method::del, "/api/v1/users/" + id_of("boss@example.com")).status, 403);
  EXPECT_EQ(patch(all, "admin@example.com", R"({"email":"mine@example.com"})"), 403);
  EXPECT_EQ(patch(all, "admin@example.com", R"({"second_factor":false})"), 403);
  EXPECT_EQ(
      send(all, Method::post, "/api/v1/users/password", R"({"email":"boss@example.com","password":"taken over by me"})")
          .status,
      403);
  EXPECT_EQ(send(all, Method::post, "/api/v1/invitations", R"({"email":"x@example.com","role":"owner"})").status, 403);
  EXPECT_EQ(send(admin, Method::post, "/api/v1/invitations", R"({"email":"x@example.com","role":"viewer"})").status,
            403);
  EXPECT_EQ(send(all, Method::post, "/api/v1/keys", R"({"name":"k","scope":"admin"})").status, 403);
  EXPECT_EQ(send(all, Method::post, "/api/v1/keys", R"({"name":"k","scope":"stats"})").status, 201);
  // Fields that are not theirs to set.
  for (const char* field :
       {"role", "grants", "id", "password_hash", "totp_secret", "created_at", "owner", "second_factor"})
    EXPECT_EQ(send(admin, Method::patch, "/api/v1/account", json::serialize(json::object{{field, "owner"}})).status,
              400)
        << field;
  for (const char* field : {"id", "created_at", "owner", "hash"})
    EXPECT_EQ(
        send(admin, Method::patch, "/api/v1/projects/website", json::serialize(json::object{{field, "1"}})).status, 400)
        << field;
  // In their own place they may.
  Browser guest = newcomer(boss, "guest@example.com", "viewer", "website");
  EXPECT_EQ(patch(boss, "guest@example.com",
                  R"({"grants":[{"project":"website","role":"viewer"},{"project":"app","role":"editor"}]})"),
            200);
  EXPECT_EQ(patch(admin, "guest@example.com", R"({"grants":[{"project":"website","role":"editor"}]})"), 200);
  EXPECT_EQ(settings_.snapshot()->user_of_email("guest@example.com")->grants.size(), 2u);
  Answer seen = send(admin, Method::get, "/api/v1/users?project=website");
  EXPECT_EQ(seen.body.find("\"app\""), std::string::npos) << seen.body;
  // The last owner stays one.
  EXPECT_EQ(send(boss, Method::del, "/api/v1/users/" + id_of("boss@example.com")).status, 409);
}

TEST_F(PeopleTest, EachChangeOverTheApiNamesWhoMadeItAndFromWhere) {
  Browser boss = set_up();
  address_ = "203.0.113.77";
  ASSERT_EQ(send(boss, Method::post, "/api/v1/goals", R"({"project":"app","name":"Paid","event":"paid"})").status, 201);
  Answer log = send(boss, Method::get, "/api/v1/audit?limit=1");
  ASSERT_EQ(log.status, 200) << log.body;
  const json::value entry = log.parsed().at("entries").at(0);
  EXPECT_EQ(entry.at("who").as_string(), "boss@example.com");
  EXPECT_EQ(entry.at("address").as_string(), "203.0.113.77");
  EXPECT_EQ(entry.at("action").as_string(), "goal.created");
  EXPECT_EQ(entry.at("subject").as_string(), "Paid");
  EXPECT_EQ(entry.at("project").as_string(), "app");
  EXPECT_EQ(send(boss, Method::get, "/api/v1/audit?limit=0").status, 400);
  EXPECT_EQ(send(boss, Method::get, "/api/v1/audit?before=x").status, 400);
  Browser admin = newcomer(boss, "admin@example.com", "admin", "website");
  EXPECT_EQ(send(admin, Method::get, "/api/v1/audit").status, 403);
  EXPECT_EQ(send(admin, Method::get, "/api/v1/audit?project=website").status, 200);
  EXPECT_EQ(send(admin, Method::get, "/api/v1/audit?project=app").status, 404);
}

TEST_F(PeopleTest, APersonalSegmentIsItsOwnersAlone) {
  Browser boss = set_up();
  Browser viewer = newcomer(boss, "viewer@example.com", "viewer", "website");
  const char* body = R"({"project":"website","name":"Mine","personal":true,"filters":[["is","event:page",["/"]]]})";
  Answer made = send(viewer, Method::post, "/api/v1/segments", body);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.parsed().at("owner").as_string(), "me");
  std::string path = "/api/v1/segments/" + std::string(made.parsed().at("id").as_string());
  EXPECT_EQ(send(boss, Method::get, "/api/v1/segments?project=website").body, R"({"segments":[]})");
  EXPECT_EQ(send(boss, Method::del, path).status, 404);
  EXPECT_EQ(send(viewer, Method::patch, path, R"({"name":"Still mine"})").status, 200);
  EXPECT_EQ(send(viewer, Method::patch, path, R"({"personal":false})").status, 403);  // that makes it everybody's
  EXPECT_EQ(send(viewer, Method::post, "/api/v1/segments",
                 R"({"project":"website","name":"Ours","filters":[["is","event:page",["/"]]]})")
                .status,
            403);
  EXPECT_EQ(
      send(viewer, Method::post, "/api/v1/goals", R"({"project":"website","name":"G","event":"g","personal":true})")
          .status,
      403);
  EXPECT_EQ(send(viewer, Method::del, path).status, 204);
}

}  // namespace
}  // namespace weir::api
