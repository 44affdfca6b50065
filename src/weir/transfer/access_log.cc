#include "weir/transfer/access_log.h"

#include <algorithm>
#include <cstring>

#include "weir/base/bytes.h"

namespace weir::transfer {

namespace {
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

std::string_view dash_is_empty(std::string_view field) { return field == "-" ? std::string_view() : field; }

// Two digits; the caller has made sure of their length. Negative when they are none.
int two_digits(const char* at) {
  if (!is_digit(at[0]) || !is_digit(at[1])) return -1;
  return (at[0] - '0') * 10 + (at[1] - '0');
}

// 1-12, or 0.
unsigned month_of_name(const char* at) {
  constexpr std::string_view kNames = "janfebmaraprmayjunjulaugsepoctnovdec";
  char name[3] = {lower(at[0]), lower(at[1]), lower(at[2])};
  for (size_t m = 0; m < 12; ++m)
    if (std::memcmp(kNames.data() + 3 * m, name, 3) == 0) return static_cast<unsigned>(m + 1);
  return 0;
}

unsigned days_in(int year, unsigned month) {
  constexpr uint8_t kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

constexpr size_t kClockBytes = 26;  // 10/Feb/2012:16:42:07 -0500

bool looks_like_address(std::string_view text) {
  if (text.size() < 3) return false;
  size_t dots = 0;
  size_t colons = 0;
  for (char c : text) {
    dots += c == '.';
    colons += c == ':';
    bool hex = is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
    if (!hex && c != '.' && c != ':') return false;
  }
  return colons >= 2 ||
         (dots == 3 && std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; }));
}

// The end of a quoted field that begins at `from`: the first quote that is not escaped.
size_t closing_quote(std::string_view line, size_t from) {
  size_t at = from;
  while (true) {
    at = line.find('"', at);
    if (at == std::string_view::npos || at == from) return at;
    // An odd number of backslashes before it escapes it.
    size_t slashes = 0;
    while (at - slashes > from && line[at - slashes - 1] == '\\') ++slashes;
    if (slashes % 2 == 0) return at;
    ++at;
  }
}

// Reads ` 200 1234` at `at`; moves it behind.
LineFault parse_status_and_bytes(std::string_view line, size_t& at, LogLine& out) {
  size_t p = at;
  if (p >= line.size() || line[p] != ' ') return LineFault::no_status;
  ++p;
  if (p < line.size() && line[p] == '-') {
    out.status = 0;
    p += 1;
  } else {
    if (line.size() - p < 3 || !is_digit(line[p]) || !is_digit(line[p + 1]) || !is_digit(line[p + 2]))
      return LineFault::no_status;
    out.status = static_cast<uint16_t>((line[p] - '0') * 100 + (line[p + 1] - '0') * 10 + (line[p + 2] - '0'));
    p += 3;
  }
  if (p >= line.size()) return LineFault::no_bytes;
  if (line[p] != ' ') return LineFault::no_status;
  ++p;
  out.has_bytes = false;
  out.bytes = 0;
  if (p < line.size() && line[p] == '-') {
    ++p;
  } else {
    size_t first = p;
    while (p < line.size() && is_digit(line[p]) && p - first < 19)
      out.bytes = out.bytes * 10 + static_cast<uint64_t>(line[p++] - '0');
    if (p == first) return LineFault::no_bytes;
    out.has_bytes = true;
  }
  if (p < line.size() && line[p] != ' ') return LineFault::no_bytes;
  at = p;
  return LineFault::none;
}

// The request, the status and the bytes. The request's own quotes are escaped by both servers of today, but not by
// every server there was: when what follows the first closing quote is no status, a later quote may be the end.
LineFault parse_request_part(std::string_view line, size_t& at, LogLine& out) {
  if (at + 1 >= line.size() || line[at] != ' ' || line[at + 1] != '"') return LineFault::no_request;
  size_t from = at + 2;
  size_t close = closing_quote(line, from);
  if (close == std::string_view::npos) return LineFault::no_request;
  LineFault first = LineFault::none;
  for (int tries = 0; tries < 16 && close != std::string_view::npos; ++tries) {
    size_t p = close + 1;
    LineFault fault = parse_status_and_bytes(line, p, out);
    if (fault == LineFault::none) {
      out.request = line.substr(from, close - from);
      at = p;
      return LineFault::none;
    }
    if (tries == 0) first = fault;
    close = line.find('"', close + 1);
  }
  return first;
}

// Reads ` "..."` at `at`; moves it behind.
LineFault parse_quoted(std::string_view line, size_t& at, std::string_view& out) {
  if (at + 1 >= line.size() || line[at] != ' ' || line[at + 1] != '"') return LineFault::no_referrer;
  size_t close = closing_quote(line, at + 2);
  // The last line of a log that is being written: taken now, its whole self would count again later.
  if (close == std::string_view::npos) return LineFault::cut_short;
  out = line.substr(at + 2, close - at - 2);
  at = close + 1;
  return LineFault::none;
}

// `client ident user [clock]`. A user's name may hold spaces and even brackets, so the first bracket that begins a
// time counts.
LineFault parse_head(std::string_view line, LogFormat format, size_t& at, LogLine& out) {
  size_t client_end = line.find(' ');
  if (client_end == std::string_view::npos || client_end == 0) return LineFault::no_client;
  size_t ident_end = line.find(' ', client_end + 1);
  if (ident_end == std::string_view::npos) return LineFault::no_client;
  size_t bracket = line.find(" [", ident_end + 1);
  if (bracket == std::string_view::npos)
    return line.find('[') == std::string_view::npos ? LineFault::no_client : LineFault::no_time;
  for (int tries = 0; tries < 16 && bracket != std::string_view::npos; ++tries) {
    size_t clock = bracket + 2;
    if (line.size() - clock > kClockBytes && line[clock + kClockBytes] == ']' &&
        parse_clock(line.substr(clock, kClockBytes), out.time)) {
      std::string_view client = line.substr(0, client_end);
      std::string_view ident = line.substr(client_end + 1, ident_end - client_end - 1);
      std::string_view user = line.substr(ident_end + 1, bracket - ident_end - 1);
      // A virtual host before the client moves each field on by one.
      size_t user_at = user.find(' ');
      bool has_host = format == LogFormat::vhost || (format == LogFormat::automatic && looks_like_address(ident) &&
                                                     !looks_like_address(client) && user.starts_with("- "));
      if (has_host) {
        if (user_at == std::string_view::npos) return LineFault::no_client;
        out.form = LineForm::vhost;
        out.host = client;
        out.scheme = client.ends_with(":443") ? "https" : client.ends_with(":80") ? "http" : "";
        client = ident;
        user = user.substr(user_at + 1);
      }
      out.client = dash_is_empty(client);
      out.user = dash_is_empty(user);
      if (out.user == "\"\"") out.user = {};
      out.clock = line.substr(clock, kClockBytes);
      at = clock + kClockBytes + 1;
      return LineFault::none;
    }
    bracket = line.find(" [", bracket + 2);
  }
  return LineFault::no_time;
}

// Length of the valid UTF-8 sequence at `at`, or 0.
size_t utf8_length(std::string_view text, size_t at) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char c = byte(at);
  if (c < 0x80) return 1;
  size_t length = c >= 0xC2 && c <= 0xDF ? 2 : (c & 0xF0) == 0xE0 ? 3 : c >= 0xF0 && c <= 0xF4 ? 4 : 0;
  if (length == 0 || text.size() - at < length) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xC0) != 0x80) return 0;
  unsigned char d = byte(at + 1);
  // Overlong forms, surrogates, beyond U+10FFFF.
  if ((c == 0xE0 && d < 0xA0) || (c == 0xED && d > 0x9F) || (c == 0xF0 && d < 0x90) || (c == 0xF4 && d > 0x8F))
    return 0;
  return length;
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_ascii(std::string_view text) {
  const char* p = text.data();
  size_t n = text.size();
  for (; n >= 8; p += 8, n -= 8)
    if ((load_le<uint64_t>(p) & 0x8080808080808080u) != 0) return false;
  for (; n > 0; ++p, --n)
    if (static_cast<signed char>(*p) < 0) return false;
  return true;
}

constexpr std::string_view kPageExtensions[] = {
    "action", "asp", "aspx", "cfm",  "cgi",  "dhtml", "do",    "htm", "html", "jsf", "jsp",   "jspx", "mhtml",
    "mvc",    "php", "php3", "php4", "php5", "php7",  "phtml", "pl",  "py",   "rb",  "shtml", "xhtml"};
constexpr std::string_view kAssetExtensions[] = {
    "aac",  "apng", "avif", "bmp",  "css",  "cur",  "eot",  "flac",        "gif",  "heic", "ico",  "jpeg",
    "jpg",  "js",   "jxl",  "less", "m3u8", "m4a",  "m4s",  "m4v",         "map",  "mjs",  "mov",  "mp3",
    "mp4",  "mpd",  "oga",  "ogg",  "ogv",  "opus", "otf",  "png",         "scss", "svg",  "svgz", "tif",
    "tiff", "ts",   "ttf",  "vtt",  "wasm", "wav",  "webm", "webmanifest", "webp", "woff", "woff2"};

// The extension of a path's last segment in lower case, written to `low`; empty when there is none that short.
template <size_t N>
std::string_view extension_of(std::string_view path, char (&low)[N]) {
  size_t slash = path.rfind('/');
  std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || name.size() - dot - 1 > N) return {};
  std::string_view extension = name.substr(dot + 1);
  std::transform(extension.begin(), extension.end(), low, lower);
  return {low, extension.size()};
}
}  // namespace

bool parse_clock(std::string_view text, UnixMillis& time) {
  if (text.size() != kClockBytes) return false;
  const char* p = text.data();
  if (p[2] != '/' || p[6] != '/' || p[11] != ':' || p[14] != ':' || p[17] != ':' || p[20] != ' ') return false;
  int day = two_digits(p);
  unsigned month = month_of_name(p + 3);
  int century = two_digits(p + 7);
  int year = two_digits(p + 9);
  int hour = two_digits(p + 12);
  int minute = two_digits(p + 15);
  int second = two_digits(p + 18);
  int zone_hours = two_digits(p + 22);
  int zone_minutes = two_digits(p + 24);
  if (day < 1 || month == 0 || century < 0 || year < 0 || hour < 0 || minute < 0 || second < 0) return false;
  year += century * 100;
  // 60: a leap second, which ends up as the first of the next minute.
  if (hour > 23 || minute > 59 || second > 60 || static_cast<unsigned>(day) > days_in(year, month)) return false;
  if ((p[21] != '+' && p[21] != '-') || zone_hours < 0 || zone_hours > 23 || zone_minutes < 0 || zone_minutes > 59)
    return false;
  int64_t zone = (zone_hours * 60 + zone_minutes) * 60;
  if (p[21] == '-') zone = -zone;
  int64_t days = days_from_civil({year, month, static_cast<unsigned>(day)});
  time = (days * 86'400 + hour * 3600 + minute * 60 + second - zone) * 1000;
  return true;
}

std::string_view name_of(LogFormat format) {
  switch (format) {
    case LogFormat::automatic:
      return "auto";
    case LogFormat::combined:
      return "combined";
    case LogFormat::common:
      return "common";
    case LogFormat::vhost:
      return "vhost";
    case LogFormat::json:
      return "json";
    case LogFormat::w3c:
      return "w3c";
  }
  return "?";
}

std::string_view name_of(LineForm form) {
  constexpr std::string_view kNames[kLineForms] = {"combined", "common", "vhost", "json", "w3c"};
  return kNames[static_cast<size_t>(form)];
}

bool parse_log_format(std::string_view name, LogFormat& format) {
  if (name == "nginx-json" || name == "caddy") name = "json";
  if (name == "cloudfront" || name == "iis") name = "w3c";
  for (LogFormat f : kLogFormats) {
    if (name_of(f) != name) continue;
    format = f;
    return true;
  }
  return false;
}

std::string_view name_of(LineFault fault) {
  switch (fault) {
    case LineFault::none:
      return "none";
    case LineFault::blank:
      return "blank";
    case LineFault::comment:
      return "a comment";
    case LineFault::too_long:
      return "longer than 64 KiB";
    case LineFault::no_client:
      return "does not begin with client, ident and user";
    case LineFault::no_time:
      return "no time like [10/Feb/2012:16:42:07 -0500]";
    case LineFault::no_request:
      return "no quoted request after the time";
    case LineFault::no_status:
      return "no status after the request";
    case LineFault::no_bytes:
      return "no number of bytes after the status";
    case LineFault::cut_short:
      return "ends inside a quoted field";
    case LineFault::no_referrer:
      return "no quoted referrer and user agent after the bytes";
    case LineFault::no_json:
      return "not one whole JSON object";
    case LineFault::no_named_time:
      return "no time under a known name that can be read";
    case LineFault::no_named_request:
      return "no request under a known name";
    case LineFault::no_fields:
      return "no #Fields line stands before it";
    case LineFault::other_fields:
      return "not as many fields as the #Fields line names";
  }
  return "?";
}

LineFault parse_line(std::string_view line, LogFormat format, LogLine& out) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line.size() > kLineBytesMax) return LineFault::too_long;
  size_t begin = 0;
  while (begin < line.size() && (line[begin] == ' ' || line[begin] == '\t')) ++begin;
  if (begin == line.size()) return LineFault::blank;
  if (line[begin] == '#') return LineFault::comment;

  size_t at = 0;
  out.form = LineForm::common;
  out.is_decoded = false;
  out.host = out.scheme = {};
  if (LineFault fault = parse_head(line, format, at, out); fault != LineFault::none) return fault;
  if (LineFault fault = parse_request_part(line, at, out); fault != LineFault::none) return fault;

  out.referrer = {};
  out.user_agent = {};
  if (format == LogFormat::common || at == line.size()) return LineFault::none;
  LineFault fault = parse_quoted(line, at, out.referrer);
  if (fault == LineFault::none) fault = parse_quoted(line, at, out.user_agent);
  if (fault == LineFault::none) {
    if (out.form == LineForm::common) out.form = LineForm::combined;
    out.referrer = dash_is_empty(out.referrer);
    out.user_agent = dash_is_empty(out.user_agent);
    return LineFault::none;
  }
  if (fault == LineFault::cut_short) return fault;
  if (format == LogFormat::combined && line.find_first_not_of(' ', at) != std::string_view::npos) return fault;
  out.referrer = {};
  return LineFault::none;
}

bool parse_request(std::string_view request, RequestLine& out) {
  size_t method_end = request.find(' ');
  if (method_end == std::string_view::npos || method_end == 0 || method_end > 32) return false;
  for (char c : request.substr(0, method_end))
    if (!is_letter(c) && c != '-' && c != '_') return false;
  out.method = request.substr(0, method_end);
  std::string_view rest = request.substr(method_end + 1);
  // Targets with bare spaces occur: the protocol is what stands behind the last one.
  size_t space = rest.rfind(' ');
  out.protocol = {};
  if (space != std::string_view::npos && rest.substr(space + 1).starts_with("HTTP/")) {
    out.protocol = rest.substr(space + 1);
    rest = rest.substr(0, space);
  }
  out.target = rest;
  // "GET HTTP/1.1" has no target; a word that is neither path, URL, authority nor "*" is no target either.
  if (rest.empty() || rest.starts_with("HTTP/")) return false;
  if (rest[0] == '/' || rest == "*" || out.method == "CONNECT") return true;
  return !out.protocol.empty();
}

void append_valid_utf8(std::string_view text, std::string& out) {
  if (is_ascii(text)) {
    out.append(text);
    return;
  }
  for (size_t at = 0; at < text.size();) {
    size_t length = utf8_length(text, at);
    out.append(length > 0 ? text.substr(at, length) : kReplacement);
    at += std::max<size_t>(length, 1);
  }
}

void append_unescaped(std::string_view field, std::string& out) {
  if (field.find('\\') == std::string_view::npos) {
    append_valid_utf8(field, out);
    return;
  }
  std::string bytes;
  bytes.reserve(field.size());
  for (size_t i = 0; i < field.size(); ++i) {
    char c = field[i];
    if (c != '\\' || i + 1 == field.size()) {
      bytes.push_back(c);
      continue;
    }
    char e = field[i + 1];
    if (e == 'x' && i + 3 < field.size() && hex_digit(field[i + 2]) >= 0 && hex_digit(field[i + 3]) >= 0) {
      bytes.push_back(static_cast<char>(hex_digit(field[i + 2]) << 4 | hex_digit(field[i + 3])));
      i += 3;
      continue;
    }
    constexpr std::string_view kLetters = "bnrtvf\"\\";
    constexpr std::string_view kMeaning = "\b\n\r\t\v\f\"\\";
    size_t known = kLetters.find(e);
    if (known == std::string_view::npos) {
      bytes.push_back(c);  // not an escape of either server: the backslash was meant
      continue;
    }
    bytes.push_back(kMeaning[known]);
    ++i;
  }
  append_valid_utf8(bytes, out);
}

bool is_plain(std::string_view field) {
  return is_ascii(field) && std::memchr(field.data(), '\\', field.size()) == nullptr;
}

bool is_page(std::string_view path) {
  size_t slash = path.rfind('/');
  std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return true;
  std::string_view extension = name.substr(dot + 1);
  if (std::all_of(extension.begin(), extension.end(), is_digit)) return dot != 0;
  if (dot == 0) return false;  // ".env", ".htaccess"
  char low[8];
  std::string_view wanted = extension_of(path, low);
  return std::find(std::begin(kPageExtensions), std::end(kPageExtensions), wanted) != std::end(kPageExtensions);
}

bool is_asset(std::string_view path) {
  char low[12];
  std::string_view wanted = extension_of(path, low);
  return std::binary_search(std::begin(kAssetExtensions), std::end(kAssetExtensions), wanted);
}

std::string_view resembles(std::string_view line) {
  if (line.find("haproxy[") != std::string_view::npos) return "HAProxy";
  if (line.starts_with("\x1f\x8b") || line.starts_with("\x28\xb5\x2f\xfd") || line.starts_with("BZh"))
    return "packed bytes";
  return {};
}

}  // namespace weir::transfer
