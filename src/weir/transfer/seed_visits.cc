#include "weir/transfer/seed_visits.h"

#include <fmt/format.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace weir::transfer::seed {

namespace {
constexpr UnixMillis kMinute = 60'000;
constexpr UnixMillis kSilence = 30 * kMinute;  // a person with an open visit does not begin another
constexpr uint64_t kPeopleMax = 1u << 18;
constexpr uint64_t kRememberedDays = 14;
constexpr uint64_t kUserIdFrom = 100'000;
constexpr uint64_t kCrowd = uint64_t{1} << 63;  // persons above are programs

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
}  // namespace

void append_decimal(std::string& out, uint64_t value) {
  fmt::format_int text(value);
  out.append(text.data(), text.size());
}

VisitPlanner::VisitPlanner(uint64_t seed, UnixMillis end, uint64_t visits_a_day) : seed_(seed), end_(end), dice_(seed) {
  visitor_kinds_ = shares_of(kVisitorShares);
  newcomers_ = shares_of(kNewcomers);
  returning_ = shares_of(kReturning);
  pages_per_visit_ = shares_of(kPagesPerVisit);
  for (size_t i = 0; i < kAgents.size(); ++i) agents_.add(static_cast<uint16_t>(i), kAgents[i].share);
  for (size_t i = 0; i < kBots.size(); ++i)
    bots_[static_cast<size_t>(kBots[i].kind)].add(static_cast<uint16_t>(i), kBots[i].share);
  for (size_t i = 0; i < kSources.size(); ++i)
    sources_[static_cast<size_t>(kSources[i].channel)].add(static_cast<uint16_t>(i), kSources[i].share);
  for (size_t c = 0; c < kChannels; ++c) entries_[c] = shares_of(kEntry[c]);
  for (size_t s = 0; s < kSections; ++s) {
    nexts_[s] = shares_of(kNext[s]);
    pages_.emplace_back(site().first[s + 1] - site().first[s]);
  }
  uint64_t places_weight = 0;
  for (const Place& place : kPlaces) places_weight += place.weight;
  uint64_t people_max = std::min(kPeopleMax, visits_a_day * kRememberedDays);
  for (size_t i = 0; i < kPlaces.size(); ++i)
    remembered_max_[i] = static_cast<size_t>(people_max * kPlaces[i].weight / places_weight + 1);
}

void VisitPlanner::plan(Visit& visit, UnixMillis from, std::span<const uint32_t> place_ends) {
  visit.steps.clear();
  visit.number = visits_++;
  visit.start = from + dice_.below(kMinute);
  visit.visitors = static_cast<Visitors>(visitor_kinds_.pick(dice_));
  visit.query.clear();
  visit.user_id.clear();
  visit.anonymous_id.clear();
  visit.address.clear();
  visit.user_agent.clear();
  visit.referrer = {};
  if (visit.visitors == Visitors::people)
    plan_person(visit, from, place_ends);
  else
    plan_program(visit);
  visit.sender = XXH3_64bits_withSeed(visit.user_agent.data(), visit.user_agent.size(),
                                      XXH3_64bits(visit.address.data(), visit.address.size()));
}

uint16_t VisitPlanner::page_in(Section section) {
  auto s = static_cast<size_t>(section);
  return static_cast<uint16_t>(site().first[s] + pages_[s].pick(dice_));
}

// Nothing happens behind the end: what would is pushed together before it.
void VisitPlanner::fit(Visit& visit) const {
  auto room = static_cast<uint64_t>(end_ - 1 - visit.start);
  uint64_t last = visit.steps.back().offset_ms;
  if (last <= room) return;
  for (Step& step : visit.steps) step.offset_ms = static_cast<uint32_t>(step.offset_ms * room / last);
}

void VisitPlanner::plan_program(Visit& visit) {
  auto kind = static_cast<size_t>(visit.visitors);
  uint16_t number = bots_[kind].pick(dice_);
  const Bot& bot = kBots[number];
  uint32_t address = bot.network + dice_.below(bot.addresses);
  append_ipv4(visit.address, address);
  visit.user_agent.assign(bot.text);
  visit.identity = mix(address * kStep + number);
  visit.person = kCrowd | visit.identity;
  visit.returns = false;
  visit.channel = Channel::direct;
  visit.locale = {};
  visit.screen = {};
  bool one_page = visit.visitors == Visitors::monitors || visit.visitors == Visitors::spam;
  if (visit.visitors == Visitors::spam)
    visit.referrer = kSpamReferrers[dice_.below(static_cast<uint32_t>(kSpamReferrers.size()))];
  uint32_t count = one_page ? 1 : 1 + dice_.below(6);
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint16_t page = site().first[static_cast<size_t>(Section::home)];
    if (!one_page) {
      // Programs know no favourites: any page but those behind a button.
      constexpr Section kReadable[] = {Section::home, Section::pricing, Section::stations, Section::product,
                                       Section::blog, Section::docs,    Section::about,    Section::download};
      auto section = static_cast<size_t>(kReadable[dice_.below(std::size(kReadable))]);
      uint16_t first = site().first[section];
      page = static_cast<uint16_t>(first + dice_.below(site().first[section + 1] - first));
    }
    visit.steps.push_back({at, 0, page, page, Act::view, 0, i == 0, false});
    at += 2'000 + dice_.below(28'000);
  }
  fit(visit);
}

// Somebody of this place who was here before and is not here now; null when nobody comes to mind. Of two candidates
// the one who signed up is taken: users come back more.
VisitPlanner::Person* VisitPlanner::somebody(size_t place, UnixMillis now) {
  std::vector<Person>& known = remembered_[place];
  if (known.empty()) return nullptr;
  Person* found = nullptr;
  for (int i = 0; i < 2; ++i) {
    Person& person = known[dice_.below(static_cast<uint32_t>(known.size()))];
    if (person.until + kSilence >= now) continue;
    if (found == nullptr || (person.signed_up && !found->signed_up)) found = &person;
  }
  return found;
}

void VisitPlanner::plan_person(Visit& visit, UnixMillis from, std::span<const uint32_t> place_ends) {
  uint32_t at = dice_.below(place_ends.back());
  auto place = static_cast<size_t>(std::upper_bound(place_ends.begin(), place_ends.end(), at) - place_ends.begin());
  Person* person = dice_.chance(kReturns) ? somebody(place, visit.start) : nullptr;
  visit.returns = person != nullptr;
  if (person == nullptr) {
    std::vector<Person>& known = remembered_[place];
    if (known.size() < remembered_max_[place]) {
      person = &known.emplace_back();
    } else {
      person = &known[dice_.below(static_cast<uint32_t>(known.size()))];
    }
    *person = Person{people_++, from, false};
  }
  visit.person = person->serial;
  visit.identity = mix(seed_ * kStep ^ mix(person->serial + 1));
  dress(visit, place);
  come(visit);
  bool known = person->signed_up;
  visit.user_id.clear();
  if (known) append_decimal(visit.user_id, kUserIdFrom + person->serial);
  if (known && dice_.chance(kAppVisits))
    use_app(visit);
  else if (dice_.chance(kShoppers))
    shop(visit, known);
  else
    read(visit, *person);
  fit(visit);
  person->until = std::max(person->until, visit.start + visit.steps.back().offset_ms);
}

// What a person brings: all of it follows from who it is, the place and the day.
void VisitPlanner::dress(Visit& visit, size_t number) {
  const Place& place = kPlaces[number];
  uint64_t who = visit.identity;
  int64_t day = day_of(visit.start);
  auto part = [who](uint64_t what, uint32_t n) {
    return static_cast<uint32_t>((mix(who + what * kStep) >> 32) * n >> 32);
  };
  bool persistent = part(1, 1000) < kPersistent;
  visit.currency = place.currency;
  visit.locale = part(2, 1000) < kOwnLanguage ? place.locale : std::string_view("en-US");
  const Agent& agent = kAgents[agents_.at(mix(who + 3 * kStep))];
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
  if (persistent) fmt::format_to(std::back_inserter(visit.anonymous_id), "{:016x}", mix(who + 10 * kStep));
}

void VisitPlanner::come(Visit& visit) {
  visit.channel = static_cast<Channel>((visit.returns ? returning_ : newcomers_).pick(dice_));
  const Source& source = kSources[sources_[static_cast<size_t>(visit.channel)].pick(dice_)];
  visit.referrer = source.referrer;
  visit.query.assign(source.query);
  if (source.click_id.empty()) return;
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  if (!visit.query.empty()) visit.query.push_back('&');
  visit.query.append(source.click_id).push_back('=');
  for (int i = 0; i < 3; ++i) {
    uint64_t random = dice_.roll();
    for (int d = 0; d < 10; ++d, random >>= 6) visit.query.push_back(kDigits[random & 63]);
  }
}

// Opens a page at `at`.
VisitPlanner::Stay VisitPlanner::open_page(Visit& visit, uint16_t page, uint32_t at, bool known) {
  bool first = visit.steps.empty();
  uint16_t from = first ? page : visit.steps.back().page;
  visit.steps.push_back({at, 0, page, from, Act::view, 0, first, known});
  uint32_t quantile = dice_.below(16);
  uint32_t low = kDwell[quantile];
  uint32_t dwell = low + dice_.below(kDwell[quantile + 1] - low);
  dwell = dwell / 100 * kDwellOf[static_cast<size_t>(site().pages[page].section)];
  return {at, at, at + std::min(dwell, static_cast<uint32_t>(kSilence - kMinute)), known};
}

// Does something on the page, behind what was done there before.
void VisitPlanner::act(Visit& visit, Stay& stay, Act what, uint32_t value) {
  const Step& before = visit.steps.back();
  stay.now += (stay.until - stay.now) / 4 + dice_.below((stay.until - stay.now) / 2 + 1);
  visit.steps.push_back({stay.now, value, before.page, before.from, what, 0, before.first_page, stay.known});
}

// Leaves the page and answers when the next one opens. Attention was there for a third to all of the time.
uint32_t VisitPlanner::leave(Visit& visit, const Stay& stay) {
  if (dice_.chance(kEngagement)) {
    auto engaged = static_cast<uint32_t>(uint64_t{stay.until - stay.since} * (333 + dice_.below(667)) / 1000);
    const Step& before = visit.steps.back();
    visit.steps.push_back({stay.until, engaged, before.page, before.from, Act::engagement,
                           static_cast<uint8_t>(10 + dice_.below(91)), before.first_page, stay.known});
  }
  return stay.until + 200 + dice_.below(1'300);
}

void VisitPlanner::read(Visit& visit, Person& person) {
  uint32_t count = 1u + pages_per_visit_.pick(dice_);
  auto section = static_cast<Section>(entries_[static_cast<size_t>(visit.channel)].pick(dice_));
  bool joins = !person.signed_up && count >= 2 && dice_.chance(kGoesToSignup);
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; ++i) {
    if (joins && i + 1 == count) break;
    Stay stay = open_page(visit, page_in(section), at, person.signed_up);
    if ((section == Section::product || section == Section::docs) && dice_.chance(kDownloads))
      act(visit, stay, Act::download, dice_.below(std::size(kFiles)));
    if (section == Section::blog && dice_.chance(kLeavesByLink))
      act(visit, stay, Act::outbound, dice_.below(std::size(kLinks)));
    at = leave(visit, stay);
    section = static_cast<Section>(nexts_[static_cast<size_t>(section)].pick(dice_));
  }
  if (!joins) return;
  Stay form = open_page(visit, page_in(Section::signup), at, false);
  bool done = dice_.chance(kSignsUp);
  if (done) {
    act(visit, form, Act::signup, dice_.below(1 << 16));
    person.signed_up = form.known = true;
    append_decimal(visit.user_id, kUserIdFrom + person.serial);
    act(visit, form, Act::identify, visit.steps.back().value);
  }
  at = leave(visit, form);
  if (done) leave(visit, open_page(visit, page_in(Section::app), at, true));
}

// Looks at a product or two; some go on to the cart, the checkout and the end of it.
void VisitPlanner::shop(Visit& visit, bool known) {
  uint32_t at = 0;
  if (dice_.chance(500)) at = leave(visit, open_page(visit, page_in(Section::stations), at, known));
  uint32_t views = 1 + dice_.below(2);
  uint32_t product = 0;
  for (uint32_t i = 0; i < views; ++i) {
    uint16_t page = page_in(Section::product);
    product = static_cast<uint32_t>(page - site().first[static_cast<size_t>(Section::product)]);
    Stay stay = open_page(visit, page, at, known);
    act(visit, stay, Act::view_product, product);
    if (i + 1 == views && dice_.chance(kAddsToCart)) {
      act(visit, stay, Act::add_to_cart, product);
      at = leave(visit, stay);
      Stay cart = open_page(visit, page_in(Section::cart), at, known);
      at = leave(visit, cart);
      if (!dice_.chance(kChecksOut)) return;
      Stay checkout = open_page(visit, page_in(Section::checkout), at, known);
      act(visit, checkout, Act::checkout, product);
      at = leave(visit, checkout);
      if (!dice_.chance(kBuys)) return;
      Stay thanks = open_page(visit, page_in(Section::thanks), at, known);
      act(visit, thanks, Act::purchase, product);
      leave(visit, thanks);
      return;
    }
    at = leave(visit, stay);
  }
}

void VisitPlanner::use_app(Visit& visit) {
  uint32_t count = 1u + pages_per_visit_.pick(dice_);
  uint32_t at = 0;
  for (uint32_t i = 0; i < count; ++i) at = leave(visit, open_page(visit, page_in(Section::app), at, true));
}

}  // namespace weir::transfer::seed
