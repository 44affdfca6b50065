#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/clock.h"

// Lines of web servers' access logs: what stands in them, and nginx's and Apache's own formats. Pure functions: no
// state, no I/O. docs/formats/imports.md says what is accepted and what becomes of it. log_parser.h reads all formats.
namespace weir::transfer {

// A longer line is no access log's: it is skipped and counted.
inline constexpr size_t kLineBytesMax = 64 * 1024;

enum class LogFormat : uint8_t {
  automatic,  // each line as what it looks like; referrer and user agent where it has them
  combined,   // likewise; a line that ends before them is taken with both empty
  common,     // what follows the bytes is not read
  vhost,      // a virtual host, then combined or common
  json,       // an object a line, with the names that nginx, Caddy and Traefik use
  w3c,        // W3C extended: CloudFront, IIS
};
inline constexpr LogFormat kLogFormats[] = {LogFormat::automatic, LogFormat::combined, LogFormat::common,
                                            LogFormat::vhost,     LogFormat::json,     LogFormat::w3c};
std::string_view name_of(LogFormat format);
// Takes name_of()'s names, and those of servers: nginx-json, caddy, cloudfront, iis.
bool parse_log_format(std::string_view name, LogFormat& format);
// For messages.
inline constexpr std::string_view kLogFormatNames = "auto, combined, common, vhost, json or w3c";

// What a readable line was.
enum class LineForm : uint8_t { combined, common, vhost, json, w3c };
inline constexpr size_t kLineForms = 5;
std::string_view name_of(LineForm form);

// What stands in one line, as written there: quoted fields without their quotes but with their escapes, `-` as empty.
// Views into the line, or into the parser's memory.
struct LogLine {
  LineForm form = LineForm::common;
  // The fields hold no escapes of Apache or nginx: they were undone already, or the format has none.
  bool is_decoded = false;
  std::string_view host;    // that was asked, perhaps with a port; whatever the client said it was
  std::string_view scheme;  // "http", "https", or empty when nothing tells
  std::string_view client;  // address, or host name where the server looked it up
  std::string_view user;    // of HTTP authentication; may hold spaces
  std::string_view clock;   // the time as written: "10/Feb/2012:16:42:07 -0500"
  UnixMillis time = 0;
  std::string_view request;
  uint16_t status = 0;  // 0: `-`
  uint64_t bytes = 0;
  bool has_bytes = false;  // false: `-`
  std::string_view referrer;
  std::string_view user_agent;
};

// Why a line is no request.
enum class LineFault : uint8_t {
  none,
  blank,
  comment,           // begins with '#'
  too_long,          // above kLineBytesMax
  no_client,         // does not begin with `client ident user [`
  no_time,           // no [day/month/year:hour:minute:second zone]
  no_request,        // no quoted request after the time
  no_status,         // no three digits after the request
  no_bytes,          // no number after the status
  no_referrer,       // a fourth field that is not quoted, in a line said to be combined
  cut_short,         // ends inside a quoted field
  no_json,           // not one whole JSON object
  no_named_time,     // JSON or W3C: no time under a name that is known, or none that can be read
  no_named_request,  // likewise the request
  no_fields,         // W3C: no #Fields line came before
  other_fields,      // W3C: not as many fields as #Fields names
};
std::string_view name_of(LineFault fault);  // "no time in brackets"

// Reads a line of nginx's and Apache's formats: all but json and w3c, which log_parser.h reads.
// `line`: without its line end; a trailing '\r' is taken off. `out` is meaningful when the answer is `none`.
LineFault parse_line(std::string_view line, LogFormat format, LogLine& out);
// "10/Feb/2012:16:42:07 -0500". False when it is no such time.
bool parse_clock(std::string_view text, UnixMillis& time);

// A request line taken apart. Views into it.
struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view protocol;  // "HTTP/1.1"; empty: none was sent
};
// `request`: with escapes undone. False when it is no HTTP request (TLS bytes, a stray word, nothing).
bool parse_request(std::string_view request, RequestLine& out);

// Undoes both servers' escapes (\" \\ \n \t \xHH ...), appending to `out`, and makes it valid UTF-8: other bytes become
// U+FFFD.
void append_unescaped(std::string_view field, std::string& out);
// Appends `text` with what is not UTF-8 replaced by U+FFFD.
void append_valid_utf8(std::string_view text, std::string& out);
// True when the field stands for itself: printable ASCII without a backslash.
bool is_plain(std::string_view field);

// Whether a GET of this path asks for a page rather than for a picture, a script or a feed: the last segment has no
// extension, a number for one ("/v1.2"), or one that makes pages (html, php, aspx...).
bool is_page(std::string_view path);
// Whether a path names a part of a page: a picture, script, style, font, sound or film, by its extension.
bool is_asset(std::string_view path);

// What a log that none of the known formats fits looks like, for the message: "HAProxy", "packed bytes"; empty when it
// looks like nothing known.
std::string_view resembles(std::string_view line);

}  // namespace weir::transfer
