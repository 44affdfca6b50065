#include "weir/query/time_sql.h"

#include <fmt/format.h>

#include "weir/base/check.h"
#include "weir/base/clock.h"

namespace weir::query {

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

std::string TimeSql::key(const std::string& moment) const {
  const std::string date = fmt::format("toDate(toUInt16(intDiv({}, 86400)))", local(moment));
  switch (bucket_) {
    case Bucket::minute:
      return fmt::format("({0} - {1} % 60)", moment, local(moment));
    case Bucket::hour:
      return fmt::format("({0} - {1} % 3600)", moment, local(moment));
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
  const std::string plain = fmt::format("formatDateTime(toDateTime({}, 'UTC'), '%Y-%m-%d %H:%i:%S')", local(key));
  if (eras_.size() == 1) return plain;
  // The buckets around a change of the clock that cannot be told by the rule.
  auto slots = slots_of(zone_, range_, bucket_);
  std::string keys;
  std::vector<std::string> labels;
  if (slots) {
    for (const Slot& slot : *slots) {
      if (slot.label == local_text(slot.key + zone_.offset(slot.key))) continue;
      keys += (keys.empty() ? "" : ", ") + std::to_string(slot.key);
      labels.push_back(slot.label);
    }
  }
  if (labels.empty()) return plain;
  return fmt::format("if(has([{0}], {1}), {2}[indexOf([{0}], {1})], {3})", keys, key, values.texts(labels), plain);
}

}  // namespace weir::query
