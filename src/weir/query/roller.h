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
#include "weir/query/options.h"
#include "weir/query/rollup.h"
#include "weir/settings/settings.h"
#include "weir/store/coverage.h"
#include "weir/store/store.h"

namespace weir::query {

// Makes roll-ups: of each project that is large enough and each past day, by the project's own clock, and of whole
// months of such days; anew whenever rows of them change. Numbers the visitors of the day that goes on.
//
// Sums are made under a version of their own and count once they are whole and nothing changed meanwhile
// (store::Coverage); whatever is killed, sums that are believed are those of the rows. What stands in the tables can be
// made again from the rows at any time, and is when it is found not to fit.
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
  };
  Roller(const Options& options, const Parts& parts);
  ~Roller() { stop(); }

  void start();
  void stop();

  // Everything that can be made now; between rounds the thread waits. For tests, too, then without start().
  // `patient`: leaves days alone that changed within the last minutes. Errors: as the store's.
  Result<> round(bool patient);

 private:
  using Moment = store::Coverage::Moment;
  struct Project {
    uint64_t rows = 0;
    uint32_t next_number = 0;  // of its visitors; 0: not known
    // By the beginning of a time: its end, and up to which touch of it all visitors have their numbers.
    std::map<Seconds, std::pair<Seconds, uint64_t>> numbered;
    Moment number_after = Moment::min();  // numbering the current day costs no more than a small share of the time
    Moment look_after = Moment::min();    // its outermost days are looked up again
    Moment build_after = Moment::min();   // a day of it could not be summed up
  };

  void run();
  bool pause(std::chrono::milliseconds time);
  Result<std::string> ask(const std::string& sql);
  Result<std::vector<std::vector<int64_t>>> numbers_in(const std::string& sql);
  Result<bool> settled();
  Result<> verify();
  Result<> verify_project(ProjectId id, std::vector<store::Coverage::Covered>& wrong);
  Result<> uncover(std::span<const store::Coverage::Covered> wrong);
  Result<> count_rows();
  Result<> look_at(const settings::Project& project, bool patient);
  Result<> cover_outside(ProjectId id, Project& state, std::optional<int64_t>& first_day);
  Result<> number_visitors(ProjectId id, Project& state, const Range& day);
  Result<> build_days(ProjectId id, Project& state, const Zone& zone, int64_t first, int64_t end);
  Result<> sum_up(ProjectId id, const Zone& zone, std::span<const Range> days, std::span<const uint32_t> places,
                  std::span<const uint32_t> versions);
  Result<> build_missing(ProjectId id, Project& state, const Zone& zone, const std::vector<int64_t>& missing,
                         int64_t first, int64_t today, bool patient);
  Result<> build_months(ProjectId id, const Zone& zone, int64_t first, int64_t today);
  Result<> build_month(ProjectId id, const Zone& zone, int64_t first_day);
  Result<uint32_t> new_version();
  // Sums that were made, since when, and from how many rows.
  struct Made {
    store::Coverage::Span span;
    uint64_t since = 0;
    uint64_t rows = 0;
    uint64_t sums = 0;
  };
  Result<> publish(ProjectId id, std::span<const Made> made);
  Result<> publish_empty(ProjectId id, Seconds from, Seconds to);
  Result<> sweep();

  const Options options_;
  const Parts parts_;
  metrics::Counter& built_total_;
  metrics::Counter& rounds_total_;
  metrics::Gauge& behind_gauge_;

  // Of the thread (or of who calls round()).
  std::map<ProjectId, Project> projects_;
  uint32_t next_version_ = 0;    // 0: not known
  std::optional<Moment> doubt_;  // of a statement of ours that may still run
  Moment count_after_ = Moment::min();
  Moment sweep_after_ = Moment::min();
  uint64_t behind_ = 0;

  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace weir::query
