// What one event costs between HTTP and the journal: decode, validate, stamp, encode; and what reading its record
// costs the loader.
// libraries: weir_collect benchmark::benchmark
#include <benchmark/benchmark.h>

#include <string>

#include "weir/collect/intake.h"
#include "weir/collect/native.h"
#include "weir/event/record.h"

namespace {

using namespace weir;

constexpr UnixMillis kNow = 1'763'629'260'123;

// The secrets' own cost is theirs; sealed text of the length that they make.
class CheapSecrets final : public settings::Secrets {
 public:
  Result<std::string> seal(ProjectId, UnixMillis, const settings::Personal&) override {
    return R"({"day":"2025-11-20","sealed":")" + std::string(200, 'A') + "\"}";
  }
  Result<Opened> open(ProjectId, std::string_view) override { return Error{ErrorCode::kNotFound, ""}; }
  Result<uint64_t> visitor(ProjectId, UnixMillis, UnixMillis, std::string_view, std::string_view) override {
    return 42;
  }
  Result<> expire(UnixMillis) override { return {}; }
};

class Encoding final : public collect::EventSink {
 public:
  Encoding(settings::Secrets& secrets, const settings::Personal& sender, const settings::Project& project)
      : intake_(secrets, sender, kNow, "native"), project_(project) {}
  bool take(const collect::SentEvent& sent) override {
    return intake_.add(project_, sent, records_) == collect::Intake::Verdict::accepted;
  }
  bool reject(size_t, Error) override { return false; }
  const journal::Records& records() const { return records_; }

 private:
  collect::Intake intake_;
  const settings::Project& project_;
  journal::Records records_;
};

// About 300 bytes, as browsers' scripts write it.
std::string typical_event(int i) {
  std::string n = std::to_string(i);
  return R"({"type":"pageview","id":"4f1d2c9a-7b1e-4b9f-8a53-0c1f6d1e)" + std::to_string(1000 + i) +
         R"(","timestamp":"2025-11-20T09:00:5)" + std::to_string(i % 10) +
         R"(.123Z","url":"https://www.example.com/products/garden-chairs?utm_source=news&page=)" + n +
         R"(","referrer":"https://www.google.com/","title":"Garden chairs","locale":"de-DE","screen":"1920x1080",)"
         R"("details":{"plan":"pro","count":)" +
         n + R"(,"beta":true}})";
}

std::string with_spaces(const std::string& event) {
  std::string out;
  bool inside = false;
  for (char c : event) {
    if (c == '"') inside = !inside;
    out.push_back(c);
    if (!inside && (c == ':' || c == ',')) out.push_back(' ');
  }
  return out;
}

std::string batch(int count) {
  std::string body = "[";
  for (int i = 0; i < count; ++i) body += (i == 0 ? "" : ",") + typical_event(i);
  return body + "]";
}

void run(benchmark::State& state, const std::string& body, int events) {
  CheapSecrets secrets;
  settings::Personal sender{"192.0.2.1", "Mozilla/5.0", "", "de", false};
  settings::Project project;
  project.id = ProjectId{12345678901234567890u};
  collect::NativeDecoder decoder;
  for (auto _ : state) {
    Encoding sink(secrets, sender, project);
    auto shape = decoder.decode(body, {}, sink);
    if (!shape || sink.records().count() != static_cast<uint32_t>(events)) state.SkipWithError("not accepted");
    benchmark::DoNotOptimize(sink.records().bytes().data());
  }
  state.SetItemsProcessed(state.iterations() * events);
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * body.size()));
  state.counters["event_bytes"] = static_cast<double>(body.size()) / events;
}

void single_event(benchmark::State& state) { run(state, typical_event(7), 1); }
void single_event_with_spaces(benchmark::State& state) { run(state, with_spaces(typical_event(7)), 1); }
void first_event_of_the_readme(benchmark::State& state) {
  run(state,
      R"({"type":"click","user_id":"1","session_id":"FaAa31","timestamp":"2024-04-17T04:04:12","locale":"en","path":"/getting-started","appVersion":"0.0.1","details":{"meta_a":"meta_a","meta_b":"meta_b"}})",
      1);
}
void batch_of_100(benchmark::State& state) { run(state, batch(100), 100); }
BENCHMARK(single_event);
BENCHMARK(single_event_with_spaces);
BENCHMARK(first_event_of_the_readme);
BENCHMARK(batch_of_100);

void decode_only(benchmark::State& state) {
  class Counting final : public collect::EventSink {
   public:
    bool take(const collect::SentEvent&) override { return ++count > 0; }
    bool reject(size_t, Error) override { return false; }
    int count = 0;
  } sink;
  collect::NativeDecoder decoder;
  std::string body = typical_event(7);
  for (auto _ : state) {
    auto shape = decoder.decode(body, {}, sink);
    benchmark::DoNotOptimize(shape);
  }
}
BENCHMARK(decode_only);

void read_record(benchmark::State& state) {
  CheapSecrets secrets;
  settings::Personal sender{"192.0.2.1", "Mozilla/5.0", "", "de", false};
  settings::Project project;
  project.id = ProjectId{12345678901234567890u};
  collect::NativeDecoder decoder;
  Encoding sink(secrets, sender, project);
  auto shape = decoder.decode(typical_event(7), {}, sink);
  std::string record = sink.records().bytes().substr(4);
  event::RecordParser parser;
  for (auto _ : state) {
    auto event = parser.parse(record);
    if (!event) state.SkipWithError(event.error().message.c_str());
    benchmark::DoNotOptimize(event);
  }
  state.counters["record_bytes"] = static_cast<double>(record.size());
}
BENCHMARK(read_record);

}  // namespace

BENCHMARK_MAIN();
