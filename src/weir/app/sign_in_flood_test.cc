// Many try to sign in at once, each of which costs an argon2id hash. They share one thread at a low priority, what
// waits for it is bounded, and the I/O thread goes on taking events meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "weir/api/people.h"
#include "weir/collect/collector.h"
#include "weir/collect/testing/fake_secrets.h"
#include "weir/collect/testing/fake_writer.h"
#include "weir/settings/testing/memory_repository.h"

namespace weir::app {
namespace {
namespace asio = boost::asio;

// The niceness of each thread of this process that has the name.
std::vector<int> niceness_of(const std::string& name) {
  std::vector<int> all;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    std::getline(std::ifstream(task.path() / "comm"), comm);
    if (comm == name) all.push_back(::getpriority(PRIO_PROCESS, static_cast<id_t>(std::stoi(task.path().filename()))));
  }
  return all;
}

class SignInFlood : public ::testing::Test {
 protected:
  SignInFlood() {
    people_.add_routes(router_);
    collector_.add_routes(router_);
    EXPECT_TRUE(settings_.create_project("app"));
  }
  ~SignInFlood() override { people_.stop(); }

  // Begins on the one I/O thread, which answers() runs; `count` of this answer is called with its status.
  void begin(std::string path, std::string body, std::string address, std::function<void(int)> answered) {
    asio::co_spawn(io_, one(std::move(path), std::move(body), std::move(address)),
                   [answered = std::move(answered)](std::exception_ptr failed, int status) {
                     EXPECT_FALSE(failed);
                     answered(status);
                   });
  }
  asio::awaitable<int> one(std::string path, std::string body, std::string address) {
    http::Request request;
    request.method = http::Method::post;
    request.target = request.path = path;
    request.body = std::move(body);
    request.client_address = std::move(address);
    request.headers = {{"X-App", "app"}, {"Content-Type", "application/json"}};
    std::string allowed;
    const http::Route* route = router_.find(request.method, request.path, allowed);
    http::Response response = co_await route->handler(request);
    co_return response.status;
  }

  ManualClock clock_{1'790'000'000'000};
  settings::testing::MemoryRepository settings_{clock_};
  api::Sessions sessions_{settings_, clock_};
  api::Gate gate_{settings_, sessions_, clock_, {}};
  metrics::Registry registry_;
  settings::Sealer sealer_{std::string(32, 'k')};
  collect::testing::FakeSecrets secrets_;
  collect::testing::FakeWriter writer_;
  http::Router router_;
  asio::io_context io_{1};
  api::People people_{{settings_, clock_, gate_, sessions_, registry_, sealer_}};
  collect::Collector collector_{{}, clock_, settings_, secrets_, writer_, registry_};
};

TEST_F(SignInFlood, IsBoundedAndEventsAreTakenWhileItLasts) {
  constexpr int kTries = 200;
  constexpr int kEvents = 100;
  // The secrets of the day have been made.
  begin("/", R"({"type":"first"})", "192.0.2.1", [](int status) { EXPECT_EQ(status, 201); });
  io_.run();

  int wrong = 0;    // looked at, and wrong
  int refused = 0;  // not looked at: too many wait
  int taken = 0;
  int waiting_at_last_event = 0;
  io_.restart();
  for (int i = 0; i < kTries; ++i) {
    // Each from an address and for an account of its own, so that no limit on attempts helps.
    std::string body = R"({"email":"nobody)" + std::to_string(i) + R"(@example.com","password":"a guess of mine"})";
    begin("/api/v1/session", body, "198.51.100." + std::to_string(i), [&](int status) {
      EXPECT_TRUE(status == 401 || status == 503) << status;
      ++(status == 401 ? wrong : refused);
    });
  }
  for (int i = 0; i < kEvents; ++i) {
    begin("/", R"({"type":"event"})", "203.0.113." + std::to_string(i), [&](int status) {
      EXPECT_EQ(status, 201);
      if (++taken == kEvents) waiting_at_last_event = kTries - wrong - refused;
    });
  }
  io_.run();

  EXPECT_EQ(taken, kEvents);
  EXPECT_EQ(writer_.take_records().size(), size_t{kEvents} + 1);
  // Those behind the first few had not been looked at when the last event, which came after them, was on disk.
  EXPECT_GT(waiting_at_last_event, 0);
  EXPECT_EQ(wrong + refused, kTries);
  EXPECT_GT(wrong, 0);
  EXPECT_GT(refused, 0);
  EXPECT_EQ(niceness_of("api-passwords"), std::vector<int>{10});
}

}  // namespace
}  // namespace weir::app
