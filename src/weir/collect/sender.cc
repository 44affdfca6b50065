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
constexpr size_t kApplicationBytesMax = 128;
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

// The id of an application, as an Android WebView sends that of the one around it: com.instagram.android. Libraries of
// pages send `XMLHttpRequest` in the same header.
bool is_application(std::string_view text) {
  return text.size() <= kApplicationBytesMax && text.find('.') != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
         });
}

// `text` itself where it is ASCII and short enough, else what is left of it in `kept`.
std::string_view clean(std::string_view text, size_t bytes_max, std::string& kept) {
  text = text.substr(0, bytes_max);
  if (std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) return text;
  kept = text;
  std::vector<uint32_t> replaced;
  event::json::replace_invalid_utf8(kept, replaced);
  return kept;
}
}  // namespace

void Sender::add_hint(std::string_view name, std::string_view value) {
  if (hints_.size() + name.size() + std::min(value.size(), kHintBytesMax) >= kHintsBytesMax) return;
  hints_.push_back(hints_.empty() ? '{' : ',');
  append_json_string(hints_, lower_case(name));
  hints_.push_back(':');
  std::string kept;
  append_json_string(hints_, clean(value, kHintBytesMax, kept));
}

Sender::Sender(const http::Request& request) {
  personal_.ip = request.client_address;
  for (const auto& [name, value] : request.headers) {
    // The first letter tells most headers apart.
    switch (lower(name.empty() ? '\0' : name.front())) {
      case 'u':
        if (name.size() == 10 && starts_with(name, "user-agent"))
          personal_.user_agent = clean(value, kUserAgentBytesMax, user_agent_);
        break;
      case 'a':
        if (name.size() == 15 && starts_with(name, "accept-language"))
          personal_.accept_language = clean(value, kLanguageBytesMax, language_);
        break;
      case 'd':
        if (name.size() == 3 && starts_with(name, "dnt")) do_not_track_ = trimmed(value) == "1";
        break;
      case 's':
        if (name.size() == 7 && starts_with(name, "sec-gpc")) personal_.gpc = trimmed(value) == "1";
        if (starts_with(name, kHintPrefix)) add_hint(name, value);
        break;
      case 'x':
        if (name.size() == 16 && starts_with(name, "x-requested-with") && is_application(trimmed(value)))
          add_hint(name, trimmed(value));
        break;
      default:
        break;
    }
  }
  if (!hints_.empty()) hints_.push_back('}');
  personal_.hints = hints_;
}

std::optional<DropReason> Sender::signal() const {
  if (personal_.gpc) return DropReason::gpc;
  return do_not_track_ ? std::optional(DropReason::dnt) : std::nullopt;
}

std::string_view key_of(const http::Request& request) {
  std::string_view authorization = request.header("Authorization");
  if (starts_with(authorization, "bearer ")) return trimmed(authorization.substr(7));
  return trimmed(request.header("X-Weir-Key"));
}

BodyType body_type(std::string_view content_type) {
  if (content_type == "application/json") return BodyType::json;  // the usual one, as most clients write it
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
