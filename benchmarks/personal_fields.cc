// What an event's personal fields cost: sealing them, opening them, the cookieless visitor id.
// libraries: weir_settings benchmark::benchmark
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "weir/settings/secrets.h"

namespace {

using namespace weir;

constexpr UnixMillis kNow = 1'763'629'260'123;
constexpr ProjectId kProject{42};

settings::Personal personal() {
  settings::Personal p;
  p.ip = "203.0.113.9";
  p.user_agent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
  p.hints = R"({"sec-ch-ua-platform":"Linux"})";
  p.accept_language = "de,en;q=0.5";
  return p;
}

// A directory of its own for the keys.
class Keys {
 public:
  Keys() {
    const char* tmp = std::getenv("TMPDIR");
    std::string pattern = std::string(tmp != nullptr ? tmp : "/tmp") + "/personal-fields-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    auto opened = settings::open_file_secrets(real_files(), {directory_ + "/secrets", 7});
    if (opened) secrets_ = std::move(*opened);
  }
  ~Keys() {
    secrets_.reset();
    std::filesystem::remove_all(directory_);
  }
  settings::Secrets& secrets() { return *secrets_; }

 private:
  std::string directory_;
  std::unique_ptr<settings::Secrets> secrets_;
};

void Seal(benchmark::State& state) {
  Keys keys;
  const settings::Personal fields = personal();
  for (auto _ : state) benchmark::DoNotOptimize(keys.secrets().seal(kProject, kNow, fields));
}
BENCHMARK(Seal);

void Open(benchmark::State& state) {
  Keys keys;
  const auto sealed = keys.secrets().seal(kProject, kNow, personal());
  for (auto _ : state) benchmark::DoNotOptimize(keys.secrets().open(kProject, *sealed));
}
BENCHMARK(Open);

void Visitor(benchmark::State& state) {
  Keys keys;
  const settings::Personal fields = personal();
  for (auto _ : state)
    benchmark::DoNotOptimize(keys.secrets().visitor(kProject, kNow, kNow, fields.ip, fields.user_agent));
}
BENCHMARK(Visitor);

}  // namespace

BENCHMARK_MAIN();
