#include "weir/collect/sender.h"

#include <algorithm>
#include <array>
#include <string>

#include "weir/base/json_writer.h"
#include "weir/event/json.h"

namespace weir::collect {

namespace {
constexpr size_t kUserAgentBytesMax = 1024;
constexpr size_t kLanguageBytesMax = 256;
constexpr size_t kHintBytesMax = 512;
constexpr size_t kHintsBytesMax = 1536;  // together; every event of the request carries them
constexpr std::string_view kHintPrefix = "sec-ch-ua";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool starts_with(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() && std::equal(lower_prefix.begin(), lower_prefix.end(), text.begin(),
                                                          [](char a, char b) { return a == lower(b); });
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string clean(std::string_view text, size_t bytes_max) {
  std::string out(text.substr(0, bytes_max));
  if (std::any_of(out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    std::vector<uint32_t> replaced;
    event::json::replace_invalid_utf8(out, replaced);
  }
  return out;
}
}  // namespace

Sender sender_of(const http::Request& request) {
  Sender sender;
  sender.ip = request.client_address;
  for (const auto& [name, value] : request.headers) {
    // The first letter tells most headers apart.
    switch (lower(name.empty() ? '\0' : name.front())) {
      case 'u':
        if (name.size() == 10 && starts_with(name, "user-agent")) sender.user_agent = clean(value, kUserAgentBytesMax);
        break;
      case 'a':
        if (name.size() == 15 && starts_with(name, "accept-language")) {
          sender.accept_language = clean(value, kLanguageBytesMax);
        }
        break;
      case 's':
        if (name.size() == 7 && starts_with(name, "sec-gpc")) sender.gpc = trimmed(value) == "1";
        if (starts_with(name, kHintPrefix) &&
            sender.hints.size() + name.size() + std::min(value.size(), kHintBytesMax) < kHintsBytesMax) {
          sender.hints.push_back(sender.hints.empty() ? '{' : ',');
          append_json_string(sender.hints, lower_case(name));
          sender.hints.push_back(':');
          append_json_string(sender.hints, clean(value, kHintBytesMax));
        }
        break;
      default:
        break;
    }
  }
  if (!sender.hints.empty()) sender.hints.push_back('}');
  return sender;
}

std::string_view key_of(const http::Request& request) {
  std::string_view authorization = request.header("Authorization");
  if (starts_with(authorization, "bearer ")) return trimmed(authorization.substr(7));
  return trimmed(request.header("X-Weir-Key"));
}

BodyType body_type(std::string_view content_type) {
  size_t semicolon = content_type.find(';');
  std::string type = lower_case(trimmed(content_type.substr(0, semicolon)));
  if (semicolon != std::string_view::npos) {
    std::string parameters = lower_case(content_type.substr(semicolon + 1));
    size_t charset = parameters.find("charset=");
    if (charset != std::string::npos) {
      std::string_view name = trimmed(std::string_view(parameters).substr(charset + 8));
      name = trimmed(name.substr(0, name.find(';')));
      if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
      if (name != "utf-8" && name != "utf8" && name != "us-ascii") return BodyType::unsupported;
    }
  }
  constexpr std::array<std::string_view, 5> kLines = {"application/x-ndjson", "application/ndjson", "application/jsonl",
                                                      "application/x-jsonlines", "application/jsonlines"};
  if (std::find(kLines.begin(), kLines.end(), type) != kLines.end()) return BodyType::lines;
  // A form is what curl -d says when it is not told otherwise; the body shows whether it is JSON.
  constexpr std::array<std::string_view, 5> kJson = {"", "application/json", "text/plain", "text/json",
                                                     "application/x-www-form-urlencoded"};
  if (std::find(kJson.begin(), kJson.end(), type) != kJson.end()) return BodyType::json;
  bool json = type.starts_with("application/") && type.ends_with("+json");
  return json ? BodyType::json : BodyType::unsupported;
}

}  // namespace weir::collect
