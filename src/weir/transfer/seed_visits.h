#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/clock.h"
#include "weir/transfer/seed_dice.h"
#include "weir/transfer/seed_tables.h"

namespace weir::transfer::seed {

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

// One visit: who comes, how, and what is done in it, in order of time.
struct Visit {
  std::vector<Step> steps;
  UnixMillis start = 0;
  uint64_t number = 0;
  uint64_t person = 0;
  uint64_t sender = 0;
  uint64_t identity = 0;  // of the person: what is drawn from it stays
  Visitors visitors = Visitors::people;
  Channel channel = Channel::direct;
  bool returns = false;
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

// Plans visits after the model of docs/seed.md, and remembers who was here. Confined to one thread.
class VisitPlanner {
 public:
  // `end`: nothing happens from there on. `visits_a_day` says how many people are worth remembering.
  VisitPlanner(uint64_t seed, UnixMillis end, uint64_t visits_a_day);

  // Makes `visit` the next visit, beginning in the minute at `from`. `place_ends`: the running sums of the places'
  // weights at that time, as many as kPlaces.
  void plan(Visit& visit, UnixMillis from, std::span<const uint32_t> place_ends);

 private:
  struct Person {
    uint64_t serial = 0;
    UnixMillis until = 0;  // of the last visit
    bool signed_up = false;
  };
  // A page while it is open, in milliseconds of the visit.
  struct Stay {
    uint32_t since;
    uint32_t now;  // when the last thing was done on it
    uint32_t until;
    bool known;
  };

  void plan_program(Visit& visit);
  void plan_person(Visit& visit, UnixMillis from, std::span<const uint32_t> place_ends);
  Person* somebody(size_t place, UnixMillis now);
  void dress(Visit& visit, size_t place);
  void come(Visit& visit);
  void read(Visit& visit, Person& person);
  void shop(Visit& visit, bool known);
  void use_app(Visit& visit);
  Stay open_page(Visit& visit, uint16_t page, uint32_t at, bool known);
  void act(Visit& visit, Stay& stay, Act what, uint32_t value);
  uint32_t leave(Visit& visit, const Stay& stay);
  void fit(Visit& visit) const;
  uint16_t page_in(Section section);

  const uint64_t seed_;
  const UnixMillis end_;
  Dice dice_;
  uint64_t visits_ = 0;
  uint64_t people_ = 0;
  std::array<std::vector<Person>, kPlaces.size()> remembered_;
  std::array<size_t, kPlaces.size()> remembered_max_{};

  Shares visitor_kinds_;
  Shares newcomers_;
  Shares returning_;
  Shares pages_per_visit_;
  Shares agents_;
  std::array<Shares, kVisitorKinds> bots_;
  std::array<Shares, kChannels> sources_;
  std::array<Shares, kChannels> entries_;
  std::array<Shares, kSections> nexts_;
  std::vector<Zipf> pages_;
};

// What steps' values mean.
inline constexpr std::array<std::string_view, 4> kFiles = {"manual-3.pdf", "quick-start.pdf", "datasheet.pdf",
                                                           "sensor-map.stl"};
inline constexpr std::array<std::string_view, 4> kLinks = {"https://www.wikipedia.org/", "https://www.wmo.int/",
                                                           "https://github.com/", "https://www.openstreetmap.org/"};

void append_decimal(std::string& out, uint64_t value);

}  // namespace weir::transfer::seed
