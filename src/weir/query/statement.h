#pragma once

#include <string>
#include <utility>
#include <vector>

#include "weir/query/question.h"
#include "weir/query/rollup_plan.h"
#include "weir/store/store.h"

namespace weir::query {

// A statement for the store. Every text from outside is a bound parameter, every name comes from a list of ours.
struct Statement {
  std::string sql;
  store::Parameters parameters;
  bool rolled_up = false;  // made of roll-ups
  bool lasting = false;    // gives the same answer for ever: it is of roll-ups alone
  // Parameters that are still to be found: the name of each, and the statement that gives its number. It is of roll-ups
  // alone, and gives the same number for ever.
  std::vector<std::pair<std::string, std::string>> totals = {};
};

// For whom a statement is written.
enum class Dialect : uint8_t {
  bound,   // the store: over weir_data.events, with parameters
  public_  // a person who wants to see or run it: over the view weir.events, values quoted in their places
};

// The rows that a comparison is asked for: what the dimensions, those of time aside, show in the answer it is compared
// with. Empty: all.
using ShownRows = std::vector<std::vector<std::string>>;

// The one statement that answers `question` over `range`: a column for each dimension and each metric, as they are
// shown, then `rows`: how many rows there are without the limit. With `only`, without limit and offset.
// Where `covered`, of the project's roll-ups, allows it, the numbers come from those; they are the same. Else from the
// rows, which `source` gives if it is not empty: those of the visits that were found (FoundVisits). Out of a sample
// (Question::one_in) there stand before `rows` a column for each metric with what each group of visitors says of it,
// and how many visitors were looked at.
using Spans = std::span<const store::Coverage::Span>;
Statement write_statement(const Question& question, const Range& range, Dialect dialect,
                          const ShownRows* only = nullptr, Spans covered = {}, std::string source = {});
// The same with its columns named as the question names them, and nothing else.
Statement write_file_statement(const Question& question, Spans covered = {});
// How many rows the answer would have without limit and offset.
Statement write_count(const Question& question, Spans covered = {});
// Events by label of the range, whatever was asked of them: `traffic`, `events`.
Statement write_coverage(const Question& question, Dialect dialect, Spans covered = {});

}  // namespace weir::query
