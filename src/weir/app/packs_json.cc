#include "weir/app/packs_json.h"

#include <boost/json.hpp>

namespace weir::app {

int64_t pack_age_days(const enrich::PackReport& pack, UnixMillis now) { return (now - pack.date) / kMillisPerDay; }

std::string packs_json(std::span<const enrich::PackReport> packs, UnixMillis now) {
  boost::json::array list;
  for (const enrich::PackReport& pack : packs) {
    boost::json::object entry{{"name", std::string(pack.name)},
                              {"purpose", std::string(pack.purpose)},
                              {"state", std::string(name_of(pack.state))},
                              {"expected", pack.shipped},
                              {"reason", pack.reason},
                              {"file", pack.path},
                              {"own", pack.own},
                              {"contents", pack.contents},
                              {"source", pack.source},
                              {"version", pack.version},
                              {"licence", pack.licence},
                              {"credit", pack.credit},
                              {"bytes", pack.bytes},
                              {"old", pack.old(now)}};
    entry["date"] = pack.date == 0 ? boost::json::value(nullptr) : boost::json::value(format_day(day_of(pack.date)));
    entry["age_days"] = pack.date == 0 ? boost::json::value(nullptr) : boost::json::value(pack_age_days(pack, now));
    list.push_back(std::move(entry));
  }
  return boost::json::serialize(list);
}

}  // namespace weir::app
