#include "weir/collect/native.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "weir/event/record.h"

namespace weir::collect {
namespace {

using ::testing::HasSubstr;

// What a sink got, copied.
struct Got {
  std::map<size_t, std::string> records;  // of the event as sent: stamped with project 1 and time 0
  std::map<size_t, SentEvent> sent;       // only for what is no text
  std::map<size_t, Error> rejected;
  std::map<size_t, std::string> apps, ips, agents;
  Result<Shape> shape = Shape::one;

  std::string only_error() const {
    return rejected.size() == 1 ? rejected.begin()->second.message : std::to_string(rejected.size()) + " errors";
  }
};

class CopyingSink final : public EventSink {
 public:
  explicit CopyingSink(Got& got) : got_(got) {}
  bool take(const SentEvent& sent) override {
    event::Event e = sent.event;
    e.project_id = ProjectId{1};
    std::string record;
    event::append_record(e, record);
    got_.records[sent.index] = record;
    got_.sent[sent.index] = sent;
    got_.apps[sent.index] = sent.app;
    got_.ips[sent.index] = sent.ip;
    got_.agents[sent.index] = sent.user_agent;
    return true;
  }
  bool reject(size_t index, Error error) override {
    got_.rejected[index] = std::move(error);
    return true;
  }

 private:
  Got& got_;
};

Got decode(std::string_view body, NativeRules rules = {}) {
  static NativeDecoder decoder;  // one for all tests: what one body leaves behind must not reach the next
  Got got;
  CopyingSink sink(got);
  got.shape = decoder.decode(body, rules, sink);
  return got;
}

// The record of an event that must be good.
std::string record_of(std::string_view body, NativeRules rules = {}) {
  Got got = decode(body, rules);
  if (!got.shape) return "refused: " + got.shape.error().message;
  if (got.records.size() != 1) return "rejected: " + got.only_error();
  return got.records[0];
}

// What of the record is not the same for every event.
std::string fields_of(std::string_view body, NativeRules rules = {}) {
  std::string record = record_of(body, rules);
  std::string_view front = R"({"v":1,"kind":"event","project_id":"1","name":"t","received_at":0,)";
  if (!record.starts_with(front)) return record;
  std::string rest = record.substr(front.size());
  for (std::string_view constant : {R"("time":0,"time_rule":"received",)", R"("time":0,"time_rule":"received")"}) {
    size_t at = rest.find(constant);
    if (at != std::string::npos) return rest.erase(at, constant.size());
  }
  return rest;
}

std::string event_with(std::string_view fields) { return R"({"type":"t",)" + std::string(fields) + "}"; }
std::string text(size_t bytes) { return std::string(bytes, 'x'); }

TEST(NativeBody, OneObjectIsOne) {
  Got got = decode(R"( {"type":"t"}  )");
  EXPECT_EQ(*got.shape, Shape::one);
  EXPECT_EQ(got.records.size(), 1U);
  EXPECT_TRUE(got.sent[0].alone);
}

TEST(NativeBody, AnArrayOfOneIsMany) {
  Got got = decode(R"([{"type":"t"}])");
  EXPECT_EQ(*got.shape, Shape::many);
  EXPECT_EQ(got.records.size(), 1U);
}

TEST(NativeBody, LinesAreSeenByTheirContent) {
  for (std::string_view body :
       {"{\"type\":\"t\"}\n{\"type\":\"t\"}", "{\"type\":\"t\"}\r\n{\"type\":\"t\"}\r\n",
        "\n\n{\"type\":\"t\"}\n  \n\t{\"type\":\"t\"}\n\n", "\xef\xbb\xbf{\"type\":\"t\"}\n{\"type\":\"t\"}"}) {
    Got got = decode(body);
    ASSERT_TRUE(got.shape) << got.shape.error().message;
    EXPECT_EQ(*got.shape, Shape::many) << body;
    EXPECT_EQ(got.records.size(), 2U) << body;
  }
}

TEST(NativeBody, ALineOfOneIsManyWhenTheTypeSaysLines) {
  NativeRules rules;
  rules.lines = true;
  EXPECT_EQ(*decode(R"({"type":"t"})", rules).shape, Shape::many);
  EXPECT_EQ(*decode("{\"type\":\"t\"}\n", rules).shape, Shape::many);
}

TEST(NativeBody, APrettyPrintedObjectIsOne) {
  Got got = decode(
      "{\n  \"type\": \"t\",\n  \"details\": {\n    \"list\": [\n      {\n \"a\": 1\n }\n,\n{\"b\":2}]\n  }\n}\n");
  ASSERT_TRUE(got.shape) << got.shape.error().message;
  EXPECT_EQ(*got.shape, Shape::one);
  EXPECT_THAT(got.records[0], HasSubstr(R"("properties":{"list":[{"a":1},{"b":2}]})"));
}

TEST(NativeBody, AnArrayUnderTheTypeOfLinesIsAnArray) {
  NativeRules rules;
  rules.lines = true;
  EXPECT_EQ(decode("[{\"type\":\"t\"},\n{\"type\":\"t\"}]", rules).records.size(), 2U);
  Got got = decode("[1,2\n{\"type\":\"t\"}", rules);
  ASSERT_TRUE(got.shape);
  EXPECT_EQ(got.records.size(), 1U);
  EXPECT_THAT(got.only_error(), HasSubstr("event 0, byte 4: not JSON: it ends too early"));
}

TEST(NativeBody, AnEmptyOneIsRefusedAndAnEmptyArrayIsNot) {
  for (std::string_view body : {"", " ", "\r\n\t ", "\xef\xbb\xbf"}) {
    Got got = decode(body);
    ASSERT_FALSE(got.shape);
    EXPECT_EQ(got.shape.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(got.shape.error().message, HasSubstr("empty"));
  }
  EXPECT_EQ(*decode("[ ]").shape, Shape::many);
}

TEST(NativeBody, ASyntaxErrorIsAboutTheWhole) {
  struct Case {
    std::string body;
    std::string message;
  };
  const Case cases[] = {
      {R"({"type":"t")", "byte 11: not JSON: it ends too early"},
      {R"({"type":"t",})", "byte 12: not JSON: expected a key"},
      {R"({"type" "t"})", "byte 8: not JSON: expected ':'"},
      {R"({"type":})", "byte 8: not JSON: expected a value"},
      {R"({"type":tru})", "byte 8: not JSON: not a value"},
      {R"({"type":"t","a":01})", "byte 16: not JSON: not a value"},
      {R"({"type":"t","a":+1})", "byte 16: not JSON"},
      {R"({"type":"t","a":1.})", "byte 16: not JSON"},
      {R"({"type":"t","a":.5})", "byte 16: not JSON"},
      {R"({"type":"t","a":1e})", "byte 16: not JSON"},
      {R"({"type":"t","a":NaN})", "byte 16: not JSON"},
      {R"({"type":"t","a":0x10})", "byte 16: not JSON"},
      {R"({"type":"t","a":"\x"})", "byte 16: not JSON: a string with an unknown escape"},
      {R"({"type":"t","a":"\u12g4"})", "byte 16: not JSON: a string with an unknown escape"},
      {R"({"type":"t","a":"\u123"})", "byte 16: not JSON: a string with an unknown escape"},
      {R"({'type':'t'})", "byte 1: not JSON: expected a key"},
      {R"({type:"t"})", "byte 1: not JSON: expected a key"},
      {"{\"type\":\"t\x01\"}", "byte 10: not JSON: a control character in a string"},
      {"{\"type\":\"t\n\"}", "byte 10: not JSON: a control character in a string"},
      {R"({"type":"t)", "byte 8: not JSON: a string without an end"},
      {R"({"type":"t"}})", "byte 12: not JSON: something behind its end"},
      {R"({"type":"t"} {"type":"t"})", "byte 13: not JSON: something behind its end"},
      {R"({"type":"t"}x)", "byte 12: not JSON: something behind its end"},
      {R"([{"type":"t"},])", "byte 14: not JSON: expected a value"},
      {R"([{"type":"t"} {"type":"t"}])", "byte 14: not JSON: expected ',' or ']'"},
      {R"([{"type":"t"}]])", "byte 14: not JSON: something behind its end"},
      {R"([{"type":"t"})", "byte 13: not JSON: it ends too early"},
      {R"([{"type":"t"},{"type":"t","x":[1,]}])", "byte 33: not JSON: expected a value"},
      {R"([{"type":5,"x":[}]}])", "byte 16: not JSON: expected a value"},
      {R"(hello)", "byte 0: not JSON: not a value"},
      {R"(})", "byte 0: not JSON: expected a value"},
      {"\xef\xbb\xbf{\"type\"}", "byte 10: not JSON: expected ':'"},
      {std::string("{\"type\":\"t\"}\0", 13), "byte 12: not JSON: something behind its end"},
      {"{\"type\":\"t\",\"a\":1\"x\"}", "byte 16: not JSON"},
      {"{\"type\":\"t\",\"a\":\"x\"\"y\"}", "byte 19: not JSON: expected ',' or '}'"},
  };
  for (const Case& c : cases) {
    Got got = decode(c.body);
    ASSERT_FALSE(got.shape) << c.body;
    EXPECT_EQ(got.shape.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(got.shape.error().message, HasSubstr(c.message)) << c.body;
  }
}

TEST(NativeBody, WhatIsNoObjectIsRejected) {
  for (std::string_view body : {"5", "\"text\"", "null", "true"}) {
    Got got = decode(body);
    ASSERT_TRUE(got.shape) << body;
    EXPECT_EQ(*got.shape, Shape::one);
    EXPECT_THAT(got.only_error(), HasSubstr("byte 0: an event must be an object, not ")) << body;
  }
  Got got = decode(R"([{"type":"t"},7,[],[[{}]],{"type":"t"}])");
  EXPECT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.rejected.size(), 3U);
  EXPECT_EQ(got.rejected[1].message, "event 1, byte 14: an event must be an object, not a number");
  EXPECT_EQ(got.rejected[3].message, "event 3, byte 19: an event must be an object, not an array");
}

TEST(NativeLines, ASyntaxErrorCostsItsLineOnly) {
  const std::string good = R"({"type":"t"})";
  for (const char* bad :
       {R"({"type":"t")", R"({"type":"t)", R"({"type":"t","x":[1,2})", "garbage", "\"", "{\"type\":\"a\x01\"}",
        R"({"type":"t"} {"type":"u"})", "[", "]", R"({"type":"t"}})", R"({"type":"t\)", R"({"type":"\x"})"}) {
    for (bool declared : {true, false}) {
      NativeRules rules;
      rules.lines = declared;
      Got got = decode(good + "\n" + bad + "\n" + good + "\n" + good, rules);
      ASSERT_TRUE(got.shape) << bad << ": " << got.shape.error().message;
      EXPECT_EQ(got.records.size(), 3U) << bad;
      ASSERT_EQ(got.rejected.size(), 1U) << bad;
      EXPECT_THAT(got.rejected[1].message, HasSubstr("event 1, byte ")) << bad;
      EXPECT_THAT(got.rejected[1].message, HasSubstr(": not JSON: ")) << bad;
    }
  }
}

TEST(NativeLines, ABrokenFirstLineCostsItselfOnly) {
  Got got = decode("{\"type\":\"t\"\n{\"type\":\"t\"}\n{\"type\":\"t\"}\n");
  ASSERT_TRUE(got.shape) << got.shape.error().message;
  EXPECT_EQ(got.records.size(), 2U);
  EXPECT_EQ(got.rejected[0].message, "event 0, byte 11: not JSON: it ends too early");
}

TEST(NativeLines, PositionsCountInTheWholeBody) {
  Got got = decode("\xef\xbb\xbf{\"type\":\"t\"}\n\n{\"type\":5}\n{\"type\":\"open}\n");
  ASSERT_TRUE(got.shape);
  EXPECT_EQ(got.rejected[1].message, "event 1, byte 18: `type`: must be a string, not a number");
  EXPECT_EQ(got.rejected[2].message, "event 2, byte 36: not JSON: a string without an end");
}

struct Accepted {
  std::string fields;  // of the event
  std::string record;  // fields of the record
};

TEST(NativeField, GoodOnesArriveInTheRecord) {
  const Accepted cases[] = {
      {R"("user_id":"1")", R"("user_id":"1"})"},
      {R"("user_id":1)", R"("user_id":"1"})"},
      {R"("user_id":9223372036854775807)", R"("user_id":"9223372036854775807"})"},
      {R"("user_id":9223372036854775808)", R"("user_id":"9223372036854775808"})"},
      {R"("user_id":-7)", R"("user_id":"-7"})"},
      {R"("user_id":1.5e3)", R"("user_id":"1.5e3"})"},
      {R"("user_id":")" + text(200) + "\"", R"("user_id":")" + text(200) + "\"}"},
      {R"("user_id":null)", "}"},
      {R"("user_id":"")", "}"},
      {R"("session_id":"FaAa31")", R"("client_session_id":"FaAa31"})"},
      {R"("session_id":")" + text(200) + "\"", R"("client_session_id":")" + text(200) + "\"}"},
      {R"("anonymous_id":"a")", R"("anonymous_id":"a"})"},
      {R"("locale":"de-DE")", R"("locale":"de-DE"})"},
      {R"("path":"/a b")", R"("path":"/a b"})"},
      {R"("appVersion":"1.0")", R"("app_version":"1.0"})"},
      {R"("referrer":"https://r.example/")", R"("referrer":"https://r.example/"})"},
      {R"("title":"T")", R"("title":"T"})"},
      {R"("screen":"1x1")", R"("screen":"1x1"})"},
      {R"("id":"d")", R"("id":"d","id_given":true)"},
      {R"("sdk":"weir-js/1")", R"("sdk":"weir-js/1"})"},
      {R"("url":"https://Example.COM:8443/a/b?utm_source=x#f")",
       R"("url":"https://Example.COM:8443/a/b?utm_source=x#f","hostname":"example.com","path":"/a/b"})"},
      {R"("url":"https://example.com")", R"("url":"https://example.com","hostname":"example.com","path":"/"})"},
      {R"("url":"https://example.com/u","path":"/explicit")",
       R"("url":"https://example.com/u","hostname":"example.com","path":"/explicit"})"},
      {R"("path":"/explicit","url":"https://example.com/u")",
       R"("url":"https://example.com/u","hostname":"example.com","path":"/explicit"})"},
      {R"("url":"/only/path?q")", R"("url":"/only/path?q","path":"/only/path"})"},
      {R"("details":{})", "}"},
      {R"("details":{"a":"x","n":1,"f":1.50,"t":true,"z":null,"o":{"l":[1,{}]}})",
       R"("properties":{"a":"x","n":1,"f":1.50,"t":true,"z":null,"o":{"l":[1,{}]}}})"},
      {R"("details": { "a" : [ 1 , 2 ] ,	"b" : "x y" } )", R"("properties":{"a":[1,2],"b":"x y"}})"},
      {R"("details":{"big":123456789012345678901234567890.5e-7,"huge":1e999})",
       R"("properties":{"big":123456789012345678901234567890.5e-7,"huge":1e999}})"},
      {R"("details":{"\u0061":"\u00e4\/\u0000\n\ud83d\ude00"})", R"("properties":{"a":"ä/\u0000\n😀"}})"},
      {R"("details":{"lone":"\ud800","low":"x\udc00y","pair":"\ud800\ud800\udc00"})",
       "\"properties\":{\"lone\":\"\xef\xbf\xbd\",\"low\":\"x\xef\xbf\xbdy\",\"pair\":\"\xef\xbf\xbd\xf0\x90\x80\x80\"}"
       "}"},
      {R"("title":"\ud800x")", "\"title\":\"\xef\xbf\xbdx\"}"},
      {R"("title":"a\u0000b")", R"("title":"a\u0000b"})"},
      {R"("title":"\"\\\b\f\n\r\t\/")", R"("title":"\"\\\b\f\n\r\t/"})"},
      {R"("set":{"plan":"pro"},"set_once":{"a":1},"groups":{"company":"x"})",
       R"("set":{"plan":"pro"},"set_once":{"a":1},"groups":{"company":"x"}})"},
      {R"("revenue":{"amount":"12.50","currency":"EUR"})", R"("revenue":{"amount":"12.50","currency":"EUR"}})"},
      {R"("revenue":{"currency":"USD","amount":1e2})", R"("revenue":{"amount":"100","currency":"USD"}})"},
      {R"("revenue":{"amount":-0.50,"currency":"JPY"})", R"("revenue":{"amount":"-0.50","currency":"JPY"}})"},
      {R"("revenue":{"amount":1,"currency":"EUR","tax":{"a":1}})",
       R"("revenue":{"amount":"1","currency":"EUR"},"native.revenue":{"amount":1,"currency":"EUR","tax":{"a":1}}})"},
      {R"("colour":"red","deep":{"a":[1]},"n":1)", R"("colour":"red","deep":{"a":[1]},"n":1})"},
      {R"("k\"ey" : [ 1 ])", R"("k\"ey":[1]})"},
      {R"("name":"x","project_id":"7","visitor":"9","v":2)",
       R"("native.name":"x","native.project_id":"7","native.visitor":"9","native.v":2})"},
      {R"("ty\u0070e2":1)", R"("type2":1})"},
      {R"("user_\u0069d":"1")", R"("user_id":"1"})"},
  };
  for (const Accepted& c : cases) {
    std::string fields = fields_of(event_with(c.fields));
    std::string expected = c.record;
    if (expected.starts_with(R"("id")")) {  // stands before the name
      EXPECT_THAT(record_of(event_with(c.fields)), HasSubstr(c.record)) << c.fields;
      continue;
    }
    EXPECT_EQ(fields, expected) << c.fields;
    // The same event between others is the same.
    Got many = decode("[" + event_with(R"("title":"before")") + "," + event_with(c.fields) + "," +
                      event_with(R"("details":{"x": 1})") + "]");
    ASSERT_TRUE(many.shape);
    EXPECT_EQ(many.records.size(), 3U) << c.fields;
    EXPECT_EQ(many.records[1], record_of(event_with(c.fields)));
  }
}

struct Bad {
  std::string fields;   // of an event that has a type already, unless they begin with `{`
  std::string message;  // behind the place
  ErrorCode code = ErrorCode::kBadInput;
};

std::string keys(size_t count) {
  std::string out = "{";
  for (size_t i = 0; i < count; ++i) out += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":1";
  return out + "}";
}
std::string nested(size_t depth) {
  std::string out;
  for (size_t i = 0; i < depth; ++i) out += R"({"a":)";
  return out + "1" + std::string(depth, '}');
}

std::vector<Bad> bad_events() {
  std::vector<Bad> cases = {
      {"{}", "`type`: missing"},
      {R"({"user_id":"1"})", "`type`: missing"},
      {R"({"type":""})", "`type`: empty"},
      {R"({"type":null})", "`type`: empty"},
      {R"({"type":5})", "`type`: must be a string, not a number"},
      {R"({"type":{}})", "`type`: must be a string, not an object"},
      {R"({"type":")" + text(201) + "\"}", "`type`: 201 bytes: more than 200: \"" + text(64) + "\"..."},
      {R"({"type":"t","type":"u"})", "`type`: given twice"},
      {R"({"type":"t","typ\u0065":"u"})", "`type`: given twice"},
      {R"("user_id":true)", "`user_id`: must be a string or a number, not true or false"},
      {R"("user_id":["1"])", "`user_id`: must be a string or a number, not an array"},
      {R"("user_id":")" + text(201) + "\"", "`user_id`: 201 bytes: more than 200"},
      {R"("user_id":)" + std::string(201, '1'), "`user_id`: 201 bytes: more than 200"},
      {R"("session_id":5)", "`session_id`: must be a string, not a number"},
      {R"("session_id":")" + text(201) + "\"", "`session_id`: 201 bytes: more than 200"},
      {R"("anonymous_id":")" + text(201) + "\"", "`anonymous_id`: 201 bytes: more than 200"},
      {R"("timestamp":"yesterday")", "`timestamp`: not a time: \"yesterday\""},
      {R"("timestamp":"")", "`timestamp`: not a time: \"\""},
      {R"("timestamp":true)", "`timestamp`: must be a string or a number, not true or false"},
      {R"("timestamp":"2024-02-30T00:00:00")", "`timestamp`: not a time"},
      {R"("timestamp":"2024-04-17")", "`timestamp`: not a time"},
      {R"("timestamp":"1713326652000")", "`timestamp`: not a time"},
      {R"("sent_at":"soon")", "`sent_at`: not a time: \"soon\""},
      {R"("sent_at":[])", "`sent_at`: must be a string or a number, not an array"},
      {R"("locale":5)", "`locale`: must be a string, not a number"},
      {R"("path":5)", "`path`: must be a string, not a number"},
      {R"("appVersion":5)", "`appVersion`: must be a string, not a number"},
      {R"("url":5)", "`url`: must be a string, not a number"},
      {R"("referrer":5)", "`referrer`: must be a string, not a number"},
      {R"("title":5)", "`title`: must be a string, not a number"},
      {R"("screen":5)", "`screen`: must be a string, not a number"},
      {R"("locale":")" + text(201) + "\"", "`locale`: 201 bytes: more than 200"},
      {R"("path":")" + text(8193) + "\"", "`path`: 8193 bytes: more than 8192"},
      {R"("appVersion":")" + text(201) + "\"", "`appVersion`: 201 bytes: more than 200"},
      {R"("url":")" + text(8193) + "\"", "`url`: 8193 bytes: more than 8192"},
      {R"("referrer":")" + text(8193) + "\"", "`referrer`: 8193 bytes: more than 8192"},
      {R"("title":")" + text(4097) + "\"", "`title`: 4097 bytes: more than 4096"},
      {R"("screen":")" + text(201) + "\"", "`screen`: 201 bytes: more than 200"},
      {R"("id":5)", "`id`: must be a string, not a number"},
      {R"("id":")" + text(101) + "\"", "`id`: 101 bytes: more than 100"},
      {R"("kind":"party")", "`kind`: not a kind: \"party\""},
      {R"("kind":5)", "`kind`: must be a string, not a number"},
      {R"("details":5)", "`details`: must be an object, not a number"},
      {R"("details":"{}")", "`details`: must be an object, not a string"},
      {R"("details":[1])", "`details`: must be an object, not an array"},
      {R"("details":)" + keys(256), "`details`: an object with more than 255 keys"},
      {R"("details":{"o":)" + keys(256) + "}", "`details`: an object with more than 255 keys"},
      {R"("details":)" + nested(9), "`details`: nested deeper than 8"},
      {R"("details":{"a":[[[[[[[[1]]]]]]]]})", "`details`: nested deeper than 8"},
      {R"("details":{"a":")" + text(32768) + "\"}", "`details`: 32776 bytes: more than 32768"},
      {R"("details":{"a":1,"a":2})", "`details`: a key given twice: \"a\""},
      {R"("details":{"o":{"x":1,"\u0078":2}})", "`details`: a key given twice: \"\\\\u0078\""},
      {R"("details":{"n":)" + std::string(257, '9') + "}", "`details`: a number of more than 256 digits"},
      {R"("set":5)", "`set`: must be an object, not a number"},
      {R"("groups":")" + text(5) + "\"", "`groups`: must be an object, not a string"},
      {R"("revenue":5)", "`revenue`: must be an object, not a number"},
      {R"("revenue":{})", "`revenue`: without `amount`"},
      {R"("revenue":{"amount":1})", "`revenue`: without `currency`"},
      {R"("revenue":{"currency":"EUR"})", "`revenue`: without `amount`"},
      {R"("revenue":{"amount":true,"currency":"EUR"})",
       "`revenue.amount`: must be a number or a string, not true or false"},
      {R"("revenue":{"amount":"1,5","currency":"EUR"})", "`revenue.amount`: not a decimal number"},
      {R"("revenue":{"amount":"1e2","currency":"EUR"})", "`revenue.amount`: not a decimal number"},
      {R"("revenue":{"amount":"","currency":"EUR"})", "`revenue.amount`: not a decimal number"},
      {R"("revenue":{"amount":1e12,"currency":"EUR"})", "`revenue.amount`: more than 12 digits before the point"},
      {R"("revenue":{"amount":1e-19,"currency":"EUR"})", "`revenue.amount`: more than 18 decimals"},
      {R"("revenue":{"amount":1,"currency":"eur"})", "`revenue.currency`: not a code of ISO 4217: \"eur\""},
      {R"("revenue":{"amount":1,"currency":"EURO"})", "`revenue.currency`: not a code of ISO 4217"},
      {R"("revenue":{"amount":1,"currency":"XYZ"})", "`revenue.currency`: not a code of ISO 4217"},
      {R"("revenue":{"amount":1,"currency":978})", "`revenue.currency`: must be a string, not a number"},
      {R"("revenue":{"amount":1,"amount":2,"currency":"EUR"})", "`revenue`: a key given twice: \"amount\""},
      {R"("ip":"1.2.3.4")", "`ip`: needs a key of scope capture", ErrorCode::kUnauthenticated},
      {R"("user_agent":"x")", "`user_agent`: needs a key of scope capture", ErrorCode::kUnauthenticated},
      {R"("app":5)", "`app`: must be a string, not a number"},
      {R"("sdk":")" + text(101) + "\"", "`sdk`: 101 bytes: more than 100"},
      {R"("mine":1,"mine":2)", "`mine`: given twice"},
      {R"("native.name":1,"name":2)", "`native.name`: given twice"},
      {R"("mine":)" + nested(9), "`mine`: nested deeper than 8"},
      {R"("mine":{"a":1,"a":2})", "`mine`: a key given twice: \"a\""},
      {R"("mine":")" + text(16384) + "\"", "more than 16384 bytes in unknown fields"},
      {"\"title\":\"\xff\"", "not UTF-8"},
      {"\"details\":{\"a\":\"x\xc3\"}", "not UTF-8"},
      {"\"details\":{\"\xed\xa0\x80\":1}", "not UTF-8"},
      {"\"\xf8\":1", "not UTF-8"},
      {"\"title\":\"\xc0\xaf\"", "not UTF-8"},
      {R"("details":{"a":")" + text(32000) + R"("},"set":{"a":")" + text(32000) + R"("},"title":")" + text(2000) + "\"",
       "an event of 66", ErrorCode::kTooLarge},
      {R"("details":)" + nested(5000), "`details`: nested deeper than 8"},
  };
  std::string many;
  for (int i = 0; i < 65; ++i) many += (i == 0 ? "\"u" : ",\"u") + std::to_string(i) + "\":1";
  cases.push_back({many, "more than 64 unknown fields"});
  return cases;
}

TEST(NativeField, BadOnesSayFieldAndPlaceAndCostNoNeighbour) {
  const std::string before = R"({"type":"before","details":{"a":[1,2],"b":"\u00e4"}})";
  const std::string after = R"({"type":"after","user_id":7})";
  for (const Bad& c : bad_events()) {
    std::string bad = c.fields.starts_with("{") ? c.fields : event_with(c.fields);
    std::string shown = bad.substr(0, 100);
    Got alone = decode(bad);
    ASSERT_TRUE(alone.shape) << shown << ": " << alone.shape.error().message;
    ASSERT_EQ(alone.rejected.size(), 1U) << shown;
    EXPECT_THAT(alone.rejected[0].message, ::testing::StartsWith("byte ")) << shown;
    EXPECT_THAT(alone.rejected[0].message, HasSubstr(": " + c.message)) << shown;
    EXPECT_EQ(alone.rejected[0].code, c.code) << shown;
    EXPECT_LT(alone.rejected[0].message.size(), 250U) << shown;

    for (const std::string& body : {"[" + before + "," + bad + "," + after + "]", before + "\n" + bad + "\n" + after}) {
      Got many = decode(body);
      ASSERT_TRUE(many.shape) << shown << ": " << many.shape.error().message;
      ASSERT_EQ(many.records.size(), 2U) << shown;
      EXPECT_THAT(many.records[0], HasSubstr(R"("properties":{"a":[1,2],"b":"ä"})"));
      EXPECT_THAT(many.records[2], HasSubstr(R"("user_id":"7")"));
      ASSERT_EQ(many.rejected.size(), 1U) << shown;
      EXPECT_THAT(many.rejected[1].message, HasSubstr("event 1, byte ")) << shown;
      EXPECT_THAT(many.rejected[1].message, HasSubstr(c.message)) << shown;
    }
  }
}

TEST(NativeField, AtTheLimitIsStillGood) {
  for (const std::string& event : {
           R"({"type":")" + text(200) + "\"}",
           event_with(R"("session_id":")" + text(200) + "\""),
           event_with(R"("id":")" + text(100) + "\""),
           event_with(R"("url":")" + text(8192) + "\""),
           event_with(R"("title":")" + text(4096) + "\""),
           event_with(R"("details":)" + keys(255)),
           event_with(R"("details":)" + nested(8)),
           event_with(R"("details":{"a":")" + text(32760) + "\"}"),
           event_with(R"("details":{"n":)" + std::string(256, '9') + "}"),
           event_with(R"("revenue":{"amount":999999999999.999999999999999999,"currency":"EUR"})"),
       }) {
    Got got = decode(event);
    ASSERT_TRUE(got.shape);
    EXPECT_EQ(got.records.size(), 1U) << event.substr(0, 60) << got.only_error();
  }
}

TEST(NativeField, AnEventOfExactlyTheLimitIsTaken) {
  NativeRules rules;
  rules.event_bytes_max = 1024;
  std::string frame = event_with(R"("title":"")");
  std::string fits = event_with(R"("title":")" + text(1024 - frame.size()) + "\"");
  std::string more = event_with(R"("title":")" + text(1025 - frame.size()) + "\"");
  ASSERT_EQ(fits.size(), 1024U);
  EXPECT_EQ(decode(fits, rules).records.size(), 1U);
  Got got = decode(more, rules);
  EXPECT_EQ(got.rejected[0].code, ErrorCode::kTooLarge);
  EXPECT_EQ(got.rejected[0].message, "byte 0: an event of 1025 bytes: more than 1024");
}

TEST(NativeField, TheKind) {
  EXPECT_THAT(record_of(R"({"type":"pageview"})"), HasSubstr(R"("kind":"pageview")"));
  EXPECT_THAT(record_of(R"({"type":"pageview","kind":"event"})"), HasSubstr(R"("kind":"event")"));
  EXPECT_THAT(record_of(R"({"kind":"identify","type":"x"})"), HasSubstr(R"("kind":"identify")"));
  EXPECT_THAT(record_of(R"({"type":"Pageview"})"), HasSubstr(R"("kind":"event")"));
}

TEST(NativeField, TimesAreReadAndKeptAsWritten) {
  Got got = decode(
      R"([{"type":"t","timestamp":"2024-04-17T04:04:12","sent_at":"2024-04-17T06:04:13.5+02:00"},
          {"type":"t","timestamp":1713326652000},{"type":"t","timestamp":1713326652000.75},{"type":"t","timestamp":null}])");
  ASSERT_EQ(got.records.size(), 4U);
  EXPECT_EQ(*got.sent[0].client_time, 1'713'326'652'000);
  EXPECT_EQ(*got.sent[0].sent_at, 1'713'326'653'500);
  EXPECT_THAT(got.records[0],
              HasSubstr(R"("client_time":"2024-04-17T04:04:12","sent_at":"2024-04-17T06:04:13.5+02:00")"));
  EXPECT_EQ(*got.sent[1].client_time, 1'713'326'652'000);
  EXPECT_THAT(got.records[2], HasSubstr(R"("client_time":"1713326652000.75")"));
  EXPECT_FALSE(got.sent[3].client_time.has_value());
}

TEST(NativeField, TheVisitorsAddressWithAKey) {
  NativeRules rules;
  rules.may_name_visitor = true;
  Got got = decode(R"({"type":"t","ip":"2001:db8::1","user_agent":"Mozilla/5.0"})", rules);
  ASSERT_EQ(got.records.size(), 1U) << got.only_error();
  EXPECT_EQ(got.ips[0], "2001:db8::1");
  EXPECT_EQ(got.agents[0], "Mozilla/5.0");
  EXPECT_THAT(got.records[0], ::testing::Not(HasSubstr("2001")));
  for (const char* bad : {"1.2.3", "localhost", "1.2.3.4.5", "1.2.3.4\\u0000", "fe80::1%eth0"}) {
    Got refused = decode(std::string(R"({"type":"t","ip":")") + bad + "\"}", rules);
    EXPECT_THAT(refused.only_error(), HasSubstr("`ip`: not an address")) << bad;
  }
  EXPECT_THAT(decode(R"({"type":"t","user_agent":")" + text(1025) + "\"}", rules).only_error(),
              HasSubstr("`user_agent`: 1025 bytes: more than 1024"));
}

TEST(NativeField, TheProject) {
  EXPECT_EQ(decode(R"({"type":"t","app":"shop"})").apps[0], "shop");
  NativeRules rules;
  rules.app_in_event = false;
  Got got = decode(R"({"type":"t","app":{"any":1}})", rules);
  EXPECT_EQ(got.apps[0], "");
  EXPECT_THAT(got.records[0], HasSubstr(R"("app":{"any":1})"));
}

TEST(NativeUtf8, ThePlaceOfTheFirstBadByteIsNamed) {
  EXPECT_EQ(decode("{\"type\":\"t\",\"title\":\"ab\xff\"}").only_error(), "byte 23: not UTF-8");
  EXPECT_EQ(decode("[{\"type\":\"\xc3\xa4\"},{\"type\":\"\xc3\x28\"}]").only_error(), "event 1, byte 24: not UTF-8");
  Got between = decode("[{\"type\":\"t\"},\xff{\"type\":\"t\"}]");
  ASSERT_FALSE(between.shape);
  EXPECT_THAT(between.shape.error().message, HasSubstr("byte 14: not JSON"));
}

TEST(NativeDepth, ABombIsRefusedAtOnce) {
  std::string open(100'000, '[');
  Got got = decode(open);
  ASSERT_FALSE(got.shape);
  EXPECT_THAT(got.shape.error().message, HasSubstr("byte 100000: not JSON: it ends too early"));
  got = decode(R"({"type":"t","details":{"a":)" + open);
  ASSERT_FALSE(got.shape);
  got = decode("[" + event_with("\"x\":" + std::string(30'000, '[') + std::string(30'000, ']')) + R"(,{"type":"t"}])");
  ASSERT_TRUE(got.shape);
  EXPECT_EQ(got.records.size(), 1U);
  EXPECT_THAT(got.only_error(), HasSubstr("`x`: nested deeper than 8"));
}

// Each would take hours if any step looked at what is left of the body again and again.
TEST(NativeBody, LongOnesOfNothingAreReadOnce) {
  const size_t bytes = 4'000'000;
  for (const std::string& body :
       {"{" + std::string(bytes, '\n'), std::string(bytes, '\n') + "{",
        "{\"type\":\"t\"}" + std::string(bytes, '\n') + "x", "{\"a\":" + std::string(bytes, ' ') + "\n1",
        std::string(bytes, '"'), std::string(bytes, '\\'), "[" + std::string(bytes, ','), std::string(bytes, '{')}) {
    EXPECT_FALSE(decode(body).shape);
  }
  std::string many_lines = "{\"type\":\"t\"}\n";
  for (size_t i = 0; i < bytes / 4; ++i) many_lines += " \r\n";
  EXPECT_EQ(decode(many_lines + "{\"type\":\"t\"}").records.size(), 2U);
}

TEST(NativeBody, TooManyEventsAreTooLarge) {
  NativeRules rules;
  rules.events_max = 3;
  std::string event = R"({"type":"t"})";
  EXPECT_EQ(decode("[" + event + "," + event + "," + event + "]", rules).records.size(), 3U);
  for (const std::string& body : {"[" + event + "," + event + "," + event + "," + event + "]",
                                  event + "\n" + event + "\n" + event + "\n" + event}) {
    Got got = decode(body, rules);
    ASSERT_FALSE(got.shape);
    EXPECT_EQ(got.shape.error().code, ErrorCode::kTooLarge);
  }
}

// Whatever can be written into an event is found in its record.
TEST(NativeProperty, WhatGoesInComesBack) {
  std::mt19937 random(3);
  event::RecordParser parser;
  const std::vector<std::string> pieces = {"\\\"", "\\\\",           "\\n", "\\u0001", "ä", "€",      "😀", "a",
                                           "b/c",  "\\ud83d\\ude00", "\\/", "0",       " ", "\\u0000"};
  auto word = [&] {
    std::string out;
    for (size_t n = random() % 12 + 1; n > 0; --n) out += pieces[random() % pieces.size()];
    return out;
  };
  for (int round = 0; round < 2000; ++round) {
    std::string space(random() % 2, ' ');
    std::string type = word();
    std::string title = word();
    std::string key = word();
    std::string value = word();
    std::string body = "{" + space + "\"type\":" + space + "\"" + type + "\",\"title\":\"" + title + "\"," + space +
                       "\"details\":{\"k" + key + "\"" + space + ":\"" + value + "\"}}";
    Got got = decode(body);
    ASSERT_TRUE(got.shape) << body << got.shape.error().message;
    ASSERT_EQ(got.records.size(), 1U) << body << got.only_error();
    auto parsed = parser.parse(got.records[0]);
    ASSERT_TRUE(parsed) << parsed.error().message;
    // Decoding what was encoded gives the same event again.
    std::string name(parsed->name);
    std::string second;
    event::append_record(*parsed, second);
    EXPECT_EQ(second, got.records[0]);
    Got again =
        decode(R"({"type":)" +
               got.records[0].substr(got.records[0].find("\"name\":") + 7,
                                     got.records[0].find(",\"received_at\"") - got.records[0].find("\"name\":") - 7) +
               ",\"details\":" + std::string(parsed->properties) + "}");
    ASSERT_EQ(again.records.size(), 1U);
    auto reparsed = parser.parse(again.records[0]);
    ASSERT_TRUE(reparsed);
    EXPECT_EQ(reparsed->name, name);
  }
}

TEST(Echoed, IsShortAndCutBetweenCharacters) {
  EXPECT_EQ(echoed("a\"b\n"), R"("a\"b\n")");
  EXPECT_EQ(echoed(text(64)), "\"" + text(64) + "\"");
  EXPECT_EQ(echoed(text(63) + "ä"), "\"" + text(63) + "\"...");
}

}  // namespace
}  // namespace weir::collect
