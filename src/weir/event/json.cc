#include "weir/event/json.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <new>

#include "weir/base/bytes.h"
#include "weir/base/check.h"
#include "weir/base/json_writer.h"

namespace weir::event::json {

namespace {
constexpr size_t kArenaBlockBytes = 16 * KiB;
// A stage for texts longer than this is given back after use: its index takes four bytes for each byte of text.
constexpr size_t kKeptCapacityBytes = 256 * KiB;
constexpr size_t kSmallestCapacityBytes = 8 * KiB;

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The code unit of four hexadecimal digits, or -1.
int code_unit(const char* digits) {
  int unit = 0;
  for (int i = 0; i < 4; ++i) {
    int value = hex_value(digits[i]);
    if (value < 0) return -1;
    unit = unit << 4 | value;
  }
  return unit;
}

char* put_utf8(uint32_t code_point, char* out) {
  if (code_point < 0x80) {
    *out++ = static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    *out++ = static_cast<char>(0xc0 | code_point >> 6);
    *out++ = static_cast<char>(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    *out++ = static_cast<char>(0xe0 | code_point >> 12);
    *out++ = static_cast<char>(0x80 | (code_point >> 6 & 0x3f));
    *out++ = static_cast<char>(0x80 | (code_point & 0x3f));
  } else {
    *out++ = static_cast<char>(0xf0 | code_point >> 18);
    *out++ = static_cast<char>(0x80 | (code_point >> 12 & 0x3f));
    *out++ = static_cast<char>(0x80 | (code_point >> 6 & 0x3f));
    *out++ = static_cast<char>(0x80 | (code_point & 0x3f));
  }
  return out;
}

// Are all escapes of a string's inside of JSON's kinds?
bool escapes_are_valid(std::string_view inside) {
  for (size_t i = inside.find('\\'); i != std::string_view::npos; i = inside.find('\\', i)) {
    if (i + 1 >= inside.size()) return false;
    switch (inside[i + 1]) {
      case '"':
      case '\\':
      case '/':
      case 'b':
      case 'f':
      case 'n':
      case 'r':
      case 't':
        i += 2;
        break;
      case 'u':
        if (i + 6 > inside.size() || code_unit(inside.data() + i + 2) < 0) return false;
        i += 6;
        break;
      default:
        return false;
    }
  }
  return true;
}

// Undoes the escapes of a string that has passed escapes_are_valid. Writes at most inside.size() bytes: the longest
// replacement, U+FFFD for half a surrogate pair, has three bytes for six.
char* unescape(std::string_view inside, char* out) {
  const char* p = inside.data();
  const char* end = p + inside.size();
  while (p != end) {
    const auto* escape = static_cast<const char*>(std::memchr(p, '\\', static_cast<size_t>(end - p)));
    const char* stop = escape == nullptr ? end : escape;
    std::memcpy(out, p, static_cast<size_t>(stop - p));
    out += stop - p;
    if (escape == nullptr) break;
    p = escape + 2;
    switch (escape[1]) {
      case 'b':
        *out++ = '\b';
        break;
      case 'f':
        *out++ = '\f';
        break;
      case 'n':
        *out++ = '\n';
        break;
      case 'r':
        *out++ = '\r';
        break;
      case 't':
        *out++ = '\t';
        break;
      case 'u': {
        auto unit = static_cast<uint32_t>(code_unit(p));
        p += 4;
        if (unit >= 0xd800 && unit < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
          auto low = static_cast<uint32_t>(code_unit(p + 2));
          if (low >= 0xdc00 && low < 0xe000) {
            p += 6;
            out = put_utf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out);
            break;
          }
        }
        out = put_utf8(unit >= 0xd800 && unit < 0xe000 ? 0xfffd : unit, out);
        break;
      }
      default:
        *out++ = escape[1];  // " \ /
    }
  }
  return out;
}

uint64_t hash_of(std::string_view key) {
  uint64_t hash = key.size() * 0x9e3779b97f4a7c15;
  const char* p = key.data();
  size_t left = key.size();
  for (; left >= 8; p += 8, left -= 8) {
    hash = (hash ^ load_le<uint64_t>(p)) * 0xff51afd7ed558ccd;
    hash ^= hash >> 32;
  }
  uint64_t tail = 0;
  for (size_t i = 0; i < left; ++i) tail |= static_cast<uint64_t>(static_cast<uint8_t>(p[i])) << (8 * i);
  return (hash ^ tail) * 0xc4ceb9fe1a85ec53;
}

// The length of the valid UTF-8 sequence at p, or 0.
size_t sequence_length(const char* p, const char* end) {
  auto byte = [&](ptrdiff_t i) { return static_cast<uint8_t>(p[i]); };
  auto continues = [&](ptrdiff_t i) { return i < end - p && (byte(i) & 0xc0) == 0x80; };
  uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xc2) return 0;
  if (first < 0xe0) return continues(1) ? 2 : 0;
  if (first < 0xf0) {
    if (!continues(1) || !continues(2)) return 0;
    if (first == 0xe0 && byte(1) < 0xa0) return 0;  // overlong
    if (first == 0xed && byte(1) > 0x9f) return 0;  // half a surrogate pair
    return 3;
  }
  if (first > 0xf4 || !continues(1) || !continues(2) || !continues(3)) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) > 0x8f) return 0;
  return 4;
}
}  // namespace

void Arena::clear() {
  if (blocks_.size() > 1 ||
      (!blocks_.empty() && static_cast<size_t>(next_ - blocks_[0].get()) + left_ > kArenaBlockBytes)) {
    blocks_.clear();
    next_ = nullptr;
    left_ = 0;
  } else if (!blocks_.empty()) {
    left_ += static_cast<size_t>(next_ - blocks_.front().get());
    next_ = blocks_.front().get();
  }
}

void Arena::refill(size_t bytes) {
  size_t size = std::max(bytes, kArenaBlockBytes);
  blocks_.push_back(std::unique_ptr<char[]>(new char[size]));
  next_ = blocks_.back().get();
  left_ = size;
}

// simdjson's first stage, of the instruction set found at run time. Its upper layers are not used, and On-Demand
// could not be: it is compiled for the instruction set of the build.
struct Reader::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;

  // Throws std::bad_alloc, as everything that needs memory: to say that the text is wrong would lose it.
  void reserve(size_t bytes) {
    if (parser != nullptr && parser->capacity() >= bytes) return;
    size_t capacity = std::max(kSmallestCapacityBytes, bytes);
    if (capacity < kKeptCapacityBytes) capacity = std::min(kKeptCapacityBytes, 2 * capacity);
    const auto made = simdjson::get_active_implementation()->create_dom_parser_implementation(capacity, 1, parser);
    if (made == simdjson::SUCCESS) return;
    parser.reset();
    throw std::bad_alloc();
  }
};

Reader::Reader() : stage_(std::make_unique<Stage>()) {}
Reader::~Reader() = default;

Reader::Scan Reader::scan(std::string_view text) {
  text_ = text;
  base_ = text.data();
  at_ = end_ = count_ = 0;
  flaw_ = nullptr;
  flaw_at_ = 0;
  if (text.empty()) return Scan::empty;
  if (text.size() >= UINT32_MAX) return Scan::too_long;
  stage_->reserve(text.size());
  auto& parser = *stage_->parser;
  switch (parser.stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(), simdjson::stage1_mode::regular)) {
    case simdjson::SUCCESS:
      break;
    case simdjson::EMPTY:
      return Scan::empty;
    case simdjson::UTF8_ERROR:
      return Scan::bad_utf8;
    case simdjson::UNCLOSED_STRING:
      return Scan::open_string;
    case simdjson::UNESCAPED_CHARS:
      return Scan::control_character;
    default:
      return Scan::too_long;
  }
  indexes_ = parser.structural_indexes.get();
  end_ = count_ = parser.n_structural_indexes;
  return Scan::ok;
}

void Reader::shrink() {
  at_ = end_ = count_ = 0;
  if (stage_->parser != nullptr && stage_->parser->capacity() > kKeptCapacityBytes) stage_->parser.reset();
  if (brackets_.capacity() > kKeptCapacityBytes) std::string().swap(brackets_);
  unescaped_.clear();
}

void Reader::narrow(size_t offset) {
  end_ = at_;
  while (end_ != count_ && indexes_[end_] < offset) ++end_;
}

std::string_view Reader::token(uint32_t i) const {
  size_t from = indexes_[i];
  switch (base_[from]) {
    case '{':
    case '}':
    case '[':
    case ']':
    case ':':
    case ',':
      return {base_ + from, 1};
    default:
      break;
  }
  size_t to = offset_of(i + 1);
  while (is_space(base_[to - 1])) --to;
  return {base_ + from, to - from};
}

bool Reader::fail(const char* what) {
  flaw_ = what;
  flaw_at_ = offset();
  return false;
}

bool Reader::check_string(std::string_view token, bool& escaped) {
  if (token.size() < 2 || token.back() != '"') return fail("a string that is followed by something else");
  std::string_view inside = token.substr(1, token.size() - 2);
  if (std::memchr(inside.data(), '\\', inside.size()) == nullptr) {
    escaped = false;
    return true;
  }
  escaped = true;
  return escapes_are_valid(inside) || fail("a string with an unknown escape");
}

bool Reader::key(std::string_view& key, bool& escaped) {
  if (peek() != '"') return fail(more() ? "expected a key" : "it ends too early");
  std::string_view name = token(at_);
  if (!check_string(name, escaped)) return false;
  ++at_;
  if (!take(':')) return fail("expected ':'");
  key = name.substr(1, name.size() - 2);
  return true;
}

bool Reader::scalar(std::string_view token) {
  switch (token.front()) {
    case 't':
      return token == "true" || fail("not a value");
    case 'f':
      return token == "false" || fail("not a value");
    case 'n':
      return token == "null" || fail("not a value");
    case '}':
    case ']':
    case ',':
    case ':':
      return fail("expected a value");
    default:
      return json::is_number(token) || fail("not a value");
  }
}

void Reader::check_key(std::string_view key, bool escaped, const Limits& limits, Breach& breach, size_t at) {
  std::string_view name = escaped ? text_of(key, true, unescaped_) : key;
  uint64_t hash = hash_of(name);
  size_t from = keys_from_.back();
  for (size_t i = from; i < keys_.size(); ++i) {
    if (keys_[i].hash == hash && keys_[i].text == name) {
      breach = {Breach::Kind::repeated_key, at, key};
      return;
    }
  }
  keys_.push_back({hash, name});
  if (keys_.size() - from > limits.keys_max) breach = {Breach::Kind::keys, at, {}};
}

// The grammar as a loop over tokens; what is open stands in brackets_, so depth costs a byte and not a stack frame.
template <bool kLimited>
bool Reader::walk(Value& value, const Limits& limits, Breach& breach) {
  enum class Expect : uint8_t { value, key, first_key, first_item, after };
  Expect expect = Expect::value;
  size_t token_bytes = 0;
  bool escapes = false;
  value.first = at_;
  size_t begin = offset();
  size_t end = begin;
  brackets_.clear();
  if constexpr (kLimited) {
    keys_.clear();
    keys_from_.clear();
  }
  auto open = [&](char bracket) {
    brackets_.push_back(bracket);
    ++token_bytes;
    if constexpr (kLimited) {
      if (!breach && brackets_.size() > limits.depth_max) breach = {Breach::Kind::depth, offset(), {}};
      if (!breach && bracket == '{') keys_from_.push_back(static_cast<uint32_t>(keys_.size()));
    }
    ++at_;
  };
  auto close = [&] {
    if constexpr (kLimited) {
      if (!breach && brackets_.back() == '{') {
        keys_.resize(keys_from_.back());
        keys_from_.pop_back();
      }
    }
    brackets_.pop_back();
    ++token_bytes;
    end = offset() + 1;
    ++at_;
    expect = Expect::after;
  };
  for (;;) {
    switch (expect) {
      case Expect::first_item:
        if (peek() == ']') {
          close();
          break;
        }
        [[fallthrough]];
      case Expect::value: {
        char c = peek();
        if (c == '{') {
          open(c);
          expect = Expect::first_key;
          break;
        }
        if (c == '[') {
          open(c);
          expect = Expect::first_item;
          break;
        }
        if (!more()) return fail("it ends too early");
        std::string_view text = token(at_);
        if (c == '"') {
          bool escaped = false;
          if (!check_string(text, escaped)) return false;
          escapes |= escaped;
        } else {
          if (!scalar(text)) return false;
          if constexpr (kLimited) {
            if (!breach && text.size() > limits.number_bytes_max) breach = {Breach::Kind::number, offset(), {}};
          }
        }
        token_bytes += text.size();
        end = static_cast<size_t>(text.data() - base_) + text.size();
        ++at_;
        expect = Expect::after;
        break;
      }
      case Expect::first_key:
        if (peek() == '}') {
          close();
          break;
        }
        [[fallthrough]];
      case Expect::key: {
        std::string_view name;
        bool escaped = false;
        size_t at = offset();
        if (!key(name, escaped)) return false;
        escapes |= escaped;
        token_bytes += name.size() + 3;
        if constexpr (kLimited) {
          if (!breach) check_key(name, escaped, limits, breach, at);
        }
        expect = Expect::value;
        break;
      }
      case Expect::after: {
        if (brackets_.empty()) {
          value.text = {base_ + begin, end - begin};
          value.last = at_;
          value.plain = !escapes && token_bytes == end - begin;
          return true;
        }
        char inside = brackets_.back();
        char c = peek();
        if (c == ',') {
          ++token_bytes;
          ++at_;
          expect = inside == '{' ? Expect::key : Expect::value;
        } else if (c == (inside == '{' ? '}' : ']')) {
          close();
        } else {
          if (!more()) return fail("it ends too early");
          return fail(inside == '{' ? "expected ',' or '}'" : "expected ',' or ']'");
        }
        break;
      }
    }
  }
}

bool Reader::value(Value& value) {
  Breach none;
  return walk<false>(value, Limits{}, none);
}

bool Reader::value(Value& value, const Limits& limits, Breach& breach) {
  unescaped_.clear();
  return walk<true>(value, limits, breach);
}

void Reader::append_minified(const Value& value, std::string& out) const {
  if (value.plain) {
    out.append(value.text);
    return;
  }
  std::string unescaped;
  for (uint32_t i = value.first; i != value.last; ++i) {
    std::string_view text = token(i);
    if (text.front() != '"' || text.find('\\') == std::string_view::npos) {
      out.append(text);
      continue;
    }
    unescaped.resize(text.size());
    const char* end = unescape(text.substr(1, text.size() - 2), unescaped.data());
    append_json_string(out, std::string_view(unescaped.data(), static_cast<size_t>(end - unescaped.data())));
  }
}

std::string_view text_of(std::string_view inside_quotes, bool escaped, Arena& arena) {
  if (!escaped) return inside_quotes;
  char* from = arena.take(inside_quotes.size());
  const char* end = unescape(inside_quotes, from);
  auto size = static_cast<size_t>(end - from);
  arena.give_back(inside_quotes.size() - size);
  return {from, size};
}

size_t flaw_of_quotes(std::string_view text) {
  bool inside = false;
  size_t opened = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '"') {
      inside = !inside;
      opened = i;
    } else if (c == '\\') {
      if (!inside) return i;
      // An escaped control character is one all the same.
      if (i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) >= 0x20) ++i;
    } else if (inside && static_cast<unsigned char>(c) < 0x20) {
      return i;
    }
  }
  return inside ? opened : text.size();
}

void replace_invalid_utf8(std::string& text, std::vector<uint32_t>& at) {
  const char* end = text.data() + text.size();
  for (size_t i = 0; i < text.size();) {
    size_t length = sequence_length(text.data() + i, end);
    if (length == 0) {
      at.push_back(static_cast<uint32_t>(i));
      text[i++] = '?';
    } else {
      i += length;
    }
  }
}

bool is_number(std::string_view text) {
  const char* p = text.data();
  const char* end = p + text.size();
  auto digits = [&] {
    const char* from = p;
    while (p != end && is_digit(*p)) ++p;
    return p != from;
  };
  if (p != end && *p == '-') ++p;
  if (p != end && *p == '0') {
    ++p;
  } else if (!digits()) {
    return false;
  }
  if (p != end && *p == '.') {
    ++p;
    if (!digits()) return false;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != end && (*p == '+' || *p == '-')) ++p;
    if (!digits()) return false;
  }
  return p == end;
}

}  // namespace weir::event::json
