#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/enrich/enricher.h"
#include "weir/enrich/packs.h"
#include "weir/event/event.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"

namespace weir::load {

// Opens the personal fields of events and keeps those opened last: those of one request are the same text.
// Confined to one thread. Keeps the reference.
class PersonalFields {
 public:
  explicit PersonalFields(settings::Secrets& secrets) : secrets_(secrets) {}
  // Null when the event has none, or they are never to be had again: their key is gone, or they are damaged. Valid
  // until the next call. Errors: those of secrets that may answer later (kUnavailable).
  Result<const settings::Secrets::Opened*> of(ProjectId project, std::string_view personal);

 private:
  settings::Secrets& secrets_;
  std::string text_;
  std::optional<settings::Secrets::Opened> opened_;
};

// Makes rows of events: enriched by the settings and the data packs of the moment.
// Confined to one thread. Keeps the parts by reference.
class RowMaker {
 public:
  struct Parts {
    settings::Repository& settings;
    settings::Secrets& secrets;
    const enrich::PackStore* packs;  // null: nothing is looked up
  };
  explicit RowMaker(const Parts& parts) : parts_(parts), personal_(parts.secrets) {}

  // Takes up the settings and packs of now for the rows to come; to be called before the first.
  void refresh();
  // Its visit is left open. Never null; valid until the next call, and as long as `event`. Errors: as
  // PersonalFields::of().
  Result<const event::Row*> make(const event::Event& event, enrich::Place place);

 private:
  const Parts parts_;
  std::shared_ptr<const settings::Snapshot> snapshot_;
  enrich::Enricher enricher_;
  PersonalFields personal_;
  ProjectId project_id_{};
  const settings::Project* project_ = nullptr;  // of project_id_; null when it is gone
};

}  // namespace weir::load
