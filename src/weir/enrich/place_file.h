#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/clock.h"
#include "weir/base/result.h"
#include "weir/enrich/address.h"

namespace weir::enrich {

// Where an address is, as far as known. The texts belong to the file or ranges that answered.
struct Location {
  std::string_view country;  // ISO 3166-1 alpha-2
  std::string_view region;   // in English
  std::string_view city;     // in English, without its district
};

// One MMDB file that knows cities or countries: the nested records of MaxMind or the flat ones of ip-location-db, told
// apart when it is opened. Immutable, thread-safe.
//
// It is mapped into memory, and what is mapped must not be cut short by anybody: a read behind the new end would be the
// end of the process. So open() maps a copy of its own in a directory of weir's; the copy goes when this does.
class PlaceFile {
 public:
  enum class Check { sample, all };  // sample: some hundred records; all: every record, which takes seconds

  // `copies_in`: a directory on disk for the copy. Empty: maps the file itself, for commands that end at once.
  // Errors: kNotFound, kUnavailable, kOverloaded (no space for the copy); kCorrupt (no MMDB, damaged, or of something
  // else than places); kTooLarge.
  static Result<std::shared_ptr<const PlaceFile>> open(const std::string& path, const std::string& copies_in,
                                                       Check check);
  ~PlaceFile();

  // Removes the copies that a process left in `directory` when it was killed. Nobody else may be using them.
  static void remove_copies(const std::string& directory);

  // False when the file does not know the address; then `location` is as before.
  bool find(const Address& address, Location& location) const;

  bool knows_v4() const;
  bool knows_v6() const;
  bool knows_cities() const;
  UnixMillis built() const;
  std::string type() const;  // what it calls itself: "GeoLite2-City", "city ipv4"

 private:
  struct State;
  explicit PlaceFile(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace weir::enrich
