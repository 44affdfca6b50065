#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "weir/transfer/access_log.h"

namespace weir::transfer {

// Reads the lines of one log, in all formats (docs/formats/imports.md). Of the lines before, only the last `#Fields:`
// line of a W3C log matters to the next: who begins in the middle of a file gives it by set_fields().
//
// Confined to one thread; keeps its buffers from line to line.
class LogParser {
 public:
  explicit LogParser(LogFormat format);
  ~LogParser();

  // What stands behind "#Fields:" in a line that names a W3C log's fields; nothing for other lines, and for such as
  // name more than kFieldsBytesMax.
  static std::optional<std::string_view> fields_of(std::string_view line);
  static constexpr size_t kFieldsBytesMax = 4096;
  void set_fields(std::string_view fields);

  // `line`: without its line end; a trailing '\r' is taken off. `out` is meaningful when the answer is `none`; its
  // texts are valid until the next call and as long as the line.
  LineFault parse(std::string_view line, LogLine& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weir::transfer
