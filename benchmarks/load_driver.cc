// weir-load: sends events to a capture endpoint over HTTP and measures the answers. docs/benchmarks.md says how it is
// used; `weir-load --help` lists the options.
// libraries: weir_base CLI11::CLI11 PkgConfig::zlib Boost::json
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "load_driver/client.h"
#include "load_driver/event_mix.h"
#include "load_driver/ledger.h"
#include "weir/base/json_writer.h"
#include "weir/base/random.h"

namespace weir::bench {
namespace {

std::atomic<bool> g_stop{false};

struct Watched {
  std::string name;
  std::vector<int> pids;
  double cpu_seconds = 0;  // used during the measurement
};

struct Arguments {
  std::string url = "http://127.0.0.1:8000/v1/events";
  uint32_t threads = 1;
  uint32_t connections = 64;
  uint32_t pipeline = 1;
  std::string mode = "closed";
  std::string arrivals = "even";
  double rate = 0;
  double duration_s = 10;
  double warmup_s = 2;
  double timeout_s = 10;
  uint64_t events = 0;
  bool retry = false;
  std::string mix = "web";
  std::string body_file;
  std::string ids;
  std::string acked;
  std::string user_agents;
  double history_days = 0;
  std::vector<std::string> watch;
  bool json = false;
  MixOptions events_mix;
};

Result<> parse_url(const std::string& url, std::string& host, uint16_t& port, std::string& target) {
  const std::string scheme = "http://";
  if (url.compare(0, scheme.size(), scheme) != 0) return Error{ErrorCode::kBadInput, "load: only http:// URLs: " + url};
  const size_t slash = url.find('/', scheme.size());
  std::string authority = url.substr(scheme.size(), slash == std::string::npos ? slash : slash - scheme.size());
  target = slash == std::string::npos ? "/" : url.substr(slash);
  port = 80;
  if (const size_t colon = authority.find(':'); colon != std::string::npos) {
    char* end = nullptr;
    const unsigned long value = std::strtoul(authority.c_str() + colon + 1, &end, 10);
    if (*end != '\0' || value == 0 || value > 65535) return Error{ErrorCode::kBadInput, "load: bad port: " + url};
    port = static_cast<uint16_t>(value);
    authority.resize(colon);
  }
  host = authority == "localhost" ? "127.0.0.1" : authority;
  return {};
}

Result<std::string> read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kNotFound, "load: cannot read: " + path};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<std::vector<Watched>> parse_watched(const std::vector<std::string>& arguments) {
  std::vector<Watched> all;
  for (const std::string& text : arguments) {
    const size_t equals = text.find('=');
    Watched w{equals == std::string::npos ? "server" : text.substr(0, equals), {}};
    std::string list = equals == std::string::npos ? text : text.substr(equals + 1);
    for (size_t at = 0; at < list.size();) {
      size_t end = std::min(list.find(',', at), list.size());
      const int pid = std::atoi(list.substr(at, end - at).c_str());
      if (pid <= 0) return Error{ErrorCode::kBadInput, "load: --watch: not a process id: " + text};
      w.pids.push_back(pid);
      at = end + 1;
    }
    all.push_back(std::move(w));
  }
  return all;
}

// User and system time of a process so far, all its threads; 0 when it is gone.
double cpu_seconds(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  unsigned long user = 0;
  unsigned long system = 0;
  if (std::sscanf(text.c_str() + name_end + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) !=
      2) {
    return 0;
  }
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double cpu_seconds(const Watched& watched) {
  double sum = 0;
  for (const int pid : watched.pids) sum += cpu_seconds(pid);
  return sum;
}

void sleep_until(Nanos moment) {
  while (!g_stop) {
    const Nanos now = monotonic_now();
    if (now >= moment) return;
    std::this_thread::sleep_for(std::chrono::nanoseconds(std::min<Nanos>(moment - now, 50'000'000)));
  }
}

struct Report {
  double seconds = 0;
  double requests_per_second = 0;
  double events_per_second = 0;
  double driver_us_per_request = 0;
};

Report summarize(const Totals& t, const ClientOptions& options) {
  Report r;
  const Nanos from = options.requests_max > 0 ? t.first_sent : options.measure_from;
  const Nanos to = options.requests_max > 0 ? t.last_answer : std::min(options.end, t.ended);
  r.seconds = to > from ? static_cast<double>(to - from) / 1e9 : 0;
  if (r.seconds > 0) {
    r.requests_per_second = static_cast<double>(t.requests) / r.seconds;
    r.events_per_second = static_cast<double>(t.accepted_events) / r.seconds;
  }
  if (t.requests > 0) r.driver_us_per_request = static_cast<double>(t.cpu) / 1e3 / static_cast<double>(t.requests);
  return r;
}

std::string quantiles_json(const Histogram& h) {
  return fmt::format(R"({{"p50":{:.1f},"p90":{:.1f},"p99":{:.1f},"p999":{:.1f},"max":{:.1f},"mean":{:.1f}}})",
                     static_cast<double>(h.quantile(0.5)) / 1e3, static_cast<double>(h.quantile(0.9)) / 1e3,
                     static_cast<double>(h.quantile(0.99)) / 1e3, static_cast<double>(h.quantile(0.999)) / 1e3,
                     static_cast<double>(h.max()) / 1e3, h.mean() / 1e3);
}

void print_json(const Arguments& a, const Totals& t, const Report& r, const std::vector<Watched>& watched,
                size_t request_bytes) {
  std::string out = fmt::format(
      R"({{"mode":"{}","connections":{},"batch":{},"seconds":{:.3f},"requests":{},"accepted_events":{},"requests_per_second":{:.1f},"events_per_second":{:.1f},"request_bytes":{})",
      a.mode, a.connections, a.events_mix.batch, r.seconds, t.requests, t.accepted_events, r.requests_per_second,
      r.events_per_second, request_bytes);
  out += R"(,"latency_us":)" + quantiles_json(t.latency) + R"(,"service_us":)" + quantiles_json(t.service_time);
  out += R"(,"refused_us":)" + quantiles_json(t.refusals);
  out += R"(,"statuses":{)";
  for (size_t i = 0; i < t.statuses.size(); ++i) {
    if (t.statuses[i] > 0) {
      append_json_key(out, std::to_string(i));
      out += std::to_string(t.statuses[i]);
    }
  }
  out += R"(},"events":{)";
  for (size_t i = 0; i < t.outcomes.size(); ++i) {
    append_json_key(out, name_of(static_cast<Outcome>(i)));
    out += std::to_string(t.outcomes[i]);
  }
  out += fmt::format(
      R"(}},"errors":{{"broken":{},"connects_failed":{},"never_sent":{}}},"retries":{},"waiting_max":{},"driver_us_per_request":{:.2f})",
      t.broken, t.connects_failed, t.never_sent, t.retries, t.late_max, r.driver_us_per_request);
  out += R"(,"cpu_seconds":{)";
  for (const Watched& w : watched) {
    append_json_key(out, w.name);
    out += fmt::format("{:.2f}", w.cpu_seconds);
  }
  out += R"(},"first_error":)";
  append_json_string(out, t.first_error);
  fmt::print("{}}}\n", out);
}

void print_text(const Arguments& a, const Totals& t, const Report& r, const std::vector<Watched>& watched,
                size_t request_bytes) {
  fmt::print("{} loop, {} connections, {} event{} a request of {} bytes, {:.1f} s\n", a.mode, a.connections,
             a.events_mix.batch, a.events_mix.batch == 1 ? "" : "s", request_bytes, r.seconds);
  fmt::print("rate         {:.0f} requests/s, {:.0f} accepted events/s\n", r.requests_per_second, r.events_per_second);
  fmt::print("answers     ");
  for (size_t i = 0; i < t.statuses.size(); ++i) {
    if (t.statuses[i] > 0) fmt::print(" {}: {}", i, t.statuses[i]);
  }
  fmt::print("\nevents      ");
  for (size_t i = 0; i < t.outcomes.size(); ++i) {
    if (t.outcomes[i] > 0) fmt::print(" {}: {}", name_of(static_cast<Outcome>(i)), t.outcomes[i]);
  }
  fmt::print("\nerrors       broken {}, connects failed {}, never sent {}, retries {}, most waiting {}\n", t.broken,
             t.connects_failed, t.never_sent, t.retries, t.late_max);
  const auto line = [](const char* name, const Histogram& h) {
    fmt::print("{} p50 {:.0f}  p90 {:.0f}  p99 {:.0f}  p99.9 {:.0f}  max {:.0f}\n", name,
               static_cast<double>(h.quantile(0.5)) / 1e3, static_cast<double>(h.quantile(0.9)) / 1e3,
               static_cast<double>(h.quantile(0.99)) / 1e3, static_cast<double>(h.quantile(0.999)) / 1e3,
               static_cast<double>(h.max()) / 1e3);
  };
  line("latency us  ", t.latency);
  if (a.mode == "open") line("from sending", t.service_time);
  if (t.refusals.count() > 0) line("429 and 503 ", t.refusals);
  fmt::print("driver CPU   {:.2f} us a request\n", r.driver_us_per_request);
  for (const Watched& w : watched) {
    const double events = static_cast<double>(std::max<uint64_t>(1, t.requests)) * a.events_mix.batch;
    fmt::print("{} CPU   {:.2f} us a request, {:.3f} us an event, {:.0f} % of a core\n", w.name,
               w.cpu_seconds * 1e6 / static_cast<double>(std::max<uint64_t>(1, t.requests)),
               w.cpu_seconds * 1e6 / events, r.seconds > 0 ? w.cpu_seconds / r.seconds * 100 : 0);
  }
  if (!t.first_error.empty()) fmt::print("first error  {}\n", t.first_error);
}

Result<> complete(Arguments& a, ClientOptions& options) {
  MixOptions& m = a.events_mix;
  if (auto url = parse_url(a.url, options.host, options.port, m.target); !url) return url;
  m.host = fmt::format("{}:{}", options.host, options.port);
  m.mix = a.mix == "click" ? Mix::click : Mix::web;
  m.ids = a.ids == "counter" ? Ids::counter : a.ids == "uuid" ? Ids::uuid : Ids::none;
  if (!a.acked.empty() && m.ids == Ids::none) m.ids = Ids::counter;
  if (m.id_prefix.empty()) m.id_prefix = fmt::format("{:08x}", random_u64() & 0xffffffff);
  if (!a.body_file.empty()) {
    auto body = read_whole(a.body_file);
    if (!body) return body.error();
    m.body = std::move(*body);
    if (!a.acked.empty()) return Error{ErrorCode::kBadInput, "load: --acked: a fixed --body has no ids"};
  }
  if (!a.user_agents.empty()) {
    auto text = read_whole(a.user_agents);
    if (!text) return text.error();
    for (size_t at = 0; at < text->size();) {
      const size_t end = std::min(text->find('\n', at), text->size());
      if (end > at) m.user_agents.push_back(text->substr(at, end - at));
      at = end + 1;
    }
    if (m.user_agents.empty()) return Error{ErrorCode::kBadInput, "load: no user agents in " + a.user_agents};
  }
  if (a.mode == "open" && a.rate <= 0) return Error{ErrorCode::kBadInput, "load: --mode open needs --rate"};
  if (a.connections < a.threads) return Error{ErrorCode::kBadInput, "load: fewer connections than threads"};
  if (a.history_days > 0) {
    if (a.events == 0) return Error{ErrorCode::kBadInput, "load: --history-days needs --events"};
    SystemClock clock;
    const UnixMillis now = clock.now();
    m.history =
        History{now - static_cast<UnixMillis>(a.history_days * static_cast<double>(kMillisPerDay)), now, a.events};
  }
  options.pipeline = a.pipeline;
  options.rate = a.mode == "open" ? a.rate / a.threads : 0;
  options.poisson = a.arrivals == "poisson";
  options.timeout = static_cast<Nanos>(a.timeout_s * 1e9);
  options.retry = a.retry;
  options.stride = a.threads;
  return {};
}

Result<> drive(Arguments& a) {
  ClientOptions options;
  if (auto completed = complete(a, options); !completed) return completed;
  auto watched = parse_watched(a.watch);
  if (!watched) return watched.error();
  std::unique_ptr<Ledger> ledger;
  if (!a.acked.empty()) {
    auto created = Ledger::create(a.acked);
    if (!created) return created.error();
    ledger = std::move(*created);
  }

  std::vector<std::unique_ptr<RequestPool>> pools;
  std::vector<std::unique_ptr<Client>> clients;
  for (uint32_t i = 0; i < a.threads; ++i) pools.push_back(std::make_unique<RequestPool>(a.events_mix));

  options.begin = monotonic_now() + 20'000'000;
  const uint64_t requests = a.events == 0 ? 0 : (a.events + a.events_mix.batch - 1) / a.events_mix.batch;
  if (requests > 0) a.warmup_s = 0;
  options.measure_from = options.begin + static_cast<Nanos>(a.warmup_s * 1e9);
  options.end = requests > 0 ? options.begin + uint64_t{1'000'000} * 1'000'000'000
                             : options.measure_from + static_cast<Nanos>(a.duration_s * 1e9);
  for (uint32_t i = 0; i < a.threads; ++i) {
    ClientOptions own = options;
    own.connections = a.connections / a.threads + (i < a.connections % a.threads ? 1 : 0);
    own.first_request = i;
    own.requests_max = requests / a.threads + (i < requests % a.threads ? 1 : 0);
    if (requests > 0 && own.requests_max == 0) continue;
    clients.push_back(std::make_unique<Client>(own, *pools[i], ledger.get(), g_stop));
    if (auto connected = clients.back()->connect(); !connected) return connected;
  }

  std::vector<Result<>> results(clients.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = clients[i]->run(); });
  }
  sleep_until(options.measure_from);
  for (Watched& w : *watched) w.cpu_seconds = -cpu_seconds(w);
  if (requests == 0) {
    sleep_until(options.end);
    for (Watched& w : *watched) w.cpu_seconds += cpu_seconds(w);
  }
  for (std::thread& t : threads) t.join();
  if (requests > 0) {
    for (Watched& w : *watched) w.cpu_seconds += cpu_seconds(w);
  }

  auto totals = std::make_unique<Totals>();
  for (size_t i = 0; i < clients.size(); ++i) {
    totals->add(clients[i]->totals());
    if (!results[i]) return results[i];
  }
  options.requests_max = requests;
  const Report report = summarize(*totals, options);
  const size_t bytes = totals->sent_requests == 0 ? 0 : totals->sent_bytes / totals->sent_requests;
  (a.json ? print_json : print_text)(a, *totals, report, *watched, bytes);
  return {};
}

int run(int argc, char** argv) {
  Arguments a;
  CLI::App app{"Sends events over HTTP and measures the answers."};
  MixOptions& m = a.events_mix;
  m.id_prefix.clear();
  app.add_option("--url", a.url, "Where to POST; IPv4 or localhost")->capture_default_str();
  app.add_option("--project", m.project, "Value of the header X-App")->capture_default_str();
  app.add_option("--header", m.headers, "Another header line, `Name: value`; may be repeated");
  app.add_option("--mode", a.mode, "closed: each connection waits for its answer; open: a fixed rate, whatever happens")
      ->check(CLI::IsMember({"closed", "open"}))
      ->capture_default_str();
  app.add_option("--rate", a.rate, "Requests a second of the open loop")->check(CLI::PositiveNumber);
  app.add_option("--arrivals", a.arrivals, "Gaps of the open loop")
      ->check(CLI::IsMember({"even", "poisson"}))
      ->capture_default_str();
  app.add_option("--connections", a.connections, "Kept-alive connections")
      ->check(CLI::Range(1, 15'000))
      ->capture_default_str();
  app.add_option("--pipeline", a.pipeline, "Requests under way on one connection")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--threads", a.threads, "Threads of the driver")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--duration", a.duration_s, "Seconds measured")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--warmup", a.warmup_s, "Seconds before measuring")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--events", a.events, "Send so many events, as fast as the mode allows, instead of a duration");
  app.add_option("--timeout", a.timeout_s, "Seconds until a request without answer has failed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--retry", a.retry, "Send again, with the same ids, what was not answered or answered 429 or 503");
  app.add_option("--batch", m.batch, "Events a request; 1: a single object")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_flag("--lines", m.lines, "Newline-delimited objects instead of an array");
  app.add_option("--mix", a.mix, "web: visits to a site; click: the one event of the README")
      ->check(CLI::IsMember({"web", "click"}))
      ->capture_default_str();
  app.add_option("--body", a.body_file, "Send this file as it stands instead of events");
  app.add_option("--pool", m.pool_events, "Different events prepared beforehand")
      ->check(CLI::Range(1, 10'000'000))
      ->capture_default_str();
  app.add_option("--ids", a.ids, "Give each event an id")->check(CLI::IsMember({"none", "counter", "uuid"}));
  app.add_option("--id-prefix", m.id_prefix, "What the ids begin with; random when not given");
  app.add_option("--acked", a.acked, "Write each id, the status it was answered with and its outcome to this file");
  app.add_option("--users", m.users, "Different visitors that name themselves")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  app.add_option("--user-agents", a.user_agents, "File of user agents, one a line");
  app.add_option("--spread-addresses", m.addresses, "Send X-Forwarded-For with so many different addresses")
      ->check(CLI::Range(0, 100'000'000));
  app.add_option("--history-days", a.history_days, "With --events: times move over the last so many days")
      ->check(CLI::PositiveNumber);
  app.add_flag("--gzip", m.gzip, "Compress bodies");
  app.add_option("--seed", m.seed, "Same seed, same events")->capture_default_str();
  app.add_option("--watch", a.watch, "NAME=PID[,PID]: report the CPU time these processes use; may be repeated");
  app.add_flag("--json", a.json, "One JSON object instead of text");
  CLI11_PARSE(app, argc, argv);

  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGTERM, [](int) { g_stop = true; });
  std::signal(SIGINT, [](int) { g_stop = true; });
  if (auto done = drive(a); !done) {
    std::cerr << done.error().message << '\n';
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace weir::bench

int main(int argc, char** argv) { return weir::bench::run(argc, argv); }
