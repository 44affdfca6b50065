#include "weir/collect/collector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "weir/collect/testing/fake_secrets.h"
#include "weir/collect/testing/fake_writer.h"
#include "weir/event/record.h"
#include "weir/settings/testing/memory_repository.h"

namespace weir::collect {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr UnixMillis kNow = 1'763'629'260'123;  // 2025-11-20T09:01:00.123Z

class CollectorTest : public ::testing::Test {
 protected:
  CollectorTest() {
    app_ = *settings_.create_project("app");
    shop_ = *settings_.create_project("shop");
    EXPECT_TRUE(settings_.add_outside_name("phc_outside", app_.id));
    open();
  }

  void open(Options options = {}) {
    options.rate_per_address = options_rate_;
    collector_ = std::make_unique<Collector>(options, clock_, settings_, secrets_, writer_, registry_);
  }

  // A request as http hands it over; `headers` may add to and replace the usual ones.
  http::Response post(std::string_view body, std::vector<std::pair<std::string_view, std::string_view>> headers = {},
                      std::string_view query = {}, bool with_project = true, std::string_view address = "192.0.2.7") {
    http::Request request;
    request.method = http::Method::post;
    request.path = "/";
    request.query = query;
    request.body = body;
    request.client_address = address;
    request.from_owner = address.empty();
    request.headers = std::move(headers);
    if (with_project && request.header("X-App").empty()) request.headers.emplace_back("X-App", "app");
    if (request.header("User-Agent").empty()) request.headers.emplace_back("User-Agent", "Mozilla/5.0 (X11) Test");
    http::Response response;
    bool answered = false;
    asio::io_context io;
    asio::co_spawn(io, collector_->capture(request), [&](std::exception_ptr failed, http::Response answer) {
      EXPECT_FALSE(failed);
      response = std::move(answer);
      answered = true;
    });
    io.run();
    EXPECT_TRUE(answered);
    return response;
  }

  std::string metrics_line(std::string_view start) {
    std::string text = registry_.text();
    size_t at = text.find(start);
    return at == std::string::npos ? "absent" : text.substr(at, text.find('\n', at) - at);
  }

  ManualClock clock_{kNow};
  double options_rate_ = 0;
  settings::testing::MemoryRepository settings_{clock_};
  testing::FakeSecrets secrets_;
  testing::FakeWriter writer_;
  metrics::Registry registry_;
  settings::Project app_;
  settings::Project shop_;
  std::unique_ptr<Collector> collector_;
};

// The first event of the README, byte for byte.
TEST_F(CollectorTest, TheFirstEventOfTheReadme) {
  auto response = post(
      R"({"type":"click","user_id":"1","session_id":"FaAa31","timestamp":"2024-04-17T04:04:12","locale":"en","path":"/getting-started","appVersion":"0.0.1","details":{"meta_a":"meta_a","meta_b":"meta_b"}})",
      {{"X-App", "app"}, {"Content-Type", "application/json"}});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(response.content_type, "");
  auto records = writer_.take_records();
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(
      records[0],
      R"({"v":1,"kind":"event","project_id":")" + to_string(app_.id) +
          R"(","name":"click","received_at":1763629260123,"client_time":"2024-04-17T04:04:12","time":1713326652000,)"
          R"("time_rule":"client","user_id":"1","client_session_id":"FaAa31","path":"/getting-started","locale":"en",)"
          R"("app_version":"0.0.1","properties":{"meta_a":"meta_a","meta_b":"meta_b"},"protocol":"native",)"
          R"("personal":{"day":"2025-11-20","ip":"192.0.2.7","user_agent":"Mozilla/5.0 (X11) Test","hints":{},)"
          R"("accept_language":"","gpc":false}})");
}

TEST_F(CollectorTest, OneObjectAnswersEmpty) {
  auto stored = post(R"({"type":"t"})");
  EXPECT_EQ(stored.status, 201);
  EXPECT_EQ(stored.body, "");

  auto wrong = post(R"({"type":5})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.body,
            R"({"error":{"code":"bad_input","message":"collect: byte 1: `type`: must be a string, not a number"}})");

  settings::Project changed = app_;
  changed.retention_days = 1;
  ASSERT_TRUE(settings_.change_project(changed));
  auto dropped = post(R"({"type":"t","timestamp":"2025-01-01T00:00:00Z"})");
  EXPECT_EQ(dropped.status, 202);
  EXPECT_EQ(dropped.body, "");
  ASSERT_EQ(dropped.headers.size(), 1U);
  EXPECT_EQ(dropped.headers[0], (std::pair<std::string, std::string>{"X-Weir-Dropped", "retention"}));
  EXPECT_EQ(writer_.take_records().size(), 1U);
}

TEST_F(CollectorTest, ManyAnswerWithAList) {
  settings::Project changed = app_;
  changed.retention_days = 1;
  ASSERT_TRUE(settings_.change_project(changed));
  const std::string good = R"({"type":"t"})";
  const std::string bad = R"({"type":5})";
  const std::string old = R"({"type":"t","timestamp":"2025-01-01T00:00:00Z"})";
  struct Case {
    std::string body;
    int status;
    std::string answer;
  };
  const Case cases[] = {
      {"[" + good + "]", 201, R"({"accepted":1,"rejected":[],"dropped":[]})"},
      {good + "\n" + good, 201, R"({"accepted":2,"rejected":[],"dropped":[]})"},
      {"[]", 201, R"({"accepted":0,"rejected":[],"dropped":[]})"},
      {"[" + good + "," + bad + "]", 201,
       R"({"accepted":1,"rejected":[{"index":1,"error":"event 1, byte 15: `type`: must be a string, not a number"}],"dropped":[]})"},
      {"[" + bad + "]", 400,
       R"({"accepted":0,"rejected":[{"index":0,"error":"event 0, byte 2: `type`: must be a string, not a number"}],"dropped":[]})"},
      {"[" + old + "]", 202, R"({"accepted":0,"rejected":[],"dropped":[{"index":0,"reason":"retention"}]})"},
      {"[" + old + "," + good + "]", 201,
       R"({"accepted":1,"rejected":[],"dropped":[{"index":0,"reason":"retention"}]})"},
      {"[" + old + "," + bad + "]", 400,
       R"({"accepted":0,"rejected":[{"index":1,"error":"event 1, byte 50: `type`: must be a string, not a number"}],"dropped":[{"index":0,"reason":"retention"}]})"},
  };
  for (const Case& c : cases) {
    auto response = post(c.body);
    EXPECT_EQ(response.status, c.status) << c.body;
    EXPECT_EQ(response.body, c.answer) << c.body;
    EXPECT_EQ(response.content_type, "application/json") << c.body;
  }
}

TEST_F(CollectorTest, LinesOfOneAreMany) {
  auto response = post("{\"type\":\"t\"}\n", {{"Content-Type", "application/x-ndjson"}});
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.body, R"({"accepted":1,"rejected":[],"dropped":[]})");
}

TEST_F(CollectorTest, ASyntaxErrorStoresNothing) {
  auto response = post(R"([{"type":"t"},{"type":"t"},{"type":"t"])");
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr("not JSON"));
  EXPECT_EQ(writer_.appends(), 0);
}

TEST_F(CollectorTest, ABatchIsOneAppend) {
  std::string body = "[";
  for (int i = 0; i < 1000; ++i)
    body += std::string(i == 0 ? "" : ",") + R"({"type":"t","user_id":)" + std::to_string(i) + "}";
  auto response = post(body + "]");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(writer_.appends(), 1);
  EXPECT_EQ(writer_.take_records().size(), 1000U);
  EXPECT_EQ(secrets_.seals, 2);  // one to make the day's key, one for the request
}

TEST_F(CollectorTest, TheProjectComesFromHeaderThenQueryThenField) {
  auto project_of = [&](std::string_view header, std::string_view query, std::string_view field) {
    std::string body = R"({"type":"t")" + (field.empty() ? "" : R"(,"app":")" + std::string(field) + "\"") + "}";
    auto response = header.empty() ? post(body, {}, query, false) : post(body, {{"X-App", header}}, query, false);
    auto records = writer_.take_records();
    if (records.size() != 1) return std::to_string(response.status);
    event::RecordParser parser;
    auto e = parser.parse(records[0]);
    return e->project_id == app_.id ? std::string("app") : e->project_id == shop_.id ? "shop" : "?";
  };
  EXPECT_EQ(project_of("app", "app=shop", "shop"), "app");
  EXPECT_EQ(project_of("", "x=1&app=shop", "app"), "shop");
  EXPECT_EQ(project_of("", "", "shop"), "shop");
  EXPECT_EQ(project_of("", "app=", "shop"), "shop");
  EXPECT_EQ(project_of("phc_outside", "", ""), "app");
  EXPECT_EQ(project_of("", "", "phc_outside"), "app");
  EXPECT_EQ(project_of("nope", "app=app", "app"), "404");
  EXPECT_EQ(project_of("", "app=nope", "app"), "404");
  EXPECT_EQ(project_of("", "", "nope"), "404");
  EXPECT_EQ(project_of("", "", ""), "400");
}

TEST_F(CollectorTest, ABatchMayMixProjects) {
  auto response = post(
      R"([{"type":"a","app":"app"},{"type":"b","app":"shop"},{"type":"c","app":"nope"},{"type":"d"},{"type":"e","app":"app"}])",
      {}, {}, false);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(
      response.body,
      R"({"accepted":3,"rejected":[{"index":2,"error":"event 2, byte 52: `app`: no such project: \"nope\""},)"
      R"({"index":3,"error":"event 3, byte 78: no project: name it in the header X-App, in ?app= or in the field `app`"}],"dropped":[]})");
  EXPECT_EQ(metrics_line(R"(weir_collect_events_total{project="app",outcome="accepted"})"),
            R"(weir_collect_events_total{project="app",outcome="accepted"} 2)");
  EXPECT_EQ(metrics_line(R"(weir_collect_events_total{project="shop",outcome="accepted"})"),
            R"(weir_collect_events_total{project="shop",outcome="accepted"} 1)");
  EXPECT_EQ(metrics_line(R"_(weir_collect_events_total{project="(unknown)",outcome="rejected"})_"),
            R"_(weir_collect_events_total{project="(unknown)",outcome="rejected"} 2)_");
}

TEST_F(CollectorTest, ContentTypes) {
  for (std::string_view good :
       {"application/json", "application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\"", "text/plain",
        "text/plain;charset=UTF-8", "application/vnd.weir+json", "application/x-www-form-urlencoded"}) {
    EXPECT_EQ(post(R"({"type":"t"})", {{"Content-Type", good}}).status, 201) << good;
  }
  EXPECT_EQ(post(R"({"type":"t"})").status, 201);
  for (std::string_view bad : {"text/html", "application/xml", "multipart/form-data; boundary=x", "image/png",
                               "application/json; charset=utf-16", "application/octet-stream", "x"}) {
    auto response = post(R"({"type":"t"})", {{"Content-Type", bad}});
    EXPECT_EQ(response.status, 415) << bad;
    EXPECT_THAT(response.body, HasSubstr(R"("code":"unsupported")"));
  }
}

TEST_F(CollectorTest, AnEventThatIsTooLargeIs413AndInABatchCostsItself) {
  std::string large = R"({"type":"t","x":")" + std::string(70'000, 'x') + "\"}";
  auto response = post(large);
  EXPECT_EQ(response.status, 413);
  response = post("[" + large + R"(,{"type":"t"}])");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(
      response.body,
      R"({"accepted":1,"rejected":[{"index":0,"error":"event 0, byte 1: an event of 70019 bytes: more than 65536"}],"dropped":[]})");
}

TEST_F(CollectorTest, Keys) {
  auto capture = *settings_.create_key("c", settings::Scope::capture, app_.id, 0);
  auto any = *settings_.create_key("a", settings::Scope::capture, std::nullopt, 0);
  auto stats = *settings_.create_key("s", settings::Scope::stats, app_.id, 0);
  auto brief = *settings_.create_key("e", settings::Scope::capture, app_.id, kNow + 1000);
  const std::string server = R"({"type":"t","user_id":"1","ip":"203.0.113.5","user_agent":"Theirs"})";
  auto with = [&](const std::string& secret, std::string_view body, std::string_view project = "app") {
    return post(body, {{"Authorization", "Bearer " + secret}, {"X-App", project}});
  };

  EXPECT_EQ(post(server).status, 401);
  EXPECT_THAT(post(server).body, HasSubstr("needs a key of scope capture"));
  EXPECT_EQ(with(capture.secret, server).status, 201);
  EXPECT_THAT(writer_.take_records().back(), HasSubstr(R"("ip":"203.0.113.5","user_agent":"Theirs")"));
  EXPECT_EQ(post(server, {{"X-Weir-Key", capture.secret}}).status, 201);
  EXPECT_EQ(with(capture.secret, R"({"type":"t"})").status, 201);
  EXPECT_EQ(with(any.secret, server, "shop").status, 201);
  EXPECT_EQ(with(capture.secret, server, "shop").status, 403);
  EXPECT_EQ(with(stats.secret, server).status, 403);
  EXPECT_EQ(with(stats.secret, R"({"type":"t"})").status, 403);
  EXPECT_EQ(with("weir_unknown", R"({"type":"t"})").status, 401);
  EXPECT_EQ(with(brief.secret, server).status, 201);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(with(brief.secret, server).status, 401);

  writer_.take_records();
  auto batch = post("[" + server + R"(,{"type":"t"}])");
  EXPECT_EQ(batch.status, 201);
  EXPECT_THAT(batch.body, HasSubstr(R"("rejected":[{"index":0,)"));
  auto mixed = post(R"([{"type":"t","app":"app"},{"type":"t","app":"shop"}])",
                    {{"Authorization", "Bearer " + capture.secret}}, {}, false);
  EXPECT_EQ(
      mixed.body,
      R"({"accepted":1,"rejected":[{"index":1,"error":"event 1, byte 26: `app`: the key is for another project"}],"dropped":[]})");
  // Who opens the Unix socket owns this weir.
  EXPECT_EQ(post(server, {}, {}, true, "").status, 201);
}

TEST_F(CollectorTest, TheRateIsHeldBeforeTheBodyIsRead) {
  options_rate_ = 1;
  Options options;
  options.burst_per_address = 3;
  open(options);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(post(R"({"type":"t"})").status, 201);
  auto refused = post("not JSON");
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.headers, ::testing::Contains(::testing::Pair("Retry-After", ::testing::_)));
  EXPECT_EQ(post(R"({"type":"t"})", {{"X-App", "shop"}}).status, 201);
  EXPECT_EQ(post(R"({"type":"t"})", {}, {}, true, "192.0.2.8").status, 201);
  // Guessing names of projects is one bucket.
  EXPECT_EQ(post("{}", {{"X-App", "a"}}).status, 404);
  EXPECT_EQ(post("{}", {{"X-App", "b"}}).status, 404);
  EXPECT_EQ(post("{}", {{"X-App", "c"}}).status, 404);
  EXPECT_EQ(post("{}", {{"X-App", "d"}}).status, 429);
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(post(R"({"type":"t"})").status, 201);
  EXPECT_EQ(post(R"({"type":"t"})").status, 429);
}

TEST_F(CollectorTest, WhatTheJournalCannotTakeIs503) {
  for (ErrorCode code : {ErrorCode::kOverloaded, ErrorCode::kUnavailable, ErrorCode::kTimeout}) {
    writer_.refuse(Error{code, "journal: no"});
    auto response = post(R"({"type":"t"})");
    EXPECT_EQ(response.status, 503);
    EXPECT_THAT(response.headers, ::testing::Contains(::testing::Pair("Retry-After", ::testing::_)));
  }
  EXPECT_EQ(metrics_line(R"(weir_collect_refused_total{reason="overloaded"})"),
            R"(weir_collect_refused_total{reason="overloaded"} 1)");
  EXPECT_EQ(metrics_line(R"(weir_collect_events_total{project="app",outcome="accepted"})"),
            R"(weir_collect_events_total{project="app",outcome="accepted"} 0)");
  writer_.refuse(std::nullopt);
  EXPECT_EQ(post(R"({"type":"t"})").status, 201);
}

TEST_F(CollectorTest, WithoutSecretsNothingIsAcknowledged) {
  secrets_.fail = true;
  EXPECT_EQ(post(R"({"type":"t"})").status, 503);
  EXPECT_EQ(post(R"([{"type":"t"}])").status, 503);
  EXPECT_EQ(writer_.appends(), 0);
  secrets_.fail = false;
  EXPECT_EQ(post(R"({"type":"t"})").status, 201);
}

TEST_F(CollectorTest, SecretsOfANewDayAreMadeOffTheIoThread) {
  EXPECT_EQ(post(R"([{"type":"t","app":"app"},{"type":"t","app":"shop"}])", {}, {}, false).status, 201);
  clock_.advance(std::chrono::hours(24));
  EXPECT_EQ(post(R"({"type":"t"})").status, 201);
  EXPECT_EQ(secrets_.first_askers().count(std::this_thread::get_id()), 0U);
  EXPECT_EQ(secrets_.first_askers().size(), 1U);
}

TEST_F(CollectorTest, HeadersDescribeTheVisitor) {
  EXPECT_EQ(post(R"({"type":"t"})", {{"accept-language", "de"},
                                     {"SEC-CH-UA", "\"Chromium\";v=\"1\""},
                                     {"Sec-CH-UA-Mobile", "?1"},
                                     {"Sec-GPC", "1"}})
                .status,
            201);
  EXPECT_THAT(
      writer_.take_records()[0],
      HasSubstr(
          R"("hints":{"sec-ch-ua":"\"Chromium\";v=\"1\"","sec-ch-ua-mobile":"?1"},"accept_language":"de","gpc":true)"));
  // The application around a WebView is one of the hints; what says no more than that a script asked is none.
  EXPECT_EQ(post(R"({"type":"t"})", {{"X-Requested-With", "com.instagram.android"}}).status, 201);
  EXPECT_THAT(writer_.take_records()[0], HasSubstr(R"("hints":{"x-requested-with":"com.instagram.android"},)"));
  for (std::string_view other : {"XMLHttpRequest", "a.b\"c", "", "a b.c"}) {
    EXPECT_EQ(post(R"({"type":"t"})", {{"X-Requested-With", other}}).status, 201);
    EXPECT_THAT(writer_.take_records()[0], HasSubstr(R"("hints":{},)")) << other;
  }
  std::string long_language = std::string(255, 'x') + "\xc3\xa4";
  EXPECT_EQ(post(R"({"type":"t"})", {{"Accept-Language", long_language}}).status, 201);
  EXPECT_THAT(writer_.take_records()[0], HasSubstr("x?\""));
}

TEST_F(CollectorTest, PrivacySignalsKeepEventsOfProjectsThatRespectThemFromBeingStored) {
  EXPECT_EQ(post(R"({"type":"t"})", {{"Sec-GPC", "1"}}).status, 201);
  EXPECT_EQ(post(R"({"type":"t"})", {{"DNT", "1"}}).status, 201);
  settings::Project strict = app_;
  strict.privacy_signals = settings::PrivacySignals::respect;
  ASSERT_TRUE(settings_.change_project(strict));
  writer_.take_records();
  http::Response gpc = post(R"({"type":"t"})", {{"sec-gpc", " 1 "}, {"DNT", "1"}});
  EXPECT_EQ(gpc.status, 202);
  EXPECT_EQ(gpc.body, "");
  EXPECT_EQ(gpc.headers.at(0), std::pair(std::string("X-Weir-Dropped"), std::string("gpc")));
  http::Response dnt = post(R"([{"type":"a"},{"type":"b","user_id":"1"}])", {{"dnt", "1"}});
  EXPECT_EQ(dnt.status, 202);
  EXPECT_EQ(dnt.body,
            R"({"accepted":0,"rejected":[],"dropped":[{"index":0,"reason":"dnt"},{"index":1,"reason":"dnt"}]})");
  EXPECT_TRUE(writer_.take_records().empty());
  // Nor do other values mean it, nor is it another project's choice.
  EXPECT_EQ(post(R"({"type":"t"})", {{"Sec-GPC", "0"}, {"DNT", "0"}}).status, 201);
  EXPECT_EQ(post(R"({"type":"t"})", {{"X-App", "shop"}, {"DNT", "1"}}).status, 201);
  EXPECT_EQ(metrics_line(R"(weir_collect_dropped_total{project="app",reason="gpc"})"),
            R"(weir_collect_dropped_total{project="app",reason="gpc"} 1)");
  EXPECT_EQ(metrics_line(R"(weir_collect_dropped_total{project="app",reason="dnt"})"),
            R"(weir_collect_dropped_total{project="app",reason="dnt"} 2)");
  EXPECT_EQ(metrics_line(R"(weir_collect_events_total{project="app",outcome="dropped"})"),
            R"(weir_collect_events_total{project="app",outcome="dropped"} 3)");
}

TEST_F(CollectorTest, ARenamedProjectIsCountedUnderItsNewName) {
  EXPECT_EQ(post(R"({"type":"t"})").status, 201);
  settings::Project renamed = app_;
  renamed.name = "renamed";
  ASSERT_TRUE(settings_.change_project(renamed));
  EXPECT_EQ(post(R"({"type":"t"})").status, 404);
  EXPECT_EQ(post(R"({"type":"t"})", {{"X-App", "renamed"}}).status, 201);
  EXPECT_EQ(metrics_line(R"(weir_collect_events_total{project="renamed",outcome="accepted"})"),
            R"(weir_collect_events_total{project="renamed",outcome="accepted"} 1)");
}

TEST_F(CollectorTest, RefusalsAreCountedByReason) {
  post("{");
  post(R"({"type":5})");
  post("x", {{"Content-Type", "text/html"}});
  post("{}", {{"X-App", "nope"}});
  EXPECT_EQ(metrics_line(R"(weir_collect_refused_total{reason="malformed"})"),
            R"(weir_collect_refused_total{reason="malformed"} 2)");
  EXPECT_EQ(metrics_line(R"(weir_collect_refused_total{reason="content_type"})"),
            R"(weir_collect_refused_total{reason="content_type"} 1)");
  EXPECT_EQ(metrics_line(R"(weir_collect_refused_total{reason="project"})"),
            R"(weir_collect_refused_total{reason="project"} 1)");
  EXPECT_EQ(metrics_line(R"(weir_collect_events_total{project="app",outcome="rejected"})"),
            R"(weir_collect_events_total{project="app",outcome="rejected"} 2)");
  EXPECT_THAT(registry_.text(), HasSubstr("weir_collect_request_seconds_count 4"));
}

TEST_F(CollectorTest, ManyTinyEventsUnderLongHeadersAreTooLarge) {
  std::string agent(1024, 'a');
  std::string hint(512, 'h');
  std::string body = "[";
  for (int i = 0; i < 30'000; ++i) body += i == 0 ? R"({"type":"t"})" : R"(,{"type":"t"})";
  body += "]";
  EXPECT_EQ(post(body).status, 201);
  EXPECT_EQ(writer_.take_records().size(), 30'000U);
  auto refused = post(body, {{"User-Agent", agent}, {"Sec-CH-UA", hint}, {"Sec-CH-UA-Full-Version-List", hint}});
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(writer_.take_records().size(), 0U);
}

TEST_F(CollectorTest, ManyThreadsAtOnce) {
  constexpr int kThreads = 4;
  constexpr int kRequests = 100;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  std::atomic<int> stored{0};
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRequests; ++i) {
        if (i % 25 == 0) clock_.advance(std::chrono::hours(5));  // into new days
        std::string title(static_cast<size_t>(100 * t + i), 'x');
        auto response =
            post(R"([{"type":"t","app":"app","title":")" + title + R"(\n"},{"type":5},{"type":"t","app":"shop"}])", {},
                 {}, false);
        if (response.status == 201) ++stored;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(stored, kThreads * kRequests);
  EXPECT_EQ(writer_.take_records().size(), 2U * kThreads * kRequests);
  EXPECT_EQ(metrics_line(R"(weir_collect_events_total{project="shop",outcome="accepted"})"),
            R"(weir_collect_events_total{project="shop",outcome="accepted"} 400)");
}

TEST_F(CollectorTest, HintsAreBounded) {
  std::string hint(512, 'h');
  EXPECT_EQ(post(R"({"type":"t"})",
                 {{"Sec-CH-UA", hint}, {"Sec-CH-UA-A", hint}, {"Sec-CH-UA-B", hint}, {"Sec-CH-UA-C", hint}})
                .status,
            201);
  std::string record = writer_.take_records()[0];
  EXPECT_THAT(record, HasSubstr("sec-ch-ua-a"));
  EXPECT_THAT(record, Not(HasSubstr("sec-ch-ua-c")));
}

TEST_F(CollectorTest, RoutesTakePostOnly) {
  http::Router router;
  collector_->add_routes(router);
  std::string allowed;
  for (std::string_view path : {"/", "/v1/events"}) {
    const http::Route* route = router.find(http::Method::post, path, allowed);
    ASSERT_NE(route, nullptr);
    EXPECT_EQ(route->options.cors, http::Cors::capture);
    EXPECT_EQ(route->options.body_bytes_max, 2 * MiB);
    EXPECT_EQ(route->options.inflated_bytes_max, 16 * MiB);
  }
}

}  // namespace
}  // namespace weir::collect
