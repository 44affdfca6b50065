#include <fmt/format.h>

#include <algorithm>

#include "weir/base/json_writer.h"
#include "weir/config/config.h"
#include "weir/config/option.h"

namespace weir::config {

namespace {
std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);  // a TOML basic string escapes the same way
  return out;
}

std::string toml_value(Kind kind, const std::string& text, const std::vector<std::string>& elements) {
  if (kind == Kind::yes_no || kind == Kind::number || kind == Kind::decimal) return text;
  if (kind != Kind::list) return quoted(text);
  std::string out = "[";
  for (const std::string& element : elements) out += (out.size() > 1 ? ", " : "") + quoted(element);
  return out + "]";
}

std::string show_text(const Loaded& loaded) {
  size_t widest_name = 0;
  size_t widest_value = 0;
  for (const Value& v : loaded.values) {
    widest_name = std::max(widest_name, v.room.size() + 1 + v.name.size());
    widest_value = std::max(widest_value, std::min<size_t>(40, v.value.size()));
  }
  std::string out =
      fmt::format("{:<{}}  {:<{}}  {}\n", "data", widest_name, loaded.data_directory, widest_value, loaded.data_origin);
  for (const Value& v : loaded.values) {
    std::string origin = v.origin_text;
    if (v.origin != Origin::default_value)
      origin += fmt::format(" (default {})", v.default_value.empty() ? "empty" : v.default_value);
    out += fmt::format("{:<{}}  {:<{}}  {}\n", v.room + "." + v.name, widest_name, v.value, widest_value, origin);
  }
  return out;
}

std::string show_toml(const Loaded& loaded) {
  std::string out = fmt::format("data = {}  # {}\n", quoted(loaded.data_directory), loaded.data_origin);
  std::string_view room;
  for (const Value& v : loaded.values) {
    if (v.room != room) out += fmt::format("\n[{}]\n", v.room);
    room = v.room;
    out += fmt::format("{} = {}  # {}\n", v.name, toml_value(v.kind, v.value, v.elements), v.origin_text);
  }
  return out;
}

std::string show_json(const Loaded& loaded) {
  std::string out = "{";
  append_json_key(out, "data");
  append_json_string(out, loaded.data_directory);
  append_json_key(out, "file");
  append_json_string(out, loaded.file);
  append_json_key(out, "options");
  out += "[";
  for (const Value& v : loaded.values) {
    if (out.back() == '}') out += ',';
    out += "\n{";
    append_json_key(out, "option");
    append_json_string(out, v.room + "." + v.name);
    append_json_key(out, "value");
    append_json_string(out, v.value);
    append_json_key(out, "default");
    append_json_string(out, v.default_value);
    append_json_key(out, "origin");
    append_json_string(out, v.origin_text);
    out += '}';
  }
  return out + "\n]}\n";
}

// A cell of a Markdown table.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}
}  // namespace

std::string show(const Loaded& loaded, ShowFormat format) {
  switch (format) {
    case ShowFormat::text:
      return show_text(loaded);
    case ShowFormat::toml:
      return show_toml(loaded);
    case ShowFormat::json:
      return show_json(loaded);
  }
  return "";
}

std::string documentation() {
  std::string out =
      "# Configuration\n"
      "\n"
      "<!-- Made by `weir config docs`; a test fails when it is stale. -->\n"
      "\n"
      "Every option has a default, so that `weir serve` runs without any configuration. In rising order of precedence "
      "an\n"
      "option is set by\n"
      "\n"
      "1. the file: `[room]` and `option = value` in TOML. It is the one that `--config` names, else `$WEIR_CONFIG`, "
      "else,\n"
      "   when neither `--data` nor `$WEIR_DATA` is given, `/etc/weir/weir.toml` if that exists;\n"
      "2. the environment: `WEIR_<ROOM>_<OPTION>`, such as `WEIR_HTTP_LISTEN`;\n"
      "3. the command line: `--<room>.<option>=value` or `--set <room>.<option>=value`; `--listen`, `--projects` and\n"
      "   `--roles` are short for `--http.listen`, `--collect.projects` and `--serve.roles`.\n"
      "\n"
      "The data directory is `--data`, else `$WEIR_DATA`, else `data = \"...\"` at the top of the file, else "
      "`./weir-data`.\n"
      "\n"
      "Sizes are written `64KiB`, `2 MiB`, `1GB` or as a number of bytes; durations `250ms`, `30s`, `5m`, `2h`, `7d`; "
      "lists\n"
      "as arrays in the file and separated by commas elsewhere. An option that does not exist, a value of another type "
      "or\n"
      "out of its range stops the start with the place. A file that holds a password must not be readable by "
      "everybody.\n"
      "`weir config check` checks, `weir config show` lists each option with its value and where it came from.\n";
  Options defaults;
  std::string room;
  for (const Option& option : list_options(defaults)) {
    if (option.room != room) {
      room = option.room;
      out += fmt::format("\n## {}\n\n| option | type | default | range | |\n|---|---|---|---|---|\n", room);
    }
    std::string value = option.text();
    out += fmt::format("| `{}` | {} | {} | {} | {} |\n", option.full_name(), short_name_of(option.kind),
                       value.empty() ? "empty" : "`" + value + "`", cell(option.range), cell(option.description));
  }
  return out;
}

}  // namespace weir::config
