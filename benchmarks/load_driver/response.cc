#include "load_driver/response.h"

#include <strings.h>

#include <charconv>

namespace weir::bench {
namespace {

bool begins_with(std::string_view line, std::string_view name) {
  return line.size() >= name.size() && strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool parse_number(std::string_view text, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

ParsedResponse parse_response(std::string_view input) {
  ParsedResponse r;
  const auto broken = [&r] {
    r.state = ParsedResponse::State::broken;
    return r;
  };
  const size_t head_end = input.find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    if (input.size() > 64 * 1024) return broken();
    return r;
  }
  // "HTTP/1.1 201 Created"
  if (!begins_with(input, "HTTP/1.") || input[8] != ' ') return broken();
  uint64_t status = 0;
  if (!parse_number(input.substr(9, 3), status) || status < 200 || status > 599) return broken();
  r.status = static_cast<int>(status);
  r.close = input[7] == '0';
  uint64_t length = 0;
  bool has_length = false;
  size_t at = input.find("\r\n") + 2;
  while (at < head_end) {
    const size_t end = input.find("\r\n", at);
    const std::string_view line = input.substr(at, end - at);
    at = end + 2;
    switch (line.empty() ? '\0' : line.front() | 0x20) {
      case 'c':
        if (begins_with(line, "content-length:")) {
          if (!parse_number(trimmed(line.substr(15)), length)) return broken();
          has_length = true;
        } else if (begins_with(line, "connection:")) {
          r.close = trimmed(line.substr(11)).size() == 5;  // "close", not "keep-alive"
        }
        break;
      case 't':
        if (begins_with(line, "transfer-encoding:")) return broken();
        break;
      default:
        break;
    }
  }
  if (!has_length && status != 204 && status != 304) return broken();
  r.bytes = head_end + 4 + length;
  if (input.size() < r.bytes) return r;
  r.body = input.substr(head_end + 4, length);
  r.state = ParsedResponse::State::complete;
  return r;
}

bool parse_batch_answer(std::string_view body, BatchAnswer& answer) {
  answer = {};
  constexpr std::string_view kAccepted = R"("accepted":)";
  size_t at = body.find(kAccepted);
  if (at == std::string_view::npos) return false;
  const char* begin = body.data() + at + kAccepted.size();
  const char* end = body.data() + body.size();
  if (std::from_chars(begin, end, answer.accepted).ec != std::errc()) return false;
  // The messages are quoted texts whose own quotes are escaped, so `"index":` cannot occur within one.
  const size_t dropped = body.find(R"("dropped":[)", at);
  constexpr std::string_view kIndex = R"("index":)";
  while ((at = body.find(kIndex, at)) != std::string_view::npos) {
    uint32_t index = 0;
    if (std::from_chars(body.data() + at + kIndex.size(), end, index).ec != std::errc()) return false;
    (at < dropped ? answer.rejected : answer.dropped).push_back(index);
    at += kIndex.size();
  }
  return true;
}

}  // namespace weir::bench
