#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/result.h"

// Regular expressions of others, run over what strangers send.
namespace weir::enrich {

// One expression in PCRE2 with JIT, for what RE2 does not take. Thread-safe. A match that would take too many steps is
// given up and counts as none.
class LookAroundPattern {
 public:
  static std::optional<LookAroundPattern> compile(std::string_view pattern, bool ignore_case);
  bool matches(std::string_view text) const;

 private:
  struct Free {
    void operator()(void* code) const;
  };
  std::unique_ptr<void, Free> code_;
};

// What a person would call the thing that an expression looks for: its longest piece of plain text. "bot" for
// `(?<! cu)bots?(?:\b|_)`; empty when there is none.
std::string word_of(std::string_view pattern);

}  // namespace weir::enrich
