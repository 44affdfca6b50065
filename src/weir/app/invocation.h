#pragma once

#include <functional>
#include <string>

#include "weir/config/config.h"

namespace weir::app {

// One run of the program: what every command needs, and the command that was chosen.
//
//   config::parse_command_line(arguments)      the flags every command takes
//   config::load(...)                          into `config`
//   add_..._commands(cli, invocation)          each command's callback sets `action`
//   cli.parse(command_line.rest)               then invocation.action()
//
// Commands keep a reference to the invocation; it must outlive the parser and the action.
struct Invocation {
  config::CommandLine command_line;
  config::Loaded config;  // when config.problems is not empty only `config check` runs
  std::string url;        // --url: talk to this server instead of DATA/weir.sock
  std::string key;        // --key, else $WEIR_KEY
  std::function<int()> action;

  const config::Options& options() const { return config.options; }
  const std::string& data_directory() const { return config.data_directory; }
};

}  // namespace weir::app
