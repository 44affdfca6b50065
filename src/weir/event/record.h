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
// texts valid: the caller has validated them. No key of `extra` may be one of the record's own: is_record_key().
void append_record(const Event& event, std::string& out);

// Does version 1 use this key for something?
bool is_record_key(std::string_view key);

// Reads canonical records. Confined to one thread; keeps its buffers from record to record.
class RecordParser {
 public:
  RecordParser();
  ~RecordParser();
  // The event's texts point into the record or into the parser: they stay valid until the next call, and as long as
  // the record's bytes. Keys it does not know end up in `extra`.
  // Errors: kCorrupt (not a record), kUnsupported (a later version).
  Result<Event> parse(std::string_view record);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::event
