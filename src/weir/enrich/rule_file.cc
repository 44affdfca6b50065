#include "weir/enrich/rule_file.h"

#include <yaml.h>

#include <memory>

namespace weir::enrich {

namespace {
class Reader {
 public:
  Reader(std::string_view file, std::string_view yaml) : file_(file) {
    if (yaml.data() == nullptr) yaml = "";  // libyaml takes no null
    WEIR_CHECK(yaml_parser_initialize(&parser_) == 1);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(yaml.data()), yaml.size());
  }
  ~Reader() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Result<std::vector<RuleFileList>> read() {
    std::vector<RuleFileList> lists;
    if (!next() || !next()) return broken();  // the stream's start, then the document's
    if (event_.type == YAML_STREAM_END_EVENT) return lists;
    if (!next()) return broken();
    if (event_.type == YAML_SCALAR_EVENT && is_null()) return lists;
    if (event_.type != YAML_MAPPING_START_EVENT) return unexpected("a mapping of names to lists");
    for (;;) {
      if (!next()) return broken();
      if (event_.type == YAML_MAPPING_END_EVENT) break;
      if (event_.type != YAML_SCALAR_EVENT) return unexpected("the name of a list");
      lists.push_back({text(), {}});
      if (auto read = read_list(lists.back()); !read) return read.error();
    }
    if (!next() || !next()) return broken();
    if (event_.type != YAML_STREAM_END_EVENT) return unexpected("one document");
    return lists;
  }

 private:
  Result<> read_list(RuleFileList& list) {
    if (!next()) return broken();
    if (event_.type == YAML_SCALAR_EVENT && is_null()) return {};
    if (event_.type != YAML_SEQUENCE_START_EVENT) return unexpected("the list " + list.name);
    for (;;) {
      if (!next()) return broken();
      if (event_.type == YAML_SEQUENCE_END_EVENT) return {};
      if (event_.type != YAML_MAPPING_START_EVENT) return unexpected("an entry of " + list.name);
      list.entries.push_back({line(), {}});
      if (auto read = read_entry(list.entries.back()); !read) return read;
    }
  }

  Result<> read_entry(RuleEntry& entry) {
    for (;;) {
      if (!next()) return broken();
      if (event_.type == YAML_MAPPING_END_EVENT) return {};
      if (event_.type != YAML_SCALAR_EVENT) return unexpected("a field's name");
      std::string name = text();
      if (!next()) return broken();
      if (event_.type != YAML_SCALAR_EVENT) return unexpected("a text as the value of " + name);
      if (!is_null()) entry.fields.emplace_back(std::move(name), text());
    }
  }

  bool next() {
    yaml_event_delete(&event_);
    return yaml_parser_parse(&parser_, &event_) == 1;
  }
  std::string text() const {
    return {reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length};
  }
  bool is_null() const {
    if (event_.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
    std::string value = text();
    return value.empty() || value == "~" || value == "null";
  }
  size_t line() const { return event_.start_mark.line + 1; }

  Error broken() const {
    std::string problem = parser_.problem == nullptr ? "cannot be read" : parser_.problem;
    return {ErrorCode::kBadInput,
            "enrich: " + file_ + ":" + std::to_string(parser_.problem_mark.line + 1) + ": no YAML: " + problem};
  }
  Error unexpected(const std::string& wanted) const {
    return {ErrorCode::kBadInput,
            "enrich: " + file_ + ":" + std::to_string(line()) + ": " + wanted + " is expected here"};
  }

  std::string file_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};
}  // namespace

const std::string* RuleEntry::find(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (key == name) return &value;
  return nullptr;
}

Result<std::vector<RuleFileList>> read_rule_file(std::string_view file, std::string_view yaml) {
  return Reader(file, yaml).read();
}

}  // namespace weir::enrich
