#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/ids.h"
#include "weir/enrich/own_sites.h"
#include "weir/enrich/packs.h"
#include "weir/enrich/rules.h"
#include "weir/enrich/source.h"
#include "weir/enrich/user_agent.h"
#include "weir/event/row.h"
#include "weir/settings/secrets.h"
#include "weir/settings/settings.h"

namespace weir::enrich {

// What is known of an event that others' data have something to say about. Any of it may come from strangers, and any
// may be absent (empty).
struct Circumstances {
  ProjectId project{};
  std::string_view ip;          // in clear
  std::string_view user_agent;  //
  std::string_view hints;       // JSON object of client hints, see settings::Personal
  std::string_view screen;
  std::string_view hostname, path, referrer;
  std::string_view utm_source, utm_medium, utm_campaign, click_id;
  bool names_its_user = false;  // the client said whose event it is: by user or device id
};

// Those of a row (event::Row, store::EnrichedRow), whose texts they point into. `personal`: null when it is gone.
template <class Row>
Circumstances circumstances_of(const Row& row, const settings::Secrets::Opened* personal, bool names_its_user) {
  Circumstances c;
  c.project = row.project_id;
  if (personal != nullptr) {
    c.ip = personal->ip;
    c.user_agent = personal->user_agent;
    c.hints = personal->hints;
  }
  c.screen = row.screen;
  c.hostname = row.hostname;
  c.path = row.path;
  c.referrer = row.referrer;
  c.utm_source = row.utm_source;
  c.utm_medium = row.utm_medium;
  c.utm_campaign = row.utm_campaign;
  c.click_id = row.click_id;
  c.names_its_user = names_its_user;
  return c;
}

// What the data say: the columns of a row that follow from circumstances.
struct Findings {
  std::string_view source, medium, channel;
  std::string_view country, region, city;
  std::string_view browser, browser_version, os, os_version, device;
  event::Traffic traffic = event::Traffic::human;
  std::string_view traffic_reason;

  // Why, for people; texts that only explain() fills.
  std::string source_reason, browser_reason, os_reason, device_reason, place_reason;

  void write(event::Row& row) const;
};

// Looks events up in the packs and the operator's rules.
//
// Whose label an event gets is decided in this order: an operator's rule, a page that is none of the project's (where
// the project wants that), referrer spam, what its user agent is. A
// server's SDK or HTTP client that does not say for whom it speaks is no visitor; where it does, the event is that
// person's, and its address and user agent say nothing about them: place, browser, system and device stay empty.
//
// Confined to one thread; remembers the user agents, addresses and hosts it saw last, in bounded memory.
class Lookup {
 public:
  Lookup();
  ~Lookup();

  // What is asked from now on. `packs` may be null: then nothing is known of programs and places. Quick when neither
  // has changed.
  void use(const std::shared_ptr<const Packs>& packs, const std::shared_ptr<const settings::Snapshot>& settings);

  // The texts stay valid until the next call.
  const Findings& find(const Circumstances& circumstances);
  // The same with its reasons.
  const Findings& explain(const Circumstances& circumstances);

 private:
  static constexpr size_t kRemembered = 4096;
  struct Label {
    uint64_t hash = 0;
    Verdict verdict;
  };
  struct Spot {
    uint64_t hash = 0;
    Location location;
  };
  SourceQuestion question_of(const Circumstances& circumstances) const;
  const Verdict& label(std::string_view user_agent);
  const Location& spot(std::string_view ip);

  std::shared_ptr<const Packs> packs_;
  std::shared_ptr<const settings::Snapshot> settings_;
  std::optional<Rules> rules_;
  std::optional<OwnSites> own_sites_;
  std::optional<UserAgents> agents_;
  std::optional<SourceFinder> sources_;
  std::vector<Label> labels_;  // by hash of the user agent, one a slot; empty without packs
  std::vector<Spot> spots_;    // by hash of the address, likewise
  Findings findings_;
};

}  // namespace weir::enrich
