#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weir/base/result.h"
#include "weir/enrich/lookup.h"
#include "weir/enrich/packs.h"
#include "weir/event/record.h"
#include "weir/journal/journal.h"
#include "weir/load/row_maker.h"
#include "weir/load/visit_healer.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"
#include "weir/store/store.h"

namespace weir::load {

// Gives stored rows what today's packs and rules say of them: source, place, program, device, label, address. A day of
// a project at a time, which is swapped in at once (in runs of kRowsAtOnce changed rows): whatever is killed, a row is
// as it was or as it is to be, and no row comes or goes. Rows of other projects, and those that arrive meanwhile, are
// not touched. Whose source changed has their visits put right behind it (VisitHealer).
//
// What visitors' programs and addresses say can be asked anew only while the journal has the record and the day's key
// (journal.personal_days). Of any other row, program, place and what was decided by them stay.
//
// Confined to one thread. Keeps the references.
class ReEnricher {
 public:
  static constexpr size_t kRowsAtOnce = 500'000;

  struct Parts {
    journal::Journal& journal;
    store::Store& store;
    settings::Repository& settings;
    settings::Secrets& secrets;
    VisitHealer& healer;
    const enrich::PackStore* packs;  // null: nothing is known of programs and places, and they stay
  };
  explicit ReEnricher(const Parts& parts) : parts_(parts), personal_(parts.secrets) {}

  struct Summary {
    uint64_t rows = 0;              // looked at
    uint64_t changed = 0;           // of them
    uint64_t without_record = 0;    // the journal has forgotten it, or it is damaged
    uint64_t without_personal = 0;  // the record is there; its personal fields never were, or their key is gone
    std::array<uint64_t, std::tuple_size_v<decltype(store::EnrichedRow::found)>> by_column{};  // rows changed in each
  };
  // Errors: as the store's; kUnavailable also while packs are read. What was changed so far stays.
  Result<Summary> run(const store::ProjectDay& day);

 private:
  // Records of the journal by position, asked for in rising order.
  class Records;

  Result<const settings::Secrets::Opened*> personal_of(const store::EnrichedRow& row, Records& records,
                                                       Summary& summary);
  bool renew(store::EnrichedRow& row, const settings::Secrets::Opened* personal, settings::IpPolicy policy,
             Summary& summary);
  Result<> write(const store::ProjectDay& day, std::vector<store::EnrichedRow>& changes,
                 std::vector<DirtyVisits>& dirty);

  const Parts parts_;
  enrich::Lookup lookup_;
  event::RecordParser parser_;
  PersonalFields personal_;
};

}  // namespace weir::load
