#pragma once

#include <array>
#include <memory>

#include "weir/api/gate.h"
#include "weir/api/workers.h"
#include "weir/base/clock.h"
#include "weir/http/router.h"
#include "weir/journal/journal.h"
#include "weir/load/dedup.h"
#include "weir/load/loader.h"
#include "weir/load/outcomes.h"
#include "weir/settings/settings.h"
#include "weir/store/store.h"
#include "weir/trace/trace.h"

namespace weir::app {

// Asks the parts of this process where an event is: the index of ids, the end of the journal that is not loaded yet,
// the outcomes, the store. Keeps the references; thread-safe.
class EventTrace final : public trace::Tracer {
 public:
  struct Parts {
    journal::Journal& journal;
    std::array<load::Outcomes*, 2> outcomes;  // of each partition, in the order of their numbers
    std::array<load::Loader*, 2> loaders;     // likewise
    load::Dedup& dedup;
    store::Store& store;
    settings::Repository& settings;
  };
  explicit EventTrace(const Parts& parts) : parts_(parts) {}
  Result<std::vector<trace::Sighting>> find(const trace::Question& question) override;

 private:
  struct Place {
    journal::Partition partition;
    journal::Offset offset;
    bool operator==(const Place&) const = default;
  };
  Result<std::vector<Place>> places_of(const trace::Question& question);
  void add_waiting(const trace::Question& question, journal::Partition partition, std::vector<Place>& places);
  // Null: not there, or of a project the question may not see.
  Result<std::optional<trace::Sighting>> look(const trace::Question& question, Place place);
  // The row as JSON, or empty. `time`: the event's, 0 when unknown.
  Result<std::string> row_of(uint32_t epoch, Place place, UnixMillis time);

  const Parts parts_;
};

// GET /api/v1/trace?id=ID, for who may edit the project: where the events are that answer to ID, as
// trace::to_json() writes it. 404 when none is known.
//
// Keeps the references; they must outlive it.
class TraceRoute {
 public:
  TraceRoute(settings::Repository& settings, const api::Gate& gate, trace::Tracer& tracer);
  void add(http::Router& router);

 private:
  settings::Repository& settings_;
  const api::Gate& gate_;
  trace::Tracer& tracer_;
  api::Workers workers_;
};

}  // namespace weir::app
