#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "weir/api/testing/api_fixture.h"

// Every route x every sort of caller x their own and a foreign project, generated from the access table.
namespace weir::api {
namespace {
using http::Method;
using settings::Grant;
using settings::ItemKind;
using settings::Role;
using settings::Scope;
using testing::Answer;

// Text that stands in everything of the foreign project, and must reach nobody else.
constexpr std::string_view kCanary = "foreign-canary";

class PermissionMatrix : public testing::ApiTest {
 protected:
  // Things of one project, by the names that lists and paths know them by.
  struct Things {
    settings::Project project;
    std::string mark;
    std::string key = {};
    std::string outside_name = {};
    std::string rule = {};
    std::map<ItemKind, std::string> items = {};
    std::string share = {};
    std::string invitation = {};
    std::string user = {};
    int made = 0;
  };

  // Makes what is not there: at first, and after a request that deleted it.
  void fill(Things& t) {
    auto now = settings_.snapshot();
    const ProjectId project = t.project.id;
    ASSERT_NE(now->project(project), nullptr);
    t.project = *now->project(project);
    const std::string mark = t.mark + std::to_string(++t.made);
    auto has_key = [&](const settings::Key& key) { return key.id == t.key; };
    if (std::none_of(now->keys().begin(), now->keys().end(), has_key))
      t.key = settings_.create_key(mark + " key", Scope::stats, project, 0)->key.id;
    if (now->project_of_outside_name(t.outside_name) == nullptr) {
      t.outside_name = mark + ".example";
      EXPECT_TRUE(settings_.add_outside_name(t.outside_name, project));
    }
    auto has_rule = [&](const settings::TrafficRule& rule) { return rule.id == t.rule; };
    if (std::none_of(now->traffic_rules().begin(), now->traffic_rules().end(), has_rule))
      t.rule =
          settings_.add_traffic_rule({.project = project, .kind = settings::RuleKind::path, .value = "/" + mark})->id;
    std::map<ItemKind, std::string> bodies = {
        {ItemKind::goal, R"({"event":"%"})"},
        {ItemKind::segment, R"({"filters":[["is","event:page",["%"]]]})"},
        {ItemKind::annotation, R"({"date":"2026-01-01","text":"%"})"},
        {ItemKind::property, R"({"key":"%"})"},
        {ItemKind::query, R"({"sql":"select '%'"})"},
    };
    for (auto& [kind, body] : bodies) {
      if (now->item(t.items[kind]) != nullptr) continue;
      body.replace(body.find('%'), 1, mark);
      auto made = settings_.add_item({.project = project, .kind = kind, .name = mark + " item", .body = body});
      ASSERT_TRUE(made) << made.error().message;
      t.items[kind] = made->id;
    }
    if (now->share(t.share) == nullptr)
      t.share = settings_.create_share({.project = project, .name = mark + " share"})->share.id;
    auto has_invitation = [&](const settings::Invitation& one) { return one.id == t.invitation; };
    if (std::none_of(now->invitations().begin(), now->invitations().end(), has_invitation))
      t.invitation = settings_.invite(mark + "@invited.example", {project, Role::viewer})->invitation.id;
    auto works_there = [&](const settings::User& user) { return to_string(user.id) == t.user && !user.grants.empty(); };
    if (std::none_of(now->users().begin(), now->users().end(), works_there)) {
      auto made =
          settings_.create_user({.email = mark + "@people.example", .name = mark, .grants = {{project, Role::viewer}}});
      ASSERT_TRUE(made) << made.error().message;
      t.user = to_string(made->id);
    }
  }
  // Whether all of it is still there.
  bool whole(const Things& t) {
    auto now = settings_.snapshot();
    auto any = [](const auto& list, const std::string& id) {
      return std::any_of(list.begin(), list.end(), [&](const auto& one) { return one.id == id; });
    };
    bool items =
        std::all_of(t.items.begin(), t.items.end(), [&](const auto& one) { return now->item(one.second) != nullptr; });
    bool user = std::any_of(now->users().begin(), now->users().end(), [&](const settings::User& one) {
      return to_string(one.id) == t.user && one.grants == std::vector<Grant>{{t.project.id, Role::viewer}};
    });
    const settings::Project* project = now->project(t.project.id);
    return items && user && project != nullptr && project->retention_days == t.project.retention_days &&
           any(now->keys(), t.key) && any(now->traffic_rules(), t.rule) && any(now->shares(), t.share) &&
           any(now->invitations(), t.invitation) && now->project_of_outside_name(t.outside_name) != nullptr;
  }

  // What the path of a route becomes for the thing of `t`, and what body makes it valid.
  static std::pair<std::string, std::string> request_for(const RouteAccess& route, const Things& t) {
    std::string path(route.path);
    auto with = [&](const std::string& id) { return path.substr(0, path.size() - 1) + id; };
    const std::string project = R"("project":")" + t.project.name + R"(")";
    bool writes = route.method == Method::post;
    for (const auto& [kind, id] : t.items) {
      std::string list = "/api/v1/" + std::string(plural_of(kind));
      if (path == list && !writes) return {path + "?project=" + t.project.name, ""};
      if (path == list) {
        const std::map<ItemKind, std::string> fields = {
            {ItemKind::goal, R"("event":"new")"},
            {ItemKind::segment, R"("filters":[["is","event:page",["/new"]]])"},
            {ItemKind::annotation, R"("date":"2026-01-01","text":"new")"},
            {ItemKind::property, R"("key":"new")"},
            {ItemKind::query, R"("sql":"select 1")"},
        };
        return {path, "{" + project + R"(,"name":"new",)" + fields.at(kind) + "}"};
      }
      if (path == list + "/*") return {with(id), R"({"name":"other"})"};
    }
    if (path == "/api/v1/projects" && writes) return {path, R"({"name":"another"})"};
    if (path == "/api/v1/projects/*") return {with(t.project.name), R"({"retention_days":9})"};
    if (path == "/api/v1/keys" && writes) return {path, "{" + project + R"(,"name":"new","scope":"stats"})"};
    if (path == "/api/v1/keys/*") return {with(t.key), ""};
    if (path == "/api/v1/names" && writes) return {path, "{" + project + R"(,"value":"new.example"})"};
    if (path == "/api/v1/names" && route.method == Method::del) return {path + "?value=" + t.outside_name, ""};
    if (path == "/api/v1/rules" && writes)
      return {path, "{" + project + R"(,"kind":"path","value":"/new","label":"bot"})"};
    if (path == "/api/v1/rules/*") return {with(t.rule), ""};
    if (path == "/api/v1/shares" && writes) return {path, "{" + project + R"(,"name":"new"})"};
    if (path == "/api/v1/shares/*") return {with(t.share), ""};
    if (path == "/api/v1/invitations" && writes)
      return {path, "{" + project + R"(,"email":"new@invited.example","role":"viewer"})"};
    if (path == "/api/v1/invitations/*") return {with(t.invitation), ""};
    if (path == "/api/v1/users/*") return {with(t.user), R"({"grants":[]})"};
    if (path == "/api/v1/users" && writes)
      return {path, "{" + project + R"(,"email":"new@people.example","role":"viewer","password":"long enough it is"})"};
    if (path == "/api/v1/users/password")
      return {path, R"({"email":")" + t.project.name + R"(@nobody.example","password":"long enough it is"})"};
    if (path == "/api/v1/policy") return {path, R"({"second_factor_required":false})"};
    if (path == "/api/v1/sql") return {path, "select 1"};
    if (path == "/api/v1/query" || path == "/api/v2/query")
      return {path, R"({"site_id":")" + t.project.name + R"(","metrics":["visitors"],"date_range":"7d"})"};
    if (path == "/api/v1/account" && route.method == Method::patch) return {path, R"({"name":"me"})"};
    if (path == "/api/v1/account/sessions/*") return {with("nonexistent"), ""};
    bool listed =
        route.method == Method::get && (path == "/api/v1/users" || path == "/api/v1/invitations" ||
                                        path == "/api/v1/shares" || path == "/api/v1/rules" || path == "/api/v1/audit");
    return {listed ? path + "?project=" + t.project.name : path, writes ? "{}" : ""};
  }

  // Somebody signed in with these roles.
  Headers signed_in(const std::string& name, std::vector<Grant> grants) {
    auto user = settings_.create_user({.email = name + "@example.com", .name = name, .grants = std::move(grants)});
    EXPECT_TRUE(user) << user.error().message;
    auto session = sessions_.start(user->id, "", "");
    EXPECT_TRUE(session);
    return {{"cookie", "weir_session=" + session->token},
            {"x-weir-csrf", Gate::csrf_token(session->token)},
            {"origin", "http://weir.example"},
            {"host", "weir.example"}};
  }
};

// Routed by app, or over parts that this test has not; tests/integration/permissions_test.py asks those.
bool of_app(const RouteAccess& route, const http::Router& router) {
  return std::none_of(router.routes().begin(), router.routes().end(),
                      [&](const http::Route& one) { return one.method == route.method && one.path == route.path; });
}

TEST_F(PermissionMatrix, EachRouteAnswersEachCallerAboutTheirOwnAndAForeignProject) {
  run_sql_ = [](const SqlQuestion& question, const auto& sink) {
    // What the store would enforce.
    bool all = !question.projects.has_value();
    sink(all ? "all\n" : std::to_string(question.projects->size()) + "\n");
    return Result<>();
  };
  run_question_ = [](const StatsQuestion& question) {
    return Result<std::string>(R"({"results":[],"of":")" + question.context.project_name + R"("})");
  };
  make_api();
  ASSERT_TRUE(settings_.create_first_user({.email = "first@example.com", .grants = {{std::nullopt, Role::owner}}}));

  struct Who {
    std::string name;
    Headers headers;
    Permissions own;      // in the project `website`
    Permissions foreign;  // in the project `app`
    Permissions everywhere;
    bool person = false;
    bool known = true;
  };
  std::vector<Who> callers;
  callers.push_back({"nobody", {}, {}, {}, {}, false, false});
  for (Role role : {Role::viewer, Role::editor, Role::admin}) {
    std::string name(name_of(role));
    callers.push_back({name, signed_in(name, {{website_.id, role}}), permissions_of(role), {}, {}, true});
    callers.push_back({name + "-of-all", signed_in(name + "-of-all", {{std::nullopt, role}}), permissions_of(role),
                       permissions_of(role), permissions_of(role), true});
  }
  callers.push_back({"owner", signed_in("owner", {{std::nullopt, Role::owner}}), permissions_of(Role::owner),
                     permissions_of(Role::owner), permissions_of(Role::owner), true});
  callers.push_back({"roleless", signed_in("roleless", {}), {}, {}, {}, true});
  for (Scope scope : {Scope::capture, Scope::stats, Scope::sql, Scope::admin}) {
    std::string name = "key-" + std::string(name_of(scope));
    callers.push_back(
        {name, {{"authorization", "Bearer " + key(scope, website_.id)}}, permissions_of(scope, false), {}, {}});
    Permissions all = permissions_of(scope, true);
    callers.push_back({name + "-of-all", {{"authorization", "Bearer " + key(scope)}}, all, all, all});
  }
  auto share = settings_.create_share({.project = website_.id, .name = "matrix"});
  ASSERT_TRUE(share);
  callers.push_back({"share",
                     {{"x-weir-share", Gate::share_session(share->share, clock_.now())}},
                     permissions_of(Role::viewer),
                     {},
                     {}});

  Things own{.project = website_, .mark = "own"};
  Things other{.project = app_, .mark = std::string(kCanary)};
  size_t asked = 0;
  for (const RouteAccess& route : access_table()) {
    if (of_app(route, *router_) || route.access.who == Access::Who::anyone) continue;
    const Permission needed = route.access.permission;
    const bool by_project = route.access.who == Access::Who::somewhere;
    for (const Who& who : callers) {
      // It would take everybody's roles along; CliAdmin and ApiTest delete projects.
      if (route.path == "/api/v1/projects/*" && route.method == Method::del && who.everywhere.has(needed)) continue;
      for (bool foreign : {false, true}) {
        fill(own);
        fill(other);
        auto [target, body] = request_for(route, foreign ? other : own);
        std::string what = fmt::format("{} {} {} {} {}", who.name, foreign ? "foreign" : "own",
                                       http::name_of(route.method), target, body);
        Answer answer = ask(route.method, target, body, who.headers);
        what += fmt::format("\n{} {}", answer.status, answer.body);
        ++asked;
        const Permissions here = foreign ? who.foreign : who.own;
        const bool about_one = target != route.path || body.find(R"("project")") != std::string::npos ||
                               body.find(R"("site_id")") != std::string::npos;
        const bool good = answer.status >= 200 && answer.status < 300;
        if (!who.known) {
          EXPECT_EQ(answer.status, 401) << what;
        } else if (route.access.who == Access::Who::person) {
          EXPECT_EQ(answer.status == 403, !who.person) << what;
        } else if (route.access.who == Access::Who::everywhere) {
          EXPECT_EQ(answer.status == 403, !who.everywhere.has(needed)) << what;
          EXPECT_NE(answer.status, 401) << what;
        } else if (!who.own.has(needed) && !who.foreign.has(needed)) {
          EXPECT_EQ(answer.status, 403) << what;
        } else if (about_one && !here.has(Permission::view)) {
          EXPECT_EQ(answer.status, 404) << what;
        } else if (about_one && !here.has(needed)) {
          EXPECT_TRUE(answer.status == 403 || answer.status == 404) << what;
        } else if (route.path.starts_with("/api/v1/segments") && route.method != Method::get) {
          // Everybody's segments are for editors. Strangers see none of them at all.
          bool may = here.has(Permission::edit);
          EXPECT_TRUE(may ? good : answer.status == 403 || (who.name == "share" && answer.status == 404)) << what;
        } else if (route.path == "/api/v1/users/*" && route.method == Method::del) {
          EXPECT_EQ(answer.status, who.everywhere.has(Permission::people) ? 204 : 403) << what;
        } else {
          EXPECT_TRUE(good || answer.status == 409) << what;  // 409: made by a caller before
        }
        if (by_project && !who.foreign.has(Permission::view)) {
          // Not a byte of the foreign project, but what the caller said themselves; and nothing of it changed.
          std::string said = answer.body;
          for (const std::string& word : {other.outside_name, other.key, other.rule, other.share, other.invitation}) {
            bool asked_for = target.find(word) != std::string::npos;
            for (size_t at = said.find(word); asked_for && at != std::string::npos; at = said.find(word))
              said.erase(at, word.size());
          }
          EXPECT_EQ(said.find(kCanary), std::string::npos) << what;
          EXPECT_TRUE(whole(other)) << what;
        }
      }
    }
  }
  EXPECT_GT(asked, 1'000u);
}

}  // namespace
}  // namespace weir::api
