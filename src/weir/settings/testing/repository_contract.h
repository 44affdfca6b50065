#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "weir/base/clock.h"
#include "weir/settings/limits.h"
#include "weir/settings/settings.h"

// What every repository must do. Instantiate it with a function that makes an empty place and answers how to open it:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, RepositoryContract, ::testing::Values(&make_sqlite_place));
namespace weir::settings::testing {

// Opens a repository over the same place each time it is called.
using OpenRepository = std::function<std::unique_ptr<Repository>(Clock&)>;
using MakePlace = std::function<OpenRepository()>;

class RepositoryContract : public ::testing::TestWithParam<MakePlace> {
 protected:
  void SetUp() override {
    open_ = GetParam()();
    reopen();
  }
  void reopen() {
    if (repository_ != nullptr) {
      ASSERT_TRUE(repository_->close());
    }
    repository_.reset();
    repository_ = open_(clock_);
    ASSERT_NE(repository_, nullptr);
  }
  Project make_project(std::string_view name) {
    auto made = repository_->create_project(name);
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : Project{};
  }
  template <class T>
  static ErrorCode code(const Result<T>& result) {
    EXPECT_FALSE(result);
    return result ? ErrorCode::kCorrupt : result.error().code;
  }

  ManualClock clock_{1'790'000'000'000};
  OpenRepository open_;
  std::unique_ptr<Repository> repository_;
};

TEST_P(RepositoryContract, StartsEmptyAndFine) {
  EXPECT_TRUE(repository_->snapshot()->projects().empty());
  EXPECT_TRUE(repository_->snapshot()->keys().empty());
  EXPECT_TRUE(repository_->snapshot()->outside_names().empty());
  EXPECT_EQ(repository_->degraded(), "");
}

TEST_P(RepositoryContract, AProjectIsInTheSnapshotAtOnceAndAfterAnotherStart) {
  Project made = make_project("website");
  EXPECT_NE(number(made.id), 0u);
  EXPECT_LT(number(made.id), uint64_t{1} << 63);
  EXPECT_EQ(made.created_at, clock_.now());
  for (int round = 0; round < 2; ++round) {
    auto snapshot = repository_->snapshot();
    ASSERT_NE(snapshot->project("website"), nullptr);
    EXPECT_EQ(snapshot->project("website")->id, made.id);
    EXPECT_EQ(snapshot->project(made.id)->name, "website");
    EXPECT_EQ(snapshot->project(made.id)->time_zone, "UTC");
    EXPECT_EQ(snapshot->project(made.id)->created_at, made.created_at);
    reopen();
  }
}

TEST_P(RepositoryContract, ASnapshotOnceTakenStaysAsItWas) {
  make_project("a");
  auto before = repository_->snapshot();
  make_project("b");
  EXPECT_EQ(before->project("b"), nullptr);
  EXPECT_EQ(before->projects().size(), 1u);
}

TEST_P(RepositoryContract, ProjectNamesAreCheckedAndUnique) {
  make_project("a");
  EXPECT_EQ(code(repository_->create_project("a")), ErrorCode::kConflict);
  for (std::string_view bad : {"", "with space", "slash/", "quote'", "ümlaut", "new\nline"}) {
    auto made = repository_->create_project(bad);
    EXPECT_EQ(code(made), ErrorCode::kBadInput) << bad;
    EXPECT_NE(made.error().message.find("project name"), std::string::npos);
  }
  EXPECT_EQ(code(repository_->create_project(std::string(65, 'x'))), ErrorCode::kBadInput);
  EXPECT_TRUE(repository_->create_project(std::string(64, 'x')));
  EXPECT_TRUE(repository_->create_project("A.b_c-9"));
  EXPECT_TRUE(repository_->create_project("A"));  // names differ by case
}

TEST_P(RepositoryContract, AProjectIsChangedAsAWholeButForIdAndBirth) {
  Project project = make_project("a");
  UnixMillis born = project.created_at;
  clock_.advance(std::chrono::hours(1));
  project.name = "b";
  project.time_zone = "Europe/Berlin";
  project.retention_days = 400;
  project.ip_policy = IpPolicy::masked;
  project.hostnames = {"WWW.example.org", "*.Shop.example", "www.example.org"};
  project.foreign_hostnames = ForeignHostnames::spam;
  project.privacy_signals = PrivacySignals::respect;
  project.created_at = 5;
  ASSERT_TRUE(repository_->change_project(project));
  reopen();
  auto snapshot = repository_->snapshot();
  EXPECT_EQ(snapshot->project("a"), nullptr);
  const Project* changed = snapshot->project("b");
  ASSERT_NE(changed, nullptr);
  EXPECT_EQ(changed->id, project.id);
  EXPECT_EQ(changed->time_zone, "Europe/Berlin");
  EXPECT_EQ(changed->retention_days, 400u);
  EXPECT_EQ(changed->ip_policy, IpPolicy::masked);
  EXPECT_EQ(changed->hostnames, (std::vector<std::string>{"*.shop.example", "www.example.org"}));
  EXPECT_EQ(changed->foreign_hostnames, ForeignHostnames::spam);
  EXPECT_EQ(changed->privacy_signals, PrivacySignals::respect);
  EXPECT_EQ(changed->created_at, born);
}

TEST_P(RepositoryContract, AWrongChangeChangesNothing) {
  Project project = make_project("a");
  make_project("b");
  auto with = [&](auto change) {
    Project changed = project;
    change(changed);
    return code(repository_->change_project(changed));
  };
  EXPECT_EQ(with([](Project& p) { p.name = "b"; }), ErrorCode::kConflict);
  EXPECT_EQ(with([](Project& p) { p.name = ""; }), ErrorCode::kBadInput);
  EXPECT_EQ(with([](Project& p) { p.time_zone = "Mars/Olympus"; }), ErrorCode::kBadInput);
  EXPECT_EQ(with([](Project& p) { p.time_zone = "../../etc/passwd"; }), ErrorCode::kBadInput);
  EXPECT_EQ(with([](Project& p) { p.time_zone = ""; }), ErrorCode::kBadInput);
  EXPECT_EQ(with([](Project& p) { p.retention_days = 1'000'000; }), ErrorCode::kBadInput);
  for (const char* name :
       {"", "https://a.example", "a.example/", "a.example:80", "*", "*.", "a.*.example", "a..example"})
    EXPECT_EQ(with([&](Project& p) { p.hostnames = {name}; }), ErrorCode::kBadInput) << name;
  EXPECT_EQ(with([](Project& p) { p.hostnames.assign(101, "a.example"); }), ErrorCode::kBadInput);
  // Then all of them would be.
  EXPECT_EQ(with([](Project& p) { p.foreign_hostnames = ForeignHostnames::spam; }), ErrorCode::kBadInput);
  EXPECT_EQ(with([](Project& p) { p.id = ProjectId{number(p.id) ^ 1}; }), ErrorCode::kNotFound);
  reopen();
  EXPECT_EQ(repository_->snapshot()->project(project.id)->name, "a");
  EXPECT_EQ(repository_->snapshot()->project(project.id)->time_zone, "UTC");
}

TEST_P(RepositoryContract, AProjectTakesItsKeysAndNamesWithIt) {
  Project gone = make_project("gone");
  Project stays = make_project("stays");
  auto limited = repository_->create_key("limited", Scope::stats, gone.id, 0);
  auto general = repository_->create_key("general", Scope::stats, std::nullopt, 0);
  ASSERT_TRUE(limited && general);
  ASSERT_TRUE(repository_->add_outside_name("gone.example", gone.id));
  ASSERT_TRUE(repository_->add_outside_name("stays.example", stays.id));
  ASSERT_TRUE(repository_->delete_project(gone.id));
  for (int round = 0; round < 2; ++round) {
    auto snapshot = repository_->snapshot();
    EXPECT_EQ(snapshot->project("gone"), nullptr);
    // Above all it must not have become a key of all projects.
    EXPECT_EQ(snapshot->key_of_secret(limited->secret, clock_.now()), nullptr);
    EXPECT_NE(snapshot->key_of_secret(general->secret, clock_.now()), nullptr);
    EXPECT_EQ(snapshot->project_of_outside_name("gone.example"), nullptr);
    EXPECT_NE(snapshot->project_of_outside_name("stays.example"), nullptr);
    reopen();
  }
  EXPECT_EQ(code(repository_->delete_project(gone.id)), ErrorCode::kNotFound);
  EXPECT_NE(make_project("gone").id, gone.id);
}

TEST_P(RepositoryContract, AKeyIsFoundByItsSecretAlone) {
  Project project = make_project("a");
  auto made = repository_->create_key("dashboard", Scope::sql, project.id, 0);
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->secret.starts_with("weir_q")) << made->secret;
  EXPECT_EQ(made->secret.size(), 5 + 1 + 43u);
  reopen();
  auto snapshot = repository_->snapshot();
  const Key* key = snapshot->key_of_secret(made->secret, clock_.now());
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->id, made->key.id);
  EXPECT_EQ(key->name, "dashboard");
  EXPECT_EQ(key->scope, Scope::sql);
  EXPECT_EQ(key->project, project.id);
  EXPECT_EQ(key->hash.size(), 32u);
  EXPECT_EQ(key->hash.find(made->secret), std::string::npos);
  std::string other = made->secret;
  other.back() = other.back() == 'A' ? 'B' : 'A';
  for (const std::string& wrong : {other, made->secret + "A", made->secret.substr(0, 40), std::string(), key->id,
                                   key->hash, std::string(1 << 20, 'x')}) {
    EXPECT_EQ(snapshot->key_of_secret(wrong, clock_.now()), nullptr);
  }
}

TEST_P(RepositoryContract, AKeyEndsWhenItExpiresOrIsDeleted) {
  auto made = repository_->create_key("brief", Scope::stats, std::nullopt, clock_.now() + 1000);
  auto lasting = repository_->create_key("lasting", Scope::admin, std::nullopt, 0);
  ASSERT_TRUE(made && lasting);
  clock_.advance(std::chrono::milliseconds(999));
  EXPECT_NE(repository_->snapshot()->key_of_secret(made->secret, clock_.now()), nullptr);
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(repository_->snapshot()->key_of_secret(made->secret, clock_.now()), nullptr);
  ASSERT_TRUE(repository_->delete_key(lasting->key.id));
  EXPECT_EQ(repository_->snapshot()->key_of_secret(lasting->secret, clock_.now()), nullptr);
  EXPECT_EQ(code(repository_->delete_key(lasting->key.id)), ErrorCode::kNotFound);
  EXPECT_EQ(repository_->snapshot()->keys().size(), 1u);
}

TEST_P(RepositoryContract, KeysAreChecked) {
  EXPECT_EQ(code(repository_->create_key("", Scope::stats, std::nullopt, 0)), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->create_key(std::string(101, 'k'), Scope::stats, std::nullopt, 0)), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->create_key("a\nb", Scope::stats, std::nullopt, 0)), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->create_key("\xff", Scope::stats, std::nullopt, 0)), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->create_key("k", Scope::stats, std::nullopt, clock_.now())), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->create_key("k", Scope::stats, ProjectId{7}, 0)), ErrorCode::kNotFound);
  EXPECT_TRUE(repository_->create_key("Ärger mit Grafana", Scope::stats, std::nullopt, 0));
  EXPECT_TRUE(repository_->create_key("Ärger mit Grafana", Scope::stats, std::nullopt, 0));  // names may repeat
}

TEST_P(RepositoryContract, AnOutsideNameMeansOneProject) {
  Project a = make_project("a");
  Project b = make_project("b");
  ASSERT_TRUE(repository_->add_outside_name("phc_abc", a.id));
  EXPECT_EQ(code(repository_->add_outside_name("phc_abc", b.id)), ErrorCode::kConflict);
  EXPECT_EQ(code(repository_->add_outside_name("x", ProjectId{7})), ErrorCode::kNotFound);
  EXPECT_EQ(code(repository_->add_outside_name("", a.id)), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->add_outside_name(std::string(201, 'x'), a.id)), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->add_outside_name(std::string("a\0b", 3), a.id)), ErrorCode::kBadInput);
  reopen();
  EXPECT_EQ(repository_->snapshot()->project_of_outside_name("phc_abc")->id, a.id);
  EXPECT_EQ(repository_->snapshot()->project_of_outside_name("phc_ab"), nullptr);
  ASSERT_TRUE(repository_->delete_outside_name("phc_abc"));
  EXPECT_EQ(code(repository_->delete_outside_name("phc_abc")), ErrorCode::kNotFound);
  EXPECT_TRUE(repository_->add_outside_name("phc_abc", b.id));
}

TEST_P(RepositoryContract, RulesAreKeptInTheOrderTheyWereMade) {
  Project a = make_project("a");
  auto office = repository_->add_traffic_rule(
      {.kind = RuleKind::address, .value = "10.0.0.0/8", .label = RuleLabel::internal, .note = "Büro"});
  clock_.advance(std::chrono::milliseconds(-5));
  auto pages = repository_->add_traffic_rule(
      {.project = a.id, .kind = RuleKind::path, .value = "/admin", .label = RuleLabel::internal});
  auto spam =
      repository_->add_traffic_rule({.kind = RuleKind::referrer, .value = "Spam.Example", .label = RuleLabel::spam});
  ASSERT_TRUE(office && pages && spam);
  EXPECT_EQ(spam->value, "spam.example");
  for (int round = 0; round < 2; ++round) {
    auto snapshot = repository_->snapshot();
    const auto& rules = snapshot->traffic_rules();
    ASSERT_EQ(rules.size(), 3u);
    EXPECT_EQ(rules[0].id, office->id);
    EXPECT_EQ(rules[0].project, std::nullopt);
    EXPECT_EQ(rules[0].kind, RuleKind::address);
    EXPECT_EQ(rules[0].value, "10.0.0.0/8");
    EXPECT_EQ(rules[0].label, RuleLabel::internal);
    EXPECT_EQ(rules[0].note, "Büro");
    EXPECT_EQ(rules[0].created_at, office->created_at);
    EXPECT_EQ(rules[1].id, pages->id);
    EXPECT_EQ(rules[1].project, a.id);
    EXPECT_EQ(rules[2].value, "spam.example");
    reopen();
  }
  ASSERT_TRUE(repository_->delete_traffic_rule(office->id));
  EXPECT_EQ(code(repository_->delete_traffic_rule(office->id)), ErrorCode::kNotFound);
  ASSERT_TRUE(repository_->delete_project(a.id));
  reopen();
  ASSERT_EQ(repository_->snapshot()->traffic_rules().size(), 1u);
  EXPECT_EQ(repository_->snapshot()->traffic_rules()[0].id, spam->id);
}

TEST_P(RepositoryContract, RulesAreChecked) {
  auto add = [&](RuleKind kind, std::string value, std::string note = "") {
    TrafficRule rule;
    rule.kind = kind;
    rule.value = std::move(value);
    rule.note = std::move(note);
    return repository_->add_traffic_rule(rule);
  };
  auto message = [](const auto& result) { return result ? "" : result.error().message; };
  for (const char* value : {"", "10.0.0.0/33", "10.0.0", "office", "::1/129", "10.0.0.1/", "10.0.0.1-10.0.0.9"})
    EXPECT_EQ(code(add(RuleKind::address, value)), ErrorCode::kBadInput) << value;
  EXPECT_EQ(message(add(RuleKind::address, "10.0.0.0/33")),
            "settings: address: `10.0.0.0/33`: neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32");
  EXPECT_EQ(message(add(RuleKind::address, "10.1.2.3/8")),
            "settings: address: `10.1.2.3/8`: names an address within 10.0.0.0/8; is that meant?");
  for (const char* value :
       {"*", "*.", "a*.example.com", "https://example.com", "example.com/x", "a..b", ".a", "a.", "a b"})
    EXPECT_EQ(code(add(RuleKind::hostname, value)), ErrorCode::kBadInput) << value;
  for (const char* value : {"*.example.com", "https://example.com/", "example.com:80"})
    EXPECT_EQ(code(add(RuleKind::referrer, value)), ErrorCode::kBadInput) << value;
  for (const char* value : {"admin", "/a?b", "/a#b", "*********"})
    EXPECT_EQ(code(add(RuleKind::path, value)), ErrorCode::kBadInput) << value;
  for (const char* value : {"ab", "a\nbc", "a\xff\xff\xff"})
    EXPECT_EQ(code(add(RuleKind::user_agent, value)), ErrorCode::kBadInput) << value;
  EXPECT_EQ(code(add(RuleKind::user_agent, std::string(201, 'x'))), ErrorCode::kBadInput);
  EXPECT_EQ(code(add(RuleKind::path, "/a", std::string(201, 'x'))), ErrorCode::kBadInput);
  EXPECT_EQ(code(add(RuleKind::path, "/a", "a\nb")), ErrorCode::kBadInput);
  TrafficRule nowhere{.project = ProjectId{7}, .kind = RuleKind::path, .value = "/a"};
  EXPECT_EQ(code(repository_->add_traffic_rule(nowhere)), ErrorCode::kNotFound);
  EXPECT_TRUE(repository_->snapshot()->traffic_rules().empty());

  EXPECT_EQ(add(RuleKind::address, "2001:DB8:0::/32")->value, "2001:db8::/32");
  EXPECT_EQ(add(RuleKind::address, "::ffff:10.0.0.7")->value, "10.0.0.7");
  EXPECT_EQ(add(RuleKind::hostname, "*.Staging.example")->value, "*.staging.example");
  EXPECT_EQ(add(RuleKind::path, "*/admin/*")->value, "*/admin/*");
  EXPECT_EQ(add(RuleKind::user_agent, "HeadlessChrome")->value, "HeadlessChrome");
  // The same again, however it is written; for one project beside the one of all it may stand.
  EXPECT_EQ(code(add(RuleKind::address, "10.0.0.7")), ErrorCode::kConflict);
  TrafficRule narrower{.project = make_project("a").id, .kind = RuleKind::address, .value = "10.0.0.7"};
  EXPECT_TRUE(repository_->add_traffic_rule(narrower));
}

TEST_P(RepositoryContract, ItemsAreKeptByProjectAndKind) {
  Project a = make_project("a");
  Project b = make_project("b");
  auto add = [&](const Project& project, ItemKind kind, std::string name, std::string body) {
    auto made = repository_->add_item({.project = project.id, .kind = kind, .name = name, .body = body});
    EXPECT_TRUE(made) << made.error().message;
    return made ? *made : Item{};
  };
  Item signup = add(a, ItemKind::goal, "Sign-up", R"({ "event": "signup", "page": null })");
  Item thanks = add(a, ItemKind::goal, "Büro", R"({"page":"/thanks*","currency":"EUR"})");
  Item other = add(b, ItemKind::goal, "Sign-up", R"({"event":"signup"})");
  Item germans = add(a, ItemKind::segment, "Germans", R"({"filters":[["is","visit:country",["DE"]]]})");
  auto query = repository_->add_item(
      {.kind = ItemKind::query, .owner = UserId{7}, .name = "Rows", .body = R"({"sql":"select\n1"})"});
  ASSERT_TRUE(query);
  EXPECT_EQ(signup.body, R"({"event":"signup"})");
  EXPECT_EQ(signup.created_at, clock_.now());
  for (int round = 0; round < 2; ++round) {
    auto snapshot = repository_->snapshot();
    auto goals = snapshot->items(a.id, ItemKind::goal);
    ASSERT_EQ(goals.size(), 2u);
    EXPECT_EQ(goals[0], signup);
    EXPECT_EQ(goals[1], thanks);
    ASSERT_EQ(snapshot->items(b.id, ItemKind::goal).size(), 1u);
    EXPECT_EQ(snapshot->items(b.id, ItemKind::goal)[0], other);
    ASSERT_EQ(snapshot->items(a.id, ItemKind::segment).size(), 1u);
    EXPECT_TRUE(snapshot->items(b.id, ItemKind::segment).empty());
    ASSERT_EQ(snapshot->items(std::nullopt, ItemKind::query).size(), 1u);
    EXPECT_EQ(snapshot->items(std::nullopt, ItemKind::query)[0], *query);
    ASSERT_NE(snapshot->item(germans.id), nullptr);
    EXPECT_EQ(snapshot->item(germans.id)->name, "Germans");
    EXPECT_EQ(snapshot->item("nope"), nullptr);
    reopen();
  }
  clock_.advance(std::chrono::seconds(1));
  Item changed = signup;
  changed.name = "Registered";
  changed.body = R"({"event":"registered"})";
  changed.project = b.id;  // stays where it is
  auto answered = repository_->change_item(changed);
  ASSERT_TRUE(answered) << answered.error().message;
  EXPECT_EQ(answered->project, a.id);
  EXPECT_EQ(answered->updated_at, signup.created_at + 1'000);
  EXPECT_EQ(answered->created_at, signup.created_at);
  ASSERT_TRUE(repository_->delete_item(thanks.id));
  EXPECT_EQ(code(repository_->delete_item(thanks.id)), ErrorCode::kNotFound);
  EXPECT_EQ(code(repository_->change_item(thanks)), ErrorCode::kNotFound);
  changed.kind = ItemKind::property;
  changed.body = R"({"key":"plan"})";
  EXPECT_EQ(code(repository_->change_item(changed)), ErrorCode::kNotFound);
  reopen();
  ASSERT_EQ(repository_->snapshot()->items(a.id, ItemKind::goal).size(), 1u);
  EXPECT_EQ(repository_->snapshot()->items(a.id, ItemKind::goal)[0], *answered);
  ASSERT_TRUE(repository_->delete_project(a.id));
  reopen();
  EXPECT_EQ(repository_->snapshot()->item(germans.id), nullptr);
  EXPECT_EQ(repository_->snapshot()->items(b.id, ItemKind::goal).size(), 1u);
}

TEST_P(RepositoryContract, ItemsAreChecked) {
  Project a = make_project("a");
  auto add = [&](ItemKind kind, std::string body, std::string name = "x") {
    return repository_->add_item({.project = a.id, .kind = kind, .name = std::move(name), .body = std::move(body)});
  };
  auto message = [](const auto& result) { return result ? "" : result.error().message; };
  std::string deep = R"(["is","visit:country",["DE"]])";
  for (int i = 0; i < 9; ++i) deep = R"(["not",)" + deep + "]";
  const std::vector<std::pair<ItemKind, std::string>> wrong = {
      {ItemKind::goal, ""},
      {ItemKind::goal, "[]"},
      {ItemKind::goal, "{}"},
      {ItemKind::goal, R"({"event":"a","page":"/b"})"},
      {ItemKind::goal, R"({"event":""})"},
      {ItemKind::goal, R"({"event":7})"},
      {ItemKind::goal, R"({"page":"thanks"})"},
      {ItemKind::goal, R"({"page":"/*********"})"},
      {ItemKind::goal, R"({"event":"a","currency":"euro"})"},
      {ItemKind::goal, R"({"event":"a","property":"plan"})"},
      {ItemKind::goal, R"({"event":"a","property":{"name":"plan"}})"},
      {ItemKind::goal, R"({"event":"a","other":1})"},
      {ItemKind::goal, R"({"event":"a\u0007"})"},
      {ItemKind::goal, R"({"event":")" + std::string(201, 'x') + R"("})"},
      {ItemKind::segment, R"({})"},
      {ItemKind::segment, R"({"filters":[]})"},
      {ItemKind::segment, R"({"filters":"all"})"},
      {ItemKind::segment, R"({"filters":[["is"]]})"},
      {ItemKind::segment, R"({"filters":[[7,"visit:country",["DE"]]]})"},
      {ItemKind::segment, R"({"filters":[)" + deep + "]}"},
      {ItemKind::annotation, R"({"date":"yesterday","text":"x"})"},
      {ItemKind::annotation, R"({"date":"2026-02-30","text":"x"})"},
      {ItemKind::annotation, R"({"date":"2026-02-03"})"},
      {ItemKind::property, R"({"key":""})"},
      {ItemKind::query, R"({"sql":""})"},
      {ItemKind::query, R"({"sql":"select 1","chart":"line"})"},
      {ItemKind::query, R"({"sql":")" + std::string(17'000, ' ') + R"("})"},
  };
  for (const auto& [kind, body] : wrong) EXPECT_EQ(code(add(kind, body)), ErrorCode::kBadInput) << body.substr(0, 80);
  EXPECT_EQ(message(add(ItemKind::goal, R"({"page":"thanks"})")),
            "settings: page: `thanks`: must begin with `/` or `*`");
  EXPECT_EQ(code(add(ItemKind::goal, R"({"event":"a"})", "")), ErrorCode::kBadInput);
  EXPECT_EQ(code(add(ItemKind::goal, R"({"event":"a"})", std::string(201, 'x'))), ErrorCode::kBadInput);
  Item nowhere{.project = ProjectId{7}, .kind = ItemKind::goal, .name = "x", .body = R"({"event":"a"})"};
  EXPECT_EQ(code(repository_->add_item(nowhere)), ErrorCode::kNotFound);
  nowhere.project.reset();
  EXPECT_EQ(code(repository_->add_item(nowhere)), ErrorCode::kBadInput);
  EXPECT_TRUE(repository_->snapshot()->items(a.id, ItemKind::goal).empty());

  EXPECT_TRUE(add(ItemKind::segment, R"({"filters":[["or",[["is","visit:country",["DE"]],["not",["contains",)"
                                     R"("event:page",["/a"],{"case_sensitive":false}]]]]]})"));
  EXPECT_TRUE(add(ItemKind::annotation, R"({"date":"2026-02-03T10:00:00+01:00","text":"Launch"})"));
  EXPECT_TRUE(add(ItemKind::goal, R"({"page":"/**/done","property":{"name":"plan","value":"pro"}})"));
  EXPECT_EQ(code(add(ItemKind::goal, R"({"event":"a"})")), ErrorCode::kConflict);
  EXPECT_TRUE(add(ItemKind::property, R"({"key":"plan"})", "Plan"));
  EXPECT_EQ(code(add(ItemKind::property, R"({"key":"plan"})", "Other")), ErrorCode::kConflict);
  for (size_t i = 1; i < kPropertiesMax; ++i)
    ASSERT_TRUE(add(ItemKind::property, R"({"key":"k)" + std::to_string(i) + R"("})"));
  EXPECT_EQ(code(add(ItemKind::property, R"({"key":"one more"})")), ErrorCode::kTooLarge);
}

TEST_P(RepositoryContract, SqlInValuesStaysText) {
  Project a = make_project("a");
  std::string evil = "x'); DROP TABLE projects; --";
  ASSERT_TRUE(repository_->add_outside_name(evil, a.id));
  ASSERT_TRUE(repository_->create_key(evil, Scope::stats, std::nullopt, 0));
  EXPECT_EQ(code(repository_->delete_key("' OR 1 = 1 --")), ErrorCode::kNotFound);
  reopen();
  EXPECT_EQ(repository_->snapshot()->project_of_outside_name(evil)->id, a.id);
  EXPECT_EQ(repository_->snapshot()->keys().at(0).name, evil);
}

TEST_P(RepositoryContract, TheListenerHearsOfEachChangeAndSeesIt) {
  std::vector<size_t> seen;
  repository_->on_change([&] { seen.push_back(repository_->snapshot()->projects().size()); });
  Project a = make_project("a");
  make_project("b");
  (void)repository_->create_project("b").has_value();  // a conflict is no change
  ASSERT_TRUE(repository_->delete_project(a.id));
  EXPECT_EQ(seen, (std::vector<size_t>{1, 2, 1}));
}

TEST_P(RepositoryContract, ChangesOfManyThreadsAllArrive) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5;
  std::atomic<bool> stop{false};
  std::atomic<int> calls{0};
  repository_->on_change([&] { ++calls; });
  std::thread reader([&] {
    size_t last = 0;
    while (!stop) {
      auto snapshot = repository_->snapshot();
      EXPECT_GE(snapshot->projects().size(), last);
      last = snapshot->projects().size();
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) make_project("p" + std::to_string(t) + "." + std::to_string(i));
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  reader.join();
  EXPECT_EQ(calls, kThreads * kEach);
  repository_->on_change({});
  reopen();
  std::set<uint64_t> ids;
  for (const Project& p : repository_->snapshot()->projects()) ids.insert(number(p.id));
  EXPECT_EQ(ids.size(), size_t{kThreads * kEach});
}

TEST_P(RepositoryContract, ClosedItRefusesChangesAndStillReads) {
  make_project("a");
  ASSERT_TRUE(repository_->close());
  EXPECT_EQ(code(repository_->create_project("b")), ErrorCode::kUnavailable);
  EXPECT_NE(repository_->snapshot()->project("a"), nullptr);
}

}  // namespace weir::settings::testing
