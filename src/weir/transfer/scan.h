#pragma once

#include <string_view>
#include <utility>

#include "weir/base/clock.h"
#include "weir/transfer/access_log.h"
#include "weir/transfer/line_event.h"
#include "weir/transfer/log_parser.h"
#include "weir/transfer/summary.h"

namespace weir::transfer {

// Which times a log's lines may bear.
struct TimeWindow {
  UnixMillis earliest = 0;     // before: Skip::too_early
  UnixMillis oldest_kept = 0;  // before: Skip::retention
  UnixMillis latest = 0;       // after: Skip::too_late

  // Of the contract: 1990 to 24 h ahead of `now`; `retention_days` 0: kept for ever.
  static TimeWindow at(UnixMillis now, uint32_t retention_days) {
    UnixMillis earliest = days_from_civil({1990, 1, 1}) * kMillisPerDay;
    UnixMillis kept = retention_days == 0 ? earliest : now - int64_t{retention_days} * kMillisPerDay;
    return {earliest, kept, now + kMillisPerDay};
  }
};

// Goes through the lines of a chunk (each but the last ends in '\n') and sorts out those that cannot be imported,
// counting them in `summary`; calls each(index, text, line) for the others until it answers false. `text` is the line
// without its line end, `index` its number in the chunk, from 0.
template <class Each>
void scan_lines(std::string_view lines, LogParser& parser, const TimeWindow& window, ImportSummary& summary,
                Each&& each) {
  LogLine line;
  while (!lines.empty()) {
    size_t end = lines.find('\n');
    std::string_view text = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    uint64_t index = summary.lines++;
    if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
    LineFault fault = parser.parse(text, line);
    if (fault == LineFault::blank) {
      summary.skip(Skip::blank);
    } else if (fault == LineFault::comment) {
      summary.skip(Skip::comment);
    } else if (fault == LineFault::too_long) {
      summary.skip(Skip::too_long);
    } else if (fault != LineFault::none) {
      summary.skip(Skip::unreadable);
      summary.add_example(index, name_of(fault));
    } else if (line.time < window.earliest) {
      summary.skip(Skip::too_early);
    } else if (line.time > window.latest) {
      summary.skip(Skip::too_late);
    } else if (line.time < window.oldest_kept) {
      summary.skip(Skip::retention);
    } else {
      ++summary.forms[static_cast<size_t>(line.form)];
      if (!each(index, text, std::as_const(line))) return;
    }
  }
}

// What an import of these lines would count, without any server: as if none had been imported before and the project
// kept its events for ever. Confined to one thread.
class Preview {
 public:
  // `fields`: of a W3C log, as they were said before these lines.
  ImportSummary count(std::string_view lines, LogFormat format, std::string_view fields, const LineRules& rules,
                      UnixMillis now) {
    ImportSummary summary;
    LogParser parser(format);
    if (!fields.empty()) parser.set_fields(fields);
    scan_lines(lines, parser, TimeWindow::at(now, 0), summary, [&](uint64_t, std::string_view, const LogLine& line) {
      const event::Event& event = events_.make(line, rules);
      if (auto skip = events_.skip(rules)) {
        summary.skip(*skip);
        return true;
      }
      ++summary.imported;
      if (event.kind == event::Kind::pageview) ++summary.pageviews;
      summary.saw(line.time);
      return true;
    });
    return summary;
  }

 private:
  LineEvents events_;
};

}  // namespace weir::transfer
