#include "weir/collect/native.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "weir/base/json_writer.h"
#include "weir/base/time_text.h"
#include "weir/collect/money.h"
#include "weir/event/key_table.h"
#include "weir/event/record.h"
#include "weir/event/url.h"

namespace weir::collect {

using event::json::Breach;
using event::json::Limits;
using event::json::Reader;
using event::json::Value;

namespace {
enum Field : uint8_t {
  kType,
  kUserId,
  kSessionId,
  kTimestamp,
  kLocale,
  kPath,
  kAppVersion,
  kUrl,
  kReferrer,
  kTitle,
  kScreen,
  kDetails,
  kId,
  kRevenue,
  kKind,
  kAnonymousId,
  kSentAt,
  kUserAgent,
  kIp,
  kApp,
  kSet,
  kSetOnce,
  kGroups,
  kSdk,
  kFields
};
constexpr event::KeyTable<kFields> kKeys{
    {"type",     "user_id",    "session_id", "timestamp", "locale", "path",     "appVersion", "url",
     "referrer", "title",      "screen",     "details",   "id",     "revenue",  "kind",       "anonymous_id",
     "sent_at",  "user_agent", "ip",         "app",       "set",    "set_once", "groups",     "sdk"}};

constexpr size_t kNameBytesMax = 200;
constexpr size_t kIdBytesMax = 100;
constexpr size_t kShortBytesMax = 200;
constexpr size_t kUrlBytesMax = 8192;
constexpr size_t kTitleBytesMax = 4096;
constexpr size_t kTimeBytesMax = 64;
constexpr size_t kUserAgentBytesMax = 1024;
constexpr size_t kObjectBytesMax = 32 * 1024;
constexpr size_t kExtraKeysMax = 64;
constexpr size_t kExtraBytesMax = 16 * 1024;
constexpr size_t kHostnameBytesMax = 255;
constexpr size_t kEchoBytesMax = 64;
constexpr size_t kKeptBytes = 256 * 1024;  // larger buffers are given back after a request
constexpr Limits kLimits{};

constexpr uint64_t bit(size_t field) { return uint64_t{1} << field; }
// Fields whose value may hold objects: their insides are held against kLimits.
constexpr uint64_t kNested = bit(kDetails) | bit(kRevenue) | bit(kSet) | bit(kSetOnce) | bit(kGroups);

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

std::string_view kind_of(const Value& value) {
  switch (value.type()) {
    case '{':
      return "an object";
    case '[':
      return "an array";
    case '"':
      return "a string";
    case 'n':
      return "null";
    case 't':
    case 'f':
      return "true or false";
    default:
      return "a number";
  }
}

// Cuts at the end of a character, not inside it.
std::string_view shortened(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  size_t size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

// Could this be several objects, one a line? In one JSON document a '{' that begins a line follows ',', '[' or ':'.
bool looks_like_lines(std::string_view body) {
  char last = '\n';       // the last character that is no space, before `at`
  bool new_line = false;  // is there a line's end behind it?
  for (char c : body) {
    if (is_space(c)) {
      new_line |= c == '\n';
      continue;
    }
    if (c == '{' && new_line && last != '\n' && last != ',' && last != '[' && last != ':') return true;
    last = c;
    new_line = false;
  }
  return false;
}
}  // namespace

std::string place_of(const SentEvent& sent) {
  return sent.alone ? fmt::format("byte {}: ", sent.at) : fmt::format("event {}, byte {}: ", sent.index, sent.at);
}

std::string echoed(std::string_view text) {
  std::string_view shown = shortened(text, kEchoBytesMax);
  std::string out;
  append_json_string(out, shown);
  if (shown.size() < text.size()) out += "...";
  return out;
}

Result<Shape> NativeDecoder::decode(std::string_view body, const NativeRules& rules, EventSink& sink) {
  rules_ = rules;
  invalid_utf8_.clear();
  next_invalid_ = 0;
  one_ = false;
  offset_ = body_offset_ = body.starts_with("\xef\xbb\xbf") ? 3 : 0;
  body.remove_prefix(body_offset_);
  if (std::all_of(body.begin(), body.end(), is_space)) return Error{ErrorCode::kBadInput, "collect: the body is empty"};
  auto scanned = reader_.scan(body);
  if (scanned == Reader::Scan::bad_utf8) {
    repaired_.assign(body);
    event::json::replace_invalid_utf8(repaired_, invalid_utf8_);
    body = repaired_;
    scanned = reader_.scan(body);
  }
  auto result = [&]() -> Result<Shape> {
    bool array = body[body.find_first_not_of(" \t\r\n")] == '[';
    bool ok = scanned == Reader::Scan::ok;
    if (rules_.lines) {
      // Only a body that is one whole array is not what its content type says.
      Value whole;
      if (!array || !ok || !reader_.value(whole) || reader_.more()) return decode_lines(body, ok, sink);
      reader_.seek(0);
    }
    if (ok) return decode_document(body, sink);
    if (!array && looks_like_lines(body)) return decode_lines(body, ok, sink);
    if (scanned == Reader::Scan::too_long) return Error{ErrorCode::kTooLarge, "collect: the body is too large"};
    return not_json(event::json::flaw_of_quotes(body), scanned == Reader::Scan::control_character
                                                           ? "a control character in a string"
                                                           : "a string without an end");
  }();
  for (std::string* buffer : {&repaired_, &scratch_, &extra_}) {
    if (buffer->capacity() > kKeptBytes) std::string().swap(*buffer);
  }
  arena_.clear();
  reader_.shrink();
  return result;
}

Result<Shape> NativeDecoder::decode_document(std::string_view body, EventSink& sink) {
  if (reader_.peek() == '[') return decode_array(sink);
  Outcome outcome = read_event();
  if (outcome != Outcome::broken && !reader_.more()) {
    one_ = true;
    deliver(outcome, 0, sink);
    return Shape::one;
  }
  if (looks_like_lines(body)) return decode_lines(body, true, sink);
  if (outcome != Outcome::broken) reader_.fail("something behind its end");
  return not_json(reader_.flaw_at(), reader_.flaw());
}

Result<Shape> NativeDecoder::decode_array(EventSink& sink) {
  reader_.take('[');
  size_t index = 0;
  if (reader_.peek() != ']') {
    do {
      if (index == rules_.events_max) {
        return Error{ErrorCode::kTooLarge,
                     fmt::format("collect: more than {} events in one request", rules_.events_max)};
      }
      Outcome outcome = read_event();
      if (outcome == Outcome::broken) return not_json(reader_.flaw_at(), reader_.flaw());
      if (!deliver(outcome, index++, sink)) return Shape::many;
    } while (reader_.take(','));
  }
  if (!reader_.take(']')) {
    reader_.fail(reader_.more() ? "expected ',' or ']'" : "it ends too early");
    return not_json(reader_.flaw_at(), reader_.flaw());
  }
  if (reader_.more()) return not_json(reader_.offset(), "something behind its end");
  return Shape::many;
}

// The tokens of the whole body serve all lines, unless a string of one line runs into the next: then each line is
// looked at by itself.
Result<Shape> NativeDecoder::decode_lines(std::string_view body, bool scanned, EventSink& sink) {
  if (scanned) reader_.seek(0);
  size_t base = offset_;
  size_t index = 0;
  Result<Shape> result = Shape::many;
  next_invalid_ = 0;
  for (size_t from = 0; from < body.size();) {
    size_t to = std::min(body.find('\n', from), body.size());
    bool blank =
        std::all_of(body.begin() + static_cast<ptrdiff_t>(from), body.begin() + static_cast<ptrdiff_t>(to), is_space);
    if (!blank) {
      if (index == rules_.events_max) {
        result =
            Error{ErrorCode::kTooLarge, fmt::format("collect: more than {} events in one request", rules_.events_max)};
        break;
      }
      offset_ = scanned ? base : base + from;
      if (!decode_line(body, from, to, scanned, index++, sink)) break;
    }
    from = to + 1;
  }
  offset_ = base;
  return result;
}

bool NativeDecoder::decode_line(std::string_view body, size_t from, size_t to, bool scanned, size_t index,
                                EventSink& sink) {
  auto broken = [&](size_t at, std::string_view what) {
    return sink.reject(index, {ErrorCode::kBadInput, fmt::format("{}not JSON: {}", place(index, at), what)});
  };
  if (!scanned) {
    std::string_view line = body.substr(from, to - from);
    switch (reader_.scan(line)) {
      case Reader::Scan::ok:
        break;
      case Reader::Scan::control_character:
        return broken(event::json::flaw_of_quotes(line), "a control character in a string");
      default:
        return broken(event::json::flaw_of_quotes(line), "a string without an end");
    }
  } else {
    reader_.narrow(to);
  }
  Outcome outcome = read_event();
  if (outcome != Outcome::broken && reader_.more()) {
    reader_.fail("something behind its end");
    outcome = Outcome::broken;
  }
  bool go_on = outcome == Outcome::broken
                   ? broken(std::min(reader_.flaw_at(), scanned ? to : to - from), reader_.flaw())
                   : deliver(outcome, index, sink);
  if (scanned) reader_.widen();
  return go_on;
}

bool NativeDecoder::deliver(Outcome outcome, size_t index, EventSink& sink) {
  if (outcome == Outcome::good) {
    sent_.index = index;
    sent_.alone = one_;
    return sink.take(sent_);
  }
  return sink.reject(index, {error_code_, place(index, error_at_) + error_});
}

std::string NativeDecoder::place(size_t index, size_t at) const {
  SentEvent sent;
  sent.index = index;
  sent.at = at + offset_;
  sent.alone = one_;
  return place_of(sent);
}

Error NativeDecoder::not_json(size_t at, std::string_view what) const {
  return {ErrorCode::kBadInput, fmt::format("collect: byte {}: not JSON: {}", at + offset_, what)};
}

void NativeDecoder::wrong(ErrorCode code, size_t at, std::string message) {
  if (has_error_) return;
  has_error_ = true;
  error_code_ = code;
  error_at_ = at;
  error_ = std::move(message);
}

void NativeDecoder::wrong(size_t at, std::string_view field, std::string_view what, std::string_view value) {
  if (has_error_) return;
  wrong(ErrorCode::kBadInput, at,
        value.empty() ? fmt::format("`{}`: {}", field, what) : fmt::format("`{}`: {}: {}", field, what, value));
}

void NativeDecoder::wrong_kind(size_t at, std::string_view field, std::string_view wanted, const Value& value) {
  if (!has_error_) wrong(at, field, fmt::format("must be {}, not {}", wanted, kind_of(value)));
}

NativeDecoder::Outcome NativeDecoder::read_event() {
  arena_.clear();
  sent_ = SentEvent{};
  has_error_ = false;
  extra_.clear();
  extra_keys_.clear();
  size_t begin = reader_.offset();
  sent_.at = begin + offset_;
  if (reader_.peek() != '{') {
    Value value;
    if (!reader_.value(value)) return Outcome::broken;
    check_whole(begin, begin + value.text.size());
    wrong(ErrorCode::kBadInput, begin, fmt::format("an event must be an object, not {}", kind_of(value)));
    return Outcome::bad;
  }
  reader_.take('{');
  uint64_t seen = 0;
  if (reader_.peek() != '}') {
    do {
      std::string_view key;
      bool escaped = false;
      size_t at = reader_.offset();
      if (!reader_.key(key, escaped)) return Outcome::broken;
      if (escaped) key = event::json::text_of(key, true, arena_);
      size_t field = kKeys.find(key);
      if (field == kFields || (field == kApp && !rules_.app_in_event)) {
        if (!read_unknown(key, at)) return Outcome::broken;
        continue;
      }
      if (seen & bit(field)) wrong(at, key, "given twice");
      seen |= bit(field);
      if (!read_field(field, at)) return Outcome::broken;
    } while (reader_.take(','));
  }
  size_t end = reader_.offset() + 1;
  if (!reader_.take('}')) {
    reader_.fail(reader_.more() ? "expected ',' or '}'" : "it ends too early");
    return Outcome::broken;
  }
  check_whole(begin, end);
  if (!has_error_ && sent_.event.name.empty()) wrong(begin, "type", seen & bit(kType) ? "empty" : "missing");
  if (has_error_) return Outcome::bad;

  auto& e = sent_.event;
  if (!(seen & bit(kKind)) && e.name == "pageview") e.kind = event::Kind::pageview;
  e.id_given = !e.id.empty();
  if (!e.url.empty()) derive_from_url();
  if (!extra_.empty()) {
    extra_.push_back('}');
    e.extra = extra_;
  }
  return Outcome::good;
}

// What is about the event's bytes and not its fields: it goes before what the fields brought up.
void NativeDecoder::check_whole(size_t begin, size_t end) {
  // Offsets in invalid_utf8_ count in the body, begin and end in what the reader walks over.
  size_t base = offset_ - body_offset_;
  while (next_invalid_ < invalid_utf8_.size() && invalid_utf8_[next_invalid_] < begin + base) ++next_invalid_;
  if (next_invalid_ < invalid_utf8_.size() && invalid_utf8_[next_invalid_] < end + base) {
    has_error_ = false;
    wrong(ErrorCode::kBadInput, invalid_utf8_[next_invalid_] - base, "not UTF-8");
  } else if (end - begin > rules_.event_bytes_max) {
    has_error_ = false;
    wrong(ErrorCode::kTooLarge, begin,
          fmt::format("an event of {} bytes: more than {}", end - begin, rules_.event_bytes_max));
  }
}

// False: the grammar is broken.
bool NativeDecoder::read_field(size_t field, size_t at) {
  Value value;
  std::string_view name = kKeys.name(field);
  if (bit(field) & kNested) {
    Breach breach;
    if (!reader_.value(value, kLimits, breach)) return false;
    if (!within(breach, name)) return true;
  } else if (!reader_.value(value)) {
    return false;
  }
  if (has_error_ || value.is_null()) return true;
  auto& e = sent_.event;
  switch (field) {
    case kType:
      read_text(value, name, e.name, kNameBytesMax, at);
      break;
    case kUserId:
      read_id_text(value, name, e.user_id, kShortBytesMax, at);
      break;
    case kSessionId:
      read_text(value, name, e.client_session_id, kShortBytesMax, at);
      break;
    case kTimestamp:
      read_time(value, name, e.client_time, sent_.client_time, at);
      break;
    case kLocale:
      read_text(value, name, e.locale, kShortBytesMax, at);
      break;
    case kPath:
      read_text(value, name, e.path, kUrlBytesMax, at);
      break;
    case kAppVersion:
      read_text(value, name, e.app_version, kShortBytesMax, at);
      break;
    case kUrl:
      read_text(value, name, e.url, kUrlBytesMax, at);
      break;
    case kReferrer:
      read_text(value, name, e.referrer, kUrlBytesMax, at);
      break;
    case kTitle:
      read_text(value, name, e.title, kTitleBytesMax, at);
      break;
    case kScreen:
      read_text(value, name, e.screen, kShortBytesMax, at);
      break;
    case kDetails:
      read_object(value, name, e.properties, at);
      break;
    case kId:
      read_text(value, name, e.id, kIdBytesMax, at);
      break;
    case kRevenue:
      read_revenue(value, at);
      break;
    case kKind: {
      std::string_view kind;
      read_text(value, name, kind, kShortBytesMax, at);
      if (!has_error_ && !event::parse_kind(kind, e.kind)) wrong(at, name, "not a kind", echoed(kind));
      break;
    }
    case kAnonymousId:
      read_text(value, name, e.anonymous_id, kShortBytesMax, at);
      break;
    case kSentAt:
      read_time(value, name, e.sent_at, sent_.sent_at, at);
      break;
    case kUserAgent:
    case kIp:
      read_visitor(field, value, at);
      break;
    case kApp:
      read_text(value, name, sent_.app, kShortBytesMax, at);
      break;
    case kSet:
      read_object(value, name, e.set, at);
      break;
    case kSetOnce:
      read_object(value, name, e.set_once, at);
      break;
    case kGroups:
      read_object(value, name, e.groups, at);
      break;
    case kSdk:
      read_text(value, name, e.sdk, kIdBytesMax, at);
      break;
    default:
      break;
  }
  return true;
}

bool NativeDecoder::within(const Breach& breach, std::string_view name) {
  switch (breach.kind) {
    case Breach::Kind::none:
      return true;
    case Breach::Kind::keys:
      wrong(breach.at, name, fmt::format("an object with more than {} keys", kLimits.keys_max));
      break;
    case Breach::Kind::depth:
      wrong(breach.at, name, fmt::format("nested deeper than {}", kLimits.depth_max));
      break;
    case Breach::Kind::number:
      wrong(breach.at, name, fmt::format("a number of more than {} digits", kLimits.number_bytes_max));
      break;
    case Breach::Kind::repeated_key:
      wrong(breach.at, name, "a key given twice", echoed(breach.key));
      break;
  }
  return false;
}

std::string_view NativeDecoder::text_of(const Value& value) {
  return event::json::text_of(value.text.substr(1, value.text.size() - 2), !value.plain, arena_);
}

void NativeDecoder::read_text(const Value& value, std::string_view name, std::string_view& to, size_t bytes_max,
                              size_t at) {
  if (!value.is_string()) return wrong_kind(at, name, "a string", value);
  std::string_view text = text_of(value);
  if (text.size() > bytes_max) {
    return wrong(at, name, fmt::format("{} bytes: more than {}", text.size(), bytes_max), echoed(text));
  }
  to = text;
}

void NativeDecoder::read_id_text(const Value& value, std::string_view name, std::string_view& to, size_t bytes_max,
                                 size_t at) {
  if (!value.is_number()) {
    if (!value.is_string()) return wrong_kind(at, name, "a string or a number", value);
    return read_text(value, name, to, bytes_max, at);
  }
  if (value.text.size() > bytes_max) {
    return wrong(at, name, fmt::format("{} bytes: more than {}", value.text.size(), bytes_max), echoed(value.text));
  }
  to = value.text;
}

void NativeDecoder::read_time(const Value& value, std::string_view name, std::string_view& text,
                              std::optional<UnixMillis>& t, size_t at) {
  if (value.is_number()) {
    if (value.text.size() > kTimeBytesMax) return wrong(at, name, "not a time", echoed(value.text));
    text = value.text;
    t = parse_epoch_millis(value.text);
    return;
  }
  if (!value.is_string()) return wrong_kind(at, name, "a string or a number", value);
  std::string_view given = text_of(value);
  UnixMillis parsed = 0;
  if (given.size() > kTimeBytesMax || !parse_time(given, parsed)) return wrong(at, name, "not a time", echoed(given));
  text = given;
  t = parsed;
}

std::string_view NativeDecoder::minified(const Value& value) {
  if (value.plain) return value.text;
  scratch_.clear();
  reader_.append_minified(value, scratch_);
  char* at = arena_.take(scratch_.size());
  std::memcpy(at, scratch_.data(), scratch_.size());
  return {at, scratch_.size()};
}

void NativeDecoder::read_object(const Value& value, std::string_view name, std::string_view& to, size_t at) {
  if (!value.is_object()) return wrong_kind(at, name, "an object", value);
  if (value.text.size() > rules_.event_bytes_max) return;  // then the event is too large, which check_whole() says
  std::string_view text = minified(value);
  if (text.size() > kObjectBytesMax) {
    return wrong(at, name, fmt::format("{} bytes: more than {}", text.size(), kObjectBytesMax));
  }
  if (text.size() > 2) to = text;
}

void NativeDecoder::read_visitor(size_t field, const Value& value, size_t at) {
  std::string_view name = kKeys.name(field);
  if (!rules_.may_name_visitor) {
    return wrong(ErrorCode::kUnauthenticated, at, fmt::format("`{}`: needs a key of scope capture", name));
  }
  if (field == kUserAgent) return read_text(value, name, sent_.user_agent, kUserAgentBytesMax, at);
  std::string_view text;
  read_text(value, name, text, kShortBytesMax, at);
  if (has_error_ || text.empty()) return;
  std::array<char, INET6_ADDRSTRLEN> terminated{};
  in6_addr address;
  bool valid = text.size() < terminated.size();
  if (valid) {
    std::memcpy(terminated.data(), text.data(), text.size());
    valid = text.find('\0') == std::string_view::npos && (inet_pton(AF_INET, terminated.data(), &address) == 1 ||
                                                          inet_pton(AF_INET6, terminated.data(), &address) == 1);
  }
  if (!valid) return wrong(at, name, "not an address", echoed(text));
  sent_.ip = text;
}

void NativeDecoder::read_revenue(const Value& value, size_t at) {
  if (!value.is_object()) return wrong_kind(at, "revenue", "an object", value);
  uint32_t after = reader_.position();
  reader_.seek(value.first);
  reader_.take('{');
  bool more_keys = false;
  while (reader_.peek() == '"') {
    std::string_view key;
    bool escaped = false;
    Value part;
    size_t part_at = reader_.offset();
    reader_.key(key, escaped);
    reader_.value(part);
    if (escaped) key = event::json::text_of(key, true, arena_);
    if (key == "amount") {
      read_amount(part, part_at);
    } else if (key == "currency") {
      read_text(part, "revenue.currency", sent_.event.revenue_currency, kShortBytesMax, part_at);
      if (!has_error_ && !is_currency(sent_.event.revenue_currency)) {
        wrong(part_at, "revenue.currency", "not a code of ISO 4217", echoed(sent_.event.revenue_currency));
      }
    } else {
      more_keys = true;
    }
    reader_.take(',');
  }
  reader_.seek(after);
  if (has_error_) return;
  if (sent_.event.revenue_amount.empty()) return wrong(at, "revenue", "without `amount`");
  if (sent_.event.revenue_currency.empty()) return wrong(at, "revenue", "without `currency`");
  if (more_keys) add_extra("revenue", value, at);
}

void NativeDecoder::read_amount(const Value& value, size_t at) {
  std::string_view text = value.text;
  if (value.is_string()) {
    text = text_of(value);
    if (text.find_first_of("eE") != std::string_view::npos) text = {};
  } else if (!value.is_number()) {
    return wrong_kind(at, "revenue.amount", "a number or a string", value);
  }
  char* plain = arena_.take(kAmountBytesMax);
  size_t size = 0;
  switch (plain_decimal(text, plain, size)) {
    case Amount::ok:
      sent_.event.revenue_amount = {plain, size};
      return;
    case Amount::not_a_number:
      return wrong(at, "revenue.amount", "not a decimal number", echoed(value.text));
    case Amount::too_large:
      return wrong(at, "revenue.amount", fmt::format("more than {} digits before the point", kAmountDigitsMax),
                   echoed(text));
    case Amount::too_fine:
      return wrong(at, "revenue.amount", fmt::format("more than {} decimals", kAmountDecimalsMax), echoed(text));
  }
}

// Keeps a key this version does not know. False: the grammar is broken.
bool NativeDecoder::read_unknown(std::string_view key, size_t at) {
  Value value;
  Breach breach;
  if (!reader_.value(value, kLimits, breach)) return false;
  if (breach) {
    within(breach, shortened(key, kEchoBytesMax));
  } else if (!has_error_) {
    add_extra(key, value, at);
  }
  return true;
}

// A key that the record uses for something of its own is kept as `native.<key>`.
void NativeDecoder::add_extra(std::string_view key, const Value& value, size_t at) {
  if (key.size() + value.text.size() > rules_.event_bytes_max) return;  // as in read_object()
  if (event::is_record_key(key)) {
    constexpr std::string_view kPrefix = "native.";
    char* name = arena_.take(kPrefix.size() + key.size());
    std::memcpy(name, kPrefix.data(), kPrefix.size());
    std::memcpy(name + kPrefix.size(), key.data(), key.size());
    key = {name, kPrefix.size() + key.size()};
  }
  if (std::find(extra_keys_.begin(), extra_keys_.end(), key) != extra_keys_.end()) {
    return wrong(at, shortened(key, kEchoBytesMax), "given twice");
  }
  extra_keys_.push_back(key);
  extra_.push_back(extra_.empty() ? '{' : ',');
  append_json_string(extra_, key);
  extra_.push_back(':');
  reader_.append_minified(value, extra_);
  if (extra_keys_.size() > kExtraKeysMax) {
    return wrong(ErrorCode::kBadInput, at, fmt::format("more than {} unknown fields", kExtraKeysMax));
  }
  if (extra_.size() > kExtraBytesMax) {
    return wrong(ErrorCode::kBadInput, at, fmt::format("more than {} bytes in unknown fields", kExtraBytesMax));
  }
}

void NativeDecoder::derive_from_url() {
  auto& e = sent_.event;
  auto parts = event::split_url(e.url);
  if (parts.hostname.size() <= kHostnameBytesMax && !parts.hostname.empty()) {
    auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    e.hostname = parts.hostname;
    if (std::any_of(parts.hostname.begin(), parts.hostname.end(), upper)) {
      char* lower = arena_.take(parts.hostname.size());
      std::transform(parts.hostname.begin(), parts.hostname.end(), lower,
                     [&](char c) { return upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; });
      e.hostname = {lower, parts.hostname.size()};
    }
  }
  if (!e.path.empty()) return;
  e.path = parts.path;
  if (e.path.empty() && !e.hostname.empty()) e.path = "/";
}

}  // namespace weir::collect
