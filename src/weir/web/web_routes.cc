#include "weir/web/web_routes.h"

#include <algorithm>

#include "weir/base/check.h"
#include "weir/http/text.h"
#include "weir/web/accepts.h"
#include "weir/web/assets.h"

namespace weir::web {

namespace {
using boost::asio::awaitable;

constexpr std::string_view kPage = "/ui/index.html";
constexpr std::string_view kAssets = "/ui/assets/";
constexpr std::string_view kShared = "/ui/share/";
// Around what the page's own inline script is, and who may show the page in a frame.
constexpr std::string_view kPolicyBegin = "default-src 'none'; script-src 'self' ";
constexpr std::string_view kPolicyEnd =
    "; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors ";

// Whether If-None-Match names this content, in whichever coding it was had.
bool has_already(std::string_view list, std::string_view tag) {
  while (!list.empty()) {
    std::string_view entry = http::trim(list.substr(0, list.find(',')));
    list.remove_prefix(
        std::min(list.size(), list.find(',') == std::string_view::npos ? list.size() : list.find(',') + 1));
    if (entry == "*") return true;
    if (entry.starts_with("W/")) entry.remove_prefix(2);
    if (entry.size() < 2 || entry.front() != '"' || entry.back() != '"') continue;
    entry = entry.substr(1, entry.size() - 2);
    if (entry.substr(0, entry.find('.')) == tag) return true;
  }
  return false;
}

std::string frame_ancestors(const WebOptions& options, std::string_view path) {
  if (!path.starts_with(kShared) || !options.frame_ancestors) return {};
  std::string_view token = path.substr(kShared.size());
  token = token.substr(0, token.find('/'));
  std::string list;
  for (const std::string& origin : options.frame_ancestors(token)) {
    // Origins are checked where they are entered; one that could end the directive is left out all the same.
    if (origin.empty() || origin.find_first_of(";, \t\r\n\"'") != std::string::npos) continue;
    if (!list.empty()) list += ' ';
    list += origin;
  }
  return list;
}

void add_guards(http::Response& response, const std::string& ancestors) {
  auto add = [&](const char* name, std::string value) { response.headers.emplace_back(name, std::move(value)); };
  add("Content-Security-Policy", std::string(kPolicyBegin) + std::string(inline_scripts()) + std::string(kPolicyEnd) +
                                     (ancestors.empty() ? "'none'" : ancestors));
  add("Referrer-Policy", "same-origin");
  add("Cross-Origin-Opener-Policy", "same-origin");
  add("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  if (ancestors.empty()) add("X-Frame-Options", "DENY");
}

// The asset in the best coding that the client takes, or 304 when it has it.
http::Response answer(const http::Request& request, const Asset& asset, std::string_view caching) {
  std::string_view list = request.header("accept-encoding");
  std::string_view coding;
  std::string_view bytes = asset.identity;
  if (accepts(list, "br")) {
    coding = "br";
    bytes = asset.brotli;
  } else if (accepts(list, "gzip")) {
    coding = "gzip";
    bytes = asset.gzip;
  }
  std::string tag = "\"" + std::string(asset.tag) + (coding.empty() ? "" : "." + std::string(coding)) + "\"";
  http::Response response;
  response.headers.emplace_back("Cache-Control", std::string(caching));
  response.headers.emplace_back("ETag", std::move(tag));
  response.headers.emplace_back("Vary", "Accept-Encoding");
  if (has_already(request.header("if-none-match"), asset.tag)) {
    response.status = 304;
    return response;
  }
  response.content_type = std::string(asset.type);
  if (!coding.empty()) response.headers.emplace_back("Content-Encoding", std::string(coding));
  response.body = std::string(bytes);
  return response;
}

http::Response redirect(std::string to) {
  http::Response response;
  response.status = 302;
  response.headers.emplace_back("Location", std::move(to));
  return response;
}

// Whether the page at this path is that of a project: /ui/p/NAME, /ui/share/TOKEN.
bool shows_project(std::string_view path) {
  for (std::string_view begin : {std::string_view("/ui/p/"), kShared})
    if (path.starts_with(begin)) return path.find('/', begin.size()) == std::string_view::npos;
  return false;
}

awaitable<http::Response> answer_page(const http::Request& request, const http::Router& router,
                                      const WebOptions& options) {
  if (request.path.starts_with(kAssets)) {
    const Asset* asset = find_asset(request.path);
    http::Response response = asset == nullptr ? http::error_response(404, "not_found", "web: there is no such file")
                                               : answer(request, *asset, "public, max-age=31536000, immutable");
    add_guards(response, {});
    co_return response;
  }
  std::optional<http::Response> response = co_await first_view(request, router, options.viewer_of);
  if (!response) {
    const Asset* page = find_asset(kPage);
    WEIR_CHECK(page != nullptr);
    response = answer(request, *page, "no-cache");
  }
  add_guards(*response, frame_ancestors(options, request.path));
  // The browser learns of these without reading the page and running its script.
  response->headers.emplace_back("Link", std::string(page_links(shows_project(request.path))));
  co_return std::move(*response);
}
}  // namespace

void add_web_routes(http::Router& router, WebOptions options) {
  for (const char* path : {"/", "/ui"})
    router.add(http::Method::get, path, {},
               [](http::Request&) -> awaitable<http::Response> { co_return redirect("/ui/"); });
  router.add(http::Method::get, "/ui/*", {},
             [options = std::move(options), &router](http::Request& request) -> awaitable<http::Response> {
               co_return co_await answer_page(request, router, options);
             });
}

}  // namespace weir::web
