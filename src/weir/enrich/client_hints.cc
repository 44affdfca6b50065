#include "weir/enrich/client_hints.h"

#include <simdjson.h>

namespace weir::enrich {

namespace {
constexpr size_t kItemsMax = 8;
constexpr size_t kItemBytesMax = 64;

void skip_spaces(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// A string of a structured header (RFC 8941), or what stands there without quotes, as some proxies and clients write.
std::string take_string(std::string_view& text) {
  skip_spaces(text);
  std::string out;
  if (text.empty() || text.front() != '"') {
    out = text.substr(0, text.find_first_of(",;"));
    text.remove_prefix(out.size());
    while (!out.empty() && (out.back() == ' ' || out.back() == '\t')) out.pop_back();
    return out;
  }
  text.remove_prefix(1);
  while (!text.empty() && text.front() != '"') {
    if (text.front() == '\\' && text.size() > 1) text.remove_prefix(1);
    out.push_back(text.front());
    text.remove_prefix(1);
  }
  if (!text.empty()) text.remove_prefix(1);
  return out;
}

std::string string_of(std::string_view text) {
  std::string out = take_string(text);
  if (out.size() > kItemBytesMax) out.clear();
  return out;
}

// `"a";v="1", "b";v="2"`: calls item(name, v) for each.
template <class Item>
void for_each_item(std::string_view text, Item&& item) {
  for (size_t i = 0; i < kItemsMax && !text.empty(); ++i) {
    std::string name = take_string(text);
    std::string version;
    for (skip_spaces(text); !text.empty() && text.front() == ';'; skip_spaces(text)) {
      text.remove_prefix(1);
      skip_spaces(text);
      bool is_version = text.starts_with("v=");
      size_t equals = text.find_first_of("=,;");
      if (equals == std::string_view::npos || text[equals] != '=') {
        text.remove_prefix(std::min(equals, text.size()));
        continue;
      }
      text.remove_prefix(equals + 1);
      std::string value = take_string(text);
      if (is_version) version = std::move(value);
    }
    if (!text.empty() && text.front() != ',') return;
    if (!text.empty()) text.remove_prefix(1);
    if (!name.empty() && name.size() <= kItemBytesMax && version.size() <= kItemBytesMax) item(name, version);
  }
}

// Browsers add a brand that does not exist, spelt differently each time: `Not)A;Brand`, ` Not A(Brand`, `Not_A Brand`.
bool is_made_up(std::string_view brand) {
  std::string letters;
  for (char c : brand)
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) letters.push_back(static_cast<char>(c | 0x20));
  return letters == "notabrand" || letters == "notanybrand";
}

std::vector<ClientHints::Brand> brands_of(std::string_view text) {
  std::vector<ClientHints::Brand> brands;
  for_each_item(text, [&](const std::string& name, const std::string& version) {
    if (!is_made_up(name)) brands.push_back({name, version});
  });
  return brands;
}
}  // namespace

ClientHints ClientHints::parse(std::string_view json) {
  ClientHints hints;
  if (json.empty()) return hints;
  simdjson::ondemand::parser parser;
  simdjson::padded_string padded(json);
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(padded).get(document) || document.get_object().get(object)) return hints;
  bool full_list = false;
  for (auto field : object) {
    std::string_view name;
    std::string_view value;
    if (field.unescaped_key().get(name)) break;
    // The value after the key: both live in the parser until the next document.
    if (field.value().get_string().get(value)) continue;
    if (name == "sec-ch-ua-full-version-list") {
      auto brands = brands_of(value);
      if (brands.empty()) continue;
      hints.brands = std::move(brands);
      full_list = true;
    } else if (name == "sec-ch-ua") {
      if (!full_list) hints.brands = brands_of(value);
    } else if (name == "sec-ch-ua-mobile") {
      if (value == "?1") hints.mobile = Mobile::yes;
      if (value == "?0") hints.mobile = Mobile::no;
    } else if (name == "sec-ch-ua-platform") {
      hints.platform = string_of(value);
    } else if (name == "sec-ch-ua-platform-version") {
      hints.platform_version = string_of(value);
    } else if (name == "sec-ch-ua-model") {
      hints.model = string_of(value);
    } else if (name == "sec-ch-ua-form-factors") {
      for_each_item(value, [&](const std::string& item, const std::string&) { hints.form_factors.push_back(item); });
    } else if (name == "x-requested-with") {
      hints.requested_with = string_of(value);
    }
  }
  return hints;
}

}  // namespace weir::enrich
