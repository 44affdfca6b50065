// libraries: weir_event simdjson::simdjson
//
// A record as it may lie in a journal of another version, or damaged: reading it never does harm, and what could be
// read is written the same again.

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "weir/base/check.h"
#include "weir/event/record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static weir::event::RecordParser parser;
  auto event = parser.parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!event) return 0;
  std::string first;
  weir::event::append_record(*event, first);
  WEIR_CHECK(simdjson::validate_utf8(first.data(), first.size()));

  auto again = parser.parse(first);
  WEIR_CHECK(again.has_value());
  std::string second;
  weir::event::append_record(*again, second);
  WEIR_CHECK(first == second);
  return 0;
}
