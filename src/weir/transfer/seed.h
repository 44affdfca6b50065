#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/event/event.h"
#include "weir/transfer/ledger.h"
#include "weir/transfer/seed_tables.h"

namespace weir::transfer {

// By which door seeded events came, as their records say.
inline constexpr std::string_view kSeedProtocol = "seed";

// "2026-11-29" as days since 1970. Errors: kBadInput.
Result<int64_t> parse_day(std::string_view text);

// What a seeded history is made from. Equal plans give equal histories.
struct SeedPlan {
  static constexpr uint64_t kEventsMax = 1'000'000'000;
  static constexpr uint32_t kDaysMax = 3650;
  static constexpr uint64_t kEventsPerDayMax = 20'000'000;

  uint64_t events = 0;
  uint32_t days = 90;
  uint64_t seed = 1;
  int64_t end_day = 0;  // days since 1970: the history ends where this UTC day begins

  // Errors: kBadInput, which names the option of `weir seed` that is wrong: events or days of 0 or above the limits,
  // a begin before 1990, an end more than a day after `today`.
  Result<> check(int64_t today) const;
  // Tells plans apart: equal for equal plans only, as far as 64 bits go.
  uint64_t key() const;
  UnixMillis begin() const { return (end_day - days) * kMillisPerDay; }
  UnixMillis end() const { return end_day * kMillisPerDay; }
};

// One event of a seeded history. The texts are valid until the next one is asked for.
struct SeededEvent {
  event::Event event;  // all but project, id, time of receipt and personal fields
  uint64_t index = 0;  // in its history, from 0
  LineIdentity identity;
  // Who sent it, in clear; `sender` is the same for equal pairs of address and user agent only.
  std::string_view address;
  std::string_view user_agent;
  uint64_t sender = 0;
  // What the model meant by it.
  seed::Visitors visitors = seed::Visitors::people;
  seed::Channel channel = seed::Channel::direct;
  uint64_t visit = 0;    // its number in the history
  uint64_t person = 0;   // of people: who, also across days
  bool returns = false;  // the person was here before
};

// The events of a plan, one by one and by rising time: docs/seed.md states the model. Integers only, so that a plan
// gives the same bytes on every machine. A plan whose end lies k whole weeks later gives the same events k weeks later
// but for browser and app versions, ids and cookieless visitors.
//
// Pure: no clock, no I/O. Confined to one thread. About 30 MB for the largest plans, 2 MB for small ones.
class SeedHistory {
 public:
  // `plan` has passed check().
  explicit SeedHistory(const SeedPlan& plan);
  ~SeedHistory();
  SeedHistory(SeedHistory&&) noexcept;
  SeedHistory& operator=(SeedHistory&&) noexcept;

  // The next event; null behind the last.
  const SeededEvent* next();
  // How many next() has given.
  uint64_t position() const;
  const SeedPlan& plan() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::transfer
