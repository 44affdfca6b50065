#include "weir/api/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <mutex>
#include <thread>

#include "weir/settings/testing/memory_repository.h"

namespace weir::api {
namespace {
namespace asio = boost::asio;
using settings::Scope;
using ::testing::HasSubstr;

class LiveTest : public ::testing::Test {
 protected:
  LiveTest() : thread_([this] { io_.run(); }) {
    shop_ = *settings_.create_project("shop");
    blog_ = *settings_.create_project("blog");
    options_.count_every = std::chrono::milliseconds(5);
    options_.ping_every = std::chrono::hours(1);
    options_.stream_for = std::chrono::hours(1);
  }
  ~LiveTest() override {
    if (live_) live_->stop();
    work_.reset();
    io_.stop();
    thread_.join();
  }

  void make() {
    feed_ = std::make_unique<trace::LiveFeed>(trace::LiveLimits(), registry_);
    router_ = std::make_unique<http::Router>();
    auto count = [this](ProjectId project) -> Result<std::string> {
      ++counted_;
      std::lock_guard lock(mutex_);
      if (project != shop_.id) return std::string(R"({"visitors":0})");
      if (store_is_away_) return Error{ErrorCode::kUnavailable, "away"};
      return counts_;
    };
    live_ = std::make_unique<Live>(options_, Live::Dependencies{settings_, clock_, gate_, registry_, *feed_, count});
    live_->add_routes(*router_);
  }
  void set_counts(std::string counts, bool away = false) {
    std::lock_guard lock(mutex_);
    counts_ = std::move(counts);
    store_is_away_ = away;
  }

  // The answer's beginning; its stream is read by piece().
  http::Response ask(std::string query, const std::string& secret = "") {
    auto answer = asio::co_spawn(io_, call(std::move(query), secret, ""), asio::use_future);
    return answer.get();
  }
  http::Response ask_as_guest(std::string query, const std::string& cookie) {
    return asio::co_spawn(io_, call(std::move(query), "", cookie), asio::use_future).get();
  }
  asio::awaitable<http::Response> call(std::string query, std::string secret, std::string cookie) {
    http::Request request;
    request.path = "/api/v1/live";
    request.query = query;
    request.from_owner = secret.empty() && cookie.empty();
    const std::string cookies = std::string(kShareCookie) + "=" + cookie;
    if (!cookie.empty()) request.headers.emplace_back("cookie", cookies);
    const std::string bearer = "Bearer " + secret;
    if (!secret.empty()) request.headers.emplace_back("authorization", bearer);
    std::string allowed;
    const http::Route* route = router_->find(http::Method::get, request.path, allowed);
    http::Response response = co_await route->handler(request);
    co_return response;
  }
  static asio::awaitable<std::string> next(http::Response& response) {
    Result<std::string> text = co_await response.stream();
    co_return text ? *text : "error: " + text.error().message;
  }
  std::string piece(http::Response& response) { return asio::co_spawn(io_, next(response), asio::use_future).get(); }
  // Pieces until one holds `text`; all of them.
  std::string read_until(http::Response& response, std::string_view text) {
    std::string all;
    while (all.find(text) == std::string::npos) {
      std::string next = piece(response);
      if (next.empty() || next.starts_with("error")) return all + next;
      all += next;
    }
    return all;
  }
  // A stream belongs to its connection's thread.
  void close(http::Response&& response) {
    std::promise<void> closed;
    asio::post(io_, [&] {
      response.stream = nullptr;
      closed.set_value();
    });
    closed.get_future().wait();
  }
  void load(ProjectId project, std::string_view name) {
    auto batch = feed_->watch();
    if (!batch) return;
    event::Row row;
    row.project_id = project;
    row.name = name;
    if (auto number = batch->row(row); number != event::RowWatch::kNotShown) batch->visit(number, {});
    batch->stored();
  }

  LiveOptions options_;
  ManualClock clock_{1'790'000'000'000};
  settings::testing::MemoryRepository settings_{clock_};
  Sessions sessions_{settings_, clock_};
  Gate gate_{settings_, sessions_, clock_, {}};
  metrics::Registry registry_;
  settings::Project shop_, blog_;
  std::mutex mutex_;  // guards counts_, store_is_away_
  std::string counts_ = R"({"visitors":1})";
  bool store_is_away_ = false;
  std::atomic<int> counted_{0};
  std::unique_ptr<trace::LiveFeed> feed_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<Live> live_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  std::thread thread_;
};

TEST_F(LiveTest, CountsAreSentWhenTheyChange) {
  make();
  auto response = ask("project=shop");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/event-stream");
  EXPECT_EQ(piece(response), "retry: 2000\n\n");
  EXPECT_EQ(piece(response), "event: now\ndata: {\"visitors\":1}\n\n");
  set_counts(R"({"visitors":2})");
  EXPECT_EQ(piece(response), "event: now\ndata: {\"visitors\":2}\n\n");
  set_counts("", true);
  EXPECT_EQ(piece(response), "event: trouble\ndata: {\"code\":\"unavailable\"}\n\n");
  set_counts(R"({"visitors":2})");
  EXPECT_THAT(read_until(response, "now"), HasSubstr("event: now\ndata: {\"visitors\":2}\n\n"));
  close(std::move(response));
}

TEST_F(LiveTest, ALaterReaderIsToldWhatWasCountedLast) {
  options_.count_every = std::chrono::hours(1);
  make();
  auto first = ask("project=shop");
  read_until(first, "visitors");
  auto second = ask("project=shop");
  EXPECT_THAT(read_until(second, "visitors"), HasSubstr("event: now\ndata: {\"visitors\":1}"));
  EXPECT_EQ(counted_, 1);
  close(std::move(first));
  close(std::move(second));
}

TEST_F(LiveTest, RowsOfTheProjectComeToWhoAskedForThem) {
  make();
  auto all = ask("project=shop&rows=yes");
  auto some = ask("project=shop&rows=yes&filter=%5B%5B%22is%22%2C%22name%22%2C%5B%22signup%22%5D%5D%5D");
  EXPECT_EQ(some.status, 200) << some.body;
  read_until(all, "visitors");
  read_until(some, "visitors");
  load(blog_.id, "elsewhere");
  load(shop_.id, "purchase");
  load(shop_.id, "signup");
  EXPECT_THAT(read_until(all, "signup"), HasSubstr(R"("name":"purchase")"));
  const std::string seen = read_until(some, "signup");
  EXPECT_THAT(seen, HasSubstr("event: row\ndata: {"));
  EXPECT_THAT(seen, ::testing::Not(HasSubstr("purchase")));
  close(std::move(all));
  close(std::move(some));
}

TEST_F(LiveTest, AStreamIsPinged) {
  options_.ping_every = std::chrono::milliseconds(1);
  make();
  auto response = ask("project=shop");
  EXPECT_THAT(read_until(response, ": ping\n\n"), HasSubstr(": ping\n\n"));
  close(std::move(response));
}

TEST_F(LiveTest, AStreamEnds) {
  options_.stream_for = std::chrono::milliseconds(1);
  make();
  auto response = ask("project=shop");
  std::string all;
  for (std::string next = piece(response); !next.empty(); next = piece(response)) all += next;
  EXPECT_THAT(all, HasSubstr("retry: 2000"));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("error")));
  close(std::move(response));
}

TEST_F(LiveTest, StoppingEndsWhoWaitsAndRefusesNewcomers) {
  make();
  auto response = ask("project=shop");
  read_until(response, "visitors");
  auto last = asio::co_spawn(io_, next(response), asio::use_future);
  live_->stop();
  EXPECT_EQ(last.get(), "");
  EXPECT_EQ(ask("project=shop").status, 503);
  close(std::move(response));
}

TEST_F(LiveTest, NothingIsCountedOnceNobodyWatches) {
  make();
  auto response = ask("project=shop");
  read_until(response, "visitors");
  close(std::move(response));
  // Of a project that is watched the count goes on: so the thread has looked, and left the other one alone.
  auto other = ask("project=blog");
  read_until(other, "visitors");
  auto once_more = ask("project=blog");
  read_until(once_more, "visitors");
  EXPECT_EQ(feed_->watched(), std::vector<ProjectId>{blog_.id});
  close(std::move(other));
  close(std::move(once_more));
}

TEST_F(LiveTest, WhoMayWatchWhat) {
  make();
  auto key = [&](Scope scope, std::optional<ProjectId> project = {}) {
    return settings_.create_key("k", scope, project, 0)->secret;
  };
  auto status = [&](const std::string& query, const std::string& secret) {
    http::Response response = ask(query, secret);
    const int status = response.status;
    if (response.stream) close(std::move(response));
    return status;
  };
  EXPECT_EQ(status("project=shop", key(Scope::stats)), 200);
  EXPECT_EQ(status("project=shop&rows=yes", key(Scope::stats)), 403);
  EXPECT_EQ(status("project=shop&rows=yes", key(Scope::sql)), 200);
  EXPECT_EQ(status("project=shop", key(Scope::capture)), 403);
  EXPECT_EQ(status("project=shop", key(Scope::sql, blog_.id)), 404);
  EXPECT_EQ(status("project=shop", "weir_wrong"), 401);
  EXPECT_EQ(status("project=nowhere", ""), 404);
  EXPECT_EQ(status("", ""), 400);
  EXPECT_EQ(status("project=shop&rows=maybe", ""), 400);
  EXPECT_EQ(status("project=shop&filter=%5B%5D", ""), 400);
  for (const char* filter : {"x", "%7B%7D", "%5B1%5D", "%5B%5B%22is%22%2C%22ip%22%2C%5B%221%22%5D%5D%5D",
                             "%5B%5B%22is%22%2C%22name%22%2C%5B1%5D%5D%5D"}) {
    EXPECT_EQ(status(std::string("project=shop&rows=yes&filter=") + filter, ""), 400) << filter;
  }
  // The streams above are closed: one caller may have as many again.
  const std::string stats = key(Scope::stats);
  std::vector<http::Response> open;
  for (size_t i = 0; i < trace::LiveLimits().per_caller_max; ++i) open.push_back(ask("project=shop", stats));
  EXPECT_EQ(open.back().status, 200);
  EXPECT_EQ(ask("project=shop", stats).status, 429);
  for (http::Response& response : open) close(std::move(response));
}

TEST_F(LiveTest, ASharedLinkOfAPartOfTheProjectDoesNotShowAllOfIt) {
  make();
  auto opened = [&](std::string segment) {
    settings::Share share;
    share.project = shop_.id;
    share.name = "a link";
    share.segment = std::move(segment);
    auto made = settings_.create_share(share);
    EXPECT_TRUE(made) << made.error().message;
    return Gate::share_session(made->share, clock_.now());
  };
  auto status = [&](const std::string& query, const std::string& session) {
    http::Response response = ask_as_guest(query, session);
    const int status = response.status;
    if (response.stream) close(std::move(response));
    return status;
  };
  const std::string whole = opened("");
  EXPECT_EQ(status("project=shop", whole), 200);
  EXPECT_EQ(status("project=shop&rows=yes", whole), 403);
  EXPECT_EQ(status("project=blog", whole), 404);
  EXPECT_EQ(status("project=shop", opened(R"([["is","visit:country",["DE"]]])")), 403);
}

}  // namespace
}  // namespace weir::api
