#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weir/query/question.h"
#include "weir/query/rollup.h"
#include "weir/store/coverage.h"

namespace weir::query {

// How a question is answered from roll-ups.
struct RollupPlan {
  Cut cut = Cut::total;
  Cut total = Cut::total;               // of the whole that percentages are of
  std::optional<size_t> by_value;       // the dimension whose values are the cut's
  Filter filter = {};                   // of values
  bool one_value = false;               // it leaves one value at most
  std::vector<uint32_t> versions = {};  // in the order of time
  std::vector<Seconds> begins = {};     // of their spans
  std::vector<uint32_t> parts = {};     // where they lie
  std::vector<Range> open = {};         // what is added from rows, in order
  Seconds first = 0, last = 0;          // the beginnings of the first and the last span of all
  bool with_visits = false;
};

// What a statement asks for, besides what all cuts have.
struct RollupWants {
  bool visits = false;
  bool times = false;   // how long pages were seen
  bool depths = false;  // how far they were read
};

// Whether the events that lists of pages are about, pageviews and what engagement says of them, are what it leaves.
bool is_of_pages(const Filter& part);
// The same of lists of events by name: all but engagement.
bool is_of_events(const Filter& part);

// Null: the question, over this range, is to be answered from the rows.
std::optional<RollupPlan> plan_rollups(const Question& question, const Range& range, const RollupWants& wants,
                                       std::span<const store::Coverage::Span> spans);
// The same for the labels of all rows of the range.
std::optional<RollupPlan> plan_coverage(const Question& question, std::span<const store::Coverage::Span> spans);

}  // namespace weir::query
