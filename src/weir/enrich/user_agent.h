#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "weir/enrich/user_agent_rules.h"

namespace weir::enrich {

struct ClientHints;

// What decided one of an agent's columns.
struct AgentReason {
  enum class From : uint8_t { nothing, rules, overlay, hint, screen };
  From from = From::nothing;
  AgentList list = AgentList::browser;  // rules, overlay: which list
  uint32_t index = 0;                   // and which of its rules in that file
  std::string_view hint;                // hint: the header, a static text

  // "overlay.yaml: user_agent_parsers[3]", "sec-ch-ua-platform-version"; empty for nothing.
  std::string text() const;
};

// Who sent an event, as the columns of a row want it. Names are those that people use (Chrome, Samsung Internet, macOS,
// iPadOS); what is unknown is empty. Versions have the numbers that matter: "147" of Chrome, "17.4" of Safari, "10.15"
// of macOS, "14" of Android. They are what the client says: without hints, browsers stopped at Windows "10" (for 10
// and 11), macOS "10.15" (for all since) and, with the model K, Android "10".
//
// device is one of
//   desktop    computers with a keyboard
//   phone      smartphones, feature phones
//   tablet     tablets, e-book readers that browse
//   tv         televisions, boxes and sticks behind them
//   console    game consoles, also those in the hand
//   wearable   watches, glasses, headsets
//   car        what is built into cars
//   other      known to be something else: speakers, displays, cameras, players
//   (empty)    unknown; programs; bots, which the column traffic tells
struct Agent {
  std::string_view browser;
  std::string_view browser_version;
  std::string_view os;
  std::string_view os_version;
  std::string_view device;
  AgentReason browser_reason, os_reason, device_reason;
};

struct UserAgentOptions {
  size_t entries_max = 4096;
  size_t bytes_max = 4 * 1024 * 1024;
};

// Finds agents, and remembers those last asked for: who sends a new user agent each time costs one reading each, and no
// memory beyond the options.
//
// Confined to one thread; the rules are shared.
class UserAgents {
 public:
  // What is longer than these is cut (the user agent) or ignored (hints).
  static constexpr size_t kUserAgentBytesMax = 512;
  static constexpr size_t kHintsBytesMax = 2048;

  explicit UserAgents(std::shared_ptr<const UserAgentRules> rules, const UserAgentOptions& options = {});
  ~UserAgents();

  // `hints`: a JSON object of header names in lower case and their values (sec-ch-ua*, x-requested-with), or empty.
  // `screen`: WIDTHxHEIGHT in CSS pixels, or empty; tells an iPad that calls itself a Mac.
  // The agent and its texts (valid UTF-8 if the arguments are) stay valid until the next call.
  const Agent& find(std::string_view user_agent, std::string_view hints = {}, std::string_view screen = {});

  size_t entries() const { return entries_.size(); }
  size_t bytes() const { return bytes_; }
  uint64_t hits() const { return hits_; }
  uint64_t misses() const { return misses_; }

 private:
  struct Entry {
    uint64_t hash;
    bool tablet_screen;
    std::string user_agent;
    std::string hints;
    std::string texts;  // what `agent` points into
    Agent agent;
  };
  struct Draft;

  static size_t bytes_of(const Entry& entry);
  void describe(Entry& entry);
  void read_browser(Draft& draft, const ClientHints& hints);
  void read_os(Draft& draft, const ClientHints& hints);
  void read_device(Draft& draft, const ClientHints& hints);
  AgentReason reason_of(AgentList list, size_t rule) const;

  std::shared_ptr<const UserAgentRules> rules_;
  UserAgentOptions options_;
  UserAgentParser parser_;
  std::list<Entry> entries_;  // the last used first
  std::unordered_map<uint64_t, std::list<Entry>::iterator> by_hash_;
  size_t bytes_ = 0;
  uint64_t hits_ = 0;
  uint64_t misses_ = 0;
};

}  // namespace weir::enrich
