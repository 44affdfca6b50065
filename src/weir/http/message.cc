#include "weir/http/message.h"

#include <fmt/format.h>

#include "weir/base/json_writer.h"
#include "weir/base/random.h"
#include "weir/http/text.h"

namespace weir::http {

namespace {

// -1 when `c` is no hexadecimal digit.
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A '%' that begins no escape stands for itself, as browsers read it.
std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

// Length of the UTF-8 sequence at the front of `text`; 0 when there is no valid one.
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto continued = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continued(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!continued(1) || !continued(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!continued(1) || !continued(2) || !continued(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

std::string repair_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

// Jittered, so that those who were refused together do not come back together.
std::string retry_after() {
  thread_local uint64_t state = random_u64() | 1;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return fmt::format_int(5 + state % 26).str();
}

}  // namespace

std::string_view Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (equal_ignoring_case(key, name)) return value;
  return {};
}

bool query_parameter(std::string_view query, std::string_view name, std::string& value) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    // Names are nearly always plain; decode only those that are not.
    if (key != name && (key.find_first_of("%+") == std::string_view::npos || percent_decode(key) != name)) continue;
    if (pair.empty()) continue;
    value = equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1));
    return true;
  }
  return false;
}

Response error_response(int status, std::string_view code, std::string_view message) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = R"({"error":{"code":")";
  response.body += code;
  response.body += R"(","message":)";
  append_json_string(response.body, repair_utf8(message));
  response.body += "}}";
  return response;
}

Response error_response(const Error& error) {
  Response response = error_response(http_status(error.code), name_of(error.code), error.message);
  if (is_retryable(error.code)) response.headers.emplace_back("Retry-After", retry_after());
  return response;
}

Response json_response(int status, std::string body) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  return response;
}

}  // namespace weir::http
