#include "weir/base/json_writer.h"

#include <array>

#include "weir/base/bytes.h"

namespace weir {

namespace {
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (int c = 0; c < 256; ++c) plain[static_cast<size_t>(c)] = c >= 0x20 && c != '"' && c != '\\';
  return plain;
}();
constexpr char kHex[] = "0123456789abcdef";

// Is there a byte among these eight that needs an escape? (b - 1) & ~b has the top bit of a byte set when b is 0;
// bytes above 0x7f never count.
bool needs_escape(uint64_t eight) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kTops = 0x8080808080808080;
  uint64_t quote = eight ^ (kOnes * '"');
  uint64_t backslash = eight ^ (kOnes * '\\');
  uint64_t found = ((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | ((eight - kOnes * 0x20) & ~eight);
  return (found & kTops) != 0;
}
}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    while (text.size() - i >= 8 && !needs_escape(load_le<uint64_t>(text.data() + i))) i += 8;
    if (i == text.size()) break;
    auto c = static_cast<unsigned char>(text[i]);
    if (kPlain[c]) continue;
    out.append(text, from, i - from);
    from = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += "\\u00";
        out.push_back(kHex[c >> 4]);
        out.push_back(kHex[c & 15]);
    }
  }
  out.append(text, from, text.size() - from);
  out.push_back('"');
}

void append_json_key(std::string& out, std::string_view key) {
  if (!out.empty() && out.back() != '{') out.push_back(',');
  out.push_back('"');
  out.append(key);
  out += "\":";
}

}  // namespace weir
