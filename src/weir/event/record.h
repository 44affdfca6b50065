#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "weir/base/result.h"
#include "weir/event/event.h"

namespace weir::event {

inline constexpr int kRecordVersion = 1;

// Appends the canonical record, version 1, of `event`: one JSON object with the keys in the order of
// docs/formats/event.md, absent fields left out, keys of `extra` last. The texts must be valid UTF-8 and the JSON
// texts valid: the caller has validated them.
void append_record(const Event& event, std::string& out);

// Reads canonical records. Confined to one thread; keeps its buffers from record to record.
class RecordParser {
 public:
  RecordParser();
  ~RecordParser();
  // The event's texts stay valid until the next call. Keys it does not know end up in `extra`.
  // Errors: kCorrupt (not a record), kUnsupported (a later version).
  Result<Event> parse(std::string_view record);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::event
