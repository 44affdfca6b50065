#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"

namespace weir::enrich {

// Ordered lists of regular expressions (Perl's syntax, bytes), asked together: which is the first of each list that is
// found in a text? One pass over the text finds the fixed pieces that expressions need; only those whose pieces are all
// there are tried.
//
// Immutable once made; a Matcher on each thread asks it.
class RegexLists {
 public:
  struct Regex {
    std::string pattern;
    bool ignore_case = false;
  };
  struct Failure {
    size_t list;
    size_t index;
    std::string message;
  };

  // An expression that does not compile is named in `failures` and never matches; it keeps its place.
  explicit RegexLists(const std::vector<std::vector<Regex>>& lists, std::vector<Failure>& failures);
  ~RegexLists();
  RegexLists(const RegexLists&) = delete;
  RegexLists& operator=(const RegexLists&) = delete;

 private:
  friend class RegexMatcher;
  struct State;
  std::unique_ptr<State> state_;
};

// Confined to one thread. Keeps `lists` by reference; it must outlive the matcher.
class RegexMatcher {
 public:
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr size_t kGroups = 10;

  explicit RegexMatcher(const RegexLists& lists);
  ~RegexMatcher();
  RegexMatcher(const RegexMatcher&) = delete;
  RegexMatcher& operator=(const RegexMatcher&) = delete;

  // Takes the text that first() is about; it must stay valid until the next scan().
  void scan(std::string_view text);

  // The index of the list's first expression that is found in the text, or kNone. One that exceeds the limit on steps
  // counts as not found.
  size_t first(size_t list);

  // Of the last expression found: what the group matched; empty also when it took no part. Group 0 is the whole match.
  std::string_view group(size_t number) const;

 private:
  struct State;
  const RegexLists& lists_;
  std::unique_ptr<State> state_;
};

}  // namespace weir::enrich
