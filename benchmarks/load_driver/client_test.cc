#include "load_driver/client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <thread>

namespace weir::bench {
namespace {

// Answers each request with what `answer` says to its body; an empty answer closes the connection instead.
class Server {
 public:
  explicit Server(std::function<std::string(const std::string& body)> answer) : answer_(std::move(answer)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 64), 0);
    socklen_t size = sizeof address;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    done_ = true;
    thread_.join();
    ::close(listener_);
  }
  uint16_t port() const { return port_; }

 private:
  void serve() {
    std::map<int, std::string> peers;
    while (!done_) {
      std::vector<pollfd> waiting{{listener_, POLLIN, 0}};
      for (const auto& [peer, text] : peers) waiting.push_back({peer, POLLIN, 0});
      ::poll(waiting.data(), waiting.size(), 10);
      for (const pollfd& p : waiting) {
        if ((p.revents & (POLLIN | POLLHUP)) == 0) continue;
        if (p.fd == listener_) {
          peers[::accept(listener_, nullptr, nullptr)];
        } else if (!serve_one(p.fd, peers[p.fd])) {
          ::close(p.fd);
          peers.erase(p.fd);
        }
      }
    }
    for (const auto& [peer, text] : peers) ::close(peer);
  }

  bool serve_one(int peer, std::string& text) {
    char buffer[65536];
    const ssize_t n = ::recv(peer, buffer, sizeof buffer, 0);
    if (n <= 0) return false;
    text.append(buffer, static_cast<size_t>(n));
    for (;;) {
      const size_t head = text.find("\r\n\r\n");
      if (head == std::string::npos) return true;
      const size_t length = std::stoul(text.substr(text.find("Content-Length: ") + 16));
      if (text.size() < head + 4 + length) return true;
      const std::string reply = answer_(text.substr(head + 4, length));
      text.erase(0, head + 4 + length);
      if (reply.empty()) return false;
      ::send(peer, reply.data(), reply.size(), MSG_NOSIGNAL);
    }
  }

  std::function<std::string(const std::string&)> answer_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> done_{false};
  std::thread thread_;
};

std::string http(int status, const std::string& body = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

std::vector<std::string> ids_in(const std::string& body) {
  std::vector<std::string> ids;
  for (size_t at = 0; (at = body.find("\"id\":\"", at)) != std::string::npos;) {
    at += 6;
    ids.push_back(body.substr(at, body.find('"', at) - at));
  }
  return ids;
}

class ClientTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = std::filesystem::temp_directory_path() / "weir-load-XXXXXX";
    const int file = ::mkstemp(name.data());
    ASSERT_GE(file, 0);
    ::close(file);
    ledger_path_ = name;
  }
  void TearDown() override { std::filesystem::remove(ledger_path_); }

  // Runs `requests` requests and leaves the ledger's lines in `outcomes`, the last word on each id.
  void run(uint16_t port, const std::function<void(ClientOptions&, MixOptions&)>& change) {
    ClientOptions o;
    o.port = port;
    o.connections = 4;
    o.begin = monotonic_now();
    o.measure_from = o.begin;
    o.end = o.begin + 20'000'000'000;
    o.requests_max = 200;
    MixOptions m;
    m.ids = Ids::counter;
    m.id_prefix = "id";
    m.pool_events = 256;
    change(o, m);
    RequestPool pool(m);
    auto ledger = Ledger::create(ledger_path_);
    ASSERT_TRUE(ledger);
    std::atomic<bool> stop{false};
    client_ = std::make_unique<Client>(o, pool, ledger->get(), stop);
    ASSERT_TRUE(client_->connect());
    ASSERT_TRUE(client_->run());
    std::ifstream lines(ledger_path_);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream words(line);
      std::string id, status, outcome;
      words >> id >> status >> outcome;
      outcomes_[id] = status + " " + outcome;
    }
  }
  size_t with_outcome(const std::string& outcome) const {
    size_t n = 0;
    for (const auto& [id, o] : outcomes_) n += o == outcome ? 1 : 0;
    return n;
  }

  std::string ledger_path_;
  std::unique_ptr<Client> client_;
  std::map<std::string, std::string> outcomes_;
};

TEST_F(ClientTest, LedgerHoldsEachAcknowledgedIdOnce) {
  std::multiset<std::string> seen;
  {
    Server server([&](const std::string& body) {
      for (const auto& id : ids_in(body)) seen.insert(id);
      return http(201);
    });
    run(server.port(), [](ClientOptions&, MixOptions&) {});
  }
  EXPECT_EQ(seen.size(), 200u);
  EXPECT_EQ(outcomes_.size(), 200u);
  for (const auto& id : seen) EXPECT_EQ(outcomes_[id], "201 accepted");
  EXPECT_EQ(client_->totals().requests, 200u);
  EXPECT_EQ(client_->totals().latency.count(), 200u);
}

TEST_F(ClientTest, PipelinedAnswersBelongToTheRequestsInOrder) {
  // Every third event is refused: a mix-up of answers would show as another id refused.
  const auto is_third = [](const std::string& id) { return std::stoul(id.substr(3)) % 3 == 0; };
  Server server([&](const std::string& body) { return http(is_third(ids_in(body).at(0)) ? 400 : 201); });
  run(server.port(), [](ClientOptions& o, MixOptions&) { o.pipeline = 8; });
  EXPECT_EQ(outcomes_.size(), 200u);
  for (const auto& [id, outcome] : outcomes_) EXPECT_EQ(outcome, is_third(id) ? "400 refused" : "201 accepted") << id;
}

TEST_F(ClientTest, BatchAnswersAreToldApartByIndex) {
  Server server([&](const std::string&) {
    return http(201, R"({"accepted":8,"rejected":[{"index":3,"error":"no"}],"dropped":[{"index":9,"reason":"gpc"}]})");
  });
  run(server.port(), [](ClientOptions& o, MixOptions& m) {
    m.batch = 10;
    o.requests_max = 20;
  });
  EXPECT_EQ(outcomes_.size(), 200u);
  EXPECT_EQ(with_outcome("201 accepted"), 160u);
  EXPECT_EQ(outcomes_["id-000000000013"], "201 rejected");
  EXPECT_EQ(outcomes_["id-000000000019"], "201 dropped");
  EXPECT_EQ(client_->totals().accepted_events, 160u);
}

TEST_F(ClientTest, ALostConnectionLeavesItsRequestUnanswered) {
  int n = 0;
  Server server([&](const std::string&) { return ++n % 50 == 0 ? std::string() : http(201); });
  run(server.port(), [](ClientOptions&, MixOptions&) {});
  EXPECT_EQ(outcomes_.size(), 200u);
  EXPECT_EQ(with_outcome("0 unanswered"), 4u);
  EXPECT_EQ(with_outcome("201 accepted"), 196u);
  EXPECT_EQ(client_->totals().broken, 4u);
}

TEST_F(ClientTest, RetriesKeepTheirIdsUntilAcknowledged) {
  int n = 0;
  std::set<std::string> acknowledged;
  Server server([&](const std::string& body) {
    ++n;
    if (n % 40 == 0) return std::string();
    if (n % 45 == 0) return http(503);
    acknowledged.insert(ids_in(body).at(0));
    return http(201);
  });
  run(server.port(), [](ClientOptions& o, MixOptions&) { o.retry = true; });
  EXPECT_EQ(acknowledged.size(), 200u);
  EXPECT_EQ(with_outcome("201 accepted"), 200u);
  EXPECT_GT(client_->totals().retries, 0u);
}

TEST_F(ClientTest, AStallIsChargedToEveryRequestThatWasDue) {
  // 1000 requests a second for 1 s, and one of them holds the only connection for 300 ms. A closed loop would see
  // one slow request; here all those due meanwhile waited, 150 ms on average.
  int n = 0;
  Server server([&](const std::string&) {
    if (++n == 200) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    return http(201);
  });
  run(server.port(), [](ClientOptions& o, MixOptions&) {
    o.connections = 1;
    o.rate = 1000;
    o.requests_max = 0;
    o.end = o.begin + 1'000'000'000;
  });
  const Totals& t = client_->totals();
  EXPECT_GE(t.latency.count(), 990u);
  EXPECT_GE(t.latency.quantile(0.8), 50'000'000u);
  EXPECT_LE(t.service_time.quantile(0.8), 20'000'000u);
  EXPECT_GE(t.late_max, 200u);
}

TEST_F(ClientTest, NobodyListeningIsSaidAtOnce) {
  uint16_t port = 0;
  {
    Server server([](const std::string&) { return http(201); });
    port = server.port();
  }
  ClientOptions o;
  o.port = port;
  RequestPool pool(MixOptions{});
  std::atomic<bool> stop{false};
  Client client(o, pool, nullptr, stop);
  const auto connected = client.connect();
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace weir::bench
