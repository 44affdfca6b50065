#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"
#include "weir/enrich/packs.h"
#include "weir/settings/settings.h"

namespace weir::app {

// Says what weir would make of events, and why, without storing anything: they are taken the way that they go through
// a server, decoded, taken in, written as a record, read again, enriched. Confined to one thread.
class Explainer {
 public:
  // Where the answers go, in the order of the events. False: enough.
  struct Output {
    std::function<bool(std::string_view json)> event;     // as append_explained_event() writes it
    std::function<bool(std::string_view message)> wrong;  // of an event, or of the whole document
  };
  // `packs` may be null: nothing is looked up then.
  Explainer(std::shared_ptr<const enrich::Packs> packs, std::shared_ptr<const settings::Snapshot> settings,
            Output output);
  ~Explainer();

  // Of all events, whatever they say themselves: a name or an outside name. Errors: kNotFound.
  Result<> use_project(const std::string& name);

  // An object, an array of objects or objects one a line, with the fields of the capture API and `user_agent`, `ip` and
  // `hints` of the visitor.
  void explain(std::string_view document);

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::app
