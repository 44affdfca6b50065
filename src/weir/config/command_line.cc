#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "weir/config/config.h"
#include "weir/config/option.h"

namespace weir::config {

namespace {
struct Short {
  std::string_view flag;
  std::string_view option;
};
constexpr std::array kShorts = {Short{"--listen", "http.listen"}, Short{"--projects", "collect.projects"},
                                Short{"--roles", "serve.roles"}};

Error usage(std::string message) { return {ErrorCode::kBadInput, std::move(message)}; }

// --room.option: at least one letter, a dot, at least one letter.
bool looks_like_option(std::string_view flag) {
  if (!flag.starts_with("--")) return false;
  flag.remove_prefix(2);
  size_t dot = flag.find('.');
  if (dot == 0 || dot == std::string_view::npos || dot + 1 == flag.size()) return false;
  return std::all_of(flag.begin(), flag.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
}
}  // namespace

Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments) {
  Options defaults;
  std::vector<Option> options = list_options(defaults);
  auto find = [&](std::string_view full_name) -> const Option* {
    for (const Option& option : options) {
      if (option.full_name() == full_name) return &option;
    }
    return nullptr;
  };

  CommandLine line;
  size_t i = 0;
  for (; i < arguments.size() && arguments[i] != "--"; ++i) {
    std::string_view argument = arguments[i];
    size_t equals = argument.starts_with("--") ? argument.find('=') : std::string_view::npos;
    std::string flag(argument.substr(0, equals));
    // The flag's value: behind `=`, else the next argument.
    auto take_value = [&](std::string& into) -> bool {
      if (equals != std::string_view::npos) {
        into = argument.substr(equals + 1);
        return true;
      }
      // A value that begins like a flag, forgotten more often than meant, takes the form --flag=value.
      if (i + 1 == arguments.size() || arguments[i + 1].starts_with("--")) return false;
      into = arguments[++i];
      return true;
    };

    std::string option_name;
    for (const Short& known : kShorts) {
      if (flag == known.flag && find(known.option) != nullptr) option_name = known.option;
    }
    if (looks_like_option(flag)) option_name = flag.substr(2);
    std::string value;
    if (!option_name.empty()) {
      const Option* option = find(option_name);
      if (option == nullptr) return usage(flag + ": " + unknown_option(option_name, options));
      bool says_so = i + 1 < arguments.size() && (arguments[i + 1] == "true" || arguments[i + 1] == "false");
      if (option->kind == Kind::yes_no && equals == std::string_view::npos && !says_so) {
        value = "true";
      } else if (!take_value(value)) {
        return usage(fmt::format("{}: expected {} behind it", flag, name_of(option->kind)));
      }
      line.assignments.push_back({flag, option_name, std::move(value)});
      continue;
    }
    if (flag == "--config" || flag == "--data" || flag == "--url" || flag == "--key" || flag == "--set") {
      if (!take_value(value) || value.empty()) return usage(fmt::format("{}: expected a value behind it", flag));
      if (flag == "--config") {
        line.config_file = std::move(value);
      } else if (flag == "--data") {
        line.data_directory = std::move(value);
      } else if (flag == "--url") {
        line.url = std::move(value);
      } else if (flag == "--key") {
        line.key = std::move(value);
      } else {
        size_t split = value.find('=');
        if (split == std::string::npos) return usage(fmt::format("--set {}: expected room.option=value", value));
        std::string name = value.substr(0, split);
        if (find(name) == nullptr) return usage("--set: " + unknown_option(name, options));
        line.assignments.push_back({"--set " + name, name, value.substr(split + 1)});
      }
      continue;
    }
    line.rest.push_back(arguments[i]);
  }
  line.rest.insert(line.rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
  return line;
}

std::string command_line_help() {
  return "Flags of every command:\n"
         "  --config FILE             the configuration file (else $WEIR_CONFIG)\n"
         "  --data DIR                the data directory (else $WEIR_DATA, else ./weir-data)\n"
         "  --url URL, --key KEY      talk to the server there instead of the one on the data directory\n"
         "  --set ROOM.OPTION=VALUE   set one option; the same as --ROOM.OPTION=VALUE\n"
         "  --listen HOST:PORT, --projects A,B, --roles collect,load,api\n"
         "                            short for --http.listen, --collect.projects, --serve.roles\n"
         "`weir config show` lists every option with its value.\n";
}

}  // namespace weir::config
