#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/files.h"
#include "weir/base/result.h"
#include "weir/config/option.h"
#include "weir/config/options.h"

// The operator's configuration: file, environment and flags, into the rooms' options.
//
// Precedence, rising: the rooms' defaults; the file; the environment (WEIR_<ROOM>_<OPTION>); the command line
// (--set room.option=value and --room.option=value, in their order).
// The file: --config, else $WEIR_CONFIG, else, when neither --data nor $WEIR_DATA was given, /etc/weir/weir.toml if
// that exists; else none.
// The data directory: --data, else $WEIR_DATA, else `data` at the top of the file, else ./weir-data.
namespace weir::config {

// What of the command line belongs to every command.
struct CommandLine {
  std::optional<std::string> config_file;
  std::optional<std::string> data_directory;
  std::string url;  // --url: a server elsewhere
  std::string key;  // --key for it; else $WEIR_KEY
  struct Assignment {
    std::string flag;    // as written, for messages: "--http.listen"
    std::string option;  // "http.listen"
    std::string value;
  };
  std::vector<Assignment> assignments;
  std::vector<std::string> rest;  // for the commands' own parser, in order, without the program's name
};

// Takes the options of every command out of the arguments (without the program's name), wherever they stand before a
// lone `--`. Short names: --listen, --projects, --roles.
// Errors: kBadInput (a flag without its value, an unknown option with the nearest name).
Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

// One line of text for each of those flags, for `weir help`.
std::string command_line_help();

struct Problem {
  std::string message;  // "weir.toml:12:1: unknown option `journal.segmnt_bytes`; did you mean `segment_bytes`?"
};

enum class Origin { default_value, file, environment, flag };

// One option with its value, for people.
struct Value {
  std::string room;
  std::string name;
  Kind kind = Kind::text;
  std::string value;                  // as the environment would hold it, secrets masked
  std::vector<std::string> elements;  // of a list
  std::string default_value;
  std::string range;  // "1MiB to 4GiB", or empty
  std::string description;
  bool secret = false;
  Origin origin = Origin::default_value;
  std::string origin_text;  // "default", "weir.toml:12", "WEIR_HTTP_LISTEN", "--http.listen"
};

struct Loaded {
  Options options;
  std::string data_directory;
  std::string data_origin;
  std::string file;               // the file that was read, or empty
  std::vector<Value> values;      // sorted by room and name
  std::vector<Problem> problems;  // empty: `options` may be used
};

// Variables and their values; load() looks at those named WEIR_... only.
using Environment = std::vector<std::pair<std::string, std::string>>;
Environment process_environment();

// Never stops at the first problem. Reads at most 1 MiB of file.
Loaded load(FileSystem& files, const CommandLine& command_line, const Environment& environment);

enum class ShowFormat { text, toml, json };
std::string show(const Loaded& loaded, ShowFormat format);

// docs/configuration.md: every option with its type, default, range and sentence.
std::string documentation();

}  // namespace weir::config
