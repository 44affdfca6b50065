#pragma once

#include <fmt/format.h>

#include <random>
#include <string>

namespace weir::benchmarks {

// Records as collect writes them: most fields repeat from event to event, ids and times do not.
class RecordGenerator {
 public:
  explicit RecordGenerator(uint64_t seed) : random_(seed) {}
  std::string record() {
    static constexpr const char* kPaths[] = {"/",
                                             "/pricing",
                                             "/docs/getting-started",
                                             "/blog/2026/a-week-in-the-life",
                                             "/account/settings/notifications",
                                             "/search"};
    static constexpr const char* kReferrers[] = {"https://www.google.com/", "https://news.ycombinator.com/item?id=1",
                                                 "https://www.example.org/a/longer/path/here.html", ""};
    static constexpr const char* kNames[] = {"pageview", "click", "signup_started", "add_to_cart"};
    uint64_t time = 1'790'000'000'000 + (clock_ += random_() % 40);
    const char* path = kPaths[random_() % 6];
    return fmt::format(
        R"({{"v":1,"kind":"pageview","project_id":"4242424242424242424","id":"{:016x}{:016x}","id_given":true,)"
        R"("name":"{}","received_at":{},"client_time":{},"time":{},"visitor":"{}","url":"https://www.example.com{}",)"
        R"("referrer":"{}","locale":"en-US","screen":"{}x1080",)"
        R"("properties":{{"plan":"pro","value":{},"cta":"top-{}"}},"protocol":"native","personal":"{:016x}{:016x}"}})",
        random_(), random_(), kNames[random_() % 4], time, time - random_() % 900, time, random_() % 100'000, path,
        path, kReferrers[random_() % 4], 1280 + 320 * (random_() % 4), random_() % 10'000, random_() % 9, random_(),
        random_(), random_());
  }

 private:
  std::mt19937_64 random_;
  uint64_t clock_ = 0;
};

}  // namespace weir::benchmarks
