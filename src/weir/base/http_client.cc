#include "weir/base/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

#include "weir/base/check.h"

namespace weir {

struct HttpClient::State {
  CURL* curl = nullptr;
  ~State() {
    if (curl != nullptr) curl_easy_cleanup(curl);
  }
};

namespace {
struct Upload {
  const std::vector<std::string_view>* pieces;
  size_t piece = 0;
  size_t at = 0;
};

struct Download {
  IncomingAnswer answer;
  size_t bytes_max;
  const std::function<bool(std::string_view)>* on_body;
  CURL* curl;
  bool too_large = false;
};

size_t read_body(char* into, size_t size, size_t count, void* context) {
  auto& upload = *static_cast<Upload*>(context);
  size_t room = size * count;
  size_t done = 0;
  while (done < room && upload.piece < upload.pieces->size()) {
    std::string_view piece = (*upload.pieces)[upload.piece];
    size_t take = std::min(room - done, piece.size() - upload.at);
    std::memcpy(into + done, piece.data() + upload.at, take);
    done += take;
    upload.at += take;
    if (upload.at == piece.size()) {
      ++upload.piece;
      upload.at = 0;
    }
  }
  return done;
}

// curl rewinds when a kept-alive connection turned out to be closed.
int seek_body(void* context, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset != 0) return CURL_SEEKFUNC_CANTSEEK;
  auto& upload = *static_cast<Upload*>(context);
  upload.piece = 0;
  upload.at = 0;
  return CURL_SEEKFUNC_OK;
}

size_t write_body(char* bytes, size_t size, size_t count, void* context) {
  auto& download = *static_cast<Download*>(context);
  std::string_view piece(bytes, size * count);
  if (*download.on_body) {
    long status = 0;
    curl_easy_getinfo(download.curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300) return (*download.on_body)(piece) ? piece.size() : 0;
  }
  if (download.answer.body.size() + piece.size() > download.bytes_max) {
    download.too_large = true;
    return 0;
  }
  download.answer.body.append(piece);
  return piece.size();
}

size_t write_header(char* bytes, size_t size, size_t count, void* context) {
  auto& download = *static_cast<Download*>(context);
  std::string_view line(bytes, size * count);
  if (line.starts_with("HTTP/")) {  // a new head: forget an interim one (100 Continue)
    download.answer.headers.clear();
    return line.size();
  }
  size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n' || value.back() == ' '))
      value.remove_suffix(1);
    download.answer.headers.emplace_back(std::move(name), std::string(value));
  }
  return line.size();
}
int ask_whether_abandoned(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(context))() ? 1 : 0;
}
}  // namespace

std::string_view IncomingAnswer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

HttpClient::HttpClient() : state_(std::make_unique<State>()) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  state_->curl = curl_easy_init();
  WEIR_CHECK(state_->curl != nullptr);
}
HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

Result<IncomingAnswer> HttpClient::send(const OutgoingRequest& request) {
  CURL* curl = state_->curl;
  curl_easy_reset(curl);  // keeps the connections
  Upload upload{&request.body};
  Download download{{}, request.answer_bytes_max, &request.on_body, curl};
  uint64_t length = 0;
  for (std::string_view piece : request.body) length += piece.size();

  curl_slist* headers = nullptr;
  bool typed = false;
  for (const auto& [name, value] : request.headers) {
    headers = curl_slist_append(headers, (name + ": " + value).c_str());
    typed = typed || strcasecmp(name.c_str(), "content-type") == 0;
  }
  headers = curl_slist_append(headers, "Expect:");                    // never wait for 100 Continue
  if (!typed) headers = curl_slist_append(headers, "Content-Type:");  // curl would name a form

  char reason[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 1048576L);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 262144L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, write_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &download);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, write_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &download);
  if (request.abandoned) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask_whether_abandoned);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &request.abandoned);
  }
  if (!request.unix_socket.empty()) curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, request.unix_socket.c_str());
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH") {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(length));
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_body);
    curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, &upload);
  } else if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);

  CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(headers);
  if (download.too_large)
    return Error{ErrorCode::kTooLarge, fmt::format("answer of more than {} bytes", request.answer_bytes_max)};
  if (code == CURLE_OPERATION_TIMEDOUT)
    return Error{ErrorCode::kTimeout, reason[0] ? reason : curl_easy_strerror(code)};
  if (code != CURLE_OK) return Error{ErrorCode::kUnavailable, reason[0] ? reason : curl_easy_strerror(code)};
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  download.answer.status = static_cast<int>(status);
  return std::move(download.answer);
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    auto b = static_cast<unsigned char>(c);
    if (std::isalnum(b) || c == '-' || c == '_' || c == '.' || c == '~')
      out.push_back(c);
    else
      out += fmt::format("%{:02X}", b);
  }
  return out;
}

}  // namespace weir
