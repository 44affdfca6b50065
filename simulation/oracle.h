#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "weir/journal/journal.h"
#include "weir/load/outcomes.h"
#include "weir/store/testing/native_reader.h"

namespace weir::simulation {

// What kind of event it is for the store.
enum class Nature : uint8_t {
  fine,
  garbage,   // bytes that are no event
  poisoned,  // an event that the store refuses
};

// One event as its client knows it. A retry sends the same one again, when it has an id.
struct SentEvent {
  uint64_t project = 0;
  std::string id;  // empty: none
  std::string name;
  std::string record;
  Nature nature = Nature::fine;
  bool acknowledged = false;
  bool refused = false;  // once at least; it may be in the journal all the same
  bool broken = false;   // a promise was made that nobody can keep: its disk lied, or its record was damaged
};

// Remembers what clients sent and were answered, and judges what weir made of it.
class Oracle {
 public:
  static constexpr size_t kPartitions = 2;

  // A new event, sent for the first time. The reference stays valid.
  SentEvent& add(SentEvent event);
  // Events with ids that were sent before.
  const std::vector<SentEvent*>& with_ids() const { return with_ids_; }
  // The events of a request were acknowledged, at positions from `first` on.
  void acknowledged(journal::Partition partition, const std::vector<SentEvent*>& events, journal::Offset first);
  // A disk that lied about its syncs lost its power: nothing that was acknowledged since is promised any more.
  void disk_lied_since(size_t acknowledgements);
  // The journal says that records are damaged, or ended below them after a bit of it had flipped.
  void lost(journal::Partition partition, load::Range range);
  size_t acknowledgements() const { return acknowledgements_.size(); }

  // What there is in the end, when everything is loaded.
  struct Found {
    journal::Offset begin = 0;                       // the oldest kept
    std::map<journal::Offset, std::string> records;  // what the journal holds and can read
    std::vector<load::Range> damaged;
    std::map<journal::Offset, load::Outcome> outcomes;
    std::vector<load::DeadLetter> dead_letters;
    std::set<uint32_t> numbers;  // of its epochs, in the store
  };
  // Empty when every promise was kept, else what was not.
  std::string judge(const std::array<Found, kPartitions>& found, const std::vector<store::testing::StoredRow>& rows);

  struct Counts {
    uint64_t sent = 0;
    uint64_t accepted = 0;
    uint64_t rows = 0;
    uint64_t duplicates = 0;
    uint64_t dead = 0;
    uint64_t moved = 0;
    uint64_t damaged = 0;
  };
  const Counts& counts() const { return counts_; }

 private:
  struct Acknowledgement {
    journal::Partition partition;
    journal::Offset offset;
    SentEvent* event;
    bool broken = false;
  };
  std::string judge_positions(const std::array<Found, kPartitions>& found,
                              const std::vector<store::testing::StoredRow>& rows);
  std::string judge_events(const std::array<Found, kPartitions>& found,
                           const std::vector<store::testing::StoredRow>& rows);

  static void give_up(Acknowledgement& acknowledgement);
  // Where it was acknowledged, for people.
  std::string places_of(const SentEvent& event) const;

  std::set<std::pair<uint64_t, std::string_view>> unjudgeable_ids(
      const std::array<Found, kPartitions>& found, const std::vector<store::testing::StoredRow>& rows) const;

  std::vector<std::unique_ptr<SentEvent>> events_;
  std::vector<SentEvent*> with_ids_;
  std::vector<Acknowledgement> acknowledgements_;
  bool disk_lied_ = false;
  bool damaged_ = false;
  Counts counts_;
};

}  // namespace weir::simulation
