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

int parse(CLI::App& cli, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    cli.parse(std::move(arguments));
    return 0;
  } catch (const CLI::CallForHelp&) {
    // The subcommand that was asked about, not the whole program.
    const CLI::App* asked = &cli;
    while (!asked->get_subcommands().empty()) asked = asked->get_subcommands().front();
    std::fputs(asked->help().c_str(), stdout);
    return -1;
  } catch (const CLI::ParseError& e) {
    std::fprintf(stderr, "weir: %s\nRun weir help for the commands.\n", e.what());
    return kUsage;
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
  cli.add_subcommand("help", "Print this")->callback([&] {
    needs_config = false;
    invocation.action = [&] {
      // Not cli.help(), which would be about the subcommand `help`.
      std::string text = cli.get_formatter()->make_help(&cli, "weir", CLI::AppFormatMode::Normal);
      return std::fputs(text.c_str(), stdout) < 0 ? kFailure : 0;
    };
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
