#include "weir/event/record.h"

#include <array>
#include <charconv>

#include "weir/base/json_writer.h"
#include "weir/event/json.h"
#include "weir/event/key_table.h"

namespace weir::event {

namespace {
// The keys of docs/formats/event.md, in their order.
enum Field : uint8_t {
  kV,
  kKind,
  kProjectId,
  kId,
  kIdGiven,
  kName,
  kReceivedAt,
  kClientTime,
  kSentAt,
  kTime,
  kTimeRule,
  kUserId,
  kAnonymousId,
  kClientSessionId,
  kVisitor,
  kUrl,
  kHostname,
  kPath,
  kTitle,
  kReferrer,
  kLocale,
  kScreen,
  kAppVersion,
  kProperties,
  kSet,
  kSetOnce,
  kGroups,
  kRevenue,
  kProtocol,
  kSdk,
  kPersonal,
  kFields
};
constexpr KeyTable<kFields> kKeys{
    {"v",           "kind",        "project_id", "id",        "id_given", "name",         "received_at",
     "client_time", "sent_at",     "time",       "time_rule", "user_id",  "anonymous_id", "client_session_id",
     "visitor",     "url",         "hostname",   "path",      "title",    "referrer",     "locale",
     "screen",      "app_version", "properties", "set",       "set_once", "groups",       "revenue",
     "protocol",    "sdk",         "personal"}};
constexpr uint64_t bit(Field field) { return uint64_t{1} << field; }
constexpr uint64_t kRequired =
    bit(kV) | bit(kKind) | bit(kProjectId) | bit(kName) | bit(kReceivedAt) | bit(kTime) | bit(kTimeRule);

void append_number(std::string& out, std::string_view key, int64_t value) {
  std::array<char, 24> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(key).append(digits.data(), static_cast<size_t>(end - digits.data()));
}

// Ids have 64 bits, more than a JavaScript number holds: they are strings.
void append_id(std::string& out, std::string_view key, uint64_t value) {
  std::array<char, 24> digits;
  auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(key).append(digits.data(), static_cast<size_t>(end - digits.data())).push_back('"');
}

void append_text(std::string& out, std::string_view key, std::string_view text) {
  if (text.empty()) return;
  out.append(key);
  append_json_string(out, text);
}

void append_json(std::string& out, std::string_view key, std::string_view json) {
  if (!json.empty()) out.append(key).append(json);
}
}  // namespace

void append_record(const Event& event, std::string& out) {
  append_text(out, R"({"v":1,"kind":)", name_of(event.kind));
  append_id(out, R"(,"project_id":")", number(event.project_id));
  append_text(out, R"(,"id":)", event.id);
  if (event.id_given) out.append(R"(,"id_given":true)");
  out.append(R"(,"name":)");
  append_json_string(out, event.name);
  append_number(out, R"(,"received_at":)", event.received_at);
  append_text(out, R"(,"client_time":)", event.client_time);
  append_text(out, R"(,"sent_at":)", event.sent_at);
  append_number(out, R"(,"time":)", event.time);
  append_text(out, R"(,"time_rule":)", name_of(event.time_rule));
  append_text(out, R"(,"user_id":)", event.user_id);
  append_text(out, R"(,"anonymous_id":)", event.anonymous_id);
  append_text(out, R"(,"client_session_id":)", event.client_session_id);
  if (event.visitor != 0) append_id(out, R"(,"visitor":")", event.visitor);
  append_text(out, R"(,"url":)", event.url);
  append_text(out, R"(,"hostname":)", event.hostname);
  append_text(out, R"(,"path":)", event.path);
  append_text(out, R"(,"title":)", event.title);
  append_text(out, R"(,"referrer":)", event.referrer);
  append_text(out, R"(,"locale":)", event.locale);
  append_text(out, R"(,"screen":)", event.screen);
  append_text(out, R"(,"app_version":)", event.app_version);
  append_json(out, R"(,"properties":)", event.properties);
  append_json(out, R"(,"set":)", event.set);
  append_json(out, R"(,"set_once":)", event.set_once);
  append_json(out, R"(,"groups":)", event.groups);
  if (!event.revenue_amount.empty()) {
    append_text(out, R"(,"revenue":{"amount":)", event.revenue_amount);
    append_text(out, R"(,"currency":)", event.revenue_currency);
    out.push_back('}');
  }
  append_text(out, R"(,"protocol":)", event.protocol);
  append_text(out, R"(,"sdk":)", event.sdk);
  append_json(out, R"(,"personal":)", event.personal);
  if (event.extra.size() > 2) {
    out.push_back(',');
    out.append(event.extra.substr(1, event.extra.size() - 2));
  }
  out.push_back('}');
}

bool is_record_key(std::string_view key) { return kKeys.find(key) != kFields; }

struct RecordParser::State {
  json::Reader reader;
  json::Arena arena;
  std::string extra;
  const char* what = "";  // the first thing wrong

  bool fail(const char* why) {
    what = why;
    return false;
  }
  bool text(const json::Value& value, std::string_view& to) {
    if (!value.is_string()) return fail("not a string");
    to = json::text_of(value.text.substr(1, value.text.size() - 2), !value.plain, arena);
    return true;
  }
  template <class Integer>
  bool integer(std::string_view digits, Integer& to) {
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), to);
    return (error == std::errc() && end == digits.data() + digits.size() && !digits.empty()) || fail("not an integer");
  }
  bool id(const json::Value& value, uint64_t& to) {
    std::string_view digits;
    return text(value, digits) && integer(digits, to);
  }
  bool object(const json::Value& value, std::string_view& to) {
    if (!value.is_object()) return fail("not an object");
    to = value.text;
    return true;
  }
  bool boolean(const json::Value& value, bool& to) {
    if (value.text != "true" && value.text != "false") return fail("not true or false");
    to = value.text == "true";
    return true;
  }
  bool revenue(const json::Value& value, Event& event);
  bool field(Field field, const json::Value& value, Event& event);
};

// Reads the object again, by its tokens. Keys other than the two are left to the original text in the journal.
bool RecordParser::State::revenue(const json::Value& value, Event& event) {
  if (!value.is_object()) return fail("not an object");
  uint32_t after = reader.position();
  reader.seek(value.first + 1);
  bool read = true;
  if (reader.peek() != '}') {
    do {
      std::string_view key;
      bool escaped = false;
      json::Value part;
      read = reader.key(key, escaped) && reader.value(part) &&
             (key == "amount" ? text(part, event.revenue_amount)
                              : key != "currency" || text(part, event.revenue_currency));
    } while (read && reader.take(','));
  }
  reader.seek(after);
  return read;
}

bool RecordParser::State::field(Field field, const json::Value& value, Event& event) {
  switch (field) {
    case kKind: {
      std::string_view name;
      return text(value, name) && (parse_kind(name, event.kind) || fail("not a kind"));
    }
    case kTimeRule: {
      std::string_view name;
      return text(value, name) && (parse_time_rule(name, event.time_rule) || fail("not a rule"));
    }
    case kProjectId: {
      uint64_t id_number = 0;
      bool read = id(value, id_number);
      event.project_id = ProjectId{id_number};
      return read;
    }
    case kId:
      return text(value, event.id);
    case kIdGiven:
      return boolean(value, event.id_given);
    case kName:
      return text(value, event.name);
    case kReceivedAt:
      return integer(value.text, event.received_at);
    case kClientTime:
      return text(value, event.client_time);
    case kSentAt:
      return text(value, event.sent_at);
    case kTime:
      return integer(value.text, event.time);
    case kUserId:
      return text(value, event.user_id);
    case kAnonymousId:
      return text(value, event.anonymous_id);
    case kClientSessionId:
      return text(value, event.client_session_id);
    case kVisitor:
      return id(value, event.visitor);
    case kUrl:
      return text(value, event.url);
    case kHostname:
      return text(value, event.hostname);
    case kPath:
      return text(value, event.path);
    case kTitle:
      return text(value, event.title);
    case kReferrer:
      return text(value, event.referrer);
    case kLocale:
      return text(value, event.locale);
    case kScreen:
      return text(value, event.screen);
    case kAppVersion:
      return text(value, event.app_version);
    case kProperties:
      return object(value, event.properties);
    case kSet:
      return object(value, event.set);
    case kSetOnce:
      return object(value, event.set_once);
    case kGroups:
      return object(value, event.groups);
    case kRevenue:
      return revenue(value, event);
    case kProtocol:
      return text(value, event.protocol);
    case kSdk:
      return text(value, event.sdk);
    case kPersonal:
      return object(value, event.personal);
    case kV:
    case kFields:
      break;
  }
  return true;
}

RecordParser::RecordParser() : state_(std::make_unique<State>()) {}
RecordParser::~RecordParser() = default;

Result<Event> RecordParser::parse(std::string_view record) {
  auto& reader = state_->reader;
  auto corrupt = [](std::string message) { return Error{ErrorCode::kCorrupt, "event: record: " + message}; };
  auto flaw = [&] { return corrupt(std::string(reader.flaw()) + " at byte " + std::to_string(reader.flaw_at())); };
  state_->arena.clear();
  state_->extra.clear();
  if (reader.scan(record) != json::Reader::Scan::ok) return corrupt("not JSON");
  if (!reader.take('{')) return corrupt("not an object");
  Event event;
  uint64_t seen = 0;
  if (reader.peek() != '}') {
    do {
      std::string_view key;
      bool escaped = false;
      json::Value value;
      uint32_t key_token = static_cast<uint32_t>(reader.offset());
      if (!reader.key(key, escaped) || !reader.value(value)) return flaw();
      size_t field = kKeys.find(json::text_of(key, escaped, state_->arena));
      if (field == kFields) {
        auto& extra = state_->extra;
        extra.push_back(extra.empty() ? '{' : ',');
        const char* from = record.data() + key_token;
        extra.append(from, static_cast<size_t>(value.text.data() + value.text.size() - from));
        continue;
      }
      if (seen & bit(static_cast<Field>(field))) return corrupt("`" + std::string(key) + "` twice");
      seen |= bit(static_cast<Field>(field));
      if (field == kV && value.text != "1") {
        if (!value.is_number()) return corrupt("`v`: not a number");
        return Error{ErrorCode::kUnsupported, "event: record: version " + std::string(value.text.substr(0, 20))};
      }
      if (!state_->field(static_cast<Field>(field), value, event)) {
        return corrupt("`" + std::string(key) + "`: " + state_->what);
      }
    } while (reader.take(','));
  }
  if (!reader.take('}') || reader.more()) {
    reader.fail("expected its end");
    return flaw();
  }
  if ((seen & kRequired) != kRequired) {
    for (size_t field = 0; field < kFields; ++field) {
      if ((kRequired & ~seen) >> field & 1) return corrupt("`" + std::string(kKeys.name(field)) + "`: missing");
    }
  }
  if (!state_->extra.empty()) {
    state_->extra.push_back('}');
    event.extra = state_->extra;
  }
  return event;
}

}  // namespace weir::event
