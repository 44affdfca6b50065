// What finding an event's source costs: by referrer, tags and click ids, over the built-in table, a spam list and the
// public suffix list.
//
// libraries: weir_enrich benchmark::benchmark
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "weir/enrich/source.h"
#include "weir/enrich/testing/recorded.h"

namespace {

using namespace weir::enrich;

std::shared_ptr<const Sources> sources() {
  static const std::shared_ptr<const Sources> loaded = [] {
    auto suffixes = PublicSuffixes::load(weir::enrich::testing::suffix_list());
    if (!suffixes) std::exit(1);
    std::string spam;
    for (int i = 0; i < 2'500; ++i) spam += "spam" + std::to_string(i) + ".example\n";
    auto made = Sources::load({built_in_sources(), "", spam}, std::move(*suffixes));
    if (!made) std::exit(1);
    return std::make_shared<const Sources>(std::move(*made));
  }();
  return loaded;
}

void ask(benchmark::State& state, const std::vector<SourceQuestion>& questions) {
  SourceFinder finder(sources());
  size_t i = 0;
  for (auto _ : state) {
    SourceAnswer answer = finder.find(questions[i]);
    benchmark::DoNotOptimize(answer);
    i = i + 1 == questions.size() ? 0 : i + 1;
  }
}

constexpr std::string_view kHost = "www.shop.example";

// Mostly inside the site, some from outside, a few campaigns: what a site's events look like.
void BM_Mixed(benchmark::State& state) {
  ask(state,
      {{.referrer = "https://www.shop.example/products/chairs?page=2", .hostname = kHost},
       {.referrer = "https://www.google.com/", .hostname = kHost},
       {.referrer = "https://www.shop.example/", .hostname = kHost},
       {.hostname = kHost},
       {.referrer = "https://checkout.shop.example/pay", .hostname = kHost},
       {.referrer = "https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.shop.example%2F&h=AT0x", .hostname = kHost},
       {.referrer = "https://blog.garden.example.co.uk/2026/11/best-chairs.html", .hostname = kHost},
       {.hostname = kHost, .utm_source = "newsletter", .utm_medium = "email", .utm_campaign = "november"}});
}
BENCHMARK(BM_Mixed);

void BM_NoReferrer(benchmark::State& state) { ask(state, {{.hostname = kHost}}); }
BENCHMARK(BM_NoReferrer);

void BM_Own(benchmark::State& state) {
  ask(state, {{.referrer = "https://checkout.shop.example/products/chairs?page=2", .hostname = kHost}});
}
BENCHMARK(BM_Own);

void BM_Known(benchmark::State& state) { ask(state, {{.referrer = "https://www.google.co.uk/", .hostname = kHost}}); }
BENCHMARK(BM_Known);

void BM_Unknown(benchmark::State& state) {
  ask(state, {{.referrer = "https://blog.garden.example.co.uk/2026/11/best-chairs.html", .hostname = kHost}});
}
BENCHMARK(BM_Unknown);

void BM_Campaign(benchmark::State& state) {
  ask(state, {{.referrer = "https://www.google.com/",
               .hostname = kHost,
               .utm_source = "google",
               .utm_medium = "cpc",
               .utm_campaign = "garden-november",
               .click_id = "gclid:Cj0KCQiA"}});
}
BENCHMARK(BM_Campaign);

// More sites than a finder remembers: the public suffix list is asked each time.
void BM_OwnOfManySites(benchmark::State& state) {
  std::vector<std::string> hosts;
  std::vector<std::string> referrers;
  for (int i = 0; i < 1'000; ++i) {
    hosts.push_back("www.site" + std::to_string(i) + ".example");
    referrers.push_back("https://site" + std::to_string(i) + ".example/");
  }
  std::vector<SourceQuestion> questions;
  for (size_t i = 0; i < hosts.size(); ++i) questions.push_back({.referrer = referrers[i], .hostname = hosts[i]});
  ask(state, questions);
}
BENCHMARK(BM_OwnOfManySites);

// The dearest a stranger can make it: long, many labels, none of them known.
void BM_Hostile(benchmark::State& state) {
  std::string referrer = "https://";
  for (int i = 0; i < 60; ++i) referrer += "a-b.";
  referrer += "example/" + std::string(8'000, 'x');
  ask(state, {{.referrer = referrer, .hostname = kHost}});
}
BENCHMARK(BM_Hostile);

}  // namespace

BENCHMARK_MAIN();
