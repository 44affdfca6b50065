#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/result.h"

namespace weir::enrich {

// One entry of a list of rules: its fields in the file's order, without those that are null. Texts own their memory.
struct RuleEntry {
  size_t line = 0;  // where it stands in the file, from 1
  std::vector<std::pair<std::string, std::string>> fields;

  // The field's value, or null.
  const std::string* find(std::string_view name) const;
};

struct RuleFileList {
  std::string name;
  std::vector<RuleEntry> entries;
};

// Reads YAML of the one form that rule files have: a mapping of names to lists of flat mappings of texts. An empty
// text gives no lists.
// Errors: kBadInput (no YAML, or of another form), with `file` and the line.
Result<std::vector<RuleFileList>> read_rule_file(std::string_view file, std::string_view yaml);

}  // namespace weir::enrich
