#include "weir/enrich/regex_lists.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <re2/filtered_re2.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

namespace weir::enrich {

namespace {
// Shorter pieces are in every text and tell nothing.
constexpr int kAtomBytesMin = 3;
// More requirements than these of one expression are not looked at; the third seldom excludes what two let through.
constexpr size_t kClausesMax = 3;
// Steps of one expression over one text, as PCRE2 counts them. uap-core's own tests need more than 1,000, fewer than
// 4,000. `botAndroid` over and over, 512 bytes of it, takes 0.1 ms with all lists; the worst mix found of words that
// stand in the rules 0.3 ms, most of it in one expression of 130 alternatives.
constexpr uint32_t kMatchLimit = 4'000;
constexpr size_t kJitStackBytes = 128 * 1024;

using Clause = std::vector<uint32_t>;  // atoms of which at least one must be in the text

struct CodeFree {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
using Code = std::unique_ptr<pcre2_code, CodeFree>;

uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? static_cast<uint8_t>(c | 0x20) : c; }

// What an expression requires, as a conjunction of clauses; empty: nothing is known.
//
// RE2 works out which pieces an expression cannot do without, but keeps the formula to itself, inside an object that
// holds the compiled expressions and tens of megabytes for all of ours. The formula is monotone, so that asking it a
// few times gives clauses which it implies: starting with all atoms, each atom goes whose presence alone cannot make
// the formula true.
std::vector<std::vector<std::string>> required(const RegexLists::Regex& regex) {
  re2::RE2::Options options;
  options.set_encoding(re2::RE2::Options::EncodingLatin1);
  options.set_case_sensitive(!regex.ignore_case);
  options.set_log_errors(false);
  re2::FilteredRE2 filter(kAtomBytesMin);
  int id = 0;
  // What RE2 does not take (look-around, say) is tried on every text.
  if (filter.Add(regex.pattern, options, &id) != re2::RE2::NoError) return {};
  std::vector<std::string> atoms;
  filter.Compile(&atoms);
  std::vector<int> passed;
  auto possible = [&](const std::vector<int>& present) {
    filter.AllPotentials(present, &passed);
    return !passed.empty();
  };
  if (atoms.empty() || possible({})) return {};

  std::vector<bool> used(atoms.size());
  std::vector<std::vector<std::string>> clauses;
  while (clauses.size() < kClausesMax) {
    // Those of earlier clauses go first, then the short ones: long pieces are rare in texts.
    std::vector<int> order(atoms.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      if (used[a] != used[b]) return static_cast<bool>(used[a]);
      return atoms[a].size() < atoms[b].size();
    });
    std::vector<int> outside;
    std::vector<int> clause;
    for (int atom : order) {
      outside.push_back(atom);
      if (!possible(outside)) continue;
      outside.pop_back();
      clause.push_back(atom);
    }
    if (std::all_of(clause.begin(), clause.end(), [&](int atom) { return static_cast<bool>(used[atom]); })) break;
    std::vector<std::string> texts;
    for (int atom : clause) {
      used[atom] = true;
      texts.push_back(atoms[atom]);
    }
    clauses.push_back(std::move(texts));
  }
  return clauses;
}

// Finds which of many pieces are in a text, whatever the case of ASCII letters (Aho and Corasick, 1975).
class Pieces {
 public:
  void build(const std::vector<std::string>& pieces) {
    std::array<bool, 256> occurs{};
    for (const std::string& piece : pieces)
      for (char c : piece) occurs[static_cast<uint8_t>(c)] = true;
    for (size_t c = 0; c < 256; ++c)
      if (occurs[c]) class_of_[c] = static_cast<uint16_t>(classes_++);
    for (size_t c = 'A'; c <= 'Z'; ++c) class_of_[c] = class_of_[lower(static_cast<uint8_t>(c))];

    add_state();
    std::vector<std::vector<uint32_t>> ends(1);
    for (uint32_t id = 0; id < pieces.size(); ++id) {
      uint32_t state = 0;
      for (char c : pieces[id]) {
        size_t edge = state * classes_ + class_of_[static_cast<uint8_t>(c)];
        if (next_[edge] == 0) {
          next_[edge] = add_state();
          ends.emplace_back();
        }
        state = next_[edge];
      }
      ends[state].push_back(id);
    }
    // Breadth first, so that the state behind a failure is complete when it is copied from.
    std::vector<uint32_t> failure(ends.size());
    std::vector<uint32_t> queue{0};
    for (size_t at = 0; at < queue.size(); ++at) {
      uint32_t state = queue[at];
      const auto& behind = ends[failure[state]];
      if (state != 0) ends[state].insert(ends[state].end(), behind.begin(), behind.end());
      for (size_t c = 0; c < classes_; ++c) {
        uint32_t& to = next_[state * classes_ + c];
        uint32_t fallback = state == 0 ? 0 : next_[failure[state] * classes_ + c];
        if (to == 0) {
          to = fallback;
        } else {
          failure[to] = fallback;
          queue.push_back(to);
        }
      }
    }
    first_end_.reserve(ends.size() + 1);
    for (const auto& ids : ends) {
      first_end_.push_back(static_cast<uint32_t>(ends_.size()));
      ends_.insert(ends_.end(), ids.begin(), ids.end());
    }
    first_end_.push_back(static_cast<uint32_t>(ends_.size()));
    next_.shrink_to_fit();
  }

  template <class Found>
  void scan(std::string_view text, Found&& found) const {
    uint32_t state = 0;
    for (char c : text) {
      state = next_[state * classes_ + class_of_[static_cast<uint8_t>(c)]];
      for (uint32_t i = first_end_[state]; i < first_end_[state + 1]; ++i) found(ends_[i]);
    }
  }

 private:
  uint32_t add_state() {
    next_.resize(next_.size() + classes_);
    return static_cast<uint32_t>(next_.size() / classes_ - 1);
  }

  std::array<uint16_t, 256> class_of_{};  // 0: in no piece
  size_t classes_ = 1;
  std::vector<uint32_t> next_;       // [state * classes_ + class]
  std::vector<uint32_t> first_end_;  // the pieces that end in a state: ends_[first_end_[state] ...]
  std::vector<uint32_t> ends_;
};

// Lists of numbers by number, in one piece of memory.
struct Table {
  std::vector<uint32_t> first{0};
  std::vector<uint32_t> values;
  void add(const std::vector<uint32_t>& row) {
    values.insert(values.end(), row.begin(), row.end());
    first.push_back(static_cast<uint32_t>(values.size()));
  }
  const uint32_t* begin(size_t row) const { return values.data() + first[row]; }
  const uint32_t* end(size_t row) const { return values.data() + first[row + 1]; }
};
}  // namespace

struct RegexLists::State {
  std::vector<uint32_t> list_begin;  // the number of each list's first expression; one more at the end
  std::vector<Code> codes;           // by number; null: does not compile
  Pieces pieces;
  Table rules_of_atom;    // the expressions whose rarest clause holds the atom
  Table clauses_of_rule;  // what else they require
  Table atoms_of_clause;
  std::vector<uint32_t> open;  // expressions without a requirement
  size_t atoms = 0;
};

RegexLists::RegexLists(const std::vector<std::vector<Regex>>& lists, std::vector<Failure>& failures)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  std::vector<std::string> atoms;
  std::unordered_map<std::string, uint32_t> ids;
  std::vector<std::vector<Clause>> clauses;  // by expression
  std::vector<uint32_t> uses;                // by atom
  for (size_t list = 0; list < lists.size(); ++list) {
    s.list_begin.push_back(static_cast<uint32_t>(s.codes.size()));
    for (size_t index = 0; index < lists[list].size(); ++index) {
      const Regex& regex = lists[list][index];
      int error = 0;
      size_t offset = 0;
      Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(regex.pattern.data()), regex.pattern.size(),
                              regex.ignore_case ? PCRE2_CASELESS : 0, &error, &offset, nullptr));
      clauses.emplace_back();
      if (code == nullptr) {
        char message[256];
        pcre2_get_error_message(error, reinterpret_cast<PCRE2_UCHAR*>(message), sizeof message);
        failures.push_back({list, index, std::string(message) + " at byte " + std::to_string(offset)});
        s.codes.push_back(nullptr);
        continue;
      }
      // Where the system forbids making machine code, PCRE2 interprets: slower, the same answers.
      pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);
      s.codes.push_back(std::move(code));
      for (const std::vector<std::string>& texts : required(regex)) {
        Clause& clause = clauses.back().emplace_back();
        for (const std::string& text : texts) {
          auto [at, fresh] = ids.emplace(text, static_cast<uint32_t>(atoms.size()));
          if (fresh) {
            atoms.push_back(text);
            uses.push_back(0);
          }
          ++uses[at->second];
          clause.push_back(at->second);
        }
      }
      if (clauses.back().empty()) s.open.push_back(static_cast<uint32_t>(s.codes.size() - 1));
    }
  }
  s.list_begin.push_back(static_cast<uint32_t>(s.codes.size()));

  // Atoms that many expressions use are those of many texts.
  std::vector<std::vector<uint32_t>> rules_of_atom(atoms.size());
  auto commonness = [&](const Clause& clause) {
    return std::accumulate(clause.begin(), clause.end(), uint64_t{0},
                           [&](uint64_t sum, uint32_t atom) { return sum + uses[atom]; });
  };
  for (uint32_t rule = 0; rule < clauses.size(); ++rule) {
    std::vector<uint32_t> others;
    auto rarest = std::min_element(clauses[rule].begin(), clauses[rule].end(),
                                   [&](const Clause& a, const Clause& b) { return commonness(a) < commonness(b); });
    for (auto clause = clauses[rule].begin(); clause != clauses[rule].end(); ++clause) {
      if (clause == rarest) {
        for (uint32_t atom : *clause) rules_of_atom[atom].push_back(rule);
      } else {
        others.push_back(static_cast<uint32_t>(s.atoms_of_clause.first.size() - 1));
        s.atoms_of_clause.add(*clause);
      }
    }
    s.clauses_of_rule.add(others);
  }
  for (const auto& rules : rules_of_atom) s.rules_of_atom.add(rules);
  s.atoms = atoms.size();
  s.pieces.build(atoms);
}

RegexLists::~RegexLists() = default;

struct RegexMatcher::State {
  std::string_view text;
  uint32_t turn = 0;
  std::vector<uint32_t> atom_turn;  // the last text that held the atom
  std::vector<uint32_t> rule_turn;  // the last text that made the expression a candidate
  std::vector<uint32_t> found;
  std::vector<uint32_t> candidates;  // in the lists' order
  int groups = 0;

  pcre2_match_data* data = pcre2_match_data_create(kGroups, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(16 * 1024, kJitStackBytes, nullptr);

  State() {
    WEIR_CHECK(data != nullptr && context != nullptr && stack != nullptr);
    pcre2_set_match_limit(context, kMatchLimit);
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~State() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

RegexMatcher::RegexMatcher(const RegexLists& lists) : lists_(lists), state_(std::make_unique<State>()) {
  state_->atom_turn.resize(lists.state_->atoms);
  state_->rule_turn.resize(lists.state_->codes.size());
}

RegexMatcher::~RegexMatcher() = default;

void RegexMatcher::scan(std::string_view text) {
  State& s = *state_;
  const RegexLists::State& lists = *lists_.state_;
  s.text = text;
  s.groups = 0;
  if (++s.turn == 0) {  // after 2^32 texts
    std::fill(s.atom_turn.begin(), s.atom_turn.end(), 0);
    std::fill(s.rule_turn.begin(), s.rule_turn.end(), 0);
    s.turn = 1;
  }
  s.found.clear();
  lists.pieces.scan(text, [&](uint32_t atom) {
    if (s.atom_turn[atom] == s.turn) return;
    s.atom_turn[atom] = s.turn;
    s.found.push_back(atom);
  });
  s.candidates.assign(lists.open.begin(), lists.open.end());
  auto present = [&](uint32_t clause) {
    return std::any_of(lists.atoms_of_clause.begin(clause), lists.atoms_of_clause.end(clause),
                       [&](uint32_t atom) { return s.atom_turn[atom] == s.turn; });
  };
  for (uint32_t atom : s.found) {
    for (const uint32_t* rule = lists.rules_of_atom.begin(atom); rule != lists.rules_of_atom.end(atom); ++rule) {
      if (s.rule_turn[*rule] == s.turn) continue;
      s.rule_turn[*rule] = s.turn;
      if (std::all_of(lists.clauses_of_rule.begin(*rule), lists.clauses_of_rule.end(*rule), present))
        s.candidates.push_back(*rule);
    }
  }
  std::sort(s.candidates.begin(), s.candidates.end());
}

size_t RegexMatcher::first(size_t list) {
  State& s = *state_;
  const RegexLists::State& lists = *lists_.state_;
  auto rule = std::lower_bound(s.candidates.begin(), s.candidates.end(), lists.list_begin[list]);
  for (; rule != s.candidates.end() && *rule < lists.list_begin[list + 1]; ++rule) {
    s.groups = pcre2_match(lists.codes[*rule].get(), reinterpret_cast<PCRE2_SPTR>(s.text.data()), s.text.size(), 0, 0,
                           s.data, s.context);
    if (s.groups == 0) s.groups = kGroups;  // more groups than there is room for
    if (s.groups > 0) return *rule - lists.list_begin[list];
  }
  s.groups = 0;
  return kNone;
}

std::string_view RegexMatcher::group(size_t number) const {
  const State& s = *state_;
  if (static_cast<int>(number) >= s.groups) return {};
  const size_t* offsets = pcre2_get_ovector_pointer(s.data);
  if (offsets[2 * number] == PCRE2_UNSET) return {};
  return s.text.substr(offsets[2 * number], offsets[2 * number + 1] - offsets[2 * number]);
}

}  // namespace weir::enrich
