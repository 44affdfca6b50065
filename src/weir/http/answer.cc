#include "weir/http/answer.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::http {

std::string format_http_date(UnixMillis t) {
  constexpr const char* kDays[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};  // 1970-01-01 was a Thursday
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int64_t day = day_of(t);
  const CivilDay civil = civil_from_days(day);
  const int64_t seconds = (t - day * kMillisPerDay) / 1000;
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[((day % 7) + 7) % 7], civil.day,
                     kMonths[civil.month - 1], civil.year, seconds / 3600, seconds / 60 % 60, seconds % 60);
}

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Status";
  }
}

namespace {

void append_value(std::string& out, std::string_view value) {
  const size_t from = out.size();
  out += value;
  for (size_t i = from; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    if ((c < 0x20 && c != '\t') || c == 0x7F) out[i] = ' ';
  }
  out += "\r\n";
}

void append_number(std::string& out, uint64_t number) {
  const fmt::format_int digits(number);
  out.append(digits.data(), digits.size());
}

}  // namespace

void append_head(std::string& out, const Response& response, std::string_view date) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<uint64_t>(response.status));
  out += ' ';
  out += reason_of(response.status);
  out += "\r\nDate: ";
  out += date;
  out += "\r\n";
  for (const auto& [name, value] : response.headers) {
    out += name;
    out += ": ";
    append_value(out, value);
  }
  if (!response.content_type.empty()) {
    out += "Content-Type: ";
    append_value(out, response.content_type);
  }
}

void append_guards(std::string& out, const Response& response,
                   const std::vector<std::pair<std::string, std::string>>& guards) {
  for (const auto& [name, value] : guards) {
    const bool given = std::any_of(response.headers.begin(), response.headers.end(),
                                   [&name = name](const auto& header) { return header.first == name; });
    if (given) continue;
    out += name;
    out += ": ";
    append_value(out, value);
  }
}

void append_framing(std::string& out, const Response& response, BodyEnd end, uint64_t body_bytes, bool keep_alive,
                    bool http_1_0) {
  if (!keep_alive) {
    out += "Connection: close\r\n";
  } else if (http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  switch (end) {
    case BodyEnd::length:
      out += "Content-Length: ";
      append_number(out, body_bytes);
      out += "\r\n";
      break;
    case BodyEnd::chunked:
      out += "Transfer-Encoding: chunked\r\n";
      break;
    case BodyEnd::close:
    case BodyEnd::none:
      break;
  }
  // A browser must not make a script or page of what we call JSON or text.
  if (end != BodyEnd::none && (body_bytes > 0 || response.stream)) out += "X-Content-Type-Options: nosniff\r\n";
}

}  // namespace weir::http
