#include "weir/transfer/seed.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "weir/event/url.h"
#include "weir/transfer/seed_visits.h"

namespace weir::transfer {

namespace {
using namespace seed;

// Part of every plan's key: a change of the model is another history.
constexpr uint64_t kModel = 1;
constexpr UnixMillis kMinute = 60'000;
// Mean events of a visit, roughly.
constexpr uint64_t kEventsPerVisit = 6;
// Of the mean day, the first day and the last, in percent.
constexpr uint64_t kFirstDay = 70;
constexpr uint64_t kLastDay = 130;
// One day in 41 is talked of and has this much more, in percent.
constexpr int64_t kLoudEvery = 41;
constexpr uint64_t kLoudDay = 160;

// A visit under way.
struct Slot {
  Visit visit;
  size_t next = 0;  // of its steps
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

constexpr std::string_view kMethods[] = {"email", "google", "apple"};
constexpr std::string_view kPlans[] = {"free", "free", "free", "plus"};
constexpr std::string_view kPayments[] = {"card", "card", "paypal", "apple_pay"};
}  // namespace

Result<int64_t> parse_day(std::string_view text) {
  int64_t days = 0;
  if (weir::parse_day(text, days) && days >= 0) return days;
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

  const SeedPlan plan;
  const uint64_t key;
  VisitPlanner planner;
  uint64_t given = 0;
  uint64_t planned = 0;  // events of all visits begun so far
  SeededEvent out;

  // Where in time: the next minute to begin visits in. Weights are counted in sixtieths, so that minutes are whole.
  int64_t minute = 0;
  uint64_t total_weight = 0;
  uint64_t hours_weight = 0;  // of the hours before
  uint64_t hour_weight = 0;
  std::array<uint32_t, kPlaces.size()> place_ends{};

  std::vector<Slot> slots;
  std::vector<uint32_t> free_slots;
  std::vector<Due> due;

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
  void describe(const Visit& visit, const Step& step, UnixMillis time);
  void act_event(const Visit& visit, const Step& step, const Page& page);
};

SeedHistory::State::State(const SeedPlan& p)
    : plan(p), key(p.key()), planner(p.seed, p.end(), p.events / kEventsPerVisit / p.days + 1) {
  for (int64_t hour = 0; hour < int64_t{plan.days} * 24; ++hour) total_weight += weigh(hour);
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
  Slot& slot = slots[now.slot];
  Visit& visit = slot.visit;
  const Step step = visit.steps[slot.next++];
  describe(visit, step, now.time);
  if (slot.next < visit.steps.size()) {
    now.time = visit.start + visit.steps[slot.next].offset_ms;
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
  if (free_slots.empty()) {
    free_slots.push_back(static_cast<uint32_t>(slots.size()));
    slots.emplace_back();
  }
  uint32_t number = free_slots.back();
  free_slots.pop_back();
  slots[number].next = 0;
  Visit& visit = slots[number].visit;
  planner.plan(visit, from, place_ends);
  // The very last visit ends where the history has all its events.
  if (visit.steps.size() > plan.events - planned) visit.steps.resize(plan.events - planned);
  planned += visit.steps.size();
  due.push_back({visit.start + visit.steps[0].offset_ms, visit.number, number});
  std::push_heap(due.begin(), due.end());
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
      e.referrer = visit.referrer;
      if (!step.first_page) {
        // To another host browsers tell no more than the origin.
        const Page& from = site().pages[step.from];
        e.referrer = from.origin == page.origin ? from.url : from.origin;
      }
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
