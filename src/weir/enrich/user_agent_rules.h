#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"
#include "weir/enrich/regex_lists.h"
#include "weir/enrich/rule_file.h"

namespace weir::enrich {

// The lists of rules, each asked on its own.
enum class AgentList : uint8_t { browser, os, device, type };
constexpr size_t kAgentLists = 4;
std::string_view name_of(AgentList list);  // as rule files name it: "user_agent_parsers"

// What is said of a name that rules found: how people know it, and how much of its version they want to see.
struct AgentName {
  enum class Version : uint8_t {
    major,        // "147"
    significant,  // "17", "8.1": the second number unless it is 0
    minor,        // "17.4", "26.0"
    none,
  };
  std::string name;
  Version version = Version::major;
};
// Ordered by the name that it is said of.
using AgentNames = std::map<std::string, AgentName, std::less<>>;

// The rules that user agents are read by: the package uap-core's `regexes.yaml` (its docs/specification.md says what it
// means) and weir's own overlay, data/user-agents/overlay.yaml, whose rules are asked first. The overlay has, in the
// same format, the package's three lists, and besides them
//   device_type_parsers   regex, type_replacement: what kind of device it is
//   browser_names, os_names   family (as a rule gives it), name, version: how it is shown
//   brand_names           brand (as Sec-CH-UA gives it), name
//   applications          id (as X-Requested-With gives it), name
//
// Immutable; shared by the UserAgentParser of each thread. The package and the overlay take 12 MB and 0.3 s.
class UserAgentRules {
 public:
  // Either text may be empty. What is wrong with one rule (its expression does not compile, a field is unknown or
  // missing) leaves that rule out and is said in warnings(), so that a newer package never stops weir.
  // Errors: kBadInput (no YAML, or not of this form), with file and line.
  static Result<std::unique_ptr<UserAgentRules>> load(std::string_view regexes_yaml, std::string_view overlay_yaml);

  // One line for each rule left out: the file, its line, list, index and the reason.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // The overlay's rules of a list, those left out included; they come before the package's.
  size_t overlay_size(AgentList list) const { return overlay_size_[static_cast<size_t>(list)]; }

  const AgentNames& browser_names() const { return browser_names_; }
  const AgentNames& os_names() const { return os_names_; }
  const AgentNames& brand_names() const { return brand_names_; }
  const AgentNames& applications() const { return applications_; }

 private:
  friend class UserAgentParser;
  static constexpr size_t kValues = 5;
  // How a value is made: a text in which $1 to $9 are groups, or (group > 0, text empty) the group itself.
  struct Value {
    std::string text;
    uint8_t group = 0;
    bool has_groups = false;
  };
  using Rule = std::array<Value, kValues>;

  UserAgentRules() = default;
  void add_rule(AgentList list, const std::string& where, const RuleEntry& entry,
                std::vector<RegexLists::Regex>& regexes);
  void add_name(AgentNames& names, std::string_view key, const std::string& where, const RuleEntry& entry);

  std::array<std::vector<Rule>, kAgentLists> rules_;
  std::array<size_t, kAgentLists> overlay_size_{};
  std::unique_ptr<RegexLists> regexes_;
  AgentNames browser_names_, os_names_, brand_names_, applications_;
  std::vector<std::string> warnings_;
};

// What the first matching rule of a list says. Empty texts are absent.
struct ParsedAgent {
  static constexpr size_t kNoRule = SIZE_MAX;
  // browser: family, major, minor, patch. os: the same and a fourth number. device: family, brand, model. type: type.
  std::array<std::string, 5> values;
  size_t rule = kNoRule;  // its index in the list, the overlay's before the package's

  const std::string& family() const { return values[0]; }
  const std::string& major() const { return values[1]; }
  const std::string& minor() const { return values[2]; }
  const std::string& brand() const { return values[1]; }
  const std::string& model() const { return values[2]; }
};

// Reads user agents exactly as the rules' specification says.
//
// Confined to one thread; keeps its buffers. Keeps `rules` by reference; they must outlive it.
class UserAgentParser {
 public:
  explicit UserAgentParser(const UserAgentRules& rules);

  // Takes the text that first() is about; it must stay valid until the next scan().
  void scan(std::string_view user_agent);
  // What the first rule of the list says that matches. Valid until the next call.
  const ParsedAgent& first(AgentList list);

 private:
  const UserAgentRules& rules_;
  RegexMatcher matcher_;
  ParsedAgent parsed_;
};

}  // namespace weir::enrich
