#include "weir/enrich/lookup.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "weir/base/check.h"
#include "weir/enrich/address.h"

namespace weir::enrich {

namespace {
constexpr std::string_view kLibrary = "library: ";
constexpr std::string_view kForeignHostname = "foreign hostname";

// For as long as there are no packs.
const std::shared_ptr<const Sources>& built_in() {
  static const std::shared_ptr<const Sources> sources = [] {
    auto made = Sources::load({built_in_sources(), {}, {}}, PublicSuffixes());
    WEIR_CHECK(made.has_value());
    return std::make_shared<const Sources>(*std::move(made));
  }();
  return sources;
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = XXH3_64bits(text.data(), text.size());
  return hash == 0 ? 1 : hash;  // 0 is a free slot
}
}  // namespace

void Findings::write(event::Row& row) const {
  row.source = source;
  row.medium = medium;
  row.channel = channel;
  row.country = country;
  row.region = region;
  row.city = city;
  row.browser = browser;
  row.browser_version = browser_version;
  row.os = os;
  row.os_version = os_version;
  row.device = device;
  row.traffic = traffic;
  row.traffic_reason = traffic_reason;
}

Lookup::Lookup() = default;
Lookup::~Lookup() = default;

void Lookup::use(const std::shared_ptr<const Packs>& packs, const std::shared_ptr<const settings::Snapshot>& settings) {
  if (settings != settings_) {
    settings_ = settings;
    rules_.reset();
    own_sites_.reset();
    if (settings_ != nullptr) {
      rules_.emplace(*settings_);
      own_sites_.emplace(*settings_);
    }
  }
  if (packs == packs_ && sources_) return;
  // What was remembered points into the packs before.
  labels_.assign(packs != nullptr ? kRemembered : 0, {});
  spots_.assign(packs != nullptr ? kRemembered : 0, {});
  findings_ = {};
  const bool same_agents = packs != nullptr && packs_ != nullptr && packs->user_agents == packs_->user_agents;
  if (!same_agents) agents_.reset();
  sources_.reset();
  packs_ = packs;
  if (packs_ != nullptr && packs_->user_agents != nullptr && !agents_) agents_.emplace(packs_->user_agents);
  sources_.emplace(packs_ != nullptr && packs_->sources != nullptr ? packs_->sources : built_in());
}

SourceQuestion Lookup::question_of(const Circumstances& c) const {
  SourceQuestion question;
  question.referrer = c.referrer;
  question.hostname = c.hostname;
  if (own_sites_) question.own_hostnames = own_sites_->of(c.project);
  question.utm_source = c.utm_source;
  question.utm_medium = c.utm_medium;
  question.utm_campaign = c.utm_campaign;
  question.click_id = c.click_id;
  return question;
}

const Verdict& Lookup::label(std::string_view user_agent) {
  const uint64_t hash = hash_of(user_agent);
  Label& slot = labels_[hash % kRemembered];
  if (slot.hash != hash) slot = {hash, packs_->bots.verdict(user_agent)};
  return slot.verdict;
}

const Location& Lookup::spot(std::string_view ip) {
  const uint64_t hash = hash_of(ip);
  Spot& slot = spots_[hash % kRemembered];
  if (slot.hash != hash) slot = {hash, packs_->places.find(ip)};
  return slot.location;
}

const Findings& Lookup::find(const Circumstances& c) {
  Findings& f = findings_;
  f = {};
  const SourceAnswer answer = sources_->find(question_of(c));
  f.source = answer.source;
  f.medium = answer.medium;
  f.channel = answer.channel;

  bool speaks_for_others = false;
  if (packs_ != nullptr && !c.user_agent.empty()) {
    const Verdict& verdict = label(c.user_agent);
    speaks_for_others = c.names_its_user && verdict.reason.starts_with(kLibrary);
    if (!speaks_for_others) {
      f.traffic = verdict.traffic;
      f.traffic_reason = verdict.reason;
      if (agents_ && f.traffic == event::Traffic::human) {
        const Agent& agent = agents_->find(c.user_agent, c.hints, c.screen);
        f.browser = agent.browser;
        f.browser_version = agent.browser_version;
        f.os = agent.os;
        f.os_version = agent.os_version;
        f.device = agent.device;
      }
    }
  }
  if (packs_ != nullptr && !c.ip.empty() && !speaks_for_others) {
    const Location& location = spot(c.ip);
    f.country = location.country;
    f.region = location.region;
    f.city = location.city;
  }
  if (!answer.spam.empty()) {
    f.traffic = event::Traffic::spam;
    f.traffic_reason = answer.spam;
  }
  if (own_sites_ && own_sites_->is_unwanted(c.project, c.hostname)) {
    f.traffic = event::Traffic::spam;
    f.traffic_reason = kForeignHostname;
  }
  if (rules_) {
    TrafficQuestion about;
    about.project = c.project;
    about.ip = c.ip;
    about.hostname = c.hostname;
    about.referrer = c.referrer;
    about.path = c.path;
    about.user_agent = c.user_agent;
    if (auto verdict = rules_->verdict(about)) {
      f.traffic = verdict->traffic;
      f.traffic_reason = verdict->reason;
    }
  }
  return f;
}

const Findings& Lookup::explain(const Circumstances& c) {
  Findings& f = findings_;
  find(c);
  f.source_reason = sources_->find(question_of(c)).reason;
  if (agents_ && !(f.browser.empty() && f.os.empty() && f.device.empty())) {
    const Agent& agent = agents_->find(c.user_agent, c.hints, c.screen);
    f.browser_reason = agent.browser_reason.text();
    f.os_reason = agent.os_reason.text();
    f.device_reason = agent.device_reason.text();
  } else {
    std::string why;
    if (f.traffic != event::Traffic::human)
      why = "not a visitor's device: " + std::string(f.traffic_reason);
    else if (c.user_agent.empty())
      why = "no user agent";
    else if (packs_ == nullptr || packs_->user_agents == nullptr)
      why = "the pack regexes.yaml is missing";
    else
      why = c.names_its_user ? "sent by a program for its user" : "no rule fits";
    f.browser_reason = f.os_reason = f.device_reason = why;
  }
  if (!f.country.empty())
    f.place_reason = f.city.empty() ? "country of the address" : "city of the address";
  else if (c.ip.empty())
    f.place_reason = "no address";
  else
    f.place_reason = public_address(c.ip) ? "the address is in no pack" : "not a public address";
  return f;
}

}  // namespace weir::enrich
