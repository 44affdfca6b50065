// From an accepted event to a row, with everything on: the data packs as weir ships them, addresses from all over, real
// user agents by their share, referrers and campaigns. One thread; `events` a second is the figure to look at.
// libraries: weir_enrich weir_settings simdjson::simdjson benchmark::benchmark
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "weir/enrich/enricher.h"
#include "weir/enrich/packs.h"
#include "weir/enrich/testing/recorded.h"
#include "weir/event/record.h"

namespace {
using namespace weir;

constexpr UnixMillis kNow = 1'790'000'000'000;
constexpr size_t kEvents = 200'000;

std::shared_ptr<const enrich::Packs> packs() {
  static const std::shared_ptr<const enrich::Packs> loaded = [] {
    enrich::PackStore store({"", enrich::find_shipped_packs(""), std::filesystem::temp_directory_path()});
    store.refresh(kNow);
    return store.current();
  }();
  return loaded;
}

struct Sent {
  std::string record;
  settings::Secrets::Opened personal;
};

// Visits of one to eight pages, whose visitors come by the weights of the recorded sample.
const std::vector<Sent>& events() {
  static const std::vector<Sent> all = [] {
    std::vector<Sent> made;
    const std::string path = enrich::testing::recorded("ua/user-agents-npm/user-agents.json.xz");
    if (path.empty()) return made;
    std::vector<std::string> agents;
    std::vector<double> weights;
    simdjson::dom::parser parser;
    for (simdjson::dom::element visit :
         parser.parse(simdjson::padded_string(enrich::testing::unpacked(path))).get_array()) {
      agents.emplace_back(visit["userAgent"].get_string().value());
      weights.push_back(visit["weight"].get_double().value());
    }
    std::mt19937 random(1);
    std::discrete_distribution<size_t> agent_of(weights.begin(), weights.end());
    const std::vector<std::string> referrers = {"",
                                                "",
                                                "https://www.google.com/",
                                                "https://chatgpt.com/",
                                                "https://news.example.net/story?id=4",
                                                "https://t.co/x",
                                                "https://l.facebook.com/l.php?u=1"};
    UnixMillis now = kNow;
    while (made.size() < kEvents) {
      settings::Secrets::Opened personal;
      personal.user_agent = agents[agent_of(random)];
      personal.ip = fmt::format("{}.{}.{}.{}", 1 + random() % 222, random() % 256, random() % 256, random() % 256);
      const std::string& referrer = referrers[random() % referrers.size()];
      const uint64_t visitor = random() + 1ULL;
      for (size_t pages = 1 + random() % 8, page = 0; page < pages && made.size() < kEvents; ++page) {
        const std::string url =
            fmt::format("https://www.shop.example/products/{}?utm_campaign=c{}", random() % 3000, random() % 20);
        const std::string properties =
            fmt::format(R"({{"plan":"pro","price":{}.5,"in_stock":true,"category":"c{}","list":"l{}"}})",
                        random() % 100, random() % 30, random() % 9);
        event::Event event;
        event.kind = event::Kind::pageview;
        event.name = "pageview";
        event.project_id = ProjectId{1};
        event.received_at = event.time = now += random() % 20;
        event.visitor = visitor;
        event.url = url;
        event.referrer = page == 0 ? std::string_view(referrer) : "https://www.shop.example/";
        event.title = "A product of the shop";
        event.locale = "de-DE";
        event.screen = "390x844";
        event.properties = properties;
        event.protocol = "native";
        Sent sent;
        event::append_record(event, sent.record);
        sent.personal = personal;
        made.push_back(std::move(sent));
      }
    }
    return made;
  }();
  return all;
}

// Of RecordToRow, what taking the record apart takes: the rest is enrichment.
void RecordAlone(benchmark::State& state) {
  if (events().empty()) return state.SkipWithError("WEIR_TEST_DATA is not set, or has no recorded user agents");
  event::RecordParser parser;
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(parser.parse(events()[at].record)->time);
    at = (at + 1) % events().size();
  }
}
BENCHMARK(RecordAlone)->Unit(benchmark::kMicrosecond)->MinTime(2);

// The record is taken apart first, as the loader does.
void RecordToRow(benchmark::State& state) {
  if (events().empty()) return state.SkipWithError("WEIR_TEST_DATA is not set, or has no recorded user agents");
  event::RecordParser parser;
  enrich::Visits visits;
  visits.know_all_from(INT64_MIN);
  enrich::Enricher enricher;
  enricher.use(packs(), nullptr);
  size_t at = 0;
  uint64_t o = 0;
  for (auto _ : state) {
    const Sent& sent = events()[at];
    const event::Event event = *parser.parse(sent.record);
    const event::Row& row = enricher.enrich(event, {1, ++o}, settings::IpPolicy::masked, &sent.personal);
    benchmark::DoNotOptimize(visits.assign(enrich::visit_event(row)).facts.session_id);
    if (++at == events().size()) {
      at = 0;
      visits.clear();
      visits.know_all_from(INT64_MIN);
    }
  }
  state.counters["events"] = benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmRSS:")) state.SetLabel(line);
}
BENCHMARK(RecordToRow)->Unit(benchmark::kMicrosecond)->MinTime(3);
}  // namespace

BENCHMARK_MAIN();
