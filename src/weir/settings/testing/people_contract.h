#pragma once

#include "weir/settings/limits.h"
#include "weir/settings/rules.h"
#include "weir/settings/testing/repository_contract.h"

// What every repository must do about people, invitations, shared links, sessions and the audit log.
namespace weir::settings::testing {

inline User person(std::string email, std::vector<Grant> grants) {
  return {.email = std::move(email), .name = "Ä. Person", .password = "$argon2id$x", .grants = std::move(grants)};
}

TEST_P(RepositoryContract, PeopleAreKeptWithTheirRoles) {
  Project a = make_project("a");
  auto boss = repository_->create_first_user(person(" Boss@Example.com ", {{std::nullopt, Role::owner}}));
  ASSERT_TRUE(boss) << boss.error().message;
  EXPECT_EQ(boss->email, "boss@example.com");
  EXPECT_EQ(code(repository_->create_first_user(person("b@example.com", {}))), ErrorCode::kConflict);
  auto guest = repository_->create_user(person("guest@example.com", {{a.id, Role::viewer}}));
  ASSERT_TRUE(guest);
  EXPECT_EQ(code(repository_->create_user(person("GUEST@example.com", {}))), ErrorCode::kConflict);
  EXPECT_EQ(code(repository_->create_user(person("x@example.com", {{ProjectId{7}, Role::viewer}}))),
            ErrorCode::kNotFound);
  EXPECT_EQ(code(repository_->create_user(person("x@example.com", {{a.id, Role::owner}}))), ErrorCode::kBadInput);
  EXPECT_EQ(code(repository_->create_user(person("x@example.com", {{a.id, Role::admin}, {a.id, Role::viewer}}))),
            ErrorCode::kBadInput);
  for (const char* email : {"", "x", "@b", "a@", "a@b@c", "a b@c", "<a@b>", "a@b\n"})
    EXPECT_EQ(code(repository_->create_user(person(email, {}))), ErrorCode::kBadInput) << email;
  auto changed = repository_->change_user(guest->id, [&](User& user) -> Result<> {
    user.grants = {{std::nullopt, Role::editor}, {a.id, Role::admin}};
    user.totp_secret = std::string("\0\xff secret", 9);
    user.totp_step = 77;
    user.recovery = {std::string("\0\1", 2), "\xfe"};
    user.created_at = 5;
    return {};
  });
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(changed->created_at, guest->created_at);
  reopen();
  auto snapshot = repository_->snapshot();
  ASSERT_NE(snapshot->user(guest->id), nullptr);
  EXPECT_EQ(*snapshot->user(guest->id), *changed);
  EXPECT_EQ(snapshot->user_of_email("guest@example.com"), snapshot->user(guest->id));
  EXPECT_EQ(snapshot->user_of_email("nobody@example.com"), nullptr);
  EXPECT_EQ(snapshot->users().size(), 2u);
  EXPECT_EQ(code(repository_->change_user(UserId{7}, [](User&) { return Result<>(); })), ErrorCode::kNotFound);
  EXPECT_EQ(code(repository_->change_user(guest->id,
                                          [](User& user) -> Result<> {
                                            user.email = "boss@example.com";
                                            return {};
                                          })),
            ErrorCode::kConflict);
  // A project takes the roles in it along.
  ASSERT_TRUE(repository_->delete_project(a.id));
  reopen();
  EXPECT_EQ(repository_->snapshot()->user(guest->id)->grants, (std::vector<Grant>{{std::nullopt, Role::editor}}));
}

TEST_P(RepositoryContract, AnOwnerRemains) {
  auto boss = repository_->create_first_user(person("boss@example.com", {{std::nullopt, Role::owner}}));
  ASSERT_TRUE(boss);
  EXPECT_EQ(code(repository_->delete_user(boss->id)), ErrorCode::kConflict);
  auto demote = [](User& user) -> Result<> {
    user.grants = {{std::nullopt, Role::admin}};
    return {};
  };
  EXPECT_EQ(code(repository_->change_user(boss->id, demote)), ErrorCode::kConflict);
  EXPECT_TRUE(repository_->snapshot()->user(boss->id)->is_owner());
  auto second = repository_->create_user(person("second@example.com", {{std::nullopt, Role::owner}}));
  ASSERT_TRUE(second);
  EXPECT_TRUE(repository_->change_user(boss->id, demote));
  EXPECT_TRUE(repository_->delete_user(boss->id));
  EXPECT_EQ(code(repository_->delete_user(second->id)), ErrorCode::kConflict);
}

TEST_P(RepositoryContract, APersonTakesTheirOwnThingsAndSessionsAlong) {
  Project a = make_project("a");
  auto boss = repository_->create_first_user(person("boss@example.com", {{std::nullopt, Role::owner}}));
  auto guest = repository_->create_user(person("guest@example.com", {{a.id, Role::viewer}}));
  ASSERT_TRUE(boss && guest);
  Item mine{.project = a.id,
            .kind = ItemKind::segment,
            .owner = guest->id,
            .name = "mine",
            .body = R"({"filters":[["is","visit:country",["DE"]]]})"};
  Item shared = mine;
  shared.owner.reset();
  ASSERT_TRUE(repository_->add_item(mine) && repository_->add_item(shared));
  Session session{"s1", hash_of_secret("one"), guest->id, 10, 20, "192.0.2.1", "Firefox"};
  Session other{"s2", hash_of_secret("two"), boss->id, 10, 20, "", ""};
  ASSERT_TRUE(repository_->keep_session(session) && repository_->keep_session(other));
  ASSERT_TRUE(repository_->delete_user(guest->id));
  EXPECT_EQ(code(repository_->keep_session(session)), ErrorCode::kNotFound);
  reopen();
  EXPECT_EQ(repository_->snapshot()->items(a.id, ItemKind::segment).size(), 1u);
  auto sessions = repository_->sessions();
  ASSERT_TRUE(sessions);
  ASSERT_EQ(sessions->size(), 1u);
  EXPECT_EQ(sessions->front().id, "s2");
}

TEST_P(RepositoryContract, SessionsAreKeptChangedAndDropped) {
  auto boss = repository_->create_first_user(person("boss@example.com", {{std::nullopt, Role::owner}}));
  ASSERT_TRUE(boss);
  Session session{"s1", hash_of_secret("one"), boss->id, 10, 20, "192.0.2.1", "Firefox"};
  ASSERT_TRUE(repository_->keep_session(session));
  session.seen_at = 99;
  session.address = "2001:db8::1";
  // One that was dropped meanwhile does not come back.
  Session dropped{"s0", hash_of_secret("none"), boss->id, 10, 20, "", ""};
  ASSERT_TRUE(repository_->note_seen({dropped, session}));
  Session second{"s2", hash_of_secret("two"), boss->id, 10, 20, "", ""};
  ASSERT_TRUE(repository_->keep_session(second));
  auto before = repository_->snapshot();
  reopen();
  auto kept = repository_->sessions();
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 2u);
  for (const Session& one : *kept) {
    if (one.id != "s1") continue;
    EXPECT_EQ(one.token, hash_of_secret("one"));
    EXPECT_EQ(one.user, boss->id);
    EXPECT_EQ(one.created_at, 10);
    EXPECT_EQ(one.seen_at, 99);
    EXPECT_EQ(one.address, "2001:db8::1");
    EXPECT_EQ(one.agent, "Firefox");
  }
  ASSERT_TRUE(repository_->drop_sessions({"s1", "unknown"}));
  reopen();
  EXPECT_EQ(repository_->sessions()->size(), 1u);
}

TEST_P(RepositoryContract, AnInvitationIsUsedOnce) {
  Project a = make_project("a");
  auto made = repository_->invite("New@Example.com", {a.id, Role::editor});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(code(repository_->invite("x@example.com", {ProjectId{7}, Role::editor})), ErrorCode::kNotFound);
  EXPECT_EQ(code(repository_->invite("x@example.com", {a.id, Role::owner})), ErrorCode::kBadInput);
  reopen();
  auto snapshot = repository_->snapshot();
  ASSERT_NE(snapshot->invitation_of_token(made->token, clock_.now()), nullptr);
  EXPECT_EQ(snapshot->invitation_of_token(made->token, clock_.now())->email, "new@example.com");
  EXPECT_EQ(snapshot->invitation_of_token(made->token + "x", clock_.now()), nullptr);
  EXPECT_EQ(snapshot->invitation_of_token(made->invitation.token, clock_.now()), nullptr);
  EXPECT_EQ(code(repository_->accept_invitation("wrong", person("", {}))), ErrorCode::kNotFound);
  // Neither address nor roles are the guest's to choose.
  auto user = repository_->accept_invitation(made->token, person("boss@example.com", {{std::nullopt, Role::owner}}));
  ASSERT_TRUE(user) << user.error().message;
  EXPECT_EQ(user->email, "new@example.com");
  EXPECT_EQ(user->grants, (std::vector<Grant>{{a.id, Role::editor}}));
  EXPECT_EQ(code(repository_->accept_invitation(made->token, person("", {}))), ErrorCode::kNotFound);

  // Whoever has an account gets the role.
  Project b = make_project("b");
  auto again = repository_->invite("new@example.com", {b.id, Role::admin});
  ASSERT_TRUE(again);
  EXPECT_EQ(code(repository_->accept_invitation(again->token, person("", {}))), ErrorCode::kConflict);
  ASSERT_TRUE(repository_->accept_invitation(again->token, std::nullopt));
  EXPECT_EQ(repository_->snapshot()->user(user->id)->grants,
            (std::vector<Grant>{{a.id, Role::editor}, {b.id, Role::admin}}));

  auto late = repository_->invite("late@example.com", {std::nullopt, Role::viewer});
  ASSERT_TRUE(late);
  clock_.advance(std::chrono::milliseconds(kInvitationMillis));
  EXPECT_EQ(code(repository_->accept_invitation(late->token, person("", {}))), ErrorCode::kNotFound);
  auto taken_back = repository_->invite("late@example.com", {std::nullopt, Role::viewer});
  ASSERT_TRUE(taken_back);
  ASSERT_TRUE(repository_->delete_invitation(taken_back->invitation.id));
  EXPECT_EQ(code(repository_->accept_invitation(taken_back->token, person("", {}))), ErrorCode::kNotFound);
  EXPECT_TRUE(repository_->snapshot()->invitations().empty());
}

TEST_P(RepositoryContract, SharedLinksAreFoundByTheirTokenUntilTheyEnd) {
  Project a = make_project("a");
  Share wanted{.project = a.id,
               .name = "For the board",
               .password = "$argon2id$y",
               .segment = R"([["is", "visit:country", ["DE"]]])",
               .origins = {"https://intranet.example:8443"},
               .expires_at = clock_.now() + 1'000};
  auto made = repository_->create_share(wanted);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->share.key.size(), 32u);
  reopen();
  auto snapshot = repository_->snapshot();
  ASSERT_NE(snapshot->share_of_token(made->token, clock_.now()), nullptr);
  EXPECT_EQ(*snapshot->share_of_token(made->token, clock_.now()), made->share);
  EXPECT_EQ(snapshot->share(made->share.id)->segment, R"([["is","visit:country",["DE"]]])");
  EXPECT_EQ(snapshot->share_of_token(made->share.id, clock_.now()), nullptr);
  EXPECT_EQ(snapshot->share_of_token(made->token, clock_.now() + 1'000), nullptr);
  auto with = [&](auto change) {
    Share share = wanted;
    change(share);
    return code(repository_->create_share(share));
  };
  EXPECT_EQ(with([](Share& s) { s.project = ProjectId{7}; }), ErrorCode::kNotFound);
  EXPECT_EQ(with([](Share& s) { s.name = ""; }), ErrorCode::kBadInput);
  EXPECT_EQ(with([](Share& s) { s.expires_at = 5; }), ErrorCode::kBadInput);
  EXPECT_EQ(with([](Share& s) { s.segment = "all"; }), ErrorCode::kBadInput);
  for (const char* origin : {"*", "example.com", "https://", "https://a.example/", "https://a.example/x", "null",
                             "https://a.example; script-src *", "javascript://x", "https://*.example", "HTTPS://A.B"})
    EXPECT_EQ(with([&](Share& s) { s.origins = {origin}; }), ErrorCode::kBadInput) << origin;
  ASSERT_TRUE(repository_->delete_share(made->share.id));
  EXPECT_EQ(code(repository_->delete_share(made->share.id)), ErrorCode::kNotFound);
  EXPECT_EQ(repository_->snapshot()->share_of_token(made->token, clock_.now()), nullptr);
}

TEST_P(RepositoryContract, EachChangeIsLoggedWithWhoMadeItAndNoSecret) {
  Actor actor{"boss@example.com", "192.0.2.9"};
  auto project = repository_->create_project("a", actor);
  ASSERT_TRUE(project);
  Project changed = *project;
  changed.time_zone = "Europe/Berlin";
  ASSERT_TRUE(repository_->change_project(changed, actor));
  ASSERT_TRUE(repository_->change_project(changed, actor));  // no change
  auto key = repository_->create_key("k", Scope::stats, project->id, 0, actor);
  ASSERT_TRUE(key);
  auto user = repository_->create_user(person("guest@example.com", {{project->id, Role::viewer}}), actor);
  ASSERT_TRUE(user);
  ASSERT_TRUE(repository_->change_user(user->id,
                                       [](User& u) -> Result<> {
                                         u.password = "$argon2id$canary";
                                         u.totp_secret = "canary";
                                         return {};
                                       },
                                       {"guest@example.com", ""}));
  ASSERT_TRUE(repository_->change_user(user->id, [](User& u) -> Result<> {
    u.totp_step = 5;
    return {};
  }));  // a code was taken: nobody's change
  ASSERT_TRUE(repository_->change_policy({.second_factor = true}, actor));
  ASSERT_TRUE(repository_->note({0, clock_.now(), actor, std::nullopt, "session.started", "boss@example.com", "{}"}));
  ASSERT_TRUE(repository_->delete_project(project->id, actor));
  reopen();
  auto log = repository_->audit(0, 100, std::nullopt);
  ASSERT_TRUE(log);
  std::vector<std::string> actions;
  std::string all;
  for (auto entry = log->rbegin(); entry != log->rend(); ++entry) {
    actions.push_back(entry->action + " " + entry->subject);
    all += entry->detail + "\n";
    EXPECT_EQ(entry->at, clock_.now());
  }
  EXPECT_EQ(actions, (std::vector<std::string>{
                         "project.created a", "project.changed a", "key.created k", "user.created guest@example.com",
                         "user.changed guest@example.com", "policy.changed ", "session.started boss@example.com",
                         "project.deleted a", "key.deleted k", "user.changed guest@example.com"}));
  EXPECT_NE(all.find(R"({"time_zone":["UTC","Europe/Berlin"]})"), std::string::npos) << all;
  EXPECT_NE(all.find(R"x("password":["(secret)","(secret)"])x"), std::string::npos) << all;
  EXPECT_EQ(all.find("canary"), std::string::npos) << all;
  EXPECT_EQ(all.find("argon2id"), std::string::npos) << all;
  EXPECT_EQ(log->back().actor.who, "boss@example.com");
  EXPECT_EQ(log->back().actor.address, "192.0.2.9");
  auto of_project = repository_->audit(0, 2, project->id);
  ASSERT_TRUE(of_project);
  ASSERT_EQ(of_project->size(), 2u);
  EXPECT_EQ(of_project->front().action, "key.deleted");
  auto earlier = repository_->audit(of_project->back().number, 100, project->id);
  ASSERT_TRUE(earlier);
  ASSERT_FALSE(earlier->empty());
  EXPECT_EQ(earlier->front().action, "key.created");
}

}  // namespace weir::settings::testing
