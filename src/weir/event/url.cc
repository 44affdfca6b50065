#include "weir/event/url.h"

#include <simdjson.h>

#include <cstdint>

namespace weir::event {

namespace {
int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_scheme(std::string_view text) {
  if (text.empty() || !((text[0] | 0x20) >= 'a' && (text[0] | 0x20) <= 'z')) return false;
  for (char c : text) {
    char lower = static_cast<char>(c | 0x20);
    if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && c != '+' && c != '-' && c != '.') return false;
  }
  return true;
}

// Length of the valid UTF-8 sequence at the front of `text`, or 0.
size_t utf8_sequence(std::string_view text) {
  auto lead = static_cast<unsigned char>(text[0]);
  size_t length = lead < 0x80 ? 1 : (lead >> 5) == 6 ? 2 : (lead >> 4) == 14 ? 3 : (lead >> 3) == 30 ? 4 : 0;
  if (length == 0 || length > text.size()) return 0;
  return simdjson::validate_utf8(text.data(), length) ? length : 0;
}
}  // namespace

UrlParts split_url(std::string_view url) {
  UrlParts parts;
  if (size_t hash = url.find('#'); hash != std::string_view::npos) {
    parts.fragment = url.substr(hash + 1);
    url = url.substr(0, hash);
  }
  if (size_t mark = url.find('?'); mark != std::string_view::npos) {
    parts.query = url.substr(mark + 1);
    url = url.substr(0, mark);
  }
  size_t slashes = url.find("//");
  bool has_authority = false;
  if (slashes == 0) {
    url.remove_prefix(2);
    has_authority = true;
  } else if (slashes != std::string_view::npos && url[slashes - 1] == ':' && is_scheme(url.substr(0, slashes - 1))) {
    parts.scheme = url.substr(0, slashes - 1);
    url.remove_prefix(slashes + 2);
    has_authority = true;
  }
  if (!has_authority) {
    if (!url.empty() && url[0] == '/') parts.path = url;
    return parts;
  }
  size_t slash = url.find('/');
  std::string_view authority = url.substr(0, slash);
  if (slash != std::string_view::npos) parts.path = url.substr(slash);
  if (size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (!authority.empty() && authority[0] == '[') {
    size_t close = authority.find(']');
    parts.hostname = close == std::string_view::npos ? std::string_view() : authority.substr(1, close - 1);
  } else {
    parts.hostname = authority.substr(0, authority.find(':'));
  }
  if (!parts.hostname.empty() && parts.hostname.back() == '.') parts.hostname.remove_suffix(1);
  return parts;
}

void append_url_decoded(std::string_view text, std::string& out) {
  size_t start = out.size();
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+') {
      out.push_back(' ');
    } else if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2])));
      i += 2;
    } else {
      out.push_back(c);
    }
  }
  if (simdjson::validate_utf8(out.data() + start, out.size() - start)) return;
  std::string repaired;
  for (std::string_view rest = std::string_view(out).substr(start); !rest.empty();) {
    size_t length = utf8_sequence(rest);
    if (length == 0) {
      repaired += "\xef\xbf\xbd";
      length = 1;
    } else {
      repaired.append(rest.substr(0, length));
    }
    rest.remove_prefix(length);
  }
  out.replace(start, std::string::npos, repaired);
}

}  // namespace weir::event
