#include "weir/transfer/log_parser.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "weir/base/time_text.h"
#include "weir/event/json.h"

namespace weir::transfer {

namespace {
namespace json = event::json;

// What the fields of JSON and W3C logs mean to us.
enum Meaning : uint8_t {
  kTime,
  kDate,
  kClient,
  kUser,
  kHost,
  kScheme,
  kPort,
  kRequest,  // method, target and protocol in one
  kMethod,
  kTarget,
  kStem,  // a target without query
  kQuery,
  kProtocol,
  kStatus,
  kBytes,
  kReferrer,
  kAgent,
  kNested,  // an object whose members count as well
  kMeanings
};

// Of several names with one meaning in a line, the one that stands first here counts.
struct Name {
  std::string_view text;
  Meaning meaning;
};

// nginx's variables and the names its users give them; Caddy, Traefik.
constexpr std::array kJsonNames = std::to_array<Name>({
    {"ts", kTime},
    {"time_iso8601", kTime},
    {"msec", kTime},
    {"@timestamp", kTime},
    {"timestamp", kTime},
    {"time", kTime},
    {"StartUTC", kTime},
    {"time_local", kTime},
    {"datetime", kTime},
    {"date", kTime},
    {"client_ip", kClient},
    {"remote_ip", kClient},
    {"remote_addr", kClient},
    {"clientip", kClient},
    {"ClientHost", kClient},
    {"client", kClient},
    {"ip", kClient},
    {"remote_user", kUser},
    {"user_id", kUser},
    {"ClientUsername", kUser},
    {"user", kUser},
    {"http_host", kHost},
    {"host", kHost},
    {"RequestHost", kHost},
    {"vhost", kHost},
    {"server_name", kHost},
    {"scheme", kScheme},
    {"RequestScheme", kScheme},
    {"server_port", kPort},
    {"request_method", kMethod},
    {"method", kMethod},
    {"RequestMethod", kMethod},
    {"verb", kMethod},
    {"request_uri", kTarget},
    {"uri", kTarget},
    {"RequestPath", kTarget},
    {"path", kTarget},
    {"url", kTarget},
    {"request", kRequest},
    {"args", kQuery},
    {"query_string", kQuery},
    {"server_protocol", kProtocol},
    {"proto", kProtocol},
    {"protocol", kProtocol},
    {"RequestProtocol", kProtocol},
    {"status", kStatus},
    {"DownstreamStatus", kStatus},
    {"response", kStatus},
    {"body_bytes_sent", kBytes},
    {"bytes_sent", kBytes},
    {"size", kBytes},
    {"bytes", kBytes},
    {"length", kBytes},
    {"DownstreamContentSize", kBytes},
    {"http_referer", kReferrer},
    {"http_referrer", kReferrer},
    {"referer", kReferrer},
    {"referrer", kReferrer},
    {"Referer", kReferrer},
    {"request_Referer", kReferrer},
    {"http_user_agent", kAgent},
    {"user_agent", kAgent},
    {"User-Agent", kAgent},
    {"request_User-Agent", kAgent},
    {"agent", kAgent},
    {"headers", kNested},
});

constexpr std::array kW3cNames = std::to_array<Name>({
    {"date", kDate},
    {"time", kTime},
    {"c-ip", kClient},
    {"cs-username", kUser},
    {"x-host-header", kHost},
    {"cs-host", kHost},
    {"cs(host)", kHost},
    {"cs-protocol", kScheme},
    {"s-port", kPort},
    {"cs-method", kMethod},
    {"cs-uri", kTarget},
    {"cs-uri-stem", kStem},
    {"cs-uri-query", kQuery},
    {"cs-protocol-version", kProtocol},
    {"cs-version", kProtocol},
    {"sc-status", kStatus},
    {"sc-bytes", kBytes},
    {"cs(referer)", kReferrer},
    {"cs(user-agent)", kAgent},
});

// From a name to its place.
using Table = std::unordered_map<std::string_view, uint8_t>;
Table table_of(std::span<const Name> names) {
  Table table;
  for (size_t i = 0; i < names.size(); ++i) table.emplace(names[i].text, static_cast<uint8_t>(i));
  return table;
}

std::string_view dash_is_empty(std::string_view field) { return field == "-" ? std::string_view() : field; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

bool is_number(std::string_view text) {
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Seconds since 1970, or milli-, micro- or nanoseconds where the number would be beyond the year 5000 in coarser ones.
bool parse_epoch(std::string_view text, UnixMillis& time) {
  uint64_t whole = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), whole);
  if (error != std::errc() || whole > 9'000'000'000'000'000'000u) return false;
  constexpr uint64_t kLimit = 100'000'000'000;
  if (whole >= kLimit) {
    while (whole >= kLimit * 1000) whole /= 1000;
    time = static_cast<UnixMillis>(whole);
    return true;
  }
  int64_t millis = 0;
  int64_t unit = 100;
  std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  if (rest.find('.', 1) != std::string_view::npos) return false;
  if (!rest.empty() && rest[0] == '.')
    for (size_t i = 1; i < rest.size() && i <= 3 && rest[i] >= '0' && rest[i] <= '9'; ++i, unit /= 10)
      millis += (rest[i] - '0') * unit;
  time = static_cast<UnixMillis>(whole) * 1000 + millis;
  return true;
}

bool parse_any_time(std::string_view text, UnixMillis& time) {
  return is_number(text) ? parse_epoch(text, time) : parse_time(text, time) || parse_clock(text, time);
}

// "192.0.2.1:4711" and "[2001:db8::1]:4711" without the port.
std::string_view without_port(std::string_view address) {
  if (address.starts_with("[")) return address.substr(1, address.find(']') - 1);
  size_t colon = address.find(':');
  bool one = colon != std::string_view::npos && address.find(':', colon + 1) == std::string_view::npos;
  return one ? address.substr(0, colon) : address;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void append_percent_decoded(std::string_view text, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    bool escape = text[i] == '%' && text.size() - i > 2 && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
    out.push_back(escape ? static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2])) : text[i]);
    if (escape) i += 2;
  }
}
}  // namespace

struct LogParser::State {
  explicit State(LogFormat f) : format(f) {}

  const LogFormat format;
  bool has_fields = false;
  // The meaning of each column, and how it stands in kW3cNames; kMeanings: none.
  struct Column {
    uint8_t meaning;
    uint8_t rank;
  };
  std::vector<Column> columns;

  std::array<std::string_view, kMeanings> values;
  std::array<uint8_t, kMeanings> ranks{};
  json::Reader reader;
  json::Arena arena;
  std::string valid;
  std::string request;
  std::string clock;
  std::string agent;
  std::string referrer;

  void clear_values() {
    values.fill({});
    ranks.fill(0xff);
  }
  void keep(uint8_t meaning, uint8_t rank, std::string_view value) {
    if (value.empty() || rank >= ranks[meaning]) return;
    values[meaning] = value;
    ranks[meaning] = rank;
  }

  LineFault parse_json(std::string_view line, LogLine& out);
  LineFault parse_w3c(std::string_view line, LogLine& out);
  bool read_members(int depth);
  bool read_value(uint8_t meaning, uint8_t rank);
  bool make(LogLine& out);
};

LogParser::LogParser(LogFormat format) : state_(std::make_unique<State>(format)) {}
LogParser::~LogParser() = default;

std::optional<std::string_view> LogParser::fields_of(std::string_view line) {
  constexpr std::string_view kBegin = "#Fields:";
  if (!line.starts_with(kBegin) || line.size() - kBegin.size() > kFieldsBytesMax) return std::nullopt;
  return line.substr(kBegin.size());
}

void LogParser::set_fields(std::string_view fields) {
  static const Table table = table_of(kW3cNames);
  State& s = *state_;
  s.has_fields = true;
  s.columns.clear();
  std::string name;
  while (true) {
    size_t begin = fields.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return;
    fields.remove_prefix(begin);
    size_t end = std::min(fields.find_first_of(" \t\r"), fields.size());
    name.assign(fields.substr(0, end));
    std::transform(name.begin(), name.end(), name.begin(), lower);
    fields.remove_prefix(end);
    auto found = table.find(name);
    if (found == table.end())
      s.columns.push_back({kMeanings, 0});
    else
      s.columns.push_back({kW3cNames[found->second].meaning, found->second});
  }
}

LineFault LogParser::parse(std::string_view line, LogLine& out) {
  State& s = *state_;
  bool named = s.format == LogFormat::json || s.format == LogFormat::w3c;
  if (s.format != LogFormat::automatic && !named) return parse_line(line, s.format, out);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.size() > kLineBytesMax) return LineFault::too_long;
  size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return LineFault::blank;
  if (line[begin] == '#') {
    if (auto fields = fields_of(line); fields && s.format != LogFormat::json) set_fields(*fields);
    return LineFault::comment;
  }
  if (s.format == LogFormat::json || (s.format == LogFormat::automatic && line[begin] == '{'))
    return s.parse_json(line, out);
  if (s.format == LogFormat::w3c || s.has_fields) return s.parse_w3c(line, out);
  return parse_line(line, s.format, out);
}

// Fills `out` from the values; false when there is no request.
bool LogParser::State::make(LogLine& out) {
  out.is_decoded = true;
  out.client = without_port(dash_is_empty(values[kClient]));
  out.user = dash_is_empty(values[kUser]);
  out.host = dash_is_empty(values[kHost]);
  out.scheme = values[kScheme] == "https" || values[kPort] == "443" ? "https"
               : values[kScheme] == "http" || values[kPort] == "80" ? "http"
                                                                    : "";
  out.referrer = dash_is_empty(values[kReferrer]);
  out.user_agent = dash_is_empty(values[kAgent]);
  std::string_view status = values[kStatus];
  out.status = 0;
  auto [status_end, status_error] = std::from_chars(status.data(), status.data() + status.size(), out.status);
  if (status_error != std::errc() || status_end != status.data() + status.size() || out.status > 999) out.status = 0;
  std::string_view bytes = values[kBytes];
  out.bytes = 0;
  auto [bytes_end, bytes_error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), out.bytes);
  out.has_bytes = !bytes.empty() && bytes_error == std::errc() && bytes_end == bytes.data() + bytes.size();
  if (!out.has_bytes) out.bytes = 0;

  std::string_view target = values[kTarget].empty() ? values[kStem] : values[kTarget];
  std::string_view query = dash_is_empty(values[kQuery]);
  if (target.empty()) {
    out.request = values[kRequest];
    return !out.request.empty();
  }
  // A log of requests that does not say how they were made is one of GETs.
  request.assign(values[kMethod].empty() ? "GET" : values[kMethod]).append(1, ' ').append(target);
  if (!query.empty() && target.find('?') == std::string_view::npos) request.append(1, '?').append(query);
  request.append(1, ' ').append(values[kProtocol].starts_with("HTTP/") ? values[kProtocol] : "HTTP/1.1");
  out.request = request;
  return true;
}

// The members of an object whose '{' has been taken, up to and with its '}'.
bool LogParser::State::read_members(int depth) {
  static const Table table = table_of(kJsonNames);
  if (reader.take('}')) return true;
  do {
    std::string_view key;
    bool escaped = false;
    if (!reader.key(key, escaped)) return false;
    auto found = table.find(key);
    uint8_t rank = found == table.end() ? 0 : found->second;
    uint8_t meaning = found == table.end() ? kMeanings : kJsonNames[rank].meaning;
    // Caddy's `request` and its `headers` are objects, nginx's `request` is a text. TLS says what the scheme was.
    bool nested = reader.peek() == '{' && (meaning == kRequest || meaning == kNested) && depth < 2;
    if (nested) {
      reader.take('{');
      if (!read_members(depth + 1)) return false;
      continue;
    }
    if (depth == 1 && key == "tls" && reader.peek() == '{') keep(kScheme, 0xfe, "https");
    if (!read_value(meaning, rank)) return false;
  } while (reader.take(','));
  return reader.take('}');
}

bool LogParser::State::read_value(uint8_t meaning, uint8_t rank) {
  // A header's values are a list: the first counts.
  uint32_t list = reader.position();
  json::Value value;
  if (meaning < kMeanings && reader.take('[')) {
    if (reader.peek() == '"') {
      if (!reader.value(value)) return false;
      keep(meaning, rank, json::text_of(value.text.substr(1, value.text.size() - 2), !value.plain, arena));
    }
    reader.seek(list);
    return reader.value(value);
  }
  if (!reader.value(value)) return false;
  if (meaning == kMeanings) return true;
  if (value.is_string())
    keep(meaning, rank, json::text_of(value.text.substr(1, value.text.size() - 2), !value.plain, arena));
  else if (value.is_number())
    keep(meaning, rank, value.text);
  return true;
}

LineFault LogParser::State::parse_json(std::string_view line, LogLine& out) {
  clear_values();
  arena.clear();
  auto scanned = reader.scan(line);
  if (scanned == json::Reader::Scan::bad_utf8) {  // nginx writes headers' bytes as they came
    valid.clear();
    append_valid_utf8(line, valid);
    scanned = reader.scan(valid);
  }
  if (scanned != json::Reader::Scan::ok || !reader.take('{') || !read_members(0) || reader.more())
    return LineFault::no_json;
  out.form = LineForm::json;
  if (!parse_any_time(values[kTime], out.time)) return LineFault::no_named_time;
  out.clock = values[kTime];
  return make(out) ? LineFault::none : LineFault::no_named_request;
}

LineFault LogParser::State::parse_w3c(std::string_view line, LogLine& out) {
  if (!has_fields) return LineFault::no_fields;
  clear_values();
  // CloudFront separates by tabs and encodes what is within; IIS by spaces, and quotes what may hold them.
  bool tabs = line.find('\t') != std::string_view::npos;
  size_t count = 0;
  for (size_t at = 0; at <= line.size(); ++count) {
    size_t end = 0;
    std::string_view field;
    if (!tabs && at < line.size() && line[at] == '"') {
      end = line.find('"', at + 1);
      if (end == std::string_view::npos) return LineFault::cut_short;
      field = line.substr(at + 1, end - at - 1);
      ++end;
      if (end < line.size() && line[end] != ' ') return LineFault::other_fields;
    } else {
      end = std::min(line.find(tabs ? '\t' : ' ', at), line.size());
      field = line.substr(at, end - at);
    }
    at = end + 1;
    if (count < columns.size() && columns[count].meaning < kMeanings)
      keep(columns[count].meaning, columns[count].rank, field);
  }
  if (count != columns.size()) return LineFault::other_fields;
  out.form = LineForm::w3c;
  if (values[kDate].empty() || values[kTime].empty()) return LineFault::no_named_time;
  clock.assign(values[kDate]).append(1, ' ').append(values[kTime]);
  if (!parse_time(clock, out.time)) return LineFault::no_named_time;
  if (values[kMethod].empty() || (values[kStem].empty() && values[kTarget].empty())) return LineFault::no_named_request;
  if (!make(out)) return LineFault::no_named_request;
  out.clock = clock;
  agent.clear();
  referrer.clear();
  if (tabs) {
    // A space is %20, in older logs %2520.
    append_percent_decoded(out.user_agent, agent);
    if (agent.find("%20") != std::string::npos) append_percent_decoded(std::exchange(agent, {}), agent);
    append_percent_decoded(out.referrer, referrer);
    out.referrer = referrer;
  } else {
    agent.assign(out.user_agent);
    std::replace(agent.begin(), agent.end(), '+', ' ');
  }
  out.user_agent = agent;
  return LineFault::none;
}

}  // namespace weir::transfer
