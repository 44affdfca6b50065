#include "weir/app/run.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "weir/app/cli_admin.h"
#include "weir/app/cli_enrich.h"
#include "weir/app/cli_import.h"
#include "weir/app/cli_local.h"
#include "weir/app/cli_packs.h"
#include "weir/app/cli_people.h"
#include "weir/app/cli_seed.h"
#include "weir/app/invocation.h"
#include "weir/app/serve.h"
#include "weir/base/files.h"
#include "weir/store/engine/child_main.h"

namespace weir::app {

namespace {
constexpr int kFailure = 1;
constexpr int kUsage = 2;

// "weir key create"
std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return parent == nullptr ? command.get_name() : full_name(*parent) + " " + command.get_name();
}

int print_help(const CLI::App& about) {
  const std::string text = about.get_formatter()->make_help(&about, full_name(about), CLI::AppFormatMode::Normal);
  return std::fputs(text.c_str(), stdout) < 0 ? kFailure : 0;
}

// What to read when this command was typed wrongly.
int refuse(const CLI::App& command, const std::string& why) {
  const std::string help = command.get_parent() == nullptr ? "weir help" : full_name(command) + " --help";
  const bool has_commands = command.get_require_subcommand_min() > 0;
  std::fprintf(stderr, "weir: %s\nRun %s%s.\n", why.c_str(), help.c_str(), has_commands ? " for the commands" : "");
  return kUsage;
}

int no_such_command(const CLI::App& of, const std::string& name) {
  return refuse(of, "there is no command `" + full_name(of) + " " + name + "`");
}

// `weir help key create`
int print_help_of(const CLI::App& cli, const std::vector<std::string>& command) {
  const CLI::App* about = &cli;
  for (const std::string& name : command) {
    auto named = about->get_subcommands([&](const CLI::App* each) { return each->get_name() == name; });
    if (named.empty()) return no_such_command(*about, name);
    about = named.front();
  }
  return print_help(*about);
}

// The command that was named, as far as it was read.
const CLI::App& innermost(const CLI::App& cli) {
  const CLI::App* command = &cli;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

int parse(CLI::App& cli, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    cli.parse(std::move(arguments));
    return 0;
  } catch (const CLI::CallForHelp&) {
    print_help(innermost(cli));
    return -1;
  } catch (const CLI::ParseError& e) {
    const CLI::App& command = innermost(cli);
    if (command.get_require_subcommand_min() > 0 && !command.remaining().empty())
      return no_such_command(command, command.remaining().front());
    return refuse(command, e.what());
  }
}
}  // namespace

int run(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], store::engine::kEngineArgument) == 0)
    return store::engine::engine_main(argc, argv);

  auto command_line = config::parse_command_line(std::vector<std::string>(argv + 1, argv + argc));
  if (!command_line) {
    std::fprintf(stderr, "weir: %s\n", command_line.error().message.c_str());
    return kUsage;
  }
  Invocation invocation;
  invocation.command_line = std::move(*command_line);
  invocation.config = config::load(real_files(), invocation.command_line, config::process_environment());
  invocation.url = invocation.command_line.url;
  invocation.key = invocation.command_line.key;

  CLI::App cli("weir: self-hosted web and product analytics\n", "weir");
  cli.require_subcommand(1);
  cli.footer("\n" + config::command_line_help());
  add_serve_command(cli, invocation);
  add_admin_commands(cli, invocation);
  add_people_commands(cli, invocation);
  add_import_commands(cli, invocation);
  add_seed_command(cli, invocation);
  add_local_commands(cli, invocation);
  add_pack_commands(cli, invocation);
  add_enrich_command(cli, invocation);
  bool needs_config = true;
  cli.add_subcommand("version", "Print the version")->callback([&] {
    needs_config = false;
    invocation.action = [] { return std::printf("weir %s\n", WEIR_VERSION) < 0 ? kFailure : 0; };
  });
  CLI::App* help = cli.add_subcommand("help", "Print this, or what a command takes: weir help key create");
  std::vector<std::string> about;
  help->add_option("command", about, "The command");
  help->callback([&] {
    needs_config = false;
    invocation.action = [&] { return print_help_of(cli, about); };
  });

  if (int outcome = parse(cli, invocation.command_line.rest); outcome != 0) return outcome < 0 ? 0 : outcome;
  bool shows_config = cli.got_subcommand("config") || cli.got_subcommand("doctor");
  if (needs_config && !shows_config && !invocation.config.problems.empty()) {
    for (const config::Problem& problem : invocation.config.problems)
      std::fprintf(stderr, "weir: %s\n", problem.message.c_str());
    return kFailure;
  }
  return invocation.action();
}

}  // namespace weir::app
