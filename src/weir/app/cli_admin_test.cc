#include "weir/app/cli_admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "weir/api/api.h"
#include "weir/app/client.h"
#include "weir/app/invocation.h"
#include "weir/base/bytes.h"
#include "weir/base/random.h"
#include "weir/http/server.h"
#include "weir/settings/testing/memory_repository.h"

namespace weir::app {
namespace {
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

struct Outcome {
  int code = 0;
  std::string out;
  std::string err;
};

// The commands against a real server with its API, over the Unix socket and over HTTP.
class CliAdmin : public ::testing::Test {
 protected:
  CliAdmin() : directory_(std::filesystem::temp_directory_path() / ("weir-cli-" + to_hex(random_bytes(6)))) {
    std::filesystem::create_directory(directory_);
    ::unsetenv("WEIR_KEY");
  }
  ~CliAdmin() override {
    stop();
    std::filesystem::remove_all(directory_);
  }

  void start() {
    api::RunSql run = [this](const api::SqlQuestion& question, const std::function<bool(std::string_view)>& sink) {
      asked_.statement = question.statement;
      asked_.format = question.format;
      if (question.statement == "bad") return Result<>(Error{ErrorCode::kBadInput, "query: not SQL"});
      for (int i = 0; i < rows_; ++i) {
        if (!sink(std::to_string(i) + "\n")) break;
      }
      return Result<>();
    };
    http::Options options;
    options.threads = 1;
    server_ = std::move(*http::Server::open(options, clock_, registry_));
    api_ = std::make_unique<api::Api>(api::Options(),
                                      api::Dependencies{settings_, clock_, gate_, sessions_, registry_, run});
    api_->add_routes(router_);
    auto bound = server_->listen("127.0.0.1:0", router_);
    ASSERT_TRUE(bound) << bound.error().message;
    url_ = "http://" + *bound;
    auto local = server_->listen_unix((directory_ / "weir.sock").string(), router_);
    ASSERT_TRUE(local) << local.error().message;
    server_->start();
    ASSERT_TRUE(settings_.create_project("website"));
  }
  void stop() {
    if (server_ == nullptr) return;
    server_->drain();
    api_->stop();
    server_.reset();
  }

  Outcome run(std::vector<std::string> arguments, const config::Environment& environment = {}) {
    arguments.insert(arguments.end(), {"--data", directory_.string()});
    auto line = config::parse_command_line(arguments);
    if (!line) return {2, "", line.error().message};
    Invocation invocation;
    invocation.command_line = *line;
    invocation.config = config::load(real_files(), *line, environment);
    invocation.url = line->url;
    invocation.key = line->key;
    CLI::App cli;
    cli.require_subcommand(1);
    add_admin_commands(cli, invocation);
    std::vector<std::string> rest(line->rest.rbegin(), line->rest.rend());
    try {
      cli.parse(std::move(rest));
    } catch (const CLI::ParseError& e) {
      return {2, "", e.what()};
    }
    ::testing::internal::CaptureStdout();
    ::testing::internal::CaptureStderr();
    Outcome outcome;
    outcome.code = invocation.action();
    outcome.out = ::testing::internal::GetCapturedStdout();
    outcome.err = ::testing::internal::GetCapturedStderr();
    return outcome;
  }
  // Of a command that must work.
  std::string output(std::vector<std::string> arguments) {
    Outcome outcome = run(std::move(arguments));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return outcome.out;
  }

  std::filesystem::path directory_;
  SystemClock clock_;
  metrics::Registry registry_;
  settings::testing::MemoryRepository settings_{clock_};
  api::Sessions sessions_{settings_, clock_};
  api::Gate gate_{settings_, sessions_, clock_, {}};
  http::Router router_;
  api::SqlQuestion asked_;
  int rows_ = 2;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<http::Server> server_;
  std::string url_;
};

TEST_F(CliAdmin, WithoutAServerCommandsSayHowToStartIt) {
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"project", "list"}, {"key", "list"}, {"query", "select 1"}, {"project", "create", "x"}}) {
    Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(outcome.err, "weir: weir is not running on " + directory_.string() +
                               " (--data): start it with `weir serve`, or name its data directory with --data\n");
  }
  EXPECT_FALSE(server_runs(directory_.string()));
}

TEST_F(CliAdmin, ASocketLeftByAKillIsNoServer) {
  start();
  EXPECT_TRUE(server_runs(directory_.string()));
  std::filesystem::create_hard_link(directory_ / "weir.sock", directory_ / "left");
  stop();
  if (!std::filesystem::exists(directory_ / "weir.sock")) {
    std::filesystem::rename(directory_ / "left", directory_ / "weir.sock");
  }
  EXPECT_FALSE(server_runs(directory_.string()));
  EXPECT_THAT(run({"project", "list"}).err, HasSubstr("weir is not running"));
}

TEST_F(CliAdmin, ProjectsLiveTheirLife) {
  start();
  EXPECT_THAT(output({"project", "create", "shop", "--time-zone", "Europe/Berlin"}),
              MatchesRegex("created project shop \\(id [0-9]+\\)\n"));
  std::string list = output({"project", "list"});
  EXPECT_THAT(list, HasSubstr("NAME     ID"));
  EXPECT_THAT(list, HasSubstr("Europe/Berlin"));
  EXPECT_THAT(output({"project", "list", "--format", "json"}), HasSubstr(R"("name":"shop")"));
  EXPECT_THAT(output({"project", "set", "shop", "--retention-days=30", "--ip-policy", "masked"}), HasSubstr("masked"));
  EXPECT_EQ(settings_.snapshot()->project("shop")->retention_days, 30u);
  EXPECT_EQ(settings_.snapshot()->project("shop")->time_zone, "Europe/Berlin");
  EXPECT_THAT(output({"project", "set", "shop", "--hostnames=shop.example, *.shop.example", "--foreign-hostnames=spam",
                      "--privacy-signals=respect"}),
              HasSubstr("*.shop.example,shop.example  spam               respect"));
  EXPECT_THAT(output({"project", "list"}), HasSubstr("*.shop.example,shop.example"));
  EXPECT_THAT(run({"project", "set", "shop", "--hostnames=none"}).err, HasSubstr("every host would be foreign"));
  EXPECT_THAT(output({"project", "set", "shop", "--hostnames=none", "--foreign-hostnames=keep"}), HasSubstr("-  "));
  EXPECT_TRUE(settings_.snapshot()->project("shop")->hostnames.empty());
  EXPECT_EQ(output({"project", "rename", "shop", "store"}), "shop is now store\n");
  EXPECT_EQ(output({"project", "delete", "store"}), "deleted project store\n");
  EXPECT_EQ(settings_.snapshot()->projects().size(), 1u);
}

TEST_F(CliAdmin, AFailureIsOneClearLineAndExitCode1) {
  start();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"project", "create", "a b"},
                                             {"project", "create", "website"},
                                             {"project", "delete", "nothing/such%20thing"},
                                             {"project", "set", "website"},
                                             {"project", "set", "website", "--time-zone", "Mars"},
                                             {"key", "delete", "nope"},
                                             {"key", "create", "--name", "x", "--scope", "stats", "--expires", "soon"},
                                             {"key", "create", "--name", "x", "--scope", "stats", "--project", "nope"},
                                             {"key", "remove", "--value", "nope"},
                                             {"query", "bad"}}) {
    Outcome outcome = run(command);
    EXPECT_EQ(outcome.code, 1) << command[0] << command[1];
    EXPECT_EQ(outcome.out, "");
    EXPECT_TRUE(outcome.err.starts_with("weir: ")) << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
}

TEST_F(CliAdmin, UsageErrorsAreExitCode2) {
  start();
  for (const std::vector<std::string>& command :
       std::vector<std::vector<std::string>>{{"project"},
                                             {"project", "create"},
                                             {"key", "create", "--name", "x"},
                                             {"query"},
                                             {"key", "create", "--name", "x", "--scope", "root"},
                                             {"project", "list", "--format", "xml"},
                                             {"nonsense"},
                                             {"project", "list", "--http.lissten=x"}}) {
    EXPECT_EQ(run(command).code, 2);
  }
}

TEST_F(CliAdmin, APlainKeyIsTheSecretAndNothingElse) {
  start();
  std::string secret = output({"key", "create", "--name", "N", "--scope", "stats", "--project", "website", "--expires",
                               "90d", "--format", "plain"});
  ASSERT_THAT(secret, MatchesRegex("weir_s[A-Za-z0-9_-]+\n"));
  secret.pop_back();
  auto snapshot = settings_.snapshot();
  const settings::Key* key = snapshot->key_of_secret(secret, clock_.now());
  ASSERT_NE(key, nullptr);
  EXPECT_EQ(key->name, "N");
  EXPECT_EQ(key->project, snapshot->project("website")->id);
  EXPECT_NEAR(static_cast<double>(key->expires_at - clock_.now()), 90.0 * kMillisPerDay, 60'000);

  EXPECT_THAT(output({"key", "create", "--name", "M", "--scope", "admin"}), HasSubstr("shown this once"));
  std::string list = output({"key", "list"});
  EXPECT_EQ(list.find(secret), std::string::npos);
  EXPECT_THAT(list, HasSubstr("website"));
  EXPECT_EQ(output({"key", "delete", key->id}), "deleted key " + key->id + "\n");
}

TEST_F(CliAdmin, OutsideNamesAreAddedListedAndRemoved) {
  start();
  std::string value = "https://a.example/?x=1&y=%41+b";
  EXPECT_EQ(output({"key", "add", "--project", "website", "--value", value}), value + " means project website\n");
  EXPECT_NE(settings_.snapshot()->project_of_outside_name(value), nullptr);
  EXPECT_THAT(output({"key", "names"}), HasSubstr(value));
  EXPECT_THAT(output({"key", "remove", "--value", value}), HasSubstr(value));
  EXPECT_EQ(settings_.snapshot()->outside_names().size(), 0u);
}

TEST_F(CliAdmin, RulesAreAddedListedAndDeleted) {
  start();
  EXPECT_THAT(output({"rule", "add", "--all", "--kind", "address", "--value", "10.0.0.0/8", "--label", "internal",
                      "--note", "the office"}),
              MatchesRegex("added rule [0-9a-f]{12}: address 10.0.0.0/8 is internal\n"));
  (void)output(
      {"rule", "add", "--project", "website", "--kind", "path", "--value", "*/admin/*", "--label", "internal"});
  std::string all = output({"rule", "list"});
  EXPECT_THAT(all, HasSubstr("ID            PROJECT  KIND     VALUE       LABEL     NOTE        CREATED AT"));
  EXPECT_THAT(all, HasSubstr("  -        address  10.0.0.0/8  internal  the office  "));
  EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3);
  std::string own = output({"rule", "list", "--project", "website"});
  EXPECT_EQ(std::count(own.begin(), own.end(), '\n'), 2);
  boost::json::value rules = boost::json::parse(output({"rule", "list", "--json"}));
  std::string id(rules.at("rules").at(0).at("id").as_string());
  EXPECT_EQ(output({"rule", "delete", id}), "deleted rule " + id + "\n");
  EXPECT_EQ(settings_.snapshot()->traffic_rules().size(), 1u);

  Outcome again = run({"rule", "delete", id});
  EXPECT_EQ(again.code, 1);
  EXPECT_EQ(again.err, "weir: api: rule: `" + id + "`: no such rule\n");
  Outcome bad = run({"rule", "add", "--all", "--kind", "address", "--value", "10.0.0.300", "--label", "bot"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_EQ(bad.err,
            "weir: settings: address: `10.0.0.300`: neither an address nor a network such as 10.0.0.0/8 or "
            "2001:db8::/32\n");
  for (const std::vector<std::string>& usage : std::vector<std::vector<std::string>>{
           {"rule", "add", "--kind", "path", "--value", "/a", "--label", "bot"},
           {"rule", "add", "--all", "--project", "website", "--kind", "path", "--value", "/a", "--label", "bot"},
           {"rule", "add", "--all", "--kind", "ip", "--value", "/a", "--label", "bot"},
           {"rule", "add", "--all", "--kind", "path", "--value", "/a", "--label", "human"},
           {"rule", "delete"},
           {"rule"}}) {
    EXPECT_EQ(run(usage).code, 2);
  }
}

TEST_F(CliAdmin, QueryPrintsTheAnswerAsItComes) {
  start();
  EXPECT_EQ(output({"query", "select number"}), "0\n1\n");
  EXPECT_EQ(asked_.statement, "select number");
  EXPECT_EQ(asked_.format, "TSV");  // no terminal here
  rows_ = 500'000;
  std::string many = output({"query", "--format", "CSV", "select number"});
  EXPECT_EQ(asked_.format, "CSV");
  EXPECT_EQ(std::count(many.begin(), many.end(), '\n'), 500'000);
  EXPECT_TRUE(many.ends_with("\n499999\n"));

  std::istringstream input("select 1 -- from the input\n");
  auto* before = std::cin.rdbuf(input.rdbuf());
  rows_ = 1;
  EXPECT_EQ(output({"query", "-"}), "0\n");
  std::cin.rdbuf(before);
  EXPECT_EQ(asked_.statement, "select 1 -- from the input\n");
}

TEST_F(CliAdmin, ByUrlAKeyIsNeededAndItsScopeCounts) {
  start();
  Outcome without = run({"project", "list", "--url", url_});
  EXPECT_EQ(without.code, 1);
  EXPECT_THAT(without.err, HasSubstr("--url needs a key"));
  std::string stats = settings_.create_key("s", settings::Scope::stats, std::nullopt, 0)->secret;
  EXPECT_THAT(output({"project", "list", "--url", url_ + "/", "--key", stats}), HasSubstr("website"));
  Outcome refused = run({"project", "create", "x", "--url", url_, "--key", stats});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("lacks the permission of an owner"));
  EXPECT_THAT(run({"project", "list", "--url", url_, "--key", "weir_swrong"}).err, HasSubstr("no such key"));
  EXPECT_THAT(run({"project", "list", "--url", "ftp://x", "--key", stats}).err, HasSubstr("expected http://"));
  EXPECT_THAT(run({"project", "list", "--url", url_, "--key", "a\nX-Evil: 1"}).err, HasSubstr("no line breaks"));
  EXPECT_EQ(run({"project", "list", "--url", "http://127.0.0.1:1", "--key", stats}).code, 1);
  ::setenv("WEIR_KEY", stats.c_str(), 1);
  EXPECT_THAT(output({"project", "list", "--url", url_}), HasSubstr("website"));
  ::unsetenv("WEIR_KEY");
}

TEST_F(CliAdmin, ConfigIsShownAndCheckedWithoutAServer) {
  EXPECT_THAT(output({"config", "show", "--listen", "127.0.0.1:1"}), HasSubstr("--listen (default 0.0.0.0:8000)"));
  EXPECT_NO_THROW((void)boost::json::parse(output({"config", "show", "--format", "json"})));
  EXPECT_THAT(output({"config", "check"}), HasSubstr("sound"));
  std::string file = (directory_ / "weir.toml").string();
  std::ofstream(file) << "[http]\nlissten = \"a:1\"\nthreads = 9999\n";
  Outcome outcome = run({"config", "check", "--config", file});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "weir: " + file + ":2:1: unknown option `http.lissten`; did you mean `listen`?\nweir: " +
                             file + ":3:11: http.threads: `9999`: expected 0 to 256\n");
  EXPECT_EQ(run({"config", "check", "--config", file + ".nope"}).code, 1);
  EXPECT_EQ(run({"config", "show", "--config", file}).code, 1);
  EXPECT_THAT(output({"config", "docs"}), HasSubstr("# Configuration"));
}

}  // namespace
}  // namespace weir::app
