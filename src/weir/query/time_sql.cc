#include "weir/query/time_sql.h"

#include <fmt/format.h>

#include <algorithm>

#include "weir/base/check.h"
#include "weir/base/clock.h"

namespace weir::query {

namespace {
constexpr Seconds kEras = 1024;  // more than any zone has had since 1970
}  // namespace

TimeSql::TimeSql(const Zone& zone, const Range& range, Bucket bucket) : zone_(zone), range_(range), bucket_(bucket) {
  if (bucket != Bucket::none) eras_ = zone.eras(range.from, range.to);
}

std::string TimeSql::offset(const std::string& moment) const {
  if (eras_.size() == 1) return fmt::format("{}", eras_.front().offset);
  std::string cases;
  for (size_t i = 0; i + 1 < eras_.size(); ++i)
    cases += fmt::format("{} < {}, {}, ", moment, eras_[i + 1].since, eras_[i].offset);
  return fmt::format("multiIf({}{})", cases, eras_.back().offset);
}

std::string TimeSql::local(const std::string& moment) const {
  if (eras_.size() == 1 && eras_.front().offset == 0) return moment;
  return fmt::format("({} + {})", moment, offset(moment));
}

// Hours and minutes are told apart by their beginning and the offset in force: where the clock is set back by less than
// an hour, two of them may have their beginning in common.
std::string TimeSql::fine_key(const std::string& moment, int step) const {
  const std::string begin = fmt::format("({} - {} % {})", moment, local(moment), step);
  if (eras_.size() == 1) return begin;
  std::string cases;
  for (size_t i = 0; i + 1 < eras_.size(); ++i) cases += fmt::format("{} < {}, {}, ", moment, eras_[i + 1].since, i);
  return fmt::format("({} * {} + multiIf({}{}))", begin, kEras, cases, eras_.size() - 1);
}

std::string TimeSql::key(const std::string& moment) const {
  const std::string date = fmt::format("toDate(toUInt16(intDiv({}, 86400)))", local(moment));
  switch (bucket_) {
    case Bucket::minute:
      return fine_key(moment, 60);
    case Bucket::hour:
      return fine_key(moment, 3600);
    case Bucket::day:
      return date;
    case Bucket::week:
      return fmt::format("greatest(toMonday({}), toDate('{}'))", date, format_day(zone_.local_day(range_.from)));
    case Bucket::month:
      return fmt::format("toStartOfMonth({})", date);
    case Bucket::quarter:
      return fmt::format("toStartOfQuarter({})", date);
    case Bucket::year:
      return fmt::format("toStartOfYear({})", date);
    case Bucket::weekday:
      return fmt::format("toDayOfWeek({})", date);
    case Bucket::hour_of_day:
      return fmt::format("intDiv({} % 86400, 3600)", local(moment));
    case Bucket::none:
      break;
  }
  fatal("query: time without a bucket");
}

std::string TimeSql::label(const std::string& key, Values& values) const {
  if (bucket_ == Bucket::weekday || bucket_ == Bucket::hour_of_day) return key;
  if (bucket_ != Bucket::minute && bucket_ != Bucket::hour) return fmt::format("toString({})", key);
  constexpr std::string_view kText = "formatDateTime(toDateTime({}, 'UTC'), '%Y-%m-%d %H:%i:%S')";
  if (eras_.size() == 1) return fmt::format(kText, local(key));
  std::string offsets;
  for (const Zone::Era& era : eras_) offsets += (offsets.empty() ? "" : ", ") + std::to_string(era.offset);
  const std::string plain =
      fmt::format(kText, fmt::format("intDiv({0}, {1}) + [{2}][{0} % {1} + 1]", key, kEras, offsets));
  // Those that the clock shows twice.
  std::string keys;
  std::vector<std::string> labels;
  for (size_t i = 1; i < eras_.size(); ++i) {
    constexpr Seconds kAround = 4 * 3600;
    const Range around{std::max(range_.from, eras_[i].since - kAround), std::min(range_.to, eras_[i].since + kAround)};
    auto slots = slots_of(zone_, around, bucket_);
    if (!slots) continue;
    for (const Slot& slot : *slots) {
      const size_t era = slot.era == eras_[i].since ? i : i - 1;
      if (slot.label == local_text(slot.begin + eras_[era].offset)) continue;
      keys += fmt::format("{}{}", keys.empty() ? "" : ", ", slot.begin * kEras + static_cast<Seconds>(era));
      labels.push_back(slot.label);
    }
  }
  if (labels.empty()) return plain;
  return fmt::format("if(has([{0}], {1}), [{2}][indexOf([{0}], {1})], {3})", keys, key, values.texts(labels), plain);
}

}  // namespace weir::query
