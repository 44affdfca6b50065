#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "weir/base/clock.h"
#include "weir/base/metrics.h"
#include "weir/journal/journal.h"
#include "weir/load/options.h"
#include "weir/load/outcomes.h"
#include "weir/load/visit_healer.h"
#include "weir/store/store.h"

namespace weir::load {

// The rows of one journal epoch and one month: one part in the store, so it is there whole or not at all.
struct Piece {
  store::Block block;
  std::string token;
  uint32_t p = 0;
  uint64_t first = 0;
  uint64_t last = 0;
};

enum class Inserted : uint8_t {
  yes,
  refused,  // for what is in the rows
  unknown,  // the server has restarted, or the loader is to stop
};

// The half of a loader that puts rows into the store, and gives up what the store refuses. Thread-safe but for
// set_life(). Keeps the references.
class Inserter {
 public:
  struct Parts {
    store::Store& store;
    journal::Journal& journal;
    Outcomes& outcomes;
    VisitHealer& healer;
    Clock& clock;
    metrics::Registry& registry;
  };
  // `pause`: waits; false at once when the loader is to stop.
  Inserter(const Options& options, const Parts& parts, journal::Partition partition,
           std::function<bool(std::chrono::milliseconds)> pause);

  // A token for an insert of rows of `p` from `first` to `last`, unlike any other.
  std::string new_token(uint32_t p, uint64_t first, uint64_t last);

  // The life of the server that rows are for; see store::Store::insert().
  void set_life(uint64_t life) { life_ = life; }

  // Inserts one piece, trying again while the same server lives. A refused row becomes a dead letter, and the visits
  // that counted it are noted as wrong; `refused` is set. False: it is unknown what the store holds.
  bool insert(const Piece& piece, uint32_t epoch, bool& refused);
  // Inserts or finds out that the rows are refused; `why` then says for what.
  Inserted try_insert(const store::Block& block, const std::string& token, std::string& why);
  // Gives records up, durably. False when the loader is to stop.
  bool bury(std::span<const DeadLetter> letters);
  // Calls `what` until it succeeds. False when the loader is to stop.
  bool persist(const std::function<Result<>()>& what);

 private:
  struct Refused {
    std::vector<DeadLetter> letters;
    std::vector<DirtyVisits> visits;                                      // that counted them
    void add(const store::Block& block, UnixMillis at, std::string why);  // its only row
  };
  bool insert_halves(const store::Block& block, const std::string& token, Refused& refused);
  Result<> read_record(DeadLetter& letter);

  const Options& options_;
  const Parts parts_;
  const journal::Partition partition_;
  const std::function<bool(std::chrono::milliseconds)> pause_;
  const uint64_t process_;  // random
  std::atomic<uint64_t> tokens_{0};
  std::atomic<uint64_t> life_{0};
  metrics::Histogram& insert_seconds_;
  metrics::Counter& dead_total_;
};

}  // namespace weir::load
