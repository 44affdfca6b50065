#include "weir/web/first_view.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "weir/base/check.h"
#include "weir/web/accepts.h"
#include "weir/web/assets.h"

namespace weir::web {

namespace {
using boost::asio::awaitable;

constexpr std::string_view kProjects = "/ui/p/";
// What stands for a project's name and time zone in the views as they were built.
constexpr std::string_view kProject = "__PROJECT__";
constexpr std::string_view kTimeZone = "__TIME_ZONE__";
constexpr size_t kAnswerBytesMax = 128 << 10;  // a longer one is not for the page to carry

std::string replaced(std::string_view text, std::string_view what, std::string_view with) {
  std::string out;
  out.reserve(text.size());
  for (size_t at; (at = text.find(what)) != std::string_view::npos; text.remove_prefix(at + what.size())) {
    out += text.substr(0, at);
    out += with;
  }
  return out += text;
}

// Such as stands for itself in an address, in JSON and in HTML. Names of projects and zones are no other.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
           c == '-' || c == '+' || c == '/';
  });
}

const FirstView* find_view(std::string_view query, bool edits) {
  for (const FirstView& view : first_views())
    if (view.query == query && view.for_editors == edits) return &view;
  return nullptr;
}

// In gzip, piece by piece; as it is, where the browser takes no gzip.
class Packer {
 public:
  explicit Packer(bool packs) : packs_(packs) {
    if (packs_) WEIR_CHECK(deflateInit2(&z_, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  }
  ~Packer() {
    if (packs_) deflateEnd(&z_);
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  // All of `text` can be read from what was packed so far.
  std::string pack(std::string text, bool last) {
    if (!packs_) return text;
    std::string out;
    z_.next_in = reinterpret_cast<Bytef*>(text.data());
    z_.avail_in = static_cast<uInt>(text.size());
    std::array<char, 16 << 10> room;
    do {
      z_.next_out = reinterpret_cast<Bytef*>(room.data());
      z_.avail_out = room.size();
      deflate(&z_, last ? Z_FINISH : Z_SYNC_FLUSH);
      out.append(room.data(), room.size() - z_.avail_out);
    } while (z_.avail_out == 0);
    return out;
  }

 private:
  const bool packs_;
  z_stream z_{};
};

// The body of an answer; nothing when it is an error or too long.
awaitable<std::optional<std::string>> body_of(http::Response& response) {
  if (response.status != 200) co_return std::nullopt;
  std::string body = std::move(response.body);
  while (body.size() <= kAnswerBytesMax) {
    if (!response.stream) co_return body;
    Result<std::string> piece = co_await response.stream();
    if (!piece) co_return std::nullopt;
    if (piece->empty()) co_return body;
    body += *piece;
  }
  co_return std::nullopt;
}

// One of the page's first questions: "METHOD PATH[ BODY]", as the browser would ask it.
class Question {
 public:
  // `from`: whose it is. Its texts are copied.
  Question(std::string_view line, const http::Request& from, const Viewer& viewer) {
    auto word = [&line] {
      std::string_view found = line.substr(0, line.find(' '));
      line.remove_prefix(std::min(line.size(), found.size() + 1));
      return found;
    };
    request_.method = word() == "GET" ? http::Method::get : http::Method::post;
    target_ = word();
    request_.body = line;
    request_.target = target_;
    request_.path = std::string_view(target_).substr(0, target_.find('?'));
    request_.query = std::string_view(target_).substr(std::min(target_.size(), request_.path.size() + 1));
    request_.client_address = from.client_address;
    request_.secure = from.secure;
    request_.received = from.received;
    cookie_ = from.header("cookie");
    csrf_ = viewer.csrf;
    request_.headers = {{"cookie", cookie_}, {"sec-fetch-site", "same-origin"}, {"x-weir-csrf", csrf_}};
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  bool is_query() const { return request_.method == http::Method::post; }

  awaitable<void> ask(const http::Router& router) {
    std::string allowed;
    const http::Route* route = router.find(request_.method, request_.path, allowed);
    WEIR_CHECK(route != nullptr);
    response_ = co_await route->handler(request_);
  }

  // Once, after ask().
  awaitable<std::string> answer() { co_return (co_await body_of(*response_)).value_or("null"); }

 private:
  std::string target_, cookie_, csrf_;
  http::Request request_;
  std::optional<http::Response> response_;
};

// What the page's body still needs; the connection pulls it.
struct Page {
  Page(bool packs, const http::Router& router) : packer(packs), router(router) {}

  Packer packer;
  const http::Router& router;
  std::string before, after;
  std::vector<std::unique_ptr<Question>> questions;
  std::optional<size_t> given;  // answers, after the page's beginning
  bool ended = false;

  awaitable<Result<std::string>> next() {
    if (ended) co_return std::string();
    if (!given) {
      given = 0;
      co_return packer.pack(std::move(before), false);
    }
    std::string piece;
    while (*given < questions.size()) {
      Question& question = *questions[*given];
      if (!question.is_query()) co_await question.ask(router);
      // Only texts within JSON hold a '<', and none of them may end the script that it stands in. The browser knows
      // that an answer is whole by what follows it.
      piece += fmt::format("<script type=\"application/json\" id=\"answer-{}\">{}</script>\n", *given,
                           replaced(co_await question.answer(), "<", "\\u003c"));
      ++*given;
      if (*given < questions.size() && questions[*given]->is_query()) break;  // which may take longer
    }
    ended = *given == questions.size();
    if (ended) piece += after;
    co_return packer.pack(std::move(piece), ended);
  }
};
}  // namespace

awaitable<std::optional<http::Response>> first_view(const http::Request& request, const http::Router& router,
                                                    const ViewerOf& viewer_of) {
  if (!viewer_of || request.method != http::Method::get || !request.path.starts_with(kProjects)) co_return std::nullopt;
  std::string_view project = request.path.substr(kProjects.size());
  if (project.empty() || !is_plain(project) || find_view(request.query, false) == nullptr) co_return std::nullopt;
  std::optional<Viewer> viewer = viewer_of(request, project);
  if (!viewer || !is_plain(viewer->time_zone)) co_return std::nullopt;
  const FirstView* view = find_view(request.query, viewer->edits);
  WEIR_CHECK(view != nullptr);

  const bool packs = accepts(request.header("accept-encoding"), "gzip");
  auto page = std::make_shared<Page>(packs, router);
  page->before = replaced(replaced(view->before, kProject, project), kTimeZone, viewer->time_zone);
  page->after = std::string(view->after);
  std::string lines = replaced(view->requests, kProject, project);
  for (std::string_view rest = lines; !rest.empty();) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    page->questions.push_back(std::make_unique<Question>(line, request, *viewer));
  }
  // Queries are worked on from now on, side by side.
  for (auto& question : page->questions)
    if (question->is_query()) co_await question->ask(router);

  http::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Vary", "Accept-Encoding, Cookie");
  if (packs) response.headers.emplace_back("Content-Encoding", "gzip");
  response.stream = [page] { return page->next(); };
  co_return response;
}

}  // namespace weir::web
