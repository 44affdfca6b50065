#include "weir/enrich/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "weir/base/address.h"
#include "weir/event/url.h"

namespace weir::enrich {

namespace {
using settings::RuleKind;
using settings::RuleLabel;

event::Traffic traffic_of(RuleLabel label) {
  switch (label) {
    case RuleLabel::internal:
      return event::Traffic::internal;
    case RuleLabel::spam:
      return event::Traffic::spam;
    case RuleLabel::bot:
      return event::Traffic::bot;
  }
  return event::Traffic::human;
}

// Most rules do not fit, and most show it at one byte: looked at before the call that compares the rest.
bool ends_with(std::string_view text, std::string_view tail) {
  return text.size() >= tail.size() && text[text.size() - tail.size()] == tail.front() && text.ends_with(tail);
}
bool starts_with(std::string_view text, std::string_view head) {
  return text.size() >= head.size() && text[head.size() - 1] == head.back() && text.starts_with(head);
}

bool is_at_or_below(std::string_view host, std::string_view parent) {
  return ends_with(host, parent) && (host.size() == parent.size() || host[host.size() - parent.size() - 1] == '.');
}

// That path, and what lies below it. `top` does not end in a slash.
bool is_path_at_or_below(std::string_view path, std::string_view top) {
  return top.empty() || (starts_with(path, top) && (path.size() == top.size() || path[top.size()] == '/'));
}

// Each `*` of `pattern`, the first at `first`, the last at `last`, stands for any text, none included.
bool matches(std::string_view pattern, size_t first, size_t last, std::string_view text) {
  std::string_view tail = pattern.substr(last + 1);
  if (text.size() < first + tail.size() || (!tail.empty() && !ends_with(text, tail)) ||
      (first > 0 && !starts_with(text, pattern.substr(0, first))))
    return false;
  text = text.substr(first, text.size() - first - tail.size());
  // What stands between stars is wanted in this order; the earliest place of each leaves the most for the next.
  for (size_t star = first; star < last;) {
    size_t next = pattern.find('*', star + 1);
    std::string_view piece = pattern.substr(star + 1, next - star - 1);
    size_t at = text.find(piece);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at + piece.size());
    star = next;
  }
  return true;
}

std::array<uint64_t, 2> halves(const Address& address) {
  std::array<uint64_t, 2> out{};
  std::memcpy(out.data(), address.bytes.data(), sizeof out);
  return out;
}

// What is in most user agents, and so does not tell them apart.
constexpr std::string_view kUsualAgents =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/123.0.0.0 Safari/537.36 "
    "Edg/ Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) Version/26.6 Mobile/15E148 Mozilla/5.0 (Linux; "
    "Android "
    "10; K) Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7; rv:142.0) Gecko/20100101 Firefox/142.0";
constexpr size_t kFewAgents = 3;

size_t pair_at(std::string_view text, size_t i) {
  return static_cast<size_t>(static_cast<unsigned char>(text[i])) << 8 | static_cast<unsigned char>(text[i + 1]);
}
bool has(const std::vector<uint64_t>& pairs, size_t pair) { return (pairs[pair / 64] >> (pair % 64) & 1) != 0; }
void set(std::vector<uint64_t>& pairs, size_t pair) { pairs[pair / 64] |= uint64_t{1} << (pair % 64); }

bool may_fit(const std::vector<uint64_t>& pairs, std::string_view agent) {
  for (size_t i = 0; i + 1 < agent.size(); i += 2)
    if (has(pairs, pair_at(agent, i))) return true;
  return false;
}
}  // namespace

// A question, and what is read of it once.
struct Rules::Facts {
  explicit Facts(const TrafficQuestion& asked) : question(asked) {}

  const TrafficQuestion& question;
  bool address_read = false;
  std::optional<Address> address;
  bool referrer_read = false;
  std::string_view referrer_host;
  char lower_host[256];

  const std::optional<Address>& read_address() {
    Address read;
    if (!address_read && parse_address(question.ip, read)) address = read;
    address_read = true;
    return address;
  }

  std::string_view read_referrer_host() {
    if (referrer_read) return referrer_host;
    referrer_read = true;
    std::string_view host = event::split_url(question.referrer).hostname;
    if (host.size() > sizeof lower_host) return referrer_host;
    std::transform(host.begin(), host.end(), lower_host,
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    referrer_host = {lower_host, host.size()};
    return referrer_host;
  }
};

Rules::Rules(const settings::Snapshot& snapshot) {
  for (const settings::TrafficRule& rule : snapshot.traffic_rules())
    add(rule, rule.project ? own_[*rule.project] : general_);
  index_agents(general_);
  for (auto& [project, group] : own_) index_agents(group);
}

void Rules::add(const settings::TrafficRule& rule, Group& group) {
  Rule made;
  made.kind = rule.kind;
  made.value = rule.value;
  made.traffic = traffic_of(rule.label);
  made.reason = fmt::format("rule: {} {}", name_of(rule.kind), rule.value);
  if (!rule.note.empty()) made.reason += fmt::format(" ({})", rule.note);
  if (rule.kind == RuleKind::address) {
    Network network;
    if (!parse_network(rule.value, network)) return;
    Address mask;
    for (unsigned bit = 0; bit < network.bits; ++bit) mask.bytes[bit / 8] |= static_cast<uint8_t>(0x80U >> (bit % 8));
    group.networks.push_back({halves(network.whole().address), halves(mask), group.rules.size()});
  } else {
    group.others.push_back(group.rules.size());
  }
  made.star = rule.value.find('*');
  made.last_star = rule.value.rfind('*');
  if (rule.kind == RuleKind::hostname && made.star == 0) made.value.erase(0, 2);
  if (rule.kind == RuleKind::path && made.star == std::string::npos && made.value.ends_with('/')) made.value.pop_back();
  group.rules.push_back(std::move(made));
}

// Of each value's two neighbouring pairs one stands at an even place of the text, wherever the value does. So half of
// the text's pairs are looked at once, for all rules.
void Rules::index_agents(Group& group) {
  auto is_agent = [](const Rule& rule) { return rule.kind == RuleKind::user_agent && rule.value.size() >= 3; };
  auto agents = std::count_if(group.rules.begin(), group.rules.end(), is_agent);
  if (agents <= static_cast<ptrdiff_t>(kFewAgents)) return;
  std::vector<uint64_t> usual(65'536 / 64);
  for (size_t i = 0; i + 1 < kUsualAgents.size(); ++i) set(usual, pair_at(kUsualAgents, i));
  group.agent_pairs.resize(65'536 / 64);
  for (const Rule& rule : group.rules) {
    if (!is_agent(rule)) continue;
    size_t from = 0;
    for (size_t i = 0; i + 2 < rule.value.size(); ++i) {
      if (has(usual, pair_at(rule.value, i)) || has(usual, pair_at(rule.value, i + 1))) continue;
      from = i;
      break;
    }
    set(group.agent_pairs, pair_at(rule.value, from));
    set(group.agent_pairs, pair_at(rule.value, from + 1));
  }
}

std::optional<TrafficVerdict> Rules::verdict(const TrafficQuestion& question) const {
  if (general_.rules.empty() && own_.empty()) return std::nullopt;
  Facts facts(question);
  const Rule* found = nullptr;
  if (auto own = own_.find(question.project); own != own_.end()) found = first_match(own->second, facts);
  if (found == nullptr) found = first_match(general_, facts);
  if (found == nullptr) return std::nullopt;
  return TrafficVerdict{found->traffic, found->reason};
}

const Rules::Rule* Rules::first_match(const Group& group, Facts& facts) {
  size_t found = group.rules.size();
  if (!group.networks.empty() && facts.read_address()) {
    std::array<uint64_t, 2> ip = halves(*facts.address);
    for (const NetworkRule& network : group.networks) {
      if (((ip[0] & network.mask[0]) ^ network.bits[0]) != 0 || ((ip[1] & network.mask[1]) ^ network.bits[1]) != 0)
        continue;
      found = network.rule;
      break;
    }
  }
  bool no_agent = !group.agent_pairs.empty() && !may_fit(group.agent_pairs, facts.question.user_agent);
  for (size_t i : group.others) {
    if (i > found) break;
    const Rule& rule = group.rules[i];
    if (no_agent && rule.kind == RuleKind::user_agent) continue;
    if (fits(rule, facts)) return &rule;
  }
  return found == group.rules.size() ? nullptr : &group.rules[found];
}

// Of any kind but networks.
bool Rules::fits(const Rule& rule, Facts& facts) {
  const TrafficQuestion& q = facts.question;
  switch (rule.kind) {
    case RuleKind::address:
      return false;
    case RuleKind::hostname:
      if (rule.star != 0) return q.hostname == rule.value;
      return q.hostname.size() > rule.value.size() && is_at_or_below(q.hostname, rule.value);
    case RuleKind::referrer:
      return is_at_or_below(facts.read_referrer_host(), rule.value);
    case RuleKind::path:
      if (q.path.empty()) return false;
      return rule.star == std::string::npos ? is_path_at_or_below(q.path, rule.value)
                                            : matches(rule.value, rule.star, rule.last_star, q.path);
    case RuleKind::user_agent:
      return q.user_agent.find(rule.value) != std::string_view::npos;
  }
  return false;
}

}  // namespace weir::enrich
