#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>
#include <string>
#include <vector>

#include "weir/api/testing/api_fixture.h"

namespace weir::api::testing {

inline constexpr const char* kPassword = "correct horse battery";
inline constexpr const char* kOrigin = "http://weir.example";

class PeopleTest : public ApiTest {
 protected:
  // A browser: it keeps cookies, and says where its page is from.
  struct Browser {
    std::map<std::string, std::string> cookies;
    std::string csrf;
    std::string origin = kOrigin;
  };

  Answer send(Browser& browser, Method method, const std::string& target, const std::string& body = "",
              bool secure = false) {
    Headers headers = {{"host", "weir.example"}, {"user-agent", "Firefox"}};
    if (!browser.origin.empty()) headers.emplace_back("origin", browser.origin);
    std::string cookies;
    for (const auto& [name, value] : browser.cookies) cookies += (cookies.empty() ? "" : "; ") + name + "=" + value;
    if (!cookies.empty()) headers.emplace_back("cookie", cookies);
    if (!browser.csrf.empty()) headers.emplace_back("x-weir-csrf", browser.csrf);
    Answer answer = ask(method, target, body, headers, secure);
    for (const auto& [name, value] : answer.headers) {
      if (name != "Set-Cookie") continue;
      std::string pair = value.substr(0, value.find(';'));
      std::string key = pair.substr(0, pair.find('='));
      std::string content = pair.substr(pair.find('=') + 1);
      if (content.empty()) {
        browser.cookies.erase(key);
      } else {
        browser.cookies[key] = content;
      }
    }
    if (answer.status == 200 && answer.body.find("\"csrf\":") != std::string::npos)
      browser.csrf = std::string(answer.parsed().at("csrf").as_string());
    return answer;
  }

  static std::string sign_in_body(const std::string& email, const std::string& password, const std::string& code = "") {
    json::object body{{"email", email}, {"password", password}};
    if (!code.empty()) body["code"] = code;
    return json::serialize(body);
  }
  Answer sign_in(Browser& browser, const std::string& email, const std::string& password = kPassword,
                 const std::string& code = "") {
    return send(browser, Method::post, "/api/v1/session", sign_in_body(email, password, code));
  }
  // The first owner, signed in.
  Browser set_up() {
    Browser browser;
    std::string body = json::serialize(json::object{
        {"token", people_->setup_token()}, {"email", "Boss@Example.com"}, {"name", "Boss"}, {"password", kPassword}});
    Answer made = send(browser, Method::post, "/api/v1/setup", body);
    EXPECT_EQ(made.status, 200) << made.body;
    return browser;
  }
  // Somebody with a password and roles, signed in.
  Browser newcomer(Browser& boss, const std::string& email, const std::string& role, const char* project) {
    json::object body{{"email", email}, {"name", "New"}, {"password", kPassword}, {"role", role}};
    if (project != nullptr) body["project"] = project;
    Answer made = send(boss, Method::post, "/api/v1/users", json::serialize(body));
    EXPECT_EQ(made.status, 201) << made.body;
    Browser browser;
    EXPECT_EQ(sign_in(browser, email).status, 200);
    return browser;
  }
  // What the answer says of that cookie; empty when nothing.
  static std::string set_cookie(const Answer& answer, const std::string& name) {
    for (const auto& [key, value] : answer.headers) {
      if (key == "Set-Cookie" && value.starts_with(name + "=")) return value;
    }
    return "";
  }
  // As many wrong passwords as strangers have free in an hour, each from an address of its own; whether none was
  // answered 429. All at once: most are refused before they are looked at, and count all the same.
  bool guess_from_everywhere(const std::string& email) {
    std::vector<std::future<Answer>> answers;
    const std::string before = address_;
    for (int i = 0; i < 100; ++i) {
      address_ = fmt::format("198.51.100.{}", i);
      answers.push_back(begin_ask(Method::post, "/api/v1/session", sign_in_body(email, "wrong password"),
                                  {{"host", "weir.example"}, {"origin", kOrigin}}));
    }
    address_ = before;
    return std::none_of(answers.begin(), answers.end(), [](auto& answer) { return answer.get().status == 429; });
  }
  std::string code_of(const Answer& answer) { return std::string(answer.parsed().at("error").at("code").as_string()); }
};

}  // namespace weir::api::testing
