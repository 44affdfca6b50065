#include "weir/api/api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/json.hpp>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "weir/api/access.h"
#include "weir/api/answer_stream.h"
#include "weir/api/body.h"
#include "weir/api/query_routes.h"
#include "weir/api/testing/api_fixture.h"
#include "weir/base/queue.h"

namespace weir::api {
namespace {
namespace json = boost::json;
using http::Method;
using settings::Scope;
using testing::Answer;
using testing::ApiTest;
using ::testing::HasSubstr;
using testing::kPatience;

// Routed by app, which has the loader and the importer, and by api/live.h; asked with each sort of key in
// tests/integration and live_test.cc.
bool of_another_room(const RouteAccess& route) {
  return route.path == "/api/v1/import/access-log" || route.path.starts_with("/api/v1/journal/") ||
         route.path == "/api/v1/seed" || route.path == "/api/v1/trace" || route.path == "/api/v1/live" ||
         route.path == "/api/v1/sql/schema" || route.path == "/api/v1/system" || route.path == "/api/v1/explain";
}

TEST_F(ApiTest, EveryRouteStandsInTheAccessTableAndTheOtherWayRound) {
  std::set<std::pair<Method, std::string>> routed;
  for (const http::Route& route : router_->routes()) routed.emplace(route.method, route.path);
  std::set<std::pair<Method, std::string>> listed;
  for (const RouteAccess& route : access_table())
    if (!of_another_room(route)) listed.emplace(route.method, std::string(route.path));
  EXPECT_EQ(routed, listed);
}

// The whole matrix: each route asked by each sort of key.
TEST_F(ApiTest, EachRouteLetsInWhomTheTableNamesAndNobodyElse) {
  run_sql_ = [](const SqlQuestion&, const auto& sink) {
    sink("1\n");
    return Result<>();
  };
  for (const RouteAccess& route : access_table()) {
    if (of_another_room(route) || route.access.who == Access::Who::anyone) continue;
    std::string target(route.path);
    if (target.ends_with('*')) target = target.substr(0, target.size() - 1) + "nonexistent";
    if (route.path == "/api/v1/audit") target += "?project=website";  // the whole log is for owners
    auto ask = [&](const std::string& secret) { return call(route.method, target, "", secret).status; };
    EXPECT_EQ(ask("weir_a_wrong_secret"), 401) << target;
    EXPECT_EQ(call_with(route.method, target, "", "", false).status, 401) << target;
    int as_owner = ask("");
    EXPECT_NE(as_owner, 401) << target;
    EXPECT_EQ(as_owner == 403, route.access.who == Access::Who::person) << target;
    for (Scope scope : {Scope::capture, Scope::stats, Scope::sql, Scope::admin}) {
      int general = ask(key(scope));
      int limited = ask(key(scope, website_.id));
      Permission needed = route.access.permission;
      bool person = route.access.who == Access::Who::person;
      EXPECT_EQ(general == 403, person || !permissions_of(scope, true).has(needed)) << target << " " << name_of(scope);
      EXPECT_EQ(limited == 403, !permissions_of(scope, false).has(needed) || route.access.who != Access::Who::somewhere)
          << target << " " << name_of(scope);
      EXPECT_NE(general, 401);
      clock_.advance(std::chrono::milliseconds(1));
      std::string expired = key(scope, std::nullopt, clock_.now() + 1);
      clock_.advance(std::chrono::milliseconds(1));
      EXPECT_EQ(ask(expired), 401) << target;
    }
  }
}

TEST_F(ApiTest, TheKeyIsTakenFromABearerHeaderOnly) {
  std::string secret = key(Scope::stats);
  auto status = [&](const std::string& header) {
    return call_with(Method::get, "/api/v1/projects", "", header, false).status;
  };
  EXPECT_EQ(status("Bearer " + secret), 200);
  EXPECT_EQ(status("bearer  " + secret), 200);
  for (const std::string& wrong :
       std::vector<std::string>{secret, "Basic " + secret, "Bearer", "Bearer ", "Bearer" + secret,
                                "Bearer " + secret + " ", "Bearer " + secret + "," + secret}) {
    EXPECT_EQ(status(wrong), 401) << wrong;
  }
  Answer answer = call_with(Method::get, "/api/v1/projects", "", "", false);
  EXPECT_EQ(answer.header("WWW-Authenticate"), "Bearer");
  EXPECT_EQ(answer.parsed().at("error").at("code").as_string(), "unauthenticated");
}

TEST_F(ApiTest, ProjectsAreCreatedListedChangedAndDeleted) {
  Answer created = call(Method::post, "/api/v1/projects",
                        R"({"name":"shop","time_zone":"Europe/Berlin","retention_days":30,"ip_policy":"masked"})");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.content_type, "application/json");
  EXPECT_EQ(created.parsed().at("time_zone").as_string(), "Europe/Berlin");
  std::string id(created.parsed().at("id").as_string());
  EXPECT_EQ(settings_.snapshot()->project("shop")->retention_days, 30u);
  EXPECT_EQ(settings_.snapshot()->project("shop")->ip_policy, settings::IpPolicy::masked);

  Answer list = call(Method::get, "/api/v1/projects");
  ASSERT_EQ(list.parsed().at("projects").as_array().size(), 3u);
  EXPECT_EQ(list.parsed().at("projects").at(1).at("name").as_string(), "shop");
  EXPECT_EQ(list.parsed().at("projects").at(1).at("created_at").as_string(), format_rfc3339(clock_.now()));

  EXPECT_THAT(created.body, HasSubstr(R"("hostnames":[],"foreign_hostnames":"keep","privacy_signals":"ignore")"));
  Answer sites = call(Method::patch, "/api/v1/projects/shop",
                      R"({"hostnames":["Shop.example","*.shop.example"],"foreign_hostnames":"spam",)"
                      R"("privacy_signals":"respect"})");
  ASSERT_EQ(sites.status, 200) << sites.body;
  EXPECT_THAT(sites.body, HasSubstr(R"("hostnames":["*.shop.example","shop.example"],"foreign_hostnames":"spam",)"
                                    R"("privacy_signals":"respect")"));
  EXPECT_EQ(call(Method::get, "/api/v1/projects/shop").body, sites.body);
  EXPECT_EQ(call(Method::patch, "/api/v1/projects/shop", R"({"hostnames":[]})").status, 400);
  EXPECT_EQ(call(Method::patch, "/api/v1/projects/shop", R"({"hostnames":[],"foreign_hostnames":"keep"})").status, 200);

  Answer renamed = call(Method::patch, "/api/v1/projects/shop", R"({"name":"store"})");
  ASSERT_EQ(renamed.status, 200) << renamed.body;
  EXPECT_EQ(renamed.parsed().at("id").as_string(), id);
  EXPECT_EQ(renamed.parsed().at("time_zone").as_string(), "Europe/Berlin");
  EXPECT_EQ(call(Method::get, "/api/v1/projects/shop").status, 404);
  EXPECT_EQ(call(Method::get, "/api/v1/projects/store").status, 200);
  EXPECT_EQ(call(Method::get, "/api/v1/projects/" + id).status, 200);
  EXPECT_EQ(call(Method::del, "/api/v1/projects/" + id).status, 204);
  EXPECT_EQ(call(Method::del, "/api/v1/projects/" + id).status, 404);
}

TEST_F(ApiTest, BadBodiesAreRefusedNamingTheField) {
  auto post = [&](const std::string& body) { return call(Method::post, "/api/v1/projects", body); };
  const std::map<std::string, std::string> messages = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "expected a JSON object"},
      {"{}", "name: is missing"},
      {R"({"name":null})", "name: is missing"},
      {R"({"name":7})", "name: expected a text"},
      {R"({"nam":"x"})", "unknown field `nam`"},
      {R"({"name":"x","retention_days":-1})", "retention_days: expected a whole number"},
      {R"({"name":"x","retention_days":1.5})", "retention_days: expected a whole number"},
      {R"({"name":"x","retention_days":99999999999})", "retention_days"},
      {R"({"name":"x","ip_policy":"all"})", "ip_policy: `all`"},
      {R"({"name":"x","hostnames":"a.example"})", "hostnames: expected a list of texts"},
      {R"({"name":"x","hostnames":["a.example",7]})", "hostnames: expected a list of texts"},
      {R"({"name":"x","hostnames":["https://a.example/"]})", "hostnames: `https://a.example/`"},
      {R"({"name":"x","foreign_hostnames":"refuse"})", "foreign_hostnames: `refuse`: expected one of keep, spam"},
      {R"({"name":"x","privacy_signals":"all"})", "privacy_signals: `all`: expected one of ignore, respect"},
      {R"({"name":"x","foreign_hostnames":"spam"})", "foreign_hostnames: `spam`: every host would be foreign"},
      {R"({"name":"x","time_zone":"Mars/Olympus"})", "time_zone: `Mars/Olympus`"},
      {R"({"name":"a b"})", "project name: `a b`"},
      {std::string(5'000, '['), "not JSON"},
  };
  for (const auto& [body, message] : messages) {
    Answer answer = post(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(std::string(answer.parsed().at("error").at("message").as_string()), HasSubstr(message));
  }
  EXPECT_EQ(settings_.snapshot()->projects().size(), 2u);  // none was half made
  EXPECT_EQ(post(R"({"name":"app"})").status, 409);
}

TEST_F(ApiTest, AKeyIsShownOnceAndWorks) {
  Answer created =
      call(Method::post, "/api/v1/keys",
           R"({"name":"grafana","scope":"stats","project":"website","expires_at":"2030-01-01T00:00:00Z"})");
  ASSERT_EQ(created.status, 201) << created.body;
  EXPECT_EQ(created.header("Cache-Control"), "no-store");
  std::string secret(created.parsed().at("secret").as_string());
  EXPECT_EQ(created.parsed().at("project").as_string(), "website");
  EXPECT_EQ(created.parsed().at("expires_at").as_string(), "2030-01-01T00:00:00.000Z");
  EXPECT_EQ(call(Method::get, "/api/v1/projects", "", secret).status, 200);

  Answer list = call(Method::get, "/api/v1/keys");
  EXPECT_EQ(list.body.find(secret), std::string::npos);
  EXPECT_EQ(list.body.find("hash"), std::string::npos);
  ASSERT_EQ(list.parsed().at("keys").as_array().size(), 1u);
  std::string id(list.parsed().at("keys").at(0).at("id").as_string());
  EXPECT_EQ(call(Method::del, "/api/v1/keys/" + id).status, 204);
  EXPECT_EQ(call(Method::get, "/api/v1/projects", "", secret).status, 401);
  EXPECT_EQ(call(Method::del, "/api/v1/keys/" + id).status, 404);

  for (const char* bad : {R"({"name":"x"})", R"({"name":"x","scope":"root"})", R"({"name":"","scope":"stats"})",
                          R"({"name":"x","scope":"stats","expires_at":"tomorrow"})",
                          R"({"name":"x","scope":"stats","expires_at":"2001-01-01T00:00:00Z"})"}) {
    EXPECT_EQ(call(Method::post, "/api/v1/keys", bad).status, 400) << bad;
  }
  EXPECT_EQ(call(Method::post, "/api/v1/keys", R"({"name":"x","scope":"stats","project":"nope"})").status, 404);
}

TEST_F(ApiTest, OutsideNamesHoldAnyCharacters) {
  std::string value = "https://a.example/?x=1&y=%41+b ümlaut";
  ASSERT_EQ(
      call(Method::post, "/api/v1/names", json::serialize(json::object{{"value", value}, {"project", "app"}})).status,
      201);
  EXPECT_EQ(settings_.snapshot()->project_of_outside_name(value)->id, app_.id);
  EXPECT_EQ(call(Method::get, "/api/v1/names").parsed().at("names").at(0).at("value").as_string(), value);
  EXPECT_EQ(call(Method::del, "/api/v1/names").status, 400);
  EXPECT_EQ(call(Method::del, "/api/v1/names?value=other").status, 404);
  EXPECT_EQ(
      call(Method::del, "/api/v1/names?value=https%3A%2F%2Fa.example%2F%3Fx%3D1%26y%3D%2541%2Bb%20%C3%BCmlaut").status,
      204);
  EXPECT_EQ(call(Method::post, "/api/v1/names", R"({"value":"x"})").status, 400);
}

TEST_F(ApiTest, RulesAreAddedListedAndDeleted) {
  Answer made = call(Method::post, "/api/v1/rules",
                     R"({"kind":"address","value":"10.0.0.0/8","label":"internal","note":"office"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_TRUE(made.parsed().at("project").is_null());
  EXPECT_EQ(made.parsed().at("kind").as_string(), "address");
  EXPECT_EQ(made.parsed().at("value").as_string(), "10.0.0.0/8");
  EXPECT_EQ(made.parsed().at("label").as_string(), "internal");
  EXPECT_EQ(made.parsed().at("note").as_string(), "office");
  EXPECT_EQ(made.parsed().at("created_at").as_string(), format_rfc3339(clock_.now()));
  ASSERT_EQ(call(Method::post, "/api/v1/rules",
                 R"({"project":"app","kind":"hostname","value":"*.Staging.example","label":"bot"})")
                .status,
            201);
  EXPECT_EQ(settings_.snapshot()->traffic_rules().at(1).project, app_.id);

  Answer all = call(Method::get, "/api/v1/rules");
  ASSERT_EQ(all.parsed().at("rules").as_array().size(), 2u);
  EXPECT_EQ(all.parsed().at("rules").at(1).at("value").as_string(), "*.staging.example");
  EXPECT_EQ(all.parsed().at("rules").at(1).at("note").as_string(), "");
  EXPECT_EQ(call(Method::get, "/api/v1/rules?project=app").parsed().at("rules").as_array().size(), 1u);
  EXPECT_EQ(call(Method::get, "/api/v1/rules?project=website").body, R"({"rules":[]})");
  EXPECT_EQ(call(Method::get, "/api/v1/rules?project=nope").status, 404);

  const std::map<std::string, std::string> wrong = {
      {R"({"value":"/a","label":"bot"})", "kind: is missing"},
      {R"({"kind":"ip","value":"/a","label":"bot"})", "kind: `ip`: expected one of address, hostname"},
      {R"({"kind":"path","label":"bot"})", "value: is missing"},
      {R"({"kind":"path","value":"/a"})", "label: is missing"},
      {R"({"kind":"path","value":"/a","label":"human"})", "label: `human`: expected one of internal, spam, bot"},
      {R"({"kind":"address","value":"10.0.0.0/40","label":"bot"})", "address: `10.0.0.0/40`: neither an address nor"},
      {R"({"kind":"path","value":"/a","label":"bot","note":7})", "note: expected a text"},
      {R"({"kind":"path","value":"/a","label":"bot","until":"x"})", "unknown field `until`"},
  };
  for (const auto& [body, message] : wrong) {
    Answer answer = call(Method::post, "/api/v1/rules", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(std::string(answer.parsed().at("error").at("message").as_string()), HasSubstr(message));
  }
  EXPECT_EQ(call(Method::post, "/api/v1/rules", R"({"kind":"address","value":"10.0.0.0/8","label":"bot"})").status,
            409);
  EXPECT_EQ(
      call(Method::post, "/api/v1/rules", R"({"project":"nope","kind":"path","value":"/a","label":"bot"})").status,
      404);

  std::string id(made.parsed().at("id").as_string());
  EXPECT_EQ(call(Method::del, "/api/v1/rules/" + id).status, 204);
  EXPECT_EQ(call(Method::del, "/api/v1/rules/" + id).status, 404);
  EXPECT_EQ(settings_.snapshot()->traffic_rules().size(), 1u);
}

TEST_F(ApiTest, ItemsOfEachKindAreMadeListedChangedAndDeleted) {
  const std::map<std::string, std::string> bodies = {
      {"goals", R"("event":"signup")"},
      {"segments", R"("filters":[["is","visit:country",["DE"]]])"},
      {"annotations", R"("date":"2026-11-20","text":"<b>Launch</b>")"},
      {"properties", R"("key":"plan")"},
      {"queries", R"("sql":"select\n1","chart":{"type":"line"})"},
  };
  for (settings::ItemKind kind : settings::kItemKinds) {
    std::string path = "/api/v1/" + std::string(plural_of(kind));
    const std::string& fields = bodies.at(std::string(plural_of(kind)));
    Answer made = call(Method::post, path, R"({"project":"app","name":"One",)" + fields + "}");
    ASSERT_EQ(made.status, 201) << made.body;
    EXPECT_THAT(made.body, HasSubstr(fields));
    EXPECT_EQ(made.parsed().at("project").as_string(), "app");
    EXPECT_TRUE(made.parsed().at("owner").is_null());
    EXPECT_EQ(made.parsed().at("created_at").as_string(), format_rfc3339(clock_.now()));
    std::string id(made.parsed().at("id").as_string());
    Answer list = call(Method::get, path + "?project=app");
    EXPECT_EQ(list.body, "{\"" + std::string(plural_of(kind)) + "\":[" + made.body + "]}");
    EXPECT_EQ(call(Method::get, path + "?project=website").parsed().as_object().begin()->value().as_array().size(), 0u);
    EXPECT_EQ(call(Method::get, path + "?project=nope").status, 404);

    Answer changed = call(Method::patch, path + "/" + id, R"({"name":"Two"})");
    ASSERT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(changed.parsed().at("name").as_string(), "Two");
    EXPECT_THAT(changed.body, HasSubstr(fields));
    EXPECT_EQ(call(Method::patch, path + "/" + id, R"({"nonsense":1})").status, 400);
    EXPECT_EQ(call(Method::patch, path + "/" + id, R"({"project":"website"})").status, 400);
    EXPECT_EQ(call(Method::patch, path + "/nope", R"({"name":"x"})").status, 404);
    for (const char* bad : {"", "[]", "{}", R"({"project":"app","name":"x"})", R"({"project":"app","name":7})"})
      EXPECT_EQ(call(Method::post, path, bad).status, 400) << path << bad;
    // The id of one kind is none of another.
    for (settings::ItemKind other : settings::kItemKinds) {
      if (other == kind) continue;
      std::string wrong = "/api/v1/" + std::string(plural_of(other)) + "/" + id;
      EXPECT_EQ(call(Method::del, wrong).status, 404);
      EXPECT_EQ(call(Method::patch, wrong, "{}").status, 404);
    }
    // Nor is it there for another project.
    std::string foreign = key(Scope::admin, website_.id);
    EXPECT_EQ(call(Method::get, path + "?project=app", "", foreign).status, 404);
    EXPECT_EQ(call(Method::del, path + "/" + id, "", foreign).status, 404);
    EXPECT_EQ(call(Method::patch, path + "/" + id, R"({"name":"x"})", foreign).status, 404);
    EXPECT_EQ(call(Method::post, path, R"({"project":"app","name":"x",)" + fields + "}", foreign).status, 404);
    EXPECT_EQ(call(Method::del, path + "/" + id).status, 204);
    EXPECT_EQ(call(Method::del, path + "/" + id).status, 404);
  }
  Answer taken_away =
      call(Method::post, "/api/v1/goals", R"({"project":"app","name":"Paid","event":"paid","currency":"EUR"})");
  Answer without = call(Method::patch, "/api/v1/goals/" + std::string(taken_away.parsed().at("id").as_string()),
                        R"({"currency":null})");
  ASSERT_EQ(without.status, 200) << without.body;
  EXPECT_FALSE(without.parsed().as_object().contains("currency"));
}

TEST_F(ApiTest, AKeyOfOneProjectSeesNothingOfTheOthers) {
  std::string admin = key(Scope::admin, website_.id);
  std::string stats = key(Scope::stats, website_.id);
  auto other_key = settings_.create_key("of app", Scope::stats, app_.id, 0);
  auto global_key = settings_.create_key("global", Scope::stats, std::nullopt, 0);
  ASSERT_TRUE(settings_.add_outside_name("app.example", app_.id));
  ASSERT_TRUE(settings_.add_outside_name("website.example", website_.id));

  Answer projects = call(Method::get, "/api/v1/projects", "", stats);
  ASSERT_EQ(projects.parsed().at("projects").as_array().size(), 1u);
  EXPECT_EQ(projects.parsed().at("projects").at(0).at("name").as_string(), "website");
  EXPECT_EQ(call(Method::get, "/api/v1/projects/app", "", stats).status, 404);
  EXPECT_EQ(call(Method::get, "/api/v1/projects/" + to_string(app_.id), "", stats).status, 404);
  EXPECT_EQ(call(Method::patch, "/api/v1/projects/app", R"({"name":"x"})", admin).status, 404);
  EXPECT_EQ(call(Method::patch, "/api/v1/projects/website", R"({"retention_days":9})", admin).status, 200);

  Answer keys = call(Method::get, "/api/v1/keys", "", admin);
  EXPECT_EQ(keys.body.find("of app"), std::string::npos);
  EXPECT_EQ(keys.body.find("global"), std::string::npos);
  EXPECT_EQ(call(Method::del, "/api/v1/keys/" + other_key->key.id, "", admin).status, 404);
  EXPECT_EQ(call(Method::del, "/api/v1/keys/" + global_key->key.id, "", admin).status, 404);
  EXPECT_EQ(call(Method::post, "/api/v1/keys", R"({"name":"x","scope":"admin","project":"app"})", admin).status, 404);
  // Without a project it is its own, never all.
  Answer made = call(Method::post, "/api/v1/keys", R"({"name":"x","scope":"admin"})", admin);
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(made.parsed().at("project").as_string(), "website");
  EXPECT_EQ(call(Method::post, "/api/v1/keys", R"({"name":"x","scope":"admin","project":null})", admin)
                .parsed()
                .at("project")
                .as_string(),
            "website");

  Answer names = call(Method::get, "/api/v1/names", "", admin);
  EXPECT_EQ(names.body.find("app.example"), std::string::npos);
  EXPECT_EQ(call(Method::del, "/api/v1/names?value=app.example", "", admin).status, 404);
  EXPECT_EQ(call(Method::post, "/api/v1/names", R"({"value":"y","project":"app"})", admin).status, 404);

  auto of_all = settings_.add_traffic_rule({.kind = settings::RuleKind::path, .value = "/all"});
  auto of_app = settings_.add_traffic_rule({.project = app_.id, .kind = settings::RuleKind::path, .value = "/app"});
  ASSERT_TRUE(of_all && of_app);
  EXPECT_EQ(call(Method::get, "/api/v1/rules", "", admin).body, R"({"rules":[]})");
  EXPECT_EQ(call(Method::get, "/api/v1/rules?project=app", "", admin).status, 404);
  EXPECT_EQ(call(Method::del, "/api/v1/rules/" + of_all->id, "", admin).status, 404);
  EXPECT_EQ(call(Method::del, "/api/v1/rules/" + of_app->id, "", admin).status, 404);
  Answer rule = call(Method::post, "/api/v1/rules", R"({"kind":"path","value":"/x","label":"bot"})", admin);
  ASSERT_EQ(rule.status, 201);
  EXPECT_EQ(rule.parsed().at("project").as_string(), "website");
  EXPECT_EQ(call(Method::post, "/api/v1/rules", R"({"project":"app","kind":"path","value":"/x","label":"bot"})", admin)
                .status,
            404);
  EXPECT_EQ(call(Method::del, "/api/v1/rules/" + std::string(rule.parsed().at("id").as_string()), "", admin).status,
            204);
}

TEST_F(ApiTest, SqlGetsStatementFormatAndProject) {
  SqlQuestion asked;
  run_sql_ = [&](const SqlQuestion& question, const auto& sink) {
    asked = question;
    sink("one\n");
    sink("two\n");
    return Result<>();
  };
  Answer answer = call(Method::post, "/api/v1/sql?format=CSV", "select 1", key(Scope::sql, app_.id));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "one\ntwo\n");
  EXPECT_EQ(answer.content_type, "text/csv; charset=utf-8");
  EXPECT_EQ(asked.statement, "select 1");
  EXPECT_EQ(asked.format, "CSV");
  EXPECT_EQ(asked.projects, std::vector<ProjectId>{app_.id});
  (void)call(Method::post, "/api/v1/sql", "select 1");
  EXPECT_EQ(asked.projects, std::nullopt);
  for (const char* bad : {"/api/v1/sql?format=", "/api/v1/sql?format=a;b", "/api/v1/sql?format=..%2Fx"}) {
    EXPECT_EQ(call(Method::post, bad, "select 1").status, 400) << bad;
  }
  EXPECT_EQ(call(Method::post, "/api/v1/sql", " \n").status, 400);
}

TEST_F(ApiTest, ASqlErrorBeforeTheFirstByteHasItsStatus) {
  run_sql_ = [](const SqlQuestion&, const auto&) {
    return Result<>(Error{ErrorCode::kBadInput, "query: no such column"});
  };
  Answer answer = call(Method::post, "/api/v1/sql", "select x");
  // The server answers the first piece's error by its status.
  EXPECT_EQ(answer.body, "");
  EXPECT_THAT(answer.stream_error, HasSubstr("no such column"));
}

TEST_F(ApiTest, ALongSqlAnswerIsStreamedWholeAndInOrder) {
  std::string expected;
  for (int i = 0; i < 300'000; ++i) expected += std::to_string(i) + "\n";
  run_sql_ = [&](const SqlQuestion&, const auto& sink) {
    for (size_t at = 0; at < expected.size(); at += 7'777) {
      if (!sink(std::string_view(expected).substr(at, 7'777))) return Result<>(Error{ErrorCode::kBadInput, "stopped"});
    }
    return Result<>();
  };
  Answer answer = call(Method::post, "/api/v1/sql", "select number");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == expected) << answer.body.size();
  EXPECT_EQ(answer.stream_error, "");
  // One piece larger than everything that may wait.
  run_sql_ = [&](const SqlQuestion&, const auto& sink) {
    sink(expected);
    return Result<>();
  };
  EXPECT_TRUE(call(Method::post, "/api/v1/sql", "select number").body == expected);
}

TEST_F(ApiTest, ASqlErrorInTheMiddleCutsTheAnswerOff) {
  run_sql_ = [](const SqlQuestion&, const auto& sink) {
    sink(std::string(200'000, 'x'));
    return Result<>(Error{ErrorCode::kUnavailable, "store: gone"});
  };
  Answer answer = call(Method::post, "/api/v1/sql", "select 1");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), 200'000u);
  EXPECT_EQ(answer.stream_error, "store: gone");
}

TEST_F(ApiTest, AReaderThatGoesAwayEndsTheStatement) {
  std::promise<bool> ended;
  run_sql_ = [&](const SqlQuestion&, const auto& sink) {
    while (sink(std::string(100'000, 'x'))) {
    }
    ended.set_value(true);
    return Result<>(Error{ErrorCode::kBadInput, "stopped"});
  };
  (void)call(Method::post, "/api/v1/sql", "select 1", "", [](const std::string&) { return false; });
  EXPECT_TRUE(ended.get_future().get());
}

TEST_F(ApiTest, AStatementWithoutOutputIsToldThatItsReaderWentAway) {
  std::promise<void> begun;
  std::promise<void> ended;
  run_sql_ = [&](const SqlQuestion& question, const auto&) {
    begun.set_value();
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (!question.abandoned() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    if (question.abandoned()) ended.set_value();
    return Result<>(Error{ErrorCode::kUnavailable, "stopped"});
  };
  std::optional<http::Response> unread = open(Method::post, "/api/v1/sql", "select 1");
  begun.get_future().get();
  unread.reset();
  EXPECT_EQ(ended.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(ApiTest, ASqlErrorBehindTheFirstRowsStillHasItsStatus) {
  run_sql_ = [](const SqlQuestion&, const auto& sink) {
    sink("number\n1\n");
    return Result<>(Error{ErrorCode::kTimeout, "store: too slow"});
  };
  Answer answer = call(Method::post, "/api/v1/sql", "select number");
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(answer.stream_error, "store: too slow");
}

TEST_F(ApiTest, StoppingEndsStatementsUnderWay) {
  std::promise<void> begun;
  std::promise<bool> ended;
  run_sql_ = [&](const SqlQuestion&, const auto& sink) {
    begun.set_value();
    while (sink(std::string(100'000, 'x'))) {
    }
    ended.set_value(true);
    return Result<>(Error{ErrorCode::kUnavailable, "stopped"});
  };
  std::thread stopper([&] {
    begun.get_future().get();
    api_->stop();
  });
  Answer answer = call(Method::post, "/api/v1/sql", "select 1");
  stopper.join();
  EXPECT_TRUE(ended.get_future().get());
  EXPECT_TRUE(answer.status == 503 || answer.stream_error == "stopped") << answer.status;
  EXPECT_EQ(call(Method::post, "/api/v1/sql", "select 1").status, 503);
  EXPECT_EQ(call(Method::get, "/api/v1/projects").status, 503);
}

TEST_F(ApiTest, MoreStatementsThanMayWaitAreAnswered503) {
  Options options;
  options.threads = 1;
  options.waiting_max = 1;
  make_api(options);
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::atomic<int> started{0};
  std::promise<void> first_started;
  run_sql_ = [&](const SqlQuestion&, const auto& sink) {
    if (started++ == 0) first_started.set_value();
    released.wait();
    sink("done");
    return Result<>();
  };
  auto ask = [&] { return call(Method::post, "/api/v1/sql", "select 1").status; };
  auto first = std::async(std::launch::async, ask);
  first_started.get_future().get();
  // Of two more, one finds room to wait and the other does not.
  BoundedQueue<int> statuses(2);
  auto second = std::async(std::launch::async, [&] { statuses.push(ask()); });
  auto third = std::async(std::launch::async, [&] { statuses.push(ask()); });
  EXPECT_EQ(statuses.pop(), 503);
  EXPECT_EQ(call(Method::get, "/api/v1/projects").status, 200);  // settings do not wait for statements
  release.set_value();
  EXPECT_EQ(statuses.pop(), 200);
  EXPECT_EQ(first.get(), 200);
}

constexpr const char* kQuestion = R"({"site_id":"app"})";

TEST_F(ApiTest, ASlowReaderOfALargeAnswerKeepsNoQueryThread) {
  const std::string large(3 * MiB, 'x');
  run_question_ = [&](const StatsQuestion&) { return Result<std::string>(large); };
  Options options;
  options.query_threads = 1;
  make_api(options);
  std::optional<http::Response> unread = open(Method::post, "/api/v1/query", kQuestion);
  auto other = std::async(std::launch::async, [&] { return call(Method::post, "/api/v1/query", kQuestion); });
  EXPECT_EQ(other.wait_for(kPatience), std::future_status::ready) << "the only thread waits for a reader";
  Result<std::string> whole = pull(*unread);
  EXPECT_TRUE(whole && *whole == large);
  unread.reset();
  EXPECT_TRUE(other.get().body == large);
}

TEST_F(ApiTest, AnswersThatNobodyReadsTakeBoundedMemoryAndLeaveRoomForOthers) {
  run_question_ = [](const StatsQuestion& question) {
    return Result<std::string>(std::string(question.body.size() > 100 ? 3 * MiB : 100 * KiB, 'x'));
  };
  Options options;
  options.query_threads = 1;
  options.unread_bytes_max = 4 * MiB;
  make_api(options);
  const std::string large = R"({"site_id":"app"             })" + std::string(100, ' ');
  const std::string greedy = key(Scope::stats);
  const std::string modest = key(Scope::stats);
  std::optional<http::Response> unread = open(Method::post, "/api/v1/query", large, greedy);
  Answer refused = call(Method::post, "/api/v1/query", large, greedy);
  EXPECT_EQ(refused.stream_error, "api: too much of earlier answers waits to be read");
  EXPECT_NE(call(Method::post, "/api/v1/query", kQuestion, greedy).stream_error, "") << "beyond their share";
  EXPECT_EQ(call(Method::post, "/api/v1/query", kQuestion, modest).body.size(), 100 * KiB);
  unread.reset();
  EXPECT_EQ(call(Method::post, "/api/v1/query", large, greedy).body.size(), 3 * MiB);
}

TEST_F(ApiTest, WhoDoesNotReadALongSqlAnswerIsCutOffAndTheStatementEnded) {
  std::promise<void> ended;
  run_sql_ = [&](const SqlQuestion&, const auto& sink) {
    while (sink(std::string(100'000, 'x'))) {
    }
    ended.set_value();
    return Result<>(Error{ErrorCode::kBadInput, "stopped"});
  };
  Options options;
  options.threads = 1;
  options.reader_timeout = std::chrono::milliseconds(100);
  make_api(options);
  http::Response unread = open(Method::post, "/api/v1/sql", "select 1");
  ASSERT_EQ(ended.get_future().wait_for(kPatience), std::future_status::ready) << "the only thread waits for a reader";
  Result<std::string> late = pull(unread);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().message, "api: the reader of the answer takes too little of it");
}

TEST_F(ApiTest, OneWhoAsksTooMuchAtOnceIsAnswered429AndOthersAreNot) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  BoundedQueue<int> started(10);
  run_question_ = [&](const StatsQuestion&) {
    (void)started.try_push(1);
    released.wait();
    return Result<std::string>(std::string("{}"));
  };
  Options options;
  options.query_threads = 2;
  options.query_waiting_max = 3;
  make_api(options);
  const std::string greedy = key(Scope::stats);
  const std::string modest = key(Scope::stats);
  std::vector<http::Response> asked;
  asked.push_back(open(Method::post, "/api/v1/query", kQuestion, greedy));
  ASSERT_TRUE(started.pop_for(kPatience));
  asked.push_back(open(Method::post, "/api/v1/query", kQuestion, greedy));
  Answer refused = call(Method::post, "/api/v1/query", kQuestion, greedy);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.parsed().at("error").at("code").as_string(), "limited");
  EXPECT_NE(refused.header("Retry-After"), "");
  // The other thread is not theirs.
  asked.push_back(open(Method::post, "/api/v1/query", kQuestion, modest));
  EXPECT_TRUE(started.pop_for(kPatience)) << "one caller has both threads";
  release.set_value();
  for (http::Response& answer : asked) {
    Result<std::string> body = pull(answer);
    EXPECT_TRUE(body && *body == "{}");
  }
}

TEST_F(ApiTest, TheGoalsAndSegmentsOfAQuestionAreNotReadOnTheIoThread) {
  ASSERT_TRUE(settings_.add_item({.project = app_.id,
                                  .kind = settings::ItemKind::goal,
                                  .name = "Paid",
                                  .body = R"({"event":"paid","property":{"name":"plan","value":"pro"}})"}));
  auto segment = settings_.add_item({.project = app_.id,
                                     .kind = settings::ItemKind::segment,
                                     .name = "Germany",
                                     .body = R"({"filters":[["is","visit:country",["DE"]]]})"});
  ASSERT_TRUE(segment);
  auto snapshot = settings_.snapshot();
  auto read = [&](const Caller& caller) {
    http::Request request;
    request.body = kQuestion;
    auto question = read_question(request, caller, *snapshot, clock_.now());
    EXPECT_TRUE(question);
    return std::move(question->context);
  };
  query::Context context = read(Caller::owner());
  EXPECT_EQ(context.project, app_.id);
  EXPECT_TRUE(context.goals.empty());
  EXPECT_TRUE(context.segments.empty());
  add_items(*snapshot, Caller::owner(), context);
  ASSERT_EQ(context.goals.size(), 1u);
  EXPECT_EQ(context.goals[0].name, "Paid");
  EXPECT_EQ(context.goals[0].event, "paid");
  EXPECT_EQ(context.goals[0].property, std::pair(std::string("plan"), std::string("pro")));
  ASSERT_EQ(context.segments.size(), 1u);
  EXPECT_EQ(context.segments[0].id, segment->id);
  EXPECT_EQ(context.segments[0].body, segment->body);
  EXPECT_TRUE(context.lock_segments.empty());
  // A shared link's own filters may name segments, its visitors may not.
  settings::Share share;
  share.project = app_.id;
  share.segment = R"([["is","segment",[")" + segment->id + R"("]]])";
  context = read(Caller::share(share));
  add_items(*snapshot, Caller::share(share), context);
  EXPECT_EQ(context.lock, share.segment);
  EXPECT_EQ(context.lock_segments.size(), 1u);
  EXPECT_TRUE(context.segments.empty());
}

TEST(Caller, OfASharedLinkIsToldApartByNetwork) {
  settings::Share share;
  share.id = "s1";
  settings::Key key;
  key.id = "k1";
  auto asker = [](Caller caller, const char* address) {
    caller.came_from(address);
    Asker asker = caller.asker();
    return asker.name + " | " + asker.from;
  };
  EXPECT_EQ(asker(Caller::share(share), "2001:db8:0:1::1"), asker(Caller::share(share), "2001:db8:0:1::2"));
  EXPECT_NE(asker(Caller::share(share), "192.0.2.1"), asker(Caller::share(share), "192.0.2.2"));
  EXPECT_EQ(asker(Caller::key(key), "192.0.2.1"), "key k1 | ");
  EXPECT_EQ(asker(Caller::key(key), "192.0.2.2"), "key k1 | ");
}

TEST_F(ApiTest, WithoutAStoreSqlIsUnavailable) {
  http::Router router;
  Api api(Options(), Dependencies{settings_, clock_, gate_, sessions_, registry_, {}});
  api.add_routes(router);
  std::swap(*router_, router);
  EXPECT_EQ(call(Method::post, "/api/v1/sql", "select 1").status, 503);
  std::swap(*router_, router);
  api.stop();
}

TEST_F(ApiTest, TimesAreMeasuredByRoute) {
  (void)call(Method::get, "/api/v1/projects/app");
  EXPECT_THAT(registry_.text(), HasSubstr("weir_api_request_seconds_count{route=\"/api/v1/projects/*\"} 1"));
}

}  // namespace
}  // namespace weir::api
