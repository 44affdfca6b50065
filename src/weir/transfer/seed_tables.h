#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// The world of seeded histories: a maker of weather stations with a shop, an app, a blog and a manual, and the people
// and programs that visit it. docs/seed.md states it in words; these tables are what holds. Shares are parts in a
// thousand. All Immutable.
namespace weir::transfer::seed {

enum class Section : uint8_t {
  home,
  pricing,
  stations,
  product,
  cart,
  checkout,
  thanks,
  blog,
  docs,
  about,
  download,
  signup,
  app
};
inline constexpr size_t kSections = 13;

struct Page {
  Section section;
  std::string url;
  std::string origin;  // "https://www.example.com/"
  std::string path;
  std::string title;
  std::string properties;  // of its pageviews, JSON or empty
};

// An article of the shop. Prices in euro cents.
struct Product {
  std::string_view name;
  std::string_view slug;
  uint32_t price;
};
extern const std::array<Product, 10> kProducts;

// The pages in the order of the sections, the most read of a section first.
struct Site {
  std::vector<Page> pages;
  std::array<uint16_t, kSections + 1> first;  // of each section; the last is the end
};
const Site& site();

// Where people are. Weights are of the visits at the places' most active hour.
struct Place {
  std::string_view country;  // ISO 3166-1
  int16_t utc_minutes;       // standard time, all year
  uint16_t weight;
  std::string_view locale;
  uint8_t currency;                  // in kCurrencies
  std::array<uint32_t, 2> networks;  // two IPv4 networks /16, the first address of each
  std::string_view network6;         // an IPv6 network of 64 bits or wider, to be followed by four groups; or empty
};
extern const std::array<Place, 38> kPlaces;

struct Currency {
  std::string_view code;
  uint32_t per_cent_of_euro;  // what 1 euro costs, in hundredths
  bool has_cents;
};
extern const std::array<Currency, 11> kCurrencies;

// What makes a version number in a user agent: `{}` in its text.
enum class Versions : uint8_t { none, chrome, firefox, safari, ios };
struct Agent {
  uint16_t share;
  std::string_view kind;  // "phone", "tablet", "desktop"
  Versions versions;
  std::string_view text;
  std::array<std::string_view, 4> screens;
};
extern const std::array<Agent, 15> kAgents;

// Programs that visit. `share`: of the visits of their kind.
enum class Visitors : uint8_t { people, search_bots, ai_crawlers, seo_bots, monitors, scripts, spam };
inline constexpr size_t kVisitorKinds = 7;
std::string_view name_of(Visitors kind);
// Of all visits.
inline constexpr std::array<uint16_t, kVisitorKinds> kVisitorShares = {880, 30, 35, 15, 15, 15, 10};
struct Bot {
  Visitors kind;
  uint16_t share;
  std::string_view text;
  uint32_t network;    // the first address of its IPv4 network
  uint32_t addresses;  // how many of it are used
};
extern const std::array<Bot, 19> kBots;
extern const std::array<std::string_view, 5> kSpamReferrers;

// How people came.
enum class Channel : uint8_t { direct, search, paid_search, social, paid_social, email, news, ai };
inline constexpr size_t kChannels = 8;
inline constexpr std::array<uint16_t, kChannels> kNewcomers = {300, 290, 90, 80, 50, 60, 60, 70};
inline constexpr std::array<uint16_t, kChannels> kReturning = {520, 200, 30, 50, 20, 120, 30, 30};
struct Source {
  Channel channel;
  uint16_t share;             // of its channel
  std::string_view referrer;  // or empty
  std::string_view query;     // of the entry page's URL, without '?', or empty
  std::string_view click_id;  // parameter that carries one, or empty
};
extern const std::array<Source, 44> kSources;

// Hours of the local day and days of the local week (Monday first), in percent of the busiest.
inline constexpr std::array<uint8_t, 24> kHours = {22, 14, 9,  7,  8,  14, 28, 48, 68, 82,  90, 92,
                                                   88, 90, 92, 90, 86, 82, 82, 88, 96, 100, 82, 48};
inline constexpr std::array<uint8_t, 7> kWeek = {98, 100, 99, 96, 88, 66, 72};

// Pages of a person's visit that reads: visits with 1, 2, ... pages.
inline constexpr std::array<uint16_t, 16> kPagesPerVisit = {420, 180, 120, 80, 60, 40, 30, 20,
                                                            15,  10,  8,   6,  5,  3,  2,  1};
// Time on a page in milliseconds: the 0/16, 1/16, ... 16/16 quantiles; between two of them it is even.
inline constexpr std::array<uint32_t, 17> kDwell = {1'200,  3'000,  4'800,   7'000,   9'500,  12'500,
                                                    16'000, 20'000, 25'000,  31'000,  39'000, 50'000,
                                                    65'000, 88'000, 125'000, 210'000, 900'000};
// The same by section, in percent.
inline constexpr std::array<uint16_t, kSections> kDwellOf = {60, 90, 80, 110, 60, 120, 50, 160, 150, 70, 60, 80, 130};

// Where a reader goes next: from a section to a section.
extern const std::array<std::array<uint16_t, kSections>, kSections> kNext;
// Where a reader enters, by channel.
extern const std::array<std::array<uint16_t, kSections>, kChannels> kEntry;

// Shares of what people do.
inline constexpr uint32_t kReturns = 380;      // visits of somebody who was here before, once there is somebody
inline constexpr uint32_t kPersistent = 650;   // people with a lasting id; the others are cookieless
inline constexpr uint32_t kOwnLanguage = 880;  // people whose browser speaks the place's language; else English
inline constexpr uint32_t kIpv6 = 300;         // people with IPv6, where the place has a network
inline constexpr uint32_t kEngagement = 850;   // pages whose end is reported
inline constexpr uint32_t kAppVisits = 700;    // visits to the app among those of users
inline constexpr uint32_t kShoppers = 180;     // of the other visits
inline constexpr uint32_t kAddsToCart = 380;   // of the shoppers
inline constexpr uint32_t kChecksOut = 550;    // of those
inline constexpr uint32_t kBuys = 620;         // of those
inline constexpr uint32_t kGoesToSignup = 90;  // readers of two pages or more
inline constexpr uint32_t kSignsUp = 450;      // of those
inline constexpr uint32_t kDownloads = 40;     // pages of products and of the manual
inline constexpr uint32_t kLeavesByLink = 50;  // pages of the blog

}  // namespace weir::transfer::seed
