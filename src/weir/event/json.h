#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// JSON as weir reads it from strangers and from its own journal. simdjson's vectorised first stage finds where every
// token begins and checks UTF-8 and quotes; the walk over the tokens is ours, because we need what its upper layers
// do not give: the exact text of numbers of any size, the span of each value, half a surrogate pair replaced instead
// of refused, any depth without recursion, and limits that cost one value and not the document.
namespace weir::event::json {

// Memory for texts that had to be rewritten. What it hands out stays in place until clear(). Confined to its owner.
class Arena {
 public:
  char* take(size_t bytes) {
    if (bytes > left_) refill(bytes);
    char* at = next_;
    next_ += bytes;
    left_ -= bytes;
    return at;
  }
  // Gives back the end of what was taken last.
  void give_back(size_t bytes) {
    next_ -= bytes;
    left_ += bytes;
  }
  // Forgets everything, keeps one block of the usual size.
  void clear();

 private:
  void refill(size_t bytes);

  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
};

// What a value may be at most before it is a breach.
struct Limits {
  uint32_t keys_max = 255;  // of one object
  uint32_t depth_max = 8;   // a value without brackets has depth 0, {} and [] have 1
  uint32_t number_bytes_max = 256;
};

// How a value that is JSON is not within Limits, or has two equal keys in one object; and where.
struct Breach {
  enum class Kind : uint8_t { none, keys, depth, number, repeated_key };
  Kind kind = Kind::none;
  size_t at = 0;
  std::string_view key;  // the repeated key, as written between its quotes
  explicit operator bool() const { return kind != Kind::none; }
};

// One value as it stands in the text.
struct Value {
  std::string_view text;  // from its first byte to its last
  uint32_t first = 0;     // its tokens: [first, last)
  uint32_t last = 0;
  bool plain = true;  // no space between tokens and no escape: the text is its own shortest form
  char type() const { return text.front(); }  // one of { [ " t f n - 0-9
  bool is_string() const { return type() == '"'; }
  bool is_object() const { return type() == '{'; }
  bool is_null() const { return type() == 'n'; }
  bool is_number() const { return type() == '-' || (type() >= '0' && type() <= '9'); }
};

// Walks over one JSON text, or several one behind the other. Confined to one thread; keeps its buffers.
class Reader {
 public:
  enum class Scan : uint8_t { ok, empty, open_string, control_character, bad_utf8, too_long };

  Reader();
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Finds the tokens of `text`, which must outlive the walk. `ok` says: valid UTF-8, every string closed, no control
  // character inside strings. Whether the tokens make up JSON is for the walk to find out.
  Scan scan(std::string_view text);

  // The walk. Tokens are one of {}[]:, or a whole string with its quotes, or a run of other bytes.
  bool more() const { return at_ != end_; }
  char peek() const { return at_ != end_ ? base_[indexes_[at_]] : '\0'; }
  size_t offset() const { return offset_of(at_); }
  uint32_t position() const { return at_; }
  void seek(uint32_t position) { at_ = position; }
  // Ends the walk before the first token at or behind `offset`.
  void narrow(size_t offset);
  // Goes on behind that end.
  void widen() {
    at_ = end_;
    end_ = count_;
  }
  bool take(char structural) {
    if (peek() != structural) return false;
    ++at_;
    return true;
  }
  // Reads "key": and answers the key between its quotes, as written. False: a flaw.
  bool key(std::string_view& key, bool& escaped);
  // Reads a value and checks its grammar to the last byte. False: a flaw.
  bool value(Value& value);
  // The same, and keeps the first breach of the limits, and of the rule that keys of one object differ.
  bool value(Value& value, const Limits& limits, Breach& breach);

  // What broke the grammar, and where.
  const char* flaw() const { return flaw_; }
  size_t flaw_at() const { return flaw_at_; }
  bool fail(const char* what);

  // Ends the walk and gives back what an unusually long or deep text has made large.
  void shrink();

  // Appends the value's shortest form.
  void append_minified(const Value& value, std::string& out) const;

 private:
  struct Stage;
  struct SeenKey {
    uint64_t hash;
    std::string_view text;
  };
  template <bool kLimited>
  bool walk(Value& value, const Limits& limits, Breach& breach);
  bool scalar(std::string_view token);
  bool check_string(std::string_view token, bool& escaped);
  void check_key(std::string_view key, bool escaped, const Limits& limits, Breach& breach, size_t at);
  size_t offset_of(uint32_t token) const { return token < count_ ? indexes_[token] : text_.size(); }
  std::string_view token(uint32_t i) const;

  std::unique_ptr<Stage> stage_;
  std::string_view text_;
  const char* base_ = nullptr;
  const uint32_t* indexes_ = nullptr;
  uint32_t at_ = 0;
  uint32_t end_ = 0;
  uint32_t count_ = 0;
  const char* flaw_ = nullptr;
  size_t flaw_at_ = 0;
  std::string brackets_;             // open brackets of the value being walked
  std::vector<SeenKey> keys_;        // keys of the open objects, innermost last
  std::vector<uint32_t> keys_from_;  // where each open object's keys begin
  Arena unescaped_;
};

// The text between a string token's quotes with its escapes undone: a view into the token if there are none, else
// into the arena. Half a surrogate pair becomes U+FFFD. The token has passed Reader::value or key.
std::string_view text_of(std::string_view inside_quotes, bool escaped, Arena& arena);

// Where a text that scan() refused is at fault: the control character, or the quote that is never closed.
size_t flaw_of_quotes(std::string_view text);

// Overwrites every byte that is not part of valid UTF-8 with '?', and notes where. No other byte changes.
void replace_invalid_utf8(std::string& text, std::vector<uint32_t>& at);

bool is_number(std::string_view text);

}  // namespace weir::event::json
