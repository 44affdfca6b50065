#include <fmt/format.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "weir/config/config.h"
#include "weir/config/option.h"

extern char** environ;

namespace weir::config {

namespace {
constexpr uint64_t kFileBytesMax = 1 << 20;
constexpr const char* kPackagedFile = "/etc/weir/weir.toml";
constexpr const char* kDefaultData = "./weir-data";

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string variable_of(const Option& option) { return "WEIR_" + upper(option.room) + "_" + upper(option.name); }

bool is_file_kind(const toml::node& node, Kind kind) {
  switch (kind) {
    case Kind::yes_no:
      return node.is_boolean();
    case Kind::number:
      return node.is_integer();
    case Kind::size:
      return node.is_integer() || node.is_string();
    case Kind::decimal:
      return node.is_number();
    case Kind::text:
    case Kind::duration:
      return node.is_string();
    case Kind::list:
      return node.is_array() || node.is_string();
  }
  return false;
}

std::string_view type_of(const toml::node& node) {
  if (node.is_table()) return "a section";
  if (node.is_array()) return "an array";
  if (node.is_string()) return "a text";
  if (node.is_integer()) return "a whole number";
  if (node.is_floating_point()) return "a decimal number";
  if (node.is_boolean()) return "true or false";
  return "a date or time";
}

// A password inside a URL.
bool has_user_info(std::string_view text) {
  size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  std::string_view authority = text.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#"));
  return authority.find('@') != std::string_view::npos;
}

class Loader {
 public:
  Loader(FileSystem& files, const CommandLine& line, const Environment& environment)
      : files_(files), line_(line), environment_(environment), options_(list_options(loaded_.options)) {
    for (const Option& option : options_) {
      Value value;
      value.room = option.room;
      value.name = option.name;
      value.kind = option.kind;
      value.default_value = option.text();
      value.range = option.range;
      value.description = option.description;
      value.origin_text = "default";
      value.secret = option.secret;
      loaded_.values.push_back(std::move(value));
    }
  }

  Loaded load() {
    choose_file();
    if (!loaded_.file.empty()) read_file_options();
    for (auto& [at, message] : file_problems_) problem(std::move(message));
    read_environment();
    read_flags();
    for (size_t i = 0; i < options_.size(); ++i) {
      Value& value = loaded_.values[i];
      value.value = options_[i].text();
      if (options_[i].elements) value.elements = options_[i].elements();
      if (value.secret) value.default_value = value.default_value.empty() ? "" : kMask;
      value.value = masked(value.value, value.secret);
    }
    choose_data();
    // The options point into loaded_.options; it moves as a whole, they are not used any more.
    options_.clear();
    return std::move(loaded_);
  }

 private:
  static constexpr std::string_view kMask = "***";

  static std::string masked(const std::string& value, bool secret) {
    if (secret) return value.empty() ? "" : std::string(kMask);
    if (!has_user_info(value)) return value;
    size_t scheme = value.find("://") + 3;
    return value.substr(0, scheme) + std::string(kMask) + value.substr(value.find('@', scheme));
  }

  void problem(std::string message) { loaded_.problems.push_back({std::move(message)}); }

  // One of the file. TOML's tables are sorted by name; people read by line.
  void problem_at(const toml::source_region& region, std::string_view message) {
    std::pair<uint32_t, uint32_t> at(region.begin.line, region.begin.column);
    file_problems_.emplace(at, fmt::format("{}:{}:{}: {}", loaded_.file, at.first, at.second, message));
  }

  std::string variable(std::string_view name) const {
    for (const auto& [known, value] : environment_) {
      if (known == name) return value;
    }
    return {};
  }

  void choose_file() {
    if (line_.config_file) {
      loaded_.file = *line_.config_file;
    } else if (std::string named = variable("WEIR_CONFIG"); !named.empty()) {
      loaded_.file = named;
    } else if (!line_.data_directory && variable("WEIR_DATA").empty() && files_.exists(kPackagedFile)) {
      loaded_.file = kPackagedFile;
    }
  }

  void choose_data() {
    if (line_.data_directory) {
      loaded_.data_directory = *line_.data_directory;
      loaded_.data_origin = "--data";
    } else if (std::string named = variable("WEIR_DATA"); !named.empty()) {
      loaded_.data_directory = named;
      loaded_.data_origin = "WEIR_DATA";
    } else if (loaded_.data_directory.empty()) {
      loaded_.data_directory = kDefaultData;
      loaded_.data_origin = "default";
    }
    while (loaded_.data_directory.size() > 1 && loaded_.data_directory.back() == '/') loaded_.data_directory.pop_back();
  }

  void read_file_options() {
    auto content = read_file(files_, loaded_.file, kFileBytesMax);
    if (!content) return problem(content.error().message);
    toml::table table;
    try {
      table = toml::parse(*content, loaded_.file);
    } catch (const toml::parse_error& e) {
      return problem_at(e.source(), e.description());
    }
    for (auto&& [key, node] : table) {
      std::string room(key.str());
      if (room == "data") {
        auto directory = node.value<std::string>();
        if (!directory || directory->empty()) {
          problem_at(node.source(), fmt::format("data: expected a directory, not {}", type_of(node)));
          continue;
        }
        loaded_.data_directory = *directory;
        loaded_.data_origin = fmt::format("{}:{}", loaded_.file, key.source().begin.line);
        continue;
      }
      std::vector<std::string> rooms;
      for (const Option& option : options_) {
        if (rooms.empty() || rooms.back() != option.room) rooms.push_back(option.room);
      }
      if (std::find(rooms.begin(), rooms.end(), room) == rooms.end()) {
        std::string near = nearest(room, rooms);
        std::string message = fmt::format("unknown section `{}`", room);
        if (!near.empty()) message += fmt::format("; did you mean `{}`?", near);
        problem_at(key.source(), message);
        continue;
      }
      const toml::table* section = node.as_table();
      if (section == nullptr) {
        problem_at(node.source(), fmt::format("{}: expected a section, [{}], not {}", room, room, type_of(node)));
        continue;
      }
      for (auto&& [name, value] : *section) read_file_option(room, name, value);
    }
  }

  void read_file_option(const std::string& room, const toml::key& name, const toml::node& node) {
    std::string full_name = room + "." + std::string(name.str());
    size_t index = find(full_name);
    if (index == options_.size()) {
      return problem_at(name.source(), unknown_option(full_name, options_));
    }
    const Option& option = options_[index];
    if (!is_file_kind(node, option.kind)) {
      return problem_at(node.source(),
                        fmt::format("{}: expected {}, not {}", full_name, name_of(option.kind), type_of(node)));
    }
    Result<> set;
    if (const toml::array* array = node.as_array()) {
      std::vector<std::string> elements;
      for (const toml::node& element : *array) {
        auto text = element.value_exact<std::string>();
        if (!text) {
          return problem_at(element.source(), fmt::format("{}: expected {}, not {} in it", full_name,
                                                          name_of(option.kind), type_of(element)));
        }
        elements.push_back(std::move(*text));
      }
      set = option.set_list(elements);
    } else {
      set = option.set(text_of(node));
    }
    if (!set) {
      return problem_at(node.source(),
                        fmt::format("{}: `{}`: {}", full_name, shown(option, text_of(node)), set.error().message));
    }
    mark(index, Origin::file, fmt::format("{}:{}", loaded_.file, name.source().begin.line));
    check_secrecy(option, node);
  }

  static std::string text_of(const toml::node& node) {
    if (auto text = node.value_exact<std::string>()) return *text;
    if (auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    if (auto number = node.value_exact<int64_t>()) return std::to_string(*number);
    if (auto number = node.value_exact<double>()) return fmt::format("{}", *number);
    return "[...]";
  }

  static std::string shown(const Option& option, const std::string& text) {
    return masked(text.size() > 200 ? text.substr(0, 200) + "..." : text, option.secret);
  }

  // A secret does not stand in a file that everybody can read.
  void check_secrecy(const Option& option, const toml::node& node) {
    bool holds_secret = (option.secret && !option.text().empty()) || has_user_info(option.text());
    if (!holds_secret) return;
    struct stat info {};
    if (::stat(loaded_.file.c_str(), &info) != 0 || (info.st_mode & 0007) == 0) return;
    problem_at(node.source(),
               fmt::format("{}: a secret in a file that everybody can read (mode {:04o}); run: chmod o= {}",
                           option.full_name(), info.st_mode & 07777, loaded_.file));
  }

  void read_environment() {
    for (const auto& [name, text] : environment_) {
      if (!name.starts_with("WEIR_")) continue;
      std::vector<std::string> variables;
      size_t index = options_.size();
      for (size_t i = 0; i < options_.size(); ++i) {
        variables.push_back(variable_of(options_[i]));
        if (variables.back() == name) index = i;
      }
      if (index < options_.size()) {
        set_text(index, text, Origin::environment, name, name);
        continue;
      }
      // Others name variables WEIR_... too (a container platform does so for every service called weir-something), so
      // only what is nearly an option is taken for a slip.
      std::string room = name.substr(5, name.find('_', 5) - 5);
      std::string near = nearest(name, variables);
      bool of_room =
          std::any_of(options_.begin(), options_.end(), [&](const Option& o) { return upper(o.room) == room; });
      if (of_room && !near.empty()) problem(fmt::format("{}: unknown option; did you mean `{}`?", name, near));
    }
  }

  void read_flags() {
    for (const CommandLine::Assignment& assignment : line_.assignments) {
      size_t index = find(assignment.option);
      if (index == options_.size()) {
        problem(fmt::format("{}: {}", assignment.flag, unknown_option(assignment.option, options_)));
        continue;
      }
      set_text(index, assignment.value, Origin::flag, assignment.flag, assignment.flag);
    }
  }

  void set_text(size_t index, const std::string& text, Origin origin, const std::string& where,
                const std::string& origin_text) {
    const Option& option = options_[index];
    if (auto set = option.set(text); !set) {
      return problem(
          fmt::format("{}: {}: `{}`: {}", where, option.full_name(), shown(option, text), set.error().message));
    }
    mark(index, origin, origin_text);
  }

  void mark(size_t index, Origin origin, std::string text) {
    loaded_.values[index].origin = origin;
    loaded_.values[index].origin_text = std::move(text);
  }

  size_t find(std::string_view full_name) const {
    size_t i = 0;
    while (i < options_.size() && options_[i].full_name() != full_name) ++i;
    return i;
  }

  FileSystem& files_;
  const CommandLine& line_;
  const Environment& environment_;
  Loaded loaded_;
  std::vector<Option> options_;
  std::multimap<std::pair<uint32_t, uint32_t>, std::string> file_problems_;
};
}  // namespace

Environment process_environment() {
  Environment all;
  for (char** at = environ; at != nullptr && *at != nullptr; ++at) {
    std::string_view entry = *at;
    size_t equals = entry.find('=');
    if (entry.starts_with("WEIR_") && equals != std::string_view::npos) {
      all.emplace_back(entry.substr(0, equals), entry.substr(equals + 1));
    }
  }
  return all;
}

Loaded load(FileSystem& files, const CommandLine& command_line, const Environment& environment) {
  return Loader(files, command_line, environment).load();
}

}  // namespace weir::config
