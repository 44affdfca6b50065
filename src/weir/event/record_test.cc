#include "weir/event/record.h"

#include <gtest/gtest.h>

#include <random>

namespace weir::event {
namespace {

Event whole_event() {
  Event e;
  e.kind = Kind::pageview;
  e.project_id = ProjectId{18446744073709551615u};
  e.id = "4f1d\"2";
  e.id_given = true;
  e.name = "pageview";
  e.received_at = 1'763'629'260'123;
  e.client_time = "2025-11-20T09:01:00";
  e.sent_at = "1763629260000";
  e.time = 1'763'629'260'000;
  e.time_rule = TimeRule::client;
  e.user_id = "42";
  e.anonymous_id = "a-1";
  e.client_session_id = "FaAa31";
  e.visitor = 9'223'372'036'854'775'809u;
  e.url = "https://example.com/a?b=1#c";
  e.hostname = "example.com";
  e.path = "/a";
  e.title = "Ä \"title\" \\ with\nlines";
  e.referrer = "https://other.example/";
  e.locale = "de-DE";
  e.screen = "1920x1080";
  e.app_version = "1.2.3";
  e.properties = R"({"n":12345678901234567890123,"b":true,"x":null,"o":{"k":[1,"2"]}})";
  e.set = R"({"plan":"pro"})";
  e.set_once = R"({"first":"x"})";
  e.groups = R"({"company":"acme"})";
  e.revenue_amount = "12.50";
  e.revenue_currency = "EUR";
  e.protocol = "native";
  e.sdk = "weir-js/1";
  e.personal = R"({"day":"2025-11-20","sealed":"abc"})";
  e.extra = R"({"later":{"a":1},"more":[2]})";
  return e;
}

std::string record_of(const Event& event) {
  std::string out;
  append_record(event, out);
  return out;
}

void expect_same(const Event& a, const Event& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.project_id, b.project_id);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.id_given, b.id_given);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.received_at, b.received_at);
  EXPECT_EQ(a.client_time, b.client_time);
  EXPECT_EQ(a.sent_at, b.sent_at);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.time_rule, b.time_rule);
  EXPECT_EQ(a.user_id, b.user_id);
  EXPECT_EQ(a.anonymous_id, b.anonymous_id);
  EXPECT_EQ(a.client_session_id, b.client_session_id);
  EXPECT_EQ(a.visitor, b.visitor);
  EXPECT_EQ(a.url, b.url);
  EXPECT_EQ(a.hostname, b.hostname);
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.title, b.title);
  EXPECT_EQ(a.referrer, b.referrer);
  EXPECT_EQ(a.locale, b.locale);
  EXPECT_EQ(a.screen, b.screen);
  EXPECT_EQ(a.app_version, b.app_version);
  EXPECT_EQ(a.properties, b.properties);
  EXPECT_EQ(a.set, b.set);
  EXPECT_EQ(a.set_once, b.set_once);
  EXPECT_EQ(a.groups, b.groups);
  EXPECT_EQ(a.revenue_amount, b.revenue_amount);
  EXPECT_EQ(a.revenue_currency, b.revenue_currency);
  EXPECT_EQ(a.protocol, b.protocol);
  EXPECT_EQ(a.sdk, b.sdk);
  EXPECT_EQ(a.personal, b.personal);
  EXPECT_EQ(a.extra, b.extra);
}

// What docs/formats/event.md shows. Journals hold it: these bytes change only with `v`.
TEST(Record, HasTheKeysInTheirOrder) {
  EXPECT_EQ(
      record_of(whole_event()),
      R"({"v":1,"kind":"pageview","project_id":"18446744073709551615","id":"4f1d\"2","id_given":true,"name":"pageview",)"
      R"("received_at":1763629260123,"client_time":"2025-11-20T09:01:00","sent_at":"1763629260000",)"
      R"("time":1763629260000,"time_rule":"client","user_id":"42","anonymous_id":"a-1","client_session_id":"FaAa31",)"
      R"("visitor":"9223372036854775809","url":"https://example.com/a?b=1#c","hostname":"example.com","path":"/a",)"
      R"("title":"Ä \"title\" \\ with\nlines","referrer":"https://other.example/","locale":"de-DE",)"
      R"("screen":"1920x1080","app_version":"1.2.3",)"
      R"("properties":{"n":12345678901234567890123,"b":true,"x":null,"o":{"k":[1,"2"]}},"set":{"plan":"pro"},)"
      R"("set_once":{"first":"x"},"groups":{"company":"acme"},"revenue":{"amount":"12.50","currency":"EUR"},)"
      R"("protocol":"native","sdk":"weir-js/1","personal":{"day":"2025-11-20","sealed":"abc"},"later":{"a":1},"more":[2]})");
}

TEST(Record, LeavesOutWhatIsAbsent) {
  Event e;
  e.project_id = ProjectId{7};
  e.name = "click";
  e.received_at = 5;
  e.time = -3;
  EXPECT_EQ(
      record_of(e),
      R"({"v":1,"kind":"event","project_id":"7","name":"click","received_at":5,"time":-3,"time_rule":"received"})");
}

TEST(Record, ComesBackAsItWas) {
  Event e = whole_event();
  std::string record = record_of(e);
  RecordParser parser;
  auto parsed = parser.parse(record);
  ASSERT_TRUE(parsed) << parsed.error().message;
  expect_same(e, *parsed);
  EXPECT_EQ(record_of(*parsed), record);
}

TEST(Record, OneParserReadsManyInAnyOrderOfKeys) {
  RecordParser parser;
  for (int round = 0; round < 3; ++round) {
    auto turned = parser.parse(
        R"( { "time_rule":"clamped", "time":2,"name":"x","zzz":{"a" : [1, 2]},"received_at":1,"project_id":"3","kind":"group","v":1} )");
    ASSERT_TRUE(turned) << turned.error().message;
    EXPECT_EQ(turned->time_rule, TimeRule::clamped);
    EXPECT_EQ(turned->kind, Kind::group);
    EXPECT_EQ(turned->extra, R"({"zzz":{"a" : [1, 2]}})");
    auto plain = parser.parse(record_of(whole_event()));
    ASSERT_TRUE(plain);
  }
}

TEST(Record, UnknownKeysSurviveReadingAndWriting) {
  std::string record =
      R"({"v":1,"kind":"event","project_id":"7","name":"n","received_at":5,"time":5,"time_rule":"received","k\"1":"v\u0001","z":{}})";
  RecordParser parser;
  auto parsed = parser.parse(record);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(record_of(*parsed), record);
}

TEST(Record, TextOfAnyCharactersComesBack) {
  std::mt19937 random(7);
  RecordParser parser;
  const std::vector<std::string> pieces = {
      "\"", "\\", "\n", "\x01", "\x7f", "ä", "€", "\U0001F600", "a", "/", std::string(1, '\0')};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (size_t length = random() % 20; length > 0; --length) text += pieces[random() % pieces.size()];
    Event e;
    e.project_id = ProjectId{1};
    e.name = text;
    e.title = text;
    std::string record = record_of(e);
    auto parsed = parser.parse(record);
    ASSERT_TRUE(parsed) << parsed.error().message;
    EXPECT_EQ(parsed->name, text);
    EXPECT_EQ(parsed->title, text);
  }
}

struct Refused {
  const char* record;
  const char* message;
};

TEST(Record, RefusesWhatIsNotOne) {
  const Refused cases[] = {
      {"", "not JSON"},
      {"[]", "not an object"},
      {"{}", "`v`: missing"},
      {R"({"v":"1"})", "`v`: not a number"},
      {R"({"v":1,"kind":"event")", "at byte 21"},
      {R"({"v":1,"kind":"party","project_id":"7","name":"n","received_at":5,"time":5,"time_rule":"received"})",
       "`kind`"},
      {R"({"v":1,"kind":"event","project_id":7,"name":"n","received_at":5,"time":5,"time_rule":"received"})",
       "`project_id`: not a string"},
      {R"({"v":1,"kind":"event","project_id":"7x","name":"n","received_at":5,"time":5,"time_rule":"received"})",
       "`project_id`: not an integer"},
      {R"({"v":1,"kind":"event","project_id":"7","name":"n","received_at":5,"time":5})", "`time_rule`: missing"},
      {R"({"v":1,"kind":"event","project_id":"7","name":"n","received_at":5.5,"time":5,"time_rule":"received"})",
       "`received_at`: not an integer"},
      {R"({"v":1,"v":1})", "`v` twice"},
      {R"({"v":1,"kind":"event","project_id":"7","name":"n","received_at":5,"time":5,"time_rule":"received"}x)",
       "its end"},
      {R"({"v":1,"kind":"event","project_id":"7","name":"n","received_at":5,"time":5,"time_rule":"received","properties":3})",
       "`properties`: not an object"},
      {R"({"v":1,"kind":"event","project_id":"7","name":"n","received_at":5,"time":5,"time_rule":"received","revenue":{"amount":3}})",
       "`revenue`: not a string"},
  };
  RecordParser parser;
  for (const Refused& c : cases) {
    auto parsed = parser.parse(c.record);
    ASSERT_FALSE(parsed) << c.record;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(parsed.error().message.find(c.message), std::string::npos) << parsed.error().message;
  }
}

TEST(Record, EveryCutOfARecordIsRefused) {
  std::string record = record_of(whole_event());
  RecordParser parser;
  for (size_t size = 0; size < record.size(); ++size) EXPECT_FALSE(parser.parse(record.substr(0, size))) << size;
}

TEST(Record, ALaterVersionIsUnsupportedAndNotCorrupt) {
  RecordParser parser;
  auto parsed = parser.parse(R"({"v":2,"kind":"something new"})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kUnsupported);
}

TEST(Record, KnowsItsOwnKeys) {
  EXPECT_TRUE(is_record_key("personal"));
  EXPECT_TRUE(is_record_key("v"));
  EXPECT_FALSE(is_record_key("details"));
  EXPECT_FALSE(is_record_key(""));
}

TEST(Names, OfEnumsComeBack) {
  for (auto name : {"event", "pageview", "identify", "alias", "group", "engagement"}) {
    Kind kind{};
    ASSERT_TRUE(parse_kind(name, kind));
    EXPECT_EQ(name_of(kind), name);
  }
  for (auto name : {"client", "received", "clamped"}) {
    TimeRule rule{};
    ASSERT_TRUE(parse_time_rule(name, rule));
    EXPECT_EQ(name_of(rule), name);
  }
  Kind kind{};
  EXPECT_FALSE(parse_kind("Pageview", kind));
}

}  // namespace
}  // namespace weir::event
