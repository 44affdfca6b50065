// libraries: weir_transfer
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/event/record.h"
#include "weir/transfer/access_log.h"
#include "weir/transfer/line_event.h"
#include "weir/transfer/log_parser.h"
#include "weir/transfer/repeats.h"
#include "weir/transfer/scan.h"

// A log as strangers may have filled it: every line is counted once, and whatever can be read becomes a canonical
// record that can be read back.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace weir;
  if (size == 0) return 0;
  transfer::LogFormat format = transfer::kLogFormats[data[0] % std::size(transfer::kLogFormats)];
  transfer::LineRules rules;
  rules.keep_user = data[0] % 2 == 0 ? transfer::KeepUser::no : transfer::KeepUser::yes;
  rules.assets = static_cast<transfer::Assets>(data[0] / 16 % 3);
  rules.pages_only = data[0] / 64 % 2 == 1;
  std::string_view lines(reinterpret_cast<const char*>(data) + 1, size - 1);
  static transfer::LineEvents events;
  static event::RecordParser parser;
  transfer::ImportSummary summary;
  uint64_t taken = 0;
  transfer::RepeatWindow window(data[0]);
  window.begin_chunk();
  transfer::LogParser log(format);
  transfer::scan_lines(lines, log, transfer::TimeWindow::at(1'790'000'000'000, 0), summary,
                       [&](uint64_t, std::string_view text, const transfer::LogLine& line) {
                         WEIR_CHECK(window.add(text) == 0);
                         const event::Event& event = events.make(line, rules);
                         (void)events.skip(rules);
                         std::string record;
                         event::append_record(event, record);
                         auto read = parser.parse(record);
                         WEIR_CHECK(read.has_value());
                         WEIR_CHECK(read->path == event.path && read->referrer == event.referrer &&
                                    read->properties == event.properties && read->user_id == event.user_id &&
                                    read->hostname == event.hostname && read->url == event.url);
                         ++taken;
                         return true;
                       });
  WEIR_CHECK(summary.lines == taken + summary.skipped_lines());
  (void)transfer::resembles(lines);
  if (auto repeats = transfer::parse_repeats(lines); repeats)
    WEIR_CHECK(transfer::parse_repeats(transfer::write_repeats(*repeats))->size() == repeats->size());
  return 0;
}
