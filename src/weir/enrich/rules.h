#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/base/ids.h"
#include "weir/event/row.h"
#include "weir/settings/settings.h"

namespace weir::enrich {

// What the rules look at. Absent: empty, and fits no rule.
struct TrafficQuestion {
  ProjectId project{};
  std::string_view ip = {};        // the visitor's address in clear
  std::string_view hostname = {};  // lower-case
  std::string_view referrer = {};  // as the client gave it
  std::string_view path = {};
  std::string_view user_agent = {};
};

struct TrafficVerdict {
  event::Traffic traffic = event::Traffic::human;
  std::string_view reason;  // `rule: address 10.0.0.0/8 (office)`; lives as long as the rules
};

// The operator's rules about traffic (settings::TrafficRule), ready to be held against events. Immutable; make new ones
// when the settings' snapshot changed.
class Rules {
 public:
  // Copies what it needs.
  explicit Rules(const settings::Snapshot& snapshot);

  // Of the rules that fit, the oldest of the project's own counts; else the oldest of those for all projects.
  std::optional<TrafficVerdict> verdict(const TrafficQuestion& question) const;

 private:
  struct Rule {
    settings::RuleKind kind = settings::RuleKind::address;
    size_t star = std::string::npos;       // where the first `*` stands
    size_t last_star = std::string::npos;  // and the last
    std::string value;                     // without the `*.` of a host, without a slash at the end of a path
    event::Traffic traffic = event::Traffic::human;
    std::string reason;
  };
  struct NetworkRule {
    std::array<uint64_t, 2> bits{}, mask{};
    size_t rule = 0;
  };
  // The rules of one project, or of all.
  struct Group {
    std::vector<Rule> rules;
    std::vector<NetworkRule> networks;
    std::vector<size_t> others;  // those that are no networks
    // Pairs of bytes, one of which stands at an even place in each user agent that a rule fits. Empty when the rules
    // are so few that asking each is quicker.
    std::vector<uint64_t> agent_pairs;
  };
  struct Facts;
  static void add(const settings::TrafficRule& rule, Group& group);
  static void index_agents(Group& group);
  static const Rule* first_match(const Group& group, Facts& facts);
  static bool fits(const Rule& rule, Facts& facts);

  Group general_;
  std::unordered_map<ProjectId, Group> own_;
};

}  // namespace weir::enrich
