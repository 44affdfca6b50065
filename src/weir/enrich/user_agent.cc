#include "weir/enrich/user_agent.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <charconv>

#include "weir/enrich/client_hints.h"
#include "weir/event/json.h"

namespace weir::enrich {

namespace {
constexpr size_t kNameBytesMax = 64;
constexpr size_t kVersionBytesMax = 16;

// The list's and the map's own memory for an entry, about.
constexpr size_t kNodeBytes = 64;

// The sizes of iPads, upright, as Safari reports them however they are held. No Mac has a screen of these.
constexpr std::string_view kTabletScreens[] = {"744x1133", "768x1024", "810x1080",  "820x1180",  "834x1112",
                                               "834x1194", "834x1210", "1024x1366", "1032x1376", "954x1373"};

int number_of(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Browsers that others are built on, the less telling first. Others' names say more than these.
int telling(std::string_view browser) {
  constexpr std::string_view kGeneral[] = {"",       "Android Browser", "Chromium", "Android WebView",
                                           "Chrome", "Edge WebView",    "Edge"};
  auto at = std::find(std::begin(kGeneral), std::end(kGeneral), browser);
  return static_cast<int>(at - std::begin(kGeneral));
}
constexpr int kTellingOfItsOwn = 7;

// Systems that browsers name in Sec-CH-UA-Platform. Others' user agents say more.
bool is_usual_os(std::string_view os) {
  constexpr std::string_view kUsual[] = {"", "Windows", "macOS", "Android", "ChromeOS", "Linux", "iOS"};
  return std::find(std::begin(kUsual), std::end(kUsual), os) != std::end(kUsual);
}

// Windows' hint is the version of an API: https://learn.microsoft.com/microsoft-edge/web-platform/how-to-detect-win11
std::string windows_version(std::string_view hint) {
  if (hint == "0.1" || hint.starts_with("0.1.")) return "7";
  if (hint == "0.2" || hint.starts_with("0.2.")) return "8";
  if (hint == "0.3" || hint.starts_with("0.3.")) return "8.1";
  int major = number_of(hint);
  return major >= 13 ? "11" : major >= 1 ? "10" : "";
}

std::string shown_version(AgentName::Version mode, std::string_view major, std::string_view minor) {
  if (mode == AgentName::Version::none) return {};
  std::string version(major.substr(0, kVersionBytesMax));
  bool with_minor = mode == AgentName::Version::minor || (mode == AgentName::Version::significant && minor != "0");
  if (with_minor && !version.empty() && !minor.empty()) version.append(".").append(minor.substr(0, kVersionBytesMax));
  return version;
}

std::string shown_version(AgentName::Version mode, std::string_view version) {
  size_t dot = version.find('.');
  if (dot == std::string_view::npos) return shown_version(mode, version, {});
  std::string_view rest = version.substr(dot + 1);
  return shown_version(mode, version.substr(0, dot), rest.substr(0, rest.find('.')));
}

// How `family` is shown: as the list says, else as it is.
struct Shown {
  std::string name;
  AgentName::Version version;
};
Shown shown(const AgentNames& names, std::string_view family, AgentName::Version otherwise) {
  if (family == "Other") return {"", otherwise};
  auto known = names.find(family);
  if (known == names.end()) return {std::string(family.substr(0, kNameBytesMax)), otherwise};
  return {known->second.name, known->second.version};
}
}  // namespace

std::string AgentReason::text() const {
  switch (from) {
    case From::nothing:
      return {};
    case From::hint:
      return std::string(hint);
    case From::screen:
      return "screen";
    case From::rules:
    case From::overlay:
      return std::string(from == From::overlay ? "overlay.yaml: " : "regexes.yaml: ") + std::string(name_of(list)) +
             "[" + std::to_string(index) + "]";
  }
  return {};
}

struct UserAgents::Draft {
  std::string_view user_agent;
  bool tablet_screen = false;
  std::string browser, browser_version, os, os_version, device;
  AgentReason browser_reason, os_reason, device_reason;
};

UserAgents::UserAgents(std::shared_ptr<const UserAgentRules> rules, const UserAgentOptions& options)
    : rules_(std::move(rules)), options_(options), parser_(*rules_) {}

UserAgents::~UserAgents() = default;

const Agent& UserAgents::find(std::string_view user_agent, std::string_view hints, std::string_view screen) {
  user_agent = user_agent.substr(0, kUserAgentBytesMax);
  if (hints.size() > kHintsBytesMax) hints = {};
  bool tablet_screen =
      std::find(std::begin(kTabletScreens), std::end(kTabletScreens), screen) != std::end(kTabletScreens);
  uint64_t hash = XXH3_64bits_withSeed(user_agent.data(), user_agent.size(), tablet_screen ? 1 : 0);
  if (!hints.empty()) hash = XXH3_64bits_withSeed(hints.data(), hints.size(), hash);

  auto known = by_hash_.find(hash);
  if (known != by_hash_.end()) {
    auto entry = known->second;
    if (entry->user_agent == user_agent && entry->hints == hints && entry->tablet_screen == tablet_screen) {
      ++hits_;
      entries_.splice(entries_.begin(), entries_, entry);
      return entry->agent;
    }
    bytes_ -= bytes_of(*entry);
    entries_.erase(entry);
    by_hash_.erase(known);
  }
  ++misses_;
  entries_.push_front({hash, tablet_screen, std::string(user_agent), std::string(hints), {}, {}});
  describe(entries_.front());
  by_hash_.emplace(hash, entries_.begin());
  bytes_ += bytes_of(entries_.front());
  while (entries_.size() > 1 && (entries_.size() > options_.entries_max || bytes_ > options_.bytes_max)) {
    bytes_ -= bytes_of(entries_.back());
    by_hash_.erase(entries_.back().hash);
    entries_.pop_back();
  }
  return entries_.front().agent;
}

size_t UserAgents::bytes_of(const Entry& entry) {
  return sizeof entry + kNodeBytes + entry.user_agent.capacity() + entry.hints.capacity() + entry.texts.capacity();
}

AgentReason UserAgents::reason_of(AgentList list, size_t rule) const {
  if (rule == ParsedAgent::kNoRule) return {};
  size_t overlay = rules_->overlay_size(list);
  if (rule < overlay) return {AgentReason::From::overlay, list, static_cast<uint32_t>(rule), {}};
  return {AgentReason::From::rules, list, static_cast<uint32_t>(rule - overlay), {}};
}

void UserAgents::describe(Entry& entry) {
  ClientHints hints = ClientHints::parse(entry.hints);
  Draft draft;
  draft.tablet_screen = entry.tablet_screen;
  // Chrome's frozen text says the model K; the rules should see the true one where the hints tell it.
  std::string with_model;
  draft.user_agent = entry.user_agent;
  constexpr std::string_view kFrozen = "; K)";
  size_t frozen = entry.user_agent.find(kFrozen);
  if (!hints.model.empty() && frozen != std::string::npos) {
    with_model = entry.user_agent;
    with_model.replace(frozen + 2, 1, hints.model);
    draft.user_agent = with_model;
  }
  parser_.scan(draft.user_agent);
  read_browser(draft, hints);
  read_os(draft, hints);
  read_device(draft, hints);

  // One text for all five.
  std::string* texts[] = {&draft.browser, &draft.browser_version, &draft.os, &draft.os_version, &draft.device};
  size_t total = 0;
  std::vector<uint32_t> replaced;
  for (std::string* text : texts) {
    event::json::replace_invalid_utf8(*text, replaced);  // rules and limits know bytes only, and may cut a character
    total += text->size();
  }
  entry.texts.reserve(total);
  for (const std::string* text : texts) entry.texts += *text;
  size_t at = 0;
  auto next = [&](const std::string& text) {
    std::string_view view = std::string_view(entry.texts).substr(at, text.size());
    at += text.size();
    return view;
  };
  entry.agent.browser = next(draft.browser);
  entry.agent.browser_version = next(draft.browser_version);
  entry.agent.os = next(draft.os);
  entry.agent.os_version = next(draft.os_version);
  entry.agent.device = next(draft.device);
  entry.agent.browser_reason = draft.browser_reason;
  entry.agent.os_reason = draft.os_reason;
  entry.agent.device_reason = draft.device_reason;
}

void UserAgents::read_browser(Draft& draft, const ClientHints& hints) {
  const ParsedAgent& parsed = parser_.first(AgentList::browser);
  Shown found = shown(rules_->browser_names(), parsed.family(), AgentName::Version::major);
  draft.browser = found.name;
  if (!found.name.empty()) {
    draft.browser_version = shown_version(found.version, parsed.major(), parsed.minor());
    draft.browser_reason = reason_of(AgentList::browser, parsed.rule);
  }

  const ClientHints::Brand* best = nullptr;
  const AgentName* best_name = nullptr;
  for (const ClientHints::Brand& brand : hints.brands) {
    auto known = rules_->brand_names().find(brand.name);
    if (known == rules_->brand_names().end()) continue;
    if (best_name != nullptr && telling(known->second.name) <= telling(best_name->name)) continue;
    best = &brand;
    best_name = &known->second;
  }
  if (best_name != nullptr &&
      (best_name->name == draft.browser ||
       (telling(draft.browser) < kTellingOfItsOwn && telling(best_name->name) > telling(draft.browser)))) {
    draft.browser = best_name->name;
    draft.browser_version = shown_version(best_name->version, best->version);
    draft.browser_reason = {AgentReason::From::hint, AgentList::browser, 0, "sec-ch-ua"};
  }

  if (hints.requested_with.empty() || telling(draft.browser) > telling("Chrome")) return;
  auto application = rules_->applications().find(hints.requested_with);
  if (application == rules_->applications().end() || application->second.name == draft.browser) return;
  draft.browser = application->second.name;
  draft.browser_version.clear();
  draft.browser_reason = {AgentReason::From::hint, AgentList::browser, 0, "x-requested-with"};
}

void UserAgents::read_os(Draft& draft, const ClientHints& hints) {
  const ParsedAgent& parsed = parser_.first(AgentList::os);
  Shown found = shown(rules_->os_names(), parsed.family(), AgentName::Version::significant);
  draft.os = found.name;
  if (!found.name.empty()) {
    draft.os_version = shown_version(found.version, parsed.major(), parsed.minor());
    draft.os_reason = reason_of(AgentList::os, parsed.rule);
  }

  if (hints.platform.empty() || !is_usual_os(draft.os)) return;
  Shown platform = shown(rules_->os_names(), hints.platform, AgentName::Version::significant);
  if (platform.name.empty() || !is_usual_os(platform.name)) return;
  if (platform.name != draft.os) {
    draft.os = platform.name;
    draft.os_version.clear();
    draft.os_reason = {AgentReason::From::hint, AgentList::os, 0, "sec-ch-ua-platform"};
  }
  std::string version = platform.name == "Windows" ? windows_version(hints.platform_version)
                                                   : shown_version(platform.version, hints.platform_version);
  if (version.empty()) return;
  draft.os_version = std::move(version);
  draft.os_reason = {AgentReason::From::hint, AgentList::os, 0, "sec-ch-ua-platform-version"};
}

void UserAgents::read_device(Draft& draft, const ClientHints& hints) {
  struct FormFactor {
    std::string_view name, device;
  };
  // Most telling first: a browser may name several.
  constexpr FormFactor kFormFactors[] = {{"Automotive", "car"}, {"XR", "wearable"},   {"Watch", "wearable"},
                                         {"EInk", "tablet"},    {"Tablet", "tablet"}, {"Mobile", "phone"},
                                         {"Desktop", "desktop"}};
  for (const FormFactor& factor : kFormFactors) {
    if (std::find(hints.form_factors.begin(), hints.form_factors.end(), factor.name) == hints.form_factors.end())
      continue;
    draft.device = factor.device;
    draft.device_reason = {AgentReason::From::hint, AgentList::type, 0, "sec-ch-ua-form-factors"};
    return;
  }

  const ParsedAgent& type = parser_.first(AgentList::type);
  draft.device = type.values[0].substr(0, kNameBytesMax);
  draft.device_reason = reason_of(AgentList::type, type.rule);
  if (type.rule == ParsedAgent::kNoRule) {
    // Phones from before smartphones, of which only the package knows the long list.
    const ParsedAgent& device = parser_.first(AgentList::device);
    if (device.family() == "Generic Feature Phone" || device.family() == "Generic Smartphone") {
      draft.device = "phone";
      draft.device_reason = reason_of(AgentList::device, device.rule);
    }
  }
  if (hints.mobile == ClientHints::Mobile::yes && (draft.device.empty() || draft.device == "desktop")) {
    draft.device = "phone";
    draft.device_reason = {AgentReason::From::hint, AgentList::type, 0, "sec-ch-ua-mobile"};
  }

  // Safari's version is that of the system it came with.
  if (draft.tablet_screen && draft.os == "macOS" && draft.browser == "Safari") {
    draft.os = "iPadOS";
    draft.os_version = draft.browser_version;
    draft.device = "tablet";
    draft.os_reason = draft.device_reason = {AgentReason::From::screen, AgentList::type, 0, {}};
  }
  // Its name since version 13.
  if (draft.os == "iOS" && draft.device == "tablet" && (draft.os_version.empty() || number_of(draft.os_version) >= 13))
    draft.os = "iPadOS";
}

}  // namespace weir::enrich
