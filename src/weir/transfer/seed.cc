#include "weir/transfer/seed.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <vector>

#include "weir/base/check.h"
#include "weir/event/url.h"

namespace weir::transfer {

namespace {
using namespace seed;

// Part of every plan's key: a change of the model is another history.
constexpr uint64_t kModel = 1;
constexpr UnixMillis kMinute = 60'000;
constexpr UnixMillis kSilence = 30 * kMinute;  // a person with an open visit does not begin another
// Mean events of a visit, roughly: how many people are remembered follows from it.
constexpr uint64_t kEventsPerVisit = 6;
constexpr uint64_t kPeopleMax = 1u << 18;
constexpr uint64_t kRememberedDays = 14;
// Of the mean day, the first day and the last, in percent.
constexpr uint64_t kFirstDay = 70;
constexpr uint64_t kLastDay = 130;
// One day in 41 is talked of and has this much more, in percent.
constexpr int64_t kLoudEvery = 41;
constexpr uint64_t kLoudDay = 160;
constexpr uint64_t kUserIdFrom = 100'000;
constexpr uint64_t kCrowd = uint64_t{1} << 63;  // persons above are programs

// A bijection that leaves no trace of its argument (Stafford's mix 13).
constexpr uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
constexpr uint64_t kStep = 0x9e3779b97f4a7c15u;

// xoshiro256**.
class Dice {
 public:
  explicit Dice(uint64_t seed) {
    for (uint64_t& part : state_) part = mix(seed += kStep);
  }
  uint64_t roll() {
    uint64_t result = rotate(state_[1] * 5, 7) * 9;
    uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = rotate(state_[3], 45);
    return result;
  }
  uint32_t below(uint32_t n) { return static_cast<uint32_t>((roll() >> 32) * n >> 32); }
  bool chance(uint32_t thousandths) { return below(1000) < thousandths; }

 private:
  static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  std::array<uint64_t, 4> state_;
};

// One of several, by shares that sum to a thousand.
class Shares {
 public:
  void add(uint16_t what, uint32_t share) { slots_.insert(slots_.end(), share, what); }
  uint16_t at(uint64_t random) const { return slots_[static_cast<size_t>((random >> 32) * slots_.size() >> 32)]; }
  uint16_t pick(Dice& dice) const { return at(dice.roll()); }
  bool is_whole() const { return slots_.size() == 1000; }

 private:
  std::vector<uint16_t> slots_;
};

template <class List>
Shares shares_of(const List& list) {
  Shares shares;
  for (size_t i = 0; i < list.size(); ++i) shares.add(static_cast<uint16_t>(i), list[i]);
  WEIR_CHECK(shares.is_whole());
  return shares;
}

// One of n with weights 1, 1/2, 1/3...
class Zipf {
 public:
  explicit Zipf(size_t n) {
    uint64_t total = 0;
    for (size_t rank = 1; rank <= n; ++rank) ends_.push_back(total += (uint64_t{1} << 24) / rank);
  }
  uint16_t pick(Dice& dice) const {
    if (ends_.size() == 1) return 0;
    uint64_t at = dice.below(static_cast<uint32_t>(ends_.back()));
    return static_cast<uint16_t>(std::upper_bound(ends_.begin(), ends_.end(), at) - ends_.begin());
  }

 private:
  std::vector<uint64_t> ends_;
};

enum class Act : uint8_t {
  view,
  engagement,
  signup,
  identify,
  view_product,
  add_to_cart,
  checkout,
  purchase,
  download,
  outbound
};

struct Step {
  uint32_t offset_ms;
  uint32_t value;  // engaged time, product, order...
  uint16_t page;
  uint16_t from;  // the page before
  Act act;
  uint8_t scroll;
  bool first_page;
  bool known;  // the person has signed up by now
};

struct Person {
  uint64_t serial = 0;
  UnixMillis until = 0;  // of the last visit
  bool signed_up = false;
};

struct Visit {
  std::vector<Step> steps;
  size_t next = 0;
  UnixMillis start = 0;
  uint64_t number = 0;
  uint64_t person = 0;
  uint64_t sender = 0;
  uint64_t identity = 0;  // of the person: what is drawn from it stays
  Visitors visitors = Visitors::people;
  Channel channel = Channel::direct;
  bool returns = false;
  bool persistent = false;
  uint8_t currency = 0;
  std::string address;
  std::string user_agent;
  std::string query;
  std::string user_id;
  std::string anonymous_id;
  std::string_view referrer;
  std::string_view screen;
  std::string_view locale;
};

// Visits under way, by the time of their next step; equal times by the visits' number.
struct Due {
  UnixMillis time;
  uint64_t number;
  uint32_t slot;
  bool operator<(const Due& other) const {
    return time != other.time ? time > other.time : number > other.number;  // a heap gives its greatest
  }
};

void append_decimal(std::string& out, uint64_t value) {
  fmt::format_int text(value);
  out.append(text.data(), text.size());
}

void append_ipv4(std::string& out, uint32_t address) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    append_decimal(out, address >> shift & 255);
    if (shift > 0) out.push_back('.');
  }
}

// Version of a browser on a day. Chrome and Firefox appear about once a month; Safari's number is next year's since
// 2025, with a point release about every two months.
void append_version(std::string& out, Versions versions, int64_t day, uint32_t behind) {
  if (versions == Versions::chrome || versions == Versions::firefox) {
    bool chrome = versions == Versions::chrome;
    int64_t first = days_from_civil(chrome ? CivilDay{2024, 11, 12} : CivilDay{2024, 11, 26});
    int64_t version = (chrome ? 131 : 133) + (day - first) / 31 - behind;
    append_decimal(out, static_cast<uint64_t>(std::clamp<int64_t>(version, 60, 999)));
    return;
  }
  int64_t since = std::max<int64_t>(day - days_from_civil({2017, 9, 19}) - 61 * int64_t{behind}, 0);
  int64_t year = since / 365;
  int64_t major = 11 + year + (year >= 8 ? 7 : 0);
  append_decimal(out, static_cast<uint64_t>(major));
  out.push_back('.');
  append_decimal(out, static_cast<uint64_t>(since % 365 / 61));
}

// Releases of the app, about one a month.
void append_app_version(std::string& out, int64_t day, uint64_t behind) {
  int64_t release = std::max<int64_t>((day - days_from_civil({2020, 1, 1})) / 30 - static_cast<int64_t>(behind), 0);
  append_decimal(out, static_cast<uint64_t>(1 + release / 24));
  out.push_back('.');
  append_decimal(out, static_cast<uint64_t>(release % 24));
  out.append(".0");
}

uint32_t price_of(uint32_t product, const Currency& currency) {
  uint64_t cents = uint64_t{kProducts[product].price} * currency.per_cent_of_euro / 100;
  return static_cast<uint32_t>(currency.has_cents ? cents : cents / 100);
}

// Cents as "149.00", or whole units where a currency has no cents.
void append_money(std::string& out, uint64_t amount, const Currency& currency) {
  append_decimal(out, currency.has_cents ? amount / 100 : amount);
  if (!currency.has_cents) return;
  out.push_back('.');
  out.push_back(static_cast<char>('0' + amount % 100 / 10));
  out.push_back(static_cast<char>('0' + amount % 10));
}

constexpr std::string_view kFiles[] = {"manual-3.pdf", "quick-start.pdf", "datasheet.pdf", "sensor-map.stl"};
constexpr std::string_view kLinks[] = {"https://www.wikipedia.org/", "https://www.wmo.int/", "https://github.com/",
                                       "https://www.openstreetmap.org/"};
constexpr std::string_view kMethods[] = {"email", "google", "apple"};
constexpr std::string_view kPlans[] = {"free", "free", "free", "plus"};
constexpr std::string_view kPayments[] = {"card", "card", "paypal", "apple_pay"};
}  // namespace

Result<int64_t> parse_day(std::string_view text) {
  CivilDay day{};
  auto number = [&](size_t from, size_t size, auto& to) {
    auto [end, error] = std::from_chars(text.data() + from, text.data() + from + size, to);
    return error == std::errc() && end == text.data() + from + size;
  };
  bool read = text.size() == 10 && text[4] == '-' && text[7] == '-' && number(0, 4, day.year) &&
              number(5, 2, day.month) && number(8, 2, day.day) && day.year >= 1970 && day.month >= 1 &&
              day.month <= 12 && day.day >= 1;
  if (read) {
    int64_t days = days_from_civil(day);
    // A day that is not in its month would come back as another.
    if (format_day(days) == text) return days;
  }
  return Error{ErrorCode::kBadInput, fmt::format("{}: expected a day like 2026-11-29", text)};
}

Result<> SeedPlan::check(int64_t today) const {
  auto bad = [](std::string message) { return Error{ErrorCode::kBadInput, "seed: " + std::move(message)}; };
  if (events == 0 || events > kEventsMax) return bad(fmt::format("--events {}: expected 1 to {}", events, kEventsMax));
  if (days == 0 || days > kDaysMax) return bad(fmt::format("--days {}: expected 1 to {}", days, kDaysMax));
  if (events > days * kEventsPerDayMax)
    return bad(fmt::format("--events {} in --days {}: at most {} a day", events, days, kEventsPerDayMax));
  if (end_day > today + 1)
    return bad(fmt::format("--end {}: more than a day after today, {}", format_day(end_day), format_day(today)));
  if (end_day - days < days_from_civil({1990, 1, 1}))
    return bad(fmt::format("--end {} with --days {}: begins before 1990", format_day(end_day), days));
  return {};
}

uint64_t SeedPlan::key() const {
  uint64_t parts[] = {kModel, events, days, seed, static_cast<uint64_t>(end_day)};
  return XXH3_64bits(parts, sizeof parts);
}

struct SeedHistory::State {
  explicit State(const SeedPlan& p);

  // A page while it is open, in milliseconds of the visit.
  struct Stay {
    uint32_t since;
    uint32_t now;  // when the last thing was done on it
    uint32_t until;
    bool known;
  };

  const SeedPlan plan;
  const uint64_t key;
  Dice dice;
  uint64_t given = 0;
  uint64_t planned = 0;  // events of all visits begun so far
  uint64_t visits = 0;
  uint64_t people = 0;
  SeededEvent out;

  // Where in time: the next minute to begin visits in. Weights are counted in sixtieths, so that minutes are whole.
  int64_t minute = 0;
  uint64_t total_weight = 0;
  uint64_t hours_weight = 0;  // of the hours before
  uint64_t hour_weight = 0;
  std::array<uint32_t, kPlaces.size()> place_ends{};

  std::array<std::vector<Person>, kPlaces.size()> remembered;
  std::array<size_t, kPlaces.size()> remembered_max{};

  std::vector<Visit> slots;
  std::vector<uint32_t> free_slots;
  std::vector<Due> due;

  Shares visitor_kinds;
  Shares newcomers;
  Shares returning;
  Shares pages_per_visit;
  Shares agents;
  std::array<Shares, kVisitorKinds> bots;
  std::array<Shares, kChannels> sources;
  std::array<Shares, kChannels> entries;
  std::array<Shares, kSections> nexts;
  std::vector<Zipf> pages;

  std::string url;
  std::string properties;
  std::string set;
  std::string amount;
  std::string app_version;
  std::string client_time;

  const SeededEvent* next();
  uint64_t weigh(int64_t hour);
  void plan_minute();
  void begin_visit(UnixMillis from);
  void plan_program(Visit& visit);
  void plan_person(Visit& visit, UnixMillis from);
  Person* somebody(size_t place, UnixMillis now);
  void dress(Visit& visit, size_t place);
  void come(Visit& visit, bool returns);
  void read(Visit& visit, Person& person);
  void shop(Visit& visit, bool known);
  void use_app(Visit& visit);
  Stay open_page(Visit& visit, uint16_t page, uint32_t at, bool known);
  void act(Visit& visit, Stay& stay, Act what, uint32_t value);
  uint32_t leave(Visit& visit, const Stay& stay);
  void fit(Visit& visit);
  void describe(const Visit& visit, const Step& step, UnixMillis time);
  void act_event(const Visit& visit, const Step& step, const Page& page);
  uint16_t page_in(Section section) {
    auto s = static_cast<size_t>(section);
    return static_cast<uint16_t>(site().first[s] + pages[s].pick(dice));
  }
  static Section section_of(uint16_t page) { return site().pages[page].section; }
};

SeedHistory::State::State(const SeedPlan& p) : plan(p), key(p.key()), dice(p.seed) {
  visitor_kinds = shares_of(kVisitorShares);
  newcomers = shares_of(kNewcomers);
  returning = shares_of(kReturning);
  pages_per_visit = shares_of(kPagesPerVisit);
  for (size_t i = 0; i < kAgents.size(); ++i) agents.add(static_cast<uint16_t>(i), kAgents[i].share);
  for (size_t i = 0; i < kBots.size(); ++i)
    bots[static_cast<size_t>(kBots[i].kind)].add(static_cast<uint16_t>(i), kBots[i].share);
  for (size_t i = 0; i < kSources.size(); ++i)
    sources[static_cast<size_t>(kSources[i].channel)].add(static_cast<uint16_t>(i), kSources[i].share);
  for (size_t c = 0; c < kChannels; ++c) entries[c] = shares_of(kEntry[c]);
  for (size_t s = 0; s < kSections; ++s) {
    nexts[s] = shares_of(kNext[s]);
    pages.emplace_back(site().first[s + 1] - site().first[s]);
  }
  WEIR_CHECK(agents.is_whole());

  for (int64_t hour = 0; hour < int64_t{plan.days} * 24; ++hour) total_weight += weigh(hour);
  uint64_t places_weight = 0;
  for (const Place& place : kPlaces) places_weight += place.weight;
  uint64_t visits_a_day = plan.events / kEventsPerVisit / plan.days + 1;
  uint64_t people_max = std::min(kPeopleMax, visits_a_day * kRememberedDays);
  for (size_t i = 0; i < kPlaces.size(); ++i)
    remembered_max[i] = static_cast<size_t>(people_max * kPlaces[i].weight / places_weight + 1);
}

// The weight of an hour, and the places' shares of it in place_ends.
uint64_t SeedHistory::State::weigh(int64_t hour) {
  int64_t day = hour / 24;
  UnixMillis begin = plan.begin() + hour * 60 * kMinute;
  uint32_t sum = 0;
  for (size_t i = 0; i < kPlaces.size(); ++i) {
    // Half past, so that zones off by half an hour fall on one side.
    int64_t local = begin / kMinute + 30 + kPlaces[i].utc_minutes;
    auto local_hour = static_cast<size_t>(local / 60 % 24);
    auto weekday = static_cast<size_t>((local / (24 * 60) + 3) % 7);  // 1970 began on a Thursday
    sum += uint32_t{kPlaces[i].weight} * kHours[local_hour] * kWeek[weekday] / 16;
    place_ends[i] = sum;
  }
  uint64_t growth =
      plan.days == 1 ? 100 : kFirstDay + (kLastDay - kFirstDay) * static_cast<uint64_t>(day) / (plan.days - 1);
  // Counted from the end, so that a longer history of the same end has its loud days on the same dates.
  if ((plan.days - 1 - day) % kLoudEvery == kLoudEvery / 2) growth = growth * kLoudDay / 100;
  return uint64_t{sum} * growth;
}

const SeededEvent* SeedHistory::State::next() {
  if (given == plan.events) return nullptr;
  int64_t minutes = int64_t{plan.days} * 24 * 60;
  // A visit begun later begins not before its minute: all earlier steps can go.
  while (minute < minutes && (due.empty() || due.front().time >= plan.begin() + minute * kMinute)) plan_minute();
  std::pop_heap(due.begin(), due.end());
  Due& now = due.back();
  Visit& visit = slots[now.slot];
  const Step step = visit.steps[visit.next++];
  describe(visit, step, now.time);
  if (visit.next < visit.steps.size()) {
    now.time = visit.start + visit.steps[visit.next].offset_ms;
    std::push_heap(due.begin(), due.end());
  } else {
    free_slots.push_back(now.slot);
    due.pop_back();
  }
  out.index = given++;
  out.identity = {hour_of(out.event.time), mix(key + out.index * kStep)};
  return &out;
}

// Begins the visits of one minute: until as many events are planned as the history should have by its end.
void SeedHistory::State::plan_minute() {
  int64_t in_hour = minute % 60;
  if (in_hour == 0) {
    hours_weight += hour_weight;
    hour_weight = weigh(minute / 60);
  }
  UnixMillis from = plan.begin() + minute * kMinute;
  ++minute;
  bool last = minute == int64_t{plan.days} * 24 * 60;
  auto weight = static_cast<unsigned __int128>(hours_weight) * 60 + hour_weight * static_cast<uint64_t>(in_hour + 1);
  auto quota = static_cast<uint64_t>(weight * plan.events / (static_cast<unsigned __int128>(total_weight) * 60));
  if (last) quota = plan.events;
  while (planned < quota) begin_visit(from);
}

void SeedHistory::State::begin_visit(UnixMillis from) {
  uint32_t slot = 0;
  if (free_slots.empty()) {
    slot = static_cast<uint32_t>(slots.size());
    slots.emplace_back();
  } else {
    slot = free_slots.back();
    free_slots.pop_back();
  }
  Visit& visit = slots[slot];
  visit.steps.clear();
  visit.next = 0;
  visit.number = visits++;
  visit.start = from + dice.below(kMinute);
  visit.visitors = static_cast<Visitors>(visitor_kinds.pick(dice));
  visit.query.clear();
  visit.user_id.clear();
  visit.anonymous_id.clear();
  visit.address.clear();
  visit.user_agent.clear();
  visit.referrer = {};
  if (visit.visitors == Visitors::people)
    plan_person(visit, from);
  else
    plan_program(visit);
  visit.sender = XXH3_64bits_withSeed(visit.user_agent.data(), visit.user_agent.size(),
                                      XXH3_64bits(visit.address.data(), visit.address.size()));
  // The very last visit ends where the history has all its events.
  if (visit.steps.size() > plan.events - planned) visit.steps.resize(plan.events - planned);
  planned += visit.steps.size();
  due.push_back({visit.start + visit.steps[0].offset_ms, visit.number, slot});
  std::push_heap(due.begin(), due.end());
}

// Nothing happens behind the end: what would is pushed together before it.
void SeedHistory::State::fit(Visit& visit) {
  auto room = static_cast<uint64_t>(plan.end() - 1 - visit.start);
  uint64_t last = visit.steps.back().offset_ms;
  if (last <= room) return;
  for (Step& step : visit.steps) step.offset_ms = static_cast<uint32_t>(step.offset_ms * room / last);
}

void SeedHistory::State::plan_program(Visit& visit) {
  auto kind = static_cast<size_t>(visit.visitors);
  uint16_t number = bots[kind].pick(dice);
  const Bot& bot = kBots[number];
  uint32_t address = bot.network + dice.below(bot.addresses);
  append_ipv4(visit.address, address);
  visit.user_agent.assign(bot.text);
  visit.identity = mix(address * kStep + number);
  visit.person = kCrowd | visit.identity;
  visit.returns = false;
  visit.persistent = false;
  visit.channel = Channel::direct;
  visit.locale = {};
  visit.screen = {};
  bool one_page = visit.visitors == Visitors::monitors || visit.visitors == Visitors::spam;
  if (visit.visitors == Visitors::spam)
    visit.referrer = kSpamReferrers[dice.below(static_cast<uint32_t>(kSpamReferrers.size()))];
  uint32_t count = one_page ? 1 : 1 + dice.below(6);
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint16_t page = site().first[static_cast<size_t>(Section::home)];
    if (!one_page) {
      // Programs know no favourites: any page but those behind a button.
      constexpr Section kReadable[] = {Section::home, Section::pricing, Section::stations, Section::product,
                                       Section::blog, Section::docs,    Section::about,    Section::download};
      auto section = static_cast<size_t>(kReadable[dice.below(std::size(kReadable))]);
      uint16_t first = site().first[section];
      page = static_cast<uint16_t>(first + dice.below(site().first[section + 1] - first));
    }
    visit.steps.push_back({at, 0, page, page, Act::view, 0, i == 0, false});
    at += 2'000 + dice.below(28'000);
  }
  fit(visit);
}

// Somebody of this place who was here before and is not here now; null when nobody comes to mind. Of two candidates
// the one who signed up is taken: users come back more.
Person* SeedHistory::State::somebody(size_t place, UnixMillis now) {
  std::vector<Person>& known = remembered[place];
  if (known.empty()) return nullptr;
  Person* found = nullptr;
  for (int i = 0; i < 2; ++i) {
    Person& person = known[dice.below(static_cast<uint32_t>(known.size()))];
    if (person.until + kSilence >= now) continue;
    if (found == nullptr || (person.signed_up && !found->signed_up)) found = &person;
  }
  return found;
}

void SeedHistory::State::plan_person(Visit& visit, UnixMillis from) {
  uint32_t at = dice.below(place_ends.back());
  auto place = static_cast<size_t>(std::upper_bound(place_ends.begin(), place_ends.end(), at) - place_ends.begin());
  Person* person = dice.chance(kReturns) ? somebody(place, visit.start) : nullptr;
  visit.returns = person != nullptr;
  if (person == nullptr) {
    std::vector<Person>& known = remembered[place];
    if (known.size() < remembered_max[place]) {
      person = &known.emplace_back();
    } else {
      person = &known[dice.below(static_cast<uint32_t>(known.size()))];
    }
    *person = Person{people++, from, false};
  }
  visit.person = person->serial;
  visit.identity = mix(plan.seed * kStep ^ mix(person->serial + 1));
  dress(visit, place);
  come(visit, visit.returns);
  bool known = person->signed_up;
  visit.user_id.clear();
  if (known) append_decimal(visit.user_id, kUserIdFrom + person->serial);
  if (known && dice.chance(kAppVisits))
    use_app(visit);
  else if (dice.chance(kShoppers))
    shop(visit, known);
  else
    read(visit, *person);
  fit(visit);
  person->until = std::max(person->until, visit.start + visit.steps.back().offset_ms);
}

// What a person brings: all of it follows from who it is, the place and the day.
void SeedHistory::State::dress(Visit& visit, size_t number) {
  const Place& place = kPlaces[number];
  uint64_t who = visit.identity;
  int64_t day = day_of(visit.start);
  auto part = [who](uint64_t what, uint32_t n) {
    return static_cast<uint32_t>((mix(who + what * kStep) >> 32) * n >> 32);
  };
  visit.persistent = part(1, 1000) < kPersistent;
  visit.currency = place.currency;
  visit.locale = part(2, 1000) < kOwnLanguage ? place.locale : std::string_view("en-US");
  const Agent& agent = kAgents[agents.at(mix(who + 3 * kStep))];
  visit.screen = agent.screens[part(4, static_cast<uint32_t>(agent.screens.size()))];
  // Most browsers update themselves; one in eight is some versions behind.
  uint32_t behind = part(5, 8) == 0 ? 1 + part(6, 6) : 0;
  for (std::string_view rest = agent.text; !rest.empty();) {
    size_t mark = rest.find("{}");
    visit.user_agent.append(rest.substr(0, mark));
    if (mark == std::string_view::npos) break;
    append_version(visit.user_agent, agent.versions, day, behind);
    rest.remove_prefix(mark + 2);
  }
  // Access providers give another address now and then.
  uint64_t lease = mix(who ^ mix(static_cast<uint64_t>((day + part(7, 9)) / 9)));
  if (!place.network6.empty() && part(8, 1000) < kIpv6) {
    visit.address.append(place.network6);
    for (int shift = 48; shift >= 0; shift -= 16)
      fmt::format_to(std::back_inserter(visit.address), "{:x}{}", (lease >> shift & 0xffff) | 1, shift > 0 ? ":" : "");
  } else {
    uint32_t host = static_cast<uint32_t>(lease & 0xff00) | static_cast<uint32_t>(1 + (lease >> 16 & 0xff) % 254);
    append_ipv4(visit.address, place.networks[part(9, 2)] | host);
  }
  if (visit.persistent) fmt::format_to(std::back_inserter(visit.anonymous_id), "{:016x}", mix(who + 10 * kStep));
}

void SeedHistory::State::come(Visit& visit, bool returns) {
  visit.channel = static_cast<Channel>((returns ? returning : newcomers).pick(dice));
  const Source& source = kSources[sources[static_cast<size_t>(visit.channel)].pick(dice)];
  visit.referrer = source.referrer;
  visit.query.assign(source.query);
  if (source.click_id.empty()) return;
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (!visit.query.empty()) visit.query.push_back('&');
  visit.query.append(source.click_id).push_back('=');
  for (int i = 0; i < 3; ++i) {
    uint64_t random = dice.roll();
    for (int d = 0; d < 10; ++d, random >>= 6) visit.query.push_back(kDigits[random & 63]);
  }
}

// Opens a page at `at`.
SeedHistory::State::Stay SeedHistory::State::open_page(Visit& visit, uint16_t page, uint32_t at, bool known) {
  bool first = visit.steps.empty();
  uint16_t from = first ? page : visit.steps.back().page;
  visit.steps.push_back({at, 0, page, from, Act::view, 0, first, known});
  uint32_t quantile = dice.below(16);
  uint32_t low = kDwell[quantile];
  uint32_t dwell = low + dice.below(kDwell[quantile + 1] - low);
  dwell = dwell / 100 * kDwellOf[static_cast<size_t>(section_of(page))];
  return {at, at, at + std::min(dwell, static_cast<uint32_t>(kSilence - kMinute)), known};
}

// Does something on the page, behind what was done there before.
void SeedHistory::State::act(Visit& visit, Stay& stay, Act what, uint32_t value) {
  const Step& before = visit.steps.back();
  stay.now += (stay.until - stay.now) / 4 + dice.below((stay.until - stay.now) / 2 + 1);
  visit.steps.push_back({stay.now, value, before.page, before.from, what, 0, before.first_page, stay.known});
}

// Leaves the page and answers when the next one opens. Attention was there for a third to all of the time.
uint32_t SeedHistory::State::leave(Visit& visit, const Stay& stay) {
  if (dice.chance(kEngagement)) {
    auto engaged = static_cast<uint32_t>(uint64_t{stay.until - stay.since} * (333 + dice.below(667)) / 1000);
    const Step& before = visit.steps.back();
    visit.steps.push_back({stay.until, engaged, before.page, before.from, Act::engagement,
                           static_cast<uint8_t>(10 + dice.below(91)), before.first_page, stay.known});
  }
  return stay.until + 200 + dice.below(1'300);
}

void SeedHistory::State::read(Visit& visit, Person& person) {
  uint32_t count = 1u + pages_per_visit.pick(dice);
  auto section = static_cast<Section>(entries[static_cast<size_t>(visit.channel)].pick(dice));
  bool joins = !person.signed_up && count >= 2 && dice.chance(kGoesToSignup);
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (joins && i + 1 == count) break;
    Stay stay = open_page(visit, page_in(section), at, person.signed_up);
    if ((section == Section::product || section == Section::docs) && dice.chance(kDownloads))
      act(visit, stay, Act::download, dice.below(std::size(kFiles)));
    if (section == Section::blog && dice.chance(kLeavesByLink))
      act(visit, stay, Act::outbound, dice.below(std::size(kLinks)));
    at = leave(visit, stay);
    section = static_cast<Section>(nexts[static_cast<size_t>(section)].pick(dice));
  }
  if (!joins) return;
  Stay form = open_page(visit, page_in(Section::signup), at, false);
  bool done = dice.chance(kSignsUp);
  if (done) {
    act(visit, form, Act::signup, dice.below(1 << 16));
    person.signed_up = form.known = true;
    append_decimal(visit.user_id, kUserIdFrom + person.serial);
    act(visit, form, Act::identify, visit.steps.back().value);
  }
  at = leave(visit, form);
  if (done) leave(visit, open_page(visit, page_in(Section::app), at, true));
}

// Looks at a product or two; some go on to the cart, the checkout and the end of it.
void SeedHistory::State::shop(Visit& visit, bool known) {
  uint32_t at = 0;
  if (dice.chance(500)) at = leave(visit, open_page(visit, page_in(Section::stations), at, known));
  uint32_t views = 1 + dice.below(2);
  uint32_t product = 0;
  for (uint32_t i = 0; i < views; ++i) {
    uint16_t page = page_in(Section::product);
    product = static_cast<uint32_t>(page - site().first[static_cast<size_t>(Section::product)]);
    Stay stay = open_page(visit, page, at, known);
    act(visit, stay, Act::view_product, product);
    if (i + 1 == views && dice.chance(kAddsToCart)) {
      act(visit, stay, Act::add_to_cart, product);
      at = leave(visit, stay);
      Stay cart = open_page(visit, page_in(Section::cart), at, known);
      at = leave(visit, cart);
      if (!dice.chance(kChecksOut)) return;
      Stay checkout = open_page(visit, page_in(Section::checkout), at, known);
      act(visit, checkout, Act::checkout, product);
      at = leave(visit, checkout);
      if (!dice.chance(kBuys)) return;
      Stay thanks = open_page(visit, page_in(Section::thanks), at, known);
      act(visit, thanks, Act::purchase, product);
      leave(visit, thanks);
      return;
    }
    at = leave(visit, stay);
  }
}

void SeedHistory::State::use_app(Visit& visit) {
  uint32_t count = 1u + pages_per_visit.pick(dice);
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; ++i) at = leave(visit, open_page(visit, page_in(Section::app), at, true));
}

// Makes the event of a step in `out`.
void SeedHistory::State::describe(const Visit& visit, const Step& step, UnixMillis time) {
  const Page& page = site().pages[step.page];
  event::Event& e = out.event;
  e = event::Event{};
  e.protocol = kSeedProtocol;
  e.sdk = "weir-seed";
  e.time = time;
  e.time_rule = event::TimeRule::client;
  client_time.clear();
  append_decimal(client_time, static_cast<uint64_t>(time));
  e.client_time = client_time;
  if (step.known) e.user_id = visit.user_id;
  e.anonymous_id = visit.anonymous_id;
  if (e.user_id.empty() && e.anonymous_id.empty())
    e.visitor = std::max<uint64_t>(mix(visit.identity ^ mix(static_cast<uint64_t>(day_of(time)))), 1);
  e.url = page.url;
  if (step.first_page && !visit.query.empty()) {
    url.assign(page.url).append(1, '?').append(visit.query);
    e.url = url;
  }
  e.hostname = event::split_url(page.url).hostname;
  e.path = page.path;
  e.title = page.title;
  e.locale = visit.locale;
  e.screen = visit.screen;
  if (page.section == Section::app) {
    app_version.clear();
    append_app_version(app_version, day_of(time), visit.identity % 10 < 7 ? 0 : visit.identity % 3);
    e.app_version = app_version;
  }
  act_event(visit, step, page);

  out.address = visit.address;
  out.user_agent = visit.user_agent;
  out.sender = visit.sender;
  out.visitors = visit.visitors;
  out.channel = visit.channel;
  out.visit = visit.number;
  out.person = visit.person;
  out.returns = visit.returns;
}

// What the step adds: kind, name, properties, revenue.
void SeedHistory::State::act_event(const Visit& visit, const Step& step, const Page& page) {
  event::Event& e = out.event;
  const Currency& currency = kCurrencies[visit.currency];
  properties.clear();
  auto text = [this](std::string_view key, std::string_view value) {
    properties.append(properties.empty() ? "{\"" : ",\"").append(key).append("\":\"").append(value).push_back('"');
  };
  auto number = [this](std::string_view key, uint64_t value) {
    properties.append(properties.empty() ? "{\"" : ",\"").append(key).append("\":");
    append_decimal(properties, value);
  };
  auto price = [&] {
    properties.append(",\"price\":");
    append_money(properties, price_of(step.value, currency), currency);
    text("currency", currency.code);
  };
  switch (step.act) {
    case Act::view:
      e.kind = event::Kind::pageview;
      e.name = "pageview";
      e.properties = page.properties;
      e.referrer = step.first_page ? visit.referrer : std::string_view(site().pages[step.from].url);
      return;
    case Act::engagement:
      e.kind = event::Kind::engagement;
      e.name = "engagement";
      number("engaged_ms", step.value);
      number("scroll_depth", step.scroll);
      break;
    case Act::signup:
      e.name = "signup";
      text("plan", kPlans[step.value % std::size(kPlans)]);
      text("method", kMethods[step.value % std::size(kMethods)]);
      break;
    case Act::identify:
      e.kind = event::Kind::identify;
      e.name = "identify";
      set.assign(R"({"plan":")").append(kPlans[step.value % std::size(kPlans)]).append("\"}");
      e.set = set;
      return;
    case Act::view_product:
      e.name = "view_product";
      text("product", kProducts[step.value].slug);
      price();
      break;
    case Act::add_to_cart:
      e.name = "add_to_cart";
      text("product", kProducts[step.value].slug);
      number("quantity", 1);
      price();
      break;
    case Act::checkout:
      e.name = "checkout";
      text("product", kProducts[step.value].slug);
      number("items", 1);
      price();
      break;
    case Act::purchase:
      e.name = "purchase";
      amount.clear();
      append_money(amount, price_of(step.value, currency), currency);
      e.revenue_amount = amount;
      e.revenue_currency = currency.code;
      text("product", kProducts[step.value].slug);
      number("items", 1);
      text("payment", kPayments[visit.identity % std::size(kPayments)]);
      number("order", 1'000'000 + visit.number);
      break;
    case Act::download:
      e.name = "download";
      text("file", kFiles[step.value]);
      break;
    case Act::outbound:
      e.name = "outbound_link";
      text("url", kLinks[step.value]);
      break;
  }
  properties.push_back('}');
  e.properties = properties;
}

SeedHistory::SeedHistory(const SeedPlan& plan) : state_(std::make_unique<State>(plan)) {}
SeedHistory::~SeedHistory() = default;
SeedHistory::SeedHistory(SeedHistory&&) noexcept = default;
SeedHistory& SeedHistory::operator=(SeedHistory&&) noexcept = default;
const SeededEvent* SeedHistory::next() { return state_->next(); }
uint64_t SeedHistory::position() const { return state_->given; }
const SeedPlan& SeedHistory::plan() const { return state_->plan; }

}  // namespace weir::transfer
