#include "weir/event/json.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "weir/event/key_table.h"

namespace weir::event::json {
namespace {

// The value that the text is, in its shortest form; or what is wrong and where.
std::string minified(std::string_view text) {
  static Reader reader;
  if (reader.scan(text) != Reader::Scan::ok) return "unscanned";
  Value value;
  if (!reader.value(value)) return std::string(reader.flaw()) + " at " + std::to_string(reader.flaw_at());
  if (reader.more()) return "more at " + std::to_string(reader.offset());
  std::string out;
  reader.append_minified(value, out);
  if (value.plain && value.text != out) return "not plain";
  return out;
}

Breach::Kind breach_of(std::string_view text, const Limits& limits = {}) {
  Reader reader;
  EXPECT_EQ(reader.scan(text), Reader::Scan::ok);
  Value value;
  Breach breach;
  EXPECT_TRUE(reader.value(value, limits, breach)) << text;
  return breach.kind;
}

TEST(JsonReader, ScanTellsWhatIsWrongWithTheBytes) {
  Reader reader;
  EXPECT_EQ(reader.scan(""), Reader::Scan::empty);
  EXPECT_EQ(reader.scan(" \n\t\r"), Reader::Scan::empty);
  EXPECT_EQ(reader.scan("\"abc"), Reader::Scan::open_string);
  EXPECT_EQ(reader.scan("\"a\nc\""), Reader::Scan::control_character);
  EXPECT_EQ(reader.scan("\"a\xff\""), Reader::Scan::bad_utf8);
  EXPECT_EQ(reader.scan("{}"), Reader::Scan::ok);
}

TEST(JsonReader, MinifiesEveryValue) {
  const std::pair<std::string, std::string> cases[] = {
      {"{}", "{}"},
      {"[ ]", "[]"},
      {" { \"a\" : [ 1 , { } , \"x y\" ] , \"b\" : null } ", R"({"a":[1,{},"x y"],"b":null})"},
      {"\"\\u0041\\/\\u001f\"", "\"A/\\u001f\""},
      {"-0.0e+10", "-0.0e+10"},
      {"true", "true"},
      {"\t7\n", "7"},
      {R"({"k\n":"\\"})", R"({"k\n":"\\"})"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(minified(text), expected) << text;
}

TEST(JsonReader, FindsFlaws) {
  const std::pair<std::string, std::string> cases[] = {
      {"{", "it ends too early at 1"},
      {"[1", "it ends too early at 2"},
      {"[1,", "it ends too early at 3"},
      {"[1 2]", "expected ',' or ']' at 3"},
      {"{\"a\"}", "expected ':' at 4"},
      {"{\"a\":1 \"b\":2}", "expected ',' or '}' at 7"},
      {"{1:2}", "expected a key at 1"},
      {"[}", "expected a value at 1"},
      {"{]", "expected a key at 1"},
      {"truex", "not a value at 0"},
      {"nul", "not a value at 0"},
      {"-", "not a value at 0"},
      {"\"\\q\"", "a string with an unknown escape at 0"},
      {"{} {}", "more at 3"},
      {"1 2", "more at 2"},
      {"\"a\"b", "more at 3"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(minified(text), expected) << text;
}

TEST(JsonReader, PlainIsOnlyWhatNeedsNoRewriting) {
  Reader reader;
  const std::pair<std::string, bool> cases[] = {
      {R"({"a":[1,2,"x"]})", true}, {R"({"a": 1})", false}, {R"(["\n"])", false}, {R"({"a\t":1})", false},
      {R"("x y")", true},           {R"([ ])", false},      {"  5  ", true},
  };
  for (const auto& [text, plain] : cases) {
    ASSERT_EQ(reader.scan(text), Reader::Scan::ok);
    Value value;
    ASSERT_TRUE(reader.value(value));
    EXPECT_EQ(value.plain, plain) << text;
  }
}

TEST(JsonReader, HoldsLimits) {
  EXPECT_EQ(breach_of("1", {.depth_max = 0}), Breach::Kind::none);
  EXPECT_EQ(breach_of("[]", {.depth_max = 0}), Breach::Kind::depth);
  EXPECT_EQ(breach_of("[{\"a\":[]}]", {.depth_max = 3}), Breach::Kind::none);
  EXPECT_EQ(breach_of("[{\"a\":[[]]}]", {.depth_max = 3}), Breach::Kind::depth);
  EXPECT_EQ(breach_of(R"({"a":1,"b":{"a":1,"b":2}})", {.keys_max = 2}), Breach::Kind::none);
  EXPECT_EQ(breach_of(R"([{"a":1,"b":2,"c":3}])", {.keys_max = 2}), Breach::Kind::keys);
  EXPECT_EQ(breach_of("[12345]", {.number_bytes_max = 5}), Breach::Kind::none);
  EXPECT_EQ(breach_of("[123456]", {.number_bytes_max = 5}), Breach::Kind::number);
  EXPECT_EQ(breach_of(R"({"a":{"b":1},"c":{"b":1},"b":1})"), Breach::Kind::none);
  EXPECT_EQ(breach_of(R"({"a":{"b":1,"x":{"b":1},"b":2}})"), Breach::Kind::repeated_key);
  EXPECT_EQ(breach_of(R"({"a":1,"\u0061":1})"), Breach::Kind::repeated_key);
  EXPECT_EQ(breach_of(R"({"":1,"":1})"), Breach::Kind::repeated_key);
}

TEST(JsonReader, ABreachDoesNotHideAFlaw) {
  Reader reader;
  ASSERT_EQ(reader.scan(R"({"a":1,"a":1,"b":[}])"), Reader::Scan::ok);
  Value value;
  Breach breach;
  EXPECT_FALSE(reader.value(value, Limits{}, breach));
}

TEST(JsonReader, WalksSeveralTextsAndParts) {
  Reader reader;
  std::string text = "{\"a\":1}\n[2]\n\n3";
  ASSERT_EQ(reader.scan(text), Reader::Scan::ok);
  std::vector<std::string> parts;
  for (size_t end : {text.find('\n'), text.find(']') + 1, text.size()}) {
    reader.narrow(end);
    Value value;
    ASSERT_TRUE(reader.value(value)) << reader.flaw();
    EXPECT_FALSE(reader.more());
    parts.emplace_back(value.text);
    reader.widen();
  }
  EXPECT_EQ(parts, (std::vector<std::string>{"{\"a\":1}", "[2]", "3"}));
  // What a broken part leaves is skipped.
  ASSERT_EQ(reader.scan("[1\n[2]"), Reader::Scan::ok);
  reader.narrow(2);
  Value value;
  EXPECT_FALSE(reader.value(value));
  reader.widen();
  EXPECT_TRUE(reader.value(value));
  EXPECT_EQ(value.text, "[2]");
}

TEST(JsonReader, AnyLengthOfText) {
  Reader reader;
  for (size_t length : {1U, 31U, 32U, 33U, 63U, 64U, 65U, 127U, 128U, 129U, 1000U, 300'000U}) {
    // Exactly as long as its memory, so that a sanitizer sees a byte read too far.
    std::vector<char> text(length, ' ');
    text[length - 1] = '7';
    ASSERT_EQ(reader.scan({text.data(), text.size()}), Reader::Scan::ok);
    Value value;
    ASSERT_TRUE(reader.value(value));
    EXPECT_EQ(value.text, "7");
    reader.shrink();
    EXPECT_FALSE(reader.more());
  }
}

TEST(JsonText, UndoesEscapes) {
  Arena arena;
  EXPECT_EQ(text_of("plain", false, arena), "plain");
  EXPECT_EQ(text_of(R"(a\"\\\/\b\f\n\r\tz)", true, arena), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(text_of(R"(\u00e4\u20AC\ud83d\ude00)", true, arena), "ä€😀");
  EXPECT_EQ(text_of(R"(\ud83d)", true, arena), "\xef\xbf\xbd");
  EXPECT_EQ(text_of(R"(\ude00\ud83d)", true, arena), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(text_of(R"(\ud83d\ud83d\ude00)", true, arena), "\xef\xbf\xbd😀");
  EXPECT_EQ(text_of(R"(\ud83d\n)", true, arena), "\xef\xbf\xbd\n");
  EXPECT_EQ(text_of(R"(\ud83dxxxxxx)", true, arena), "\xef\xbf\xbdxxxxxx");
  EXPECT_EQ(text_of(R"(\u0000)", true, arena), std::string_view("\0", 1));
}

TEST(JsonText, StaysInPlaceUntilTheArenaIsCleared) {
  Arena arena;
  std::vector<std::string_view> texts;
  texts.reserve(5000);
  for (int i = 0; i < 5000; ++i) texts.push_back(text_of("\\u0041" + std::to_string(i % 10), true, arena));
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(texts[static_cast<size_t>(i)], "A" + std::to_string(i % 10));
  arena.clear();
  std::string large(100'000, 'x');
  EXPECT_EQ(text_of(large + "\\n", true, arena).size(), 100'001U);
}

TEST(InvalidUtf8, OnlyWhatIsInvalidIsReplaced) {
  struct Case {
    std::string text;
    std::string repaired;
    std::vector<uint32_t> at;
  };
  const Case cases[] = {
      {"aä€😀", "aä€😀", {}},
      {"a\xff"
       "b",
       "a?b",
       {1}},
      {"\xc3", "?", {0}},
      {"\xc3(", "?(", {0}},
      {"\xe2\x82", "??", {0, 1}},
      {"\xe2\x82\"", "??\"", {0, 1}},
      {"\xc0\xaf", "??", {0, 1}},
      {"\xe0\x80\x80", "???", {0, 1, 2}},
      {"\xed\xa0\x80", "???", {0, 1, 2}},
      {"\xf4\x90\x80\x80", "????", {0, 1, 2, 3}},
      {"\xf0\x8f\xbf\xbf", "????", {0, 1, 2, 3}},
      {"\x80x\xbf", "?x?", {0, 2}},
      {"\xf0\x9f\x98\x80\xf0\x9f\x98", "😀???", {4, 5, 6}},
  };
  for (const Case& c : cases) {
    std::string text = c.text;
    std::vector<uint32_t> at;
    replace_invalid_utf8(text, at);
    EXPECT_EQ(text, c.repaired);
    EXPECT_EQ(at, c.at) << c.repaired;
  }
}

TEST(KeyTable, FindsItsNamesAndNothingElse) {
  constexpr KeyTable<5> table{{"a", "ab", "user_id", "client_time", "client_session_id"}};
  EXPECT_EQ(table.find("a"), 0U);
  EXPECT_EQ(table.find("ab"), 1U);
  EXPECT_EQ(table.find("user_id"), 2U);
  EXPECT_EQ(table.find("client_session_id"), 4U);
  for (auto other : {"", "b", "A", "abc", "user_ie", "user_id_", "client_time ", "client_session_ie"}) {
    EXPECT_EQ(table.find(other), 5U) << other;
  }
}

}  // namespace
}  // namespace weir::event::json
