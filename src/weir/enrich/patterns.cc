#include "weir/enrich/patterns.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cctype>

namespace weir::enrich {

namespace {
// Steps before a match is given up. The rules of isbot take a few hundred on 512 bytes of the worst.
constexpr uint32_t kMatchLimit = 20'000;

// A thread's memory for a match: making it costs more than most matches.
struct Scratch {
  Scratch() : data(pcre2_match_data_create(1, nullptr)), context(pcre2_match_context_create(nullptr)) {
    pcre2_set_match_limit(context, kMatchLimit);
  }
  ~Scratch() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  pcre2_match_data* data;
  pcre2_match_context* context;
};

// Finds the pieces of plain text in an expression.
class Words {
 public:
  explicit Words(std::string_view pattern) : pattern_(pattern) {}

  std::string longest() {
    while (at_ < pattern_.size()) step();
    keep();
    return std::move(best_);
  }

 private:
  void step() {
    char c = pattern_[at_++];
    switch (c) {
      case '\\':
        escape();
        break;
      case '[':
        character_class();
        break;
      case '(':
        group();
        break;
      case ')':  // of a group whose first alternative was taken
      case '^':
      case '$':
      case '+':
        break;
      case '?':
      case '*':
        if (!word_.empty()) word_.pop_back();
        break;
      case '{':
        at_ = std::min(pattern_.find('}', at_), pattern_.size() - 1) + 1;
        keep();
        break;
      case '|':
        if (depth_ > 0)
          leave_group();
        else
          keep();
        break;
      case '.':
        keep();
        break;
      default:
        word_.push_back(c);
    }
  }

  void escape() {
    if (at_ == pattern_.size()) return;
    char c = pattern_[at_++];
    if (std::isalnum(static_cast<unsigned char>(c)) == 0)
      word_.push_back(c);
    else if (c != 'b' && c != 'B')
      keep();
  }

  // [bB] is a letter, any other class the end of a piece.
  void character_class() {
    bool letter = at_ + 2 < pattern_.size() && pattern_[at_ + 2] == ']' &&
                  std::tolower(static_cast<unsigned char>(pattern_[at_])) ==
                      std::tolower(static_cast<unsigned char>(pattern_[at_ + 1]));
    if (letter)
      word_.push_back(static_cast<char>(std::toupper(static_cast<unsigned char>(pattern_[at_]))));
    else
      keep();
    while (at_ < pattern_.size() && pattern_[at_] != ']') at_ += pattern_[at_] == '\\' ? 2 : 1;
    ++at_;
  }

  // Of alternatives the first counts; what look-around forbids or asks for does not.
  void group() {
    ++depth_;
    if (at_ >= pattern_.size() || pattern_[at_] != '?') return;
    bool plain = pattern_.substr(at_).starts_with("?:");
    at_ += 2;
    if (!plain) leave_group();
  }

  // To behind the bracket that closes the group we stand in.
  void leave_group() {
    for (int depth = 1; at_ < pattern_.size() && depth > 0; ++at_) {
      if (pattern_[at_] == '\\')
        ++at_;
      else if (pattern_[at_] == '(')
        ++depth;
      else if (pattern_[at_] == ')')
        --depth;
    }
    --depth_;
  }

  void keep() {
    constexpr std::string_view kEdges = " /;:(";
    size_t first = std::min(word_.find_first_not_of(kEdges), word_.size());
    std::string word = word_.substr(first, word_.find_last_not_of(kEdges) + 1 - first);
    if (word.size() > best_.size()) best_ = std::move(word);
    word_.clear();
  }

  std::string_view pattern_;
  size_t at_ = 0;
  int depth_ = 0;
  std::string word_;
  std::string best_;
};
}  // namespace

void LookAroundPattern::Free::operator()(void* code) const { pcre2_code_free(static_cast<pcre2_code*>(code)); }

std::optional<LookAroundPattern> LookAroundPattern::compile(std::string_view pattern, bool ignore_case) {
  int error = 0;
  PCRE2_SIZE at = 0;
  uint32_t options = PCRE2_DOLLAR_ENDONLY | (ignore_case ? PCRE2_CASELESS : 0U);
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error, &at, nullptr);
  if (code == nullptr) return std::nullopt;
  // Where the machine allows no JIT the interpreter gives the same answers.
  (void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  LookAroundPattern compiled;
  compiled.code_.reset(code);
  return compiled;
}

bool LookAroundPattern::matches(std::string_view text) const {
  thread_local Scratch scratch;
  return pcre2_match(static_cast<const pcre2_code*>(code_.get()), reinterpret_cast<PCRE2_SPTR>(text.data()),
                     text.size(), 0, 0, scratch.data, scratch.context) >= 0;
}

std::string word_of(std::string_view pattern) { return Words(pattern).longest(); }

}  // namespace weir::enrich
