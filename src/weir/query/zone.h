#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"

namespace weir::query {

// Moments here are whole Unix seconds; days are days since 1970-01-01 of the zone's own calendar.
using Seconds = int64_t;

// A time zone of the IANA list, from the system's zone files. Immutable, cheap to copy.
//
// Ranges and buckets both rest on it: what the store is told are offsets and moments, so that two sets of zone files,
// the system's and ClickHouse's own, can never disagree within one answer.
class Zone {
 public:
  // Errors: kBadInput (no such zone).
  static Result<Zone> load(std::string_view name);
  static Zone utc();

  const std::string& name() const { return name_; }
  // Seconds east of UTC at a moment.
  int offset(Seconds moment) const;
  int64_t local_day(Seconds moment) const;
  // The first moment of a day: midnight, or what follows where the clock was set forward over it.
  Seconds start_of_day(int64_t day) const;

  // From `since` on the offset is this.
  struct Era {
    Seconds since;
    int offset;
  };
  // The eras of [from, to): the first begins at or before `from`.
  std::vector<Era> eras(Seconds from, Seconds to) const;

 private:
  struct State;
  Zone(std::string name, std::shared_ptr<const State> state);
  std::string name_;
  std::shared_ptr<const State> state_;
};

// "+02:00"
std::string offset_text(int offset);
// "2026-10-25 02:00:00" of seconds that are local already.
std::string local_text(Seconds local);
// "2026-10-25T02:00:00+02:00"
std::string rfc3339_text(const Zone& zone, Seconds moment);

}  // namespace weir::query
