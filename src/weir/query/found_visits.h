#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "weir/query/question.h"
#include "weir/query/statement.h"
#include "weir/store/store.h"

namespace weir::query {

// Which rows answer all questions about one time with the same filters, and so can be set aside for them: those of the
// visits of which an event matches, as far as roll-ups cover the time, which says that they do not change.
struct FoundPlan {
  std::string columns;  // of weir_data.events, as a list
  Statement rows;       // gives them
  Statement about;      // tells about how many there are; empty: they are few
  std::string rest;     // gives the other rows that there may be, of weir_data.events; {} is the table of the first
                        // ones; or empty
  std::string key;      // the same for two questions when all of the above is, and nothing changed in between
};

// Null: not for this question over this range, or too little of that is covered.
std::optional<FoundPlan> plan_found(const Question& question, const Range& range, Spans covered);

// Tables with such rows: the panels of a page ask for the same time and filters, and need not each look through all
// rows for them. Thread-safe. Keeps the reference.
class FoundVisits {
 public:
  // More rows than `rows_max` are not set aside.
  explicit FoundVisits(store::Store& store, uint64_t rows_max = 10'000'000) : store_(store), rows_max_(rows_max) {}

  struct Table {
    std::string name;
    uint64_t rows = 0;
  };
  // While it is held the table is there.
  using Use = std::shared_ptr<const Table>;

  // The table of `plan`; made, if need be, when `make` is set: of several who want it at once one does that, and the
  // others wait for it. Null: there is none, and the rows are to be looked for as if there were no such thing (they
  // were found to be too many, or something failed). `options`: limits of the statement that makes it.
  Use of(const FoundPlan& plan, bool make, const store::QueryOptions& options);
  // Whether the table of `plan` is there.
  bool has(const FoundPlan& plan);
  // It could not be read.
  void forget(const Use& table);

  // Drops tables that nobody asked for lately, and those that an earlier process left. To be called now and then.
  // Errors: as the store's.
  Result<> sweep();

  // What a question reads instead of weir_data.events.
  static std::string source(const FoundPlan& plan, const Table& table);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  struct Kept {
    bool making = false;
    Use table;  // null: there will be none
    Moment used;
  };
  Use make(const FoundPlan& plan, const store::QueryOptions& options);
  Result<std::string> ask(const std::string& sql, store::QueryOptions options = {});
  Result<> drop(const std::string& name);
  Result<> drop_left();

  store::Store& store_;
  const uint64_t rows_max_;
  std::mutex mutex_;  // guards all below
  std::condition_variable made_;
  std::map<std::string, Kept> kept_;  // by key
  std::vector<Use> dropped_;          // to be dropped when nobody uses them any more
  uint64_t next_ = 1;
  bool clean_ = false;  // what an earlier process left is gone
};

}  // namespace weir::query
