#include "weir/enrich/user_agent_rules.h"

#include <algorithm>

namespace weir::enrich {

namespace {
constexpr std::array<std::string_view, kAgentLists> kListNames = {"user_agent_parsers", "os_parsers", "device_parsers",
                                                                  "device_type_parsers"};

// A value's field in the file, and the group that it is without one.
struct ValueField {
  std::string_view field;
  uint8_t group;
};
constexpr ValueField kValueFields[kAgentLists][5] = {
    {{"family_replacement", 1}, {"v1_replacement", 2}, {"v2_replacement", 3}, {"v3_replacement", 4}, {"", 0}},
    {{"os_replacement", 1},
     {"os_v1_replacement", 2},
     {"os_v2_replacement", 3},
     {"os_v3_replacement", 4},
     {"os_v4_replacement", 5}},
    {{"device_replacement", 1}, {"brand_replacement", 0}, {"model_replacement", 1}, {"", 0}, {"", 0}},
    {{"type_replacement", 1}, {"", 0}, {"", 0}, {"", 0}, {"", 0}},
};

bool is_group(std::string_view text, size_t at) {
  return text[at] == '$' && at + 1 < text.size() && text[at + 1] >= '1' && text[at + 1] <= '9';
}

void trim(std::string& text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  text.erase(0, std::min(text.find_first_not_of(kSpace), text.size()));
  text.erase(text.find_last_not_of(kSpace) + 1);
}
}  // namespace

std::string_view name_of(AgentList list) { return kListNames[static_cast<size_t>(list)]; }

Result<std::unique_ptr<UserAgentRules>> UserAgentRules::load(std::string_view regexes_yaml,
                                                             std::string_view overlay_yaml) {
  auto overlay = read_rule_file("overlay.yaml", overlay_yaml);
  if (!overlay) return overlay.error();
  auto package = read_rule_file("regexes.yaml", regexes_yaml);
  if (!package) return package.error();

  std::unique_ptr<UserAgentRules> rules(new UserAgentRules);
  std::vector<std::vector<RegexLists::Regex>> regexes(kAgentLists);
  std::vector<std::vector<std::string>> places(kAgentLists);
  auto add_file = [&](std::string_view file, const std::vector<RuleFileList>& lists, bool is_overlay) {
    for (const RuleFileList& list : lists) {
      auto known = std::find(kListNames.begin(), kListNames.end(), list.name);
      AgentNames* names = nullptr;
      std::string_view key = "family";
      if (is_overlay && list.name == "browser_names") names = &rules->browser_names_;
      if (is_overlay && list.name == "os_names") names = &rules->os_names_;
      if (is_overlay && list.name == "brand_names") names = &rules->brand_names_, key = "brand";
      if (is_overlay && list.name == "applications") names = &rules->applications_, key = "id";
      if (known == kListNames.end() && names == nullptr) {
        rules->warnings_.push_back(std::string(file) + ": the list " + list.name + " is unknown; left out");
        continue;
      }
      for (size_t index = 0; index < list.entries.size(); ++index) {
        const RuleEntry& entry = list.entries[index];
        std::string where =
            std::string(file) + ":" + std::to_string(entry.line) + ": " + list.name + "[" + std::to_string(index) + "]";
        if (names != nullptr) {
          rules->add_name(*names, key, where, entry);
          continue;
        }
        auto at = static_cast<size_t>(known - kListNames.begin());
        rules->add_rule(static_cast<AgentList>(at), where, entry, regexes[at]);
        places[at].push_back(std::move(where));
      }
    }
  };
  add_file("overlay.yaml", *overlay, true);
  for (size_t list = 0; list < kAgentLists; ++list) rules->overlay_size_[list] = rules->rules_[list].size();
  add_file("regexes.yaml", *package, false);

  std::vector<RegexLists::Failure> failures;
  rules->regexes_ = std::make_unique<RegexLists>(regexes, failures);
  for (const RegexLists::Failure& failure : failures)
    rules->warnings_.push_back(places[failure.list][failure.index] +
                               ": the expression does not compile: " + failure.message + "; left out");
  return rules;
}

void UserAgentRules::add_rule(AgentList list, const std::string& where, const RuleEntry& entry,
                              std::vector<RegexLists::Regex>& regexes) {
  // Left out, a rule keeps its place with an expression that matches nothing, so that indexes are the file's.
  RegexLists::Regex regex{"(?!)", false};
  Rule rule;
  const ValueField(&values)[5] = kValueFields[static_cast<size_t>(list)];
  for (size_t i = 0; i < kValues; ++i) rule[i].group = values[i].group;
  std::string wrong;
  for (const auto& [name, text] : entry.fields) {
    if (name == "regex") {
      regex.pattern = text;
      continue;
    }
    if (name == "regex_flag") {
      regex.ignore_case = text == "i";
      if (text != "i") wrong = "the regex_flag " + text + " is unknown";
      continue;
    }
    auto value = std::find_if(std::begin(values), std::end(values),
                              [&, &field = name](const ValueField& v) { return !v.field.empty() && v.field == field; });
    if (value == std::end(values)) {
      wrong = "the field " + name + " is unknown";
      continue;
    }
    Value& made = rule[value - std::begin(values)];
    made.text = text;
    made.group = 0;
    for (size_t i = 0; i < text.size(); ++i) made.has_groups = made.has_groups || is_group(text, i);
  }
  if (entry.find("regex") == nullptr) wrong = "the field regex is missing";
  if (!wrong.empty()) {
    warnings_.push_back(where + ": " + wrong + "; left out");
    regex = {"(?!)", false};
  }
  regexes.push_back(std::move(regex));
  rules_[static_cast<size_t>(list)].push_back(std::move(rule));
}

void UserAgentRules::add_name(AgentNames& names, std::string_view key, const std::string& where,
                              const RuleEntry& entry) {
  const std::string* said_of = entry.find(key);
  const std::string* name = entry.find("name");
  const std::string* version = entry.find("version");
  constexpr std::array<std::string_view, 4> kVersions = {"major", "significant", "minor", "none"};
  auto mode = version == nullptr ? kVersions.begin() : std::find(kVersions.begin(), kVersions.end(), *version);
  if (said_of == nullptr || name == nullptr || mode == kVersions.end() ||
      entry.fields.size() != (version == nullptr ? 2u : 3u)) {
    warnings_.push_back(where + ": " + std::string(key) +
                        ", name and perhaps version (major, significant, minor, none) are expected; left out");
    return;
  }
  names.insert_or_assign(*said_of, AgentName{*name, static_cast<AgentName::Version>(mode - kVersions.begin())});
}

UserAgentParser::UserAgentParser(const UserAgentRules& rules) : rules_(rules), matcher_(*rules.regexes_) {}

void UserAgentParser::scan(std::string_view user_agent) { matcher_.scan(user_agent); }

const ParsedAgent& UserAgentParser::first(AgentList list) {
  for (std::string& value : parsed_.values) value.clear();
  parsed_.rule = ParsedAgent::kNoRule;
  size_t found = matcher_.first(static_cast<size_t>(list));
  if (found == RegexMatcher::kNone) return parsed_;
  parsed_.rule = found;
  const UserAgentRules::Rule& rule = rules_.rules_[static_cast<size_t>(list)][found];
  for (size_t i = 0; i < rule.size(); ++i) {
    std::string& value = parsed_.values[i];
    const std::string& text = rule[i].text;
    if (rule[i].group > 0) {
      value = matcher_.group(rule[i].group);
    } else if (!rule[i].has_groups) {
      value = text;
    } else {
      for (size_t at = 0; at < text.size(); ++at) {
        if (is_group(text, at))
          value += matcher_.group(static_cast<size_t>(text[++at] - '0'));
        else
          value += text[at];
      }
    }
    trim(value);
  }
  return parsed_;
}

}  // namespace weir::enrich
