#pragma once

#include <memory>
#include <string_view>

#include "weir/base/result.h"
#include "weir/enrich/lookup.h"
#include "weir/enrich/visits.h"
#include "weir/event/event.h"
#include "weir/event/row.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"

namespace weir::enrich {

// Where an event stands: the store's number of its journal partition and epoch, and its position there.
struct Place {
  uint32_t p = 0;
  uint64_t o = 0;
};

// Turns accepted events into rows: splits the URL, reads campaign parameters and click ids, spreads the properties,
// looks up programs, places, sources and labels, finds visitor and visit. Never fails: what cannot be understood stays
// empty.
//
// Confined to one loader thread; keeps its buffers from event to event.
class Enricher {
 public:
  Enricher();
  ~Enricher();

  // What is looked things up in from now on; see Lookup::use().
  void use(const std::shared_ptr<const Packs>& packs, const std::shared_ptr<const settings::Snapshot>& settings);

  // `personal`: the event's personal fields in clear; null when their key is gone.
  // The row's texts stay valid until the next call, and as long as those of `event` and `personal`.
  const event::Row& enrich(const event::Event& event, Place place, settings::IpPolicy ip_policy,
                           const settings::Secrets::Opened* personal);
  // The same for an event that stands nowhere yet; the findings say why. They stay valid until the next call.
  const event::Row& explain(const event::Event& event, const settings::Secrets::Opened* personal, const Findings*& why);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What an enriched row contributes to its visit; its texts are the row's.
VisitEvent visit_event(const event::Row& row);

// The visitor of an event: by user_id, else by anonymous_id, else the cookieless id of the record. Never 0.
uint64_t visitor_of(const event::Event& event);

// What a policy keeps of an address: nothing, the network (/24 of IPv4, /48 of IPv6), or all of it. `buffer` holds
// the result where it differs from `ip`. What is no address keeps nothing.
std::string_view apply_ip_policy(settings::IpPolicy policy, std::string_view ip, std::string& buffer);

}  // namespace weir::enrich
