#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"
#include "weir/event/row.h"

// Who is no visitor: bots, AI crawlers, monitors and other programs, told by their user agents.
namespace weir::enrich {

// No more of a user agent is looked at. The mean of real ones is 126 bytes.
inline constexpr size_t kUserAgentBytesMax = 512;

// Our own table (data/bots/agents.txt): names that the lists of others do not know, or know as something else.
// Immutable.
class AgentTable {
 public:
  enum class Class : uint8_t { ai, monitor, library, app };
  struct Agent {
    Class of;
    std::string name;
    std::string reason;  // "ai: GPTBot"
  };
  // The file's comment says how it is written. Errors: kCorrupt (names the line).
  static Result<std::shared_ptr<const AgentTable>> load(std::string_view text);
  ~AgentTable();
  // The one whose token stands leftmost in `user_agent`; null when there is none.
  const Agent* find(std::string_view user_agent) const;
  size_t size() const;

 private:
  struct State;
  explicit AgentTable(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// isbot's list, one regular expression a line, all without regard to case: whether a user agent is a bot's. Those that
// RE2 takes are one automaton; those with look-around run in PCRE2's JIT. Immutable.
class IsbotRules {
 public:
  // Errors: kCorrupt (an expression that neither engine takes; names the line).
  static Result<std::shared_ptr<const IsbotRules>> load(std::string_view text);
  ~IsbotRules();
  bool matches(std::string_view user_agent) const;
  // "isbot: crawl" for the first rule of the list that matches; empty when none does.
  std::string_view reason(std::string_view user_agent) const;
  size_t rules() const;
  size_t rules_with_look_around() const;  // those in PCRE2

 private:
  struct State;
  explicit IsbotRules(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// crawler-user-agents.json: names crawlers and says what they are for. Immutable.
class CrawlerList {
 public:
  struct Crawler {
    event::Traffic traffic;
    std::string name;    // "Googlebot"
    std::string reason;  // "crawler: Googlebot (search-engine)"
  };
  // Errors: kCorrupt (says which entry).
  static Result<std::shared_ptr<const CrawlerList>> load(std::string_view json);
  ~CrawlerList();
  // Of those that match, an AI crawler before a monitor before others, then the one with the longest pattern; null
  // when none does.
  const Crawler* find(std::string_view user_agent) const;
  size_t size() const;
  // The youngest entry's date; 0 when no entry has one.
  UnixMillis newest() const;

 private:
  struct State;
  explicit CrawlerList(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct Verdict {
  event::Traffic traffic = event::Traffic::human;
  std::string_view name;    // "Googlebot"; empty when it is nobody known by name
  std::string_view reason;  // for people; empty for a human
};

// The three together: our table decides first, then isbot; what isbot flags is named and classified by the list of
// crawlers. Each may be absent (null), and then knows nothing; without isbot the list of crawlers decides. Thread-safe.
//
// Reasons: "ai: NAME", "monitor: NAME", "library: NAME" (a server's SDK or an HTTP client, whose user agent is not that
// of a visitor), "crawler: NAME (CLASS)", "isbot: WORD". There are as many as the lists have entries: nothing a
// stranger sends gets into them.
//
// An absent user agent is human: it may be one that could not be opened any more, and no evidence is none of a bot.
// What a look costs does not depend on tricks: see docs/benchmarks.md.
class Bots {
 public:
  Bots() = default;
  Bots(std::shared_ptr<const AgentTable> agents, std::shared_ptr<const IsbotRules> isbot,
       std::shared_ptr<const CrawlerList> crawlers);
  // The verdict's texts live as long as the lists.
  Verdict verdict(std::string_view user_agent) const;

 private:
  std::shared_ptr<const AgentTable> agents_;
  std::shared_ptr<const IsbotRules> isbot_;
  std::shared_ptr<const CrawlerList> crawlers_;
};

}  // namespace weir::enrich
