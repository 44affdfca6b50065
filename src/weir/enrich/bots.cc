#include "weir/enrich/bots.h"

#include <fmt/format.h>
#include <re2/re2.h>
#include <re2/set.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <vector>

#include "weir/enrich/patterns.h"
#include "weir/enrich/text_lines.h"

namespace weir::enrich {

namespace {
using event::Traffic;

// Lists are read whole before they are believed: more entries, or longer ones, than any real list has is damage.
constexpr size_t kEntriesMax = 20'000;
constexpr size_t kEntryBytesMax = 2'000;

RE2::Options options(bool case_sensitive, int64_t memory_bytes) {
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);  // a byte that is no UTF-8 must not stop a match
  options.set_case_sensitive(case_sensitive);
  options.set_never_capture(true);
  options.set_max_mem(memory_bytes);
  return options;
}

Error corrupt(std::string message) { return {ErrorCode::kCorrupt, std::move(message)}; }

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::string_view capped(std::string_view user_agent) { return user_agent.substr(0, kUserAgentBytesMax); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return result;
}
}  // namespace

// ---------------------------------------------------------------------------------------------- our own table

struct AgentTable::State {
  std::vector<Agent> agents;
  std::unordered_map<std::string, size_t> by_token;  // in lower case
  std::unique_ptr<RE2> any;                          // captures the token
};

AgentTable::AgentTable(std::unique_ptr<State> state) : state_(std::move(state)) {}
AgentTable::~AgentTable() = default;

Result<std::shared_ptr<const AgentTable>> AgentTable::load(std::string_view text) {
  constexpr std::array<std::string_view, 4> kClasses = {"ai", "monitor", "library", "app"};
  auto state = std::make_unique<State>();
  std::vector<std::string> tokens;
  std::optional<Error> error;
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (line.empty() || line.front() == '#') return true;
    size_t blank = std::min(line.find_first_of(" \t"), line.size());
    size_t begin = std::min(line.find_first_not_of(" \t", blank), line.size());
    const auto* found = std::find(kClasses.begin(), kClasses.end(), line.substr(0, blank));
    std::string_view token = line.substr(begin);
    if (found == kClasses.end() || token.empty() || token.size() > kEntryBytesMax || tokens.size() == kEntriesMax) {
      error = corrupt(fmt::format("line {}: expected `ai`, `monitor`, `library` or `app` and a token", number));
      return false;
    }
    if (!state->by_token.emplace(lower(token), state->agents.size()).second) {
      error = corrupt(fmt::format("line {}: {} stands there twice", number, token));
      return false;
    }
    tokens.emplace_back(token);
    state->agents.push_back(
        {static_cast<Class>(found - kClasses.begin()), std::string(token), fmt::format("{}: {}", *found, token)});
    return true;
  });
  if (error) return *std::move(error);
  if (tokens.empty()) return corrupt("no line has a token");
  // Of those that begin at one place the longest, which leftmost-first matching finds when it comes first.
  std::sort(tokens.begin(), tokens.end(), [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  std::string pattern = "(?:^|[^a-z0-9])(";
  for (const std::string& token : tokens) {
    if (pattern.back() != '(') pattern.push_back('|');
    pattern += RE2::QuoteMeta(token);
  }
  pattern += ")(?:[^a-z]|$)";
  RE2::Options re2_options = options(false, 16 << 20);
  re2_options.set_never_capture(false);
  state->any = std::make_unique<RE2>(pattern, re2_options);
  if (!state->any->ok()) return corrupt(fmt::format("{} tokens are too many", tokens.size()));
  return std::shared_ptr<const AgentTable>(new AgentTable(std::move(state)));
}

const AgentTable::Agent* AgentTable::find(std::string_view user_agent) const {
  re2::StringPiece token;
  // Without a capture first: that is one pass of the automaton, and most user agents end there.
  re2::StringPiece text = piece(capped(user_agent));
  if (!RE2::PartialMatch(text, *state_->any) || !RE2::PartialMatch(text, *state_->any, &token)) return nullptr;
  auto found = state_->by_token.find(lower({token.data(), token.size()}));
  return found == state_->by_token.end() ? nullptr : &state_->agents[found->second];
}

size_t AgentTable::size() const { return state_->agents.size(); }

// ------------------------------------------------------------------------------------------------------ isbot

struct IsbotRules::State {
  std::unique_ptr<RE2> any;         // all that RE2 takes, as one
  std::unique_ptr<RE2::Set> which;  // the same one by one
  std::vector<size_t> rule_of;      // by their number in `which`
  struct LookAround {
    size_t rule;
    LookAroundPattern pattern;
  };
  std::vector<LookAround> look_around;
  std::vector<std::string> reasons;  // by rule
};

IsbotRules::IsbotRules(std::unique_ptr<State> state) : state_(std::move(state)) {}
IsbotRules::~IsbotRules() = default;

Result<std::shared_ptr<const IsbotRules>> IsbotRules::load(std::string_view text) {
  auto state = std::make_unique<State>();
  RE2::Options re2_options = options(false, 32 << 20);
  state->which = std::make_unique<RE2::Set>(re2_options, RE2::UNANCHORED);
  std::string all;
  std::optional<Error> error;
  for_each_line(text, [&](size_t number, std::string_view line) {
    if (line.empty()) return true;
    if (line.size() > kEntryBytesMax || state->reasons.size() == kEntriesMax) {
      error = corrupt(fmt::format("line {}: too long, or too many", number));
      return false;
    }
    std::string word = word_of(line);
    size_t rule = state->reasons.size();
    state->reasons.push_back(word.empty() ? "isbot: unusual form" : "isbot: " + word);
    if (RE2(piece(line), re2_options).ok()) {
      state->which->Add(piece(line), nullptr);
      state->rule_of.push_back(rule);
      all += fmt::format("{}(?:{})", all.empty() ? "" : "|", line);
      return true;
    }
    auto compiled = LookAroundPattern::compile(line, true);
    if (!compiled) {
      error = corrupt(fmt::format("line {}: no regular expression: {}", number, line.substr(0, 80)));
      return false;
    }
    state->look_around.push_back({rule, *std::move(compiled)});
    return true;
  });
  if (error) return *std::move(error);
  if (state->reasons.empty()) return corrupt("no line has a regular expression");
  state->any = std::make_unique<RE2>(all, re2_options);
  if (!state->any->ok() || !state->which->Compile())
    return corrupt(fmt::format("{} rules are too many", state->reasons.size()));
  return std::shared_ptr<const IsbotRules>(new IsbotRules(std::move(state)));
}

bool IsbotRules::matches(std::string_view user_agent) const {
  std::string_view text = capped(user_agent);
  if (!state_->rule_of.empty() && RE2::PartialMatch(piece(text), *state_->any)) return true;
  return std::any_of(state_->look_around.begin(), state_->look_around.end(),
                     [text](const State::LookAround& rule) { return rule.pattern.matches(text); });
}

std::string_view IsbotRules::reason(std::string_view user_agent) const {
  std::string_view text = capped(user_agent);
  size_t first = state_->reasons.size();
  std::vector<int> matched;
  if (!state_->rule_of.empty() && state_->which->Match(piece(text), &matched))
    for (int i : matched) first = std::min(first, state_->rule_of[static_cast<size_t>(i)]);
  for (const State::LookAround& rule : state_->look_around)
    if (rule.rule < first && rule.pattern.matches(text)) first = rule.rule;
  return first == state_->reasons.size() ? std::string_view{} : state_->reasons[first];
}

size_t IsbotRules::rules() const { return state_->reasons.size(); }
size_t IsbotRules::rules_with_look_around() const { return state_->look_around.size(); }

// --------------------------------------------------------------------------------------------------- crawlers

struct CrawlerList::State {
  struct Entry {
    Crawler crawler;
    int rank;  // AI before monitors before others
    size_t pattern_bytes;
  };
  std::vector<Entry> entries;
  std::unique_ptr<RE2::Set> set;
  UnixMillis newest = 0;
};

CrawlerList::CrawlerList(std::unique_ptr<State> state) : state_(std::move(state)) {}
CrawlerList::~CrawlerList() = default;

namespace {
CrawlerList::Crawler describe(std::string name, const std::vector<std::string_view>& tags) {
  auto has = [&tags](std::string_view tag) { return std::find(tags.begin(), tags.end(), tag) != tags.end(); };
  if (has("ai-crawler")) return {Traffic::ai_crawler, name, "ai: " + name};
  if (has("monitoring")) return {Traffic::monitor, name, "monitor: " + name};
  if (has("http-library")) return {Traffic::bot, name, "library: " + name};
  std::string reason = tags.empty() ? "crawler: " + name : fmt::format("crawler: {} ({})", name, tags.front());
  return {Traffic::bot, std::move(name), std::move(reason)};
}
}  // namespace

Result<std::shared_ptr<const CrawlerList>> CrawlerList::load(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (auto error = parser.parse(json.data(), json.size()).get(array))
    return corrupt(fmt::format("no JSON array: {}", simdjson::error_message(error)));
  auto state = std::make_unique<State>();
  state->set = std::make_unique<RE2::Set>(options(true, 64 << 20), RE2::UNANCHORED);
  for (simdjson::dom::element element : array) {
    std::string_view pattern;
    size_t number = state->entries.size();
    if (element["pattern"].get(pattern) || pattern.size() > kEntryBytesMax || number == kEntriesMax)
      return corrupt(fmt::format("entry {}: no pattern, or too long, or too many entries", number));
    std::string why;
    if (state->set->Add(piece(pattern), &why) < 0) return corrupt(fmt::format("entry {}: {}", number, why));
    std::vector<std::string_view> tags;
    simdjson::dom::array listed;
    if (!element["tags"].get(listed))
      for (simdjson::dom::element tag : listed)
        if (std::string_view name; !tag.get(name) && name.size() <= kEntryBytesMax) tags.push_back(name);
    std::string name = word_of(pattern);
    Crawler crawler = describe(name.empty() ? std::string(pattern) : std::move(name), tags);
    int rank = crawler.traffic == Traffic::ai_crawler ? 0 : crawler.traffic == Traffic::monitor ? 1 : 2;
    state->entries.push_back({std::move(crawler), rank, pattern.size()});
    if (std::string_view date; !element["addition_date"].get(date))
      state->newest = std::max(state->newest, parse_day(date));
  }
  if (state->entries.empty()) return corrupt("the array is empty");
  if (!state->set->Compile()) return corrupt(fmt::format("{} patterns are too many", state->entries.size()));
  return std::shared_ptr<const CrawlerList>(new CrawlerList(std::move(state)));
}

const CrawlerList::Crawler* CrawlerList::find(std::string_view user_agent) const {
  std::vector<int> matched;
  if (!state_->set->Match(piece(capped(user_agent)), &matched)) return nullptr;
  const State::Entry* best = nullptr;
  for (int i : matched) {
    const State::Entry& entry = state_->entries[static_cast<size_t>(i)];
    if (best == nullptr || entry.rank < best->rank ||
        (entry.rank == best->rank && entry.pattern_bytes > best->pattern_bytes))
      best = &entry;
  }
  return best == nullptr ? nullptr : &best->crawler;
}

size_t CrawlerList::size() const { return state_->entries.size(); }
UnixMillis CrawlerList::newest() const { return state_->newest; }

// --------------------------------------------------------------------------------------------------- together

Bots::Bots(std::shared_ptr<const AgentTable> agents, std::shared_ptr<const IsbotRules> isbot,
           std::shared_ptr<const CrawlerList> crawlers)
    : agents_(std::move(agents)), isbot_(std::move(isbot)), crawlers_(std::move(crawlers)) {}

Verdict Bots::verdict(std::string_view user_agent) const {
  if (user_agent.empty()) return {};
  if (const AgentTable::Agent* agent = agents_ ? agents_->find(user_agent) : nullptr) {
    switch (agent->of) {
      case AgentTable::Class::ai:
        return {Traffic::ai_crawler, agent->name, agent->reason};
      case AgentTable::Class::monitor:
        return {Traffic::monitor, agent->name, agent->reason};
      case AgentTable::Class::library:
        return {Traffic::bot, agent->name, agent->reason};
      case AgentTable::Class::app:
        return {Traffic::human, agent->name, {}};
    }
  }
  if (isbot_ && !isbot_->matches(user_agent)) return {};
  if (const CrawlerList::Crawler* crawler = crawlers_ ? crawlers_->find(user_agent) : nullptr)
    return {crawler->traffic, crawler->name, crawler->reason};
  if (!isbot_) return {};
  return {Traffic::bot, {}, isbot_->reason(user_agent)};
}

}  // namespace weir::enrich
