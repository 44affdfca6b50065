#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/base/result.h"
#include "weir/base/thread.h"
#include "weir/query/found_visits.h"
#include "weir/query/options.h"
#include "weir/query/rollup_maker.h"
#include "weir/query/rollup_tables.h"
#include "weir/settings/settings.h"
#include "weir/store/coverage.h"
#include "weir/store/store.h"

namespace weir::query {

// Has roll-ups made: of each project that is large enough and each past day, by the project's own clock, and of whole
// months of such days; anew whenever rows of them change. Has the visitors of the day that goes on numbered.
//
// Sums are made under a version of their own and count once they are whole and nothing changed meanwhile
// (store::Coverage); whatever is killed, sums that are believed are those of the rows.
//
// One thread of its own, which works at most a share of the time (a third). Keeps the references.
class Roller {
 public:
  struct Parts {
    store::Store& store;
    settings::Repository& settings;
    Clock& clock;
    metrics::Registry& registry;
    // Whether the store's tables are there.
    std::function<bool()> ready;
    FoundVisits* found = nullptr;  // what it lets go of, too
  };
  Roller(const Options& options, const Parts& parts);
  ~Roller() { stop(); }

  void start();
  void stop();

  // One look at all projects: what is missing and can be made is, a few runs of days of each. Between rounds the thread
  // waits. For tests, too, then without start(). Errors: as the store's.
  Result<> round();

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Project {
    uint64_t rows = 0;
    Moment number_after = Moment::min();  // numbering the current day costs no more than a small share of the time
    Moment look_after = Moment::min();    // its outermost days are looked up again
    Moment build_after = Moment::min();   // a day of it could not be summed up
  };

  void run();
  bool pause(std::chrono::milliseconds time);
  bool stopping();
  Result<> count_rows();
  Result<> look_at(const settings::Project& project);
  Result<> cover_outside(ProjectId id, Project& state, std::optional<int64_t>& first_day);
  Result<> number_days(ProjectId id, Project& state, const Zone& zone, std::span<const int64_t> days);
  Result<> make_missing(ProjectId id, Project& state, const Zone& zone, const std::vector<int64_t>& missing,
                        uint64_t rows_a_day);
  Result<> make_months(ProjectId id, const Zone& zone, int64_t first, int64_t today);

  const Options options_;
  const Parts parts_;
  metrics::Counter& rounds_total_;
  metrics::Gauge& behind_gauge_;

  // Of the thread (or of who calls round()).
  RollupTables tables_;
  RollupMaker maker_{tables_};
  std::map<ProjectId, Project> projects_;
  Moment count_after_ = Moment::min();
  Moment sweep_after_ = Moment::min();
  uint64_t behind_ = 0;

  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace weir::query
