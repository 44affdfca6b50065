#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "weir/query/zone.h"
#include "weir/store/coverage.h"

namespace weir::query {

// What a project's roll-ups say all of, to be looked up. Immutable.
class CoveredTime {
 public:
  using Span = store::Coverage::Span;
  // `spans` by beginning, as Coverage::spans() has them; they must outlive this.
  explicit CoveredTime(std::span<const Span> spans) : spans_(spans) {
    std::copy_if(spans.begin(), spans.end(), std::back_inserter(empty_), [](const Span& span) { return span.empty; });
  }

  // The sums of exactly this stretch, or null.
  const Span* sums(Seconds from, Seconds to) const {
    auto at = std::lower_bound(spans_.begin(), spans_.end(), from,
                               [](const Span& span, Seconds moment) { return span.from < moment; });
    for (; at != spans_.end() && at->from == from; ++at)
      if (at->to == to && !at->empty) return &*at;
    return nullptr;
  }
  // Whether it is known that there is nothing in it.
  bool is_empty(Seconds from, Seconds to) const {
    return std::any_of(empty_.begin(), empty_.end(),
                       [&](const Span& span) { return span.from <= from && to <= span.to; });
  }
  bool knows(Seconds from, Seconds to) const { return sums(from, to) != nullptr || is_empty(from, to); }

 private:
  std::span<const Span> spans_;
  std::vector<Span> empty_;
};

}  // namespace weir::query
