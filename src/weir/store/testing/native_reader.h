#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weir/base/result.h"
#include "weir/store/store.h"

namespace weir::store::testing {

// The texts of a row that are not empty, by column: "name", "kind", "path"... There are about a dozen, and looking
// through them is quicker than a tree, as is copying them.
class Texts {
 public:
  std::string_view of(std::string_view column) const;
  // Of a column that has none yet. "" is none.
  void add(std::string_view column, std::string_view text);
  // "" takes it away.
  void set(std::string_view column, std::string_view text);
  bool operator==(const Texts&) const = default;

 private:
  std::vector<std::pair<std::string, std::string>> texts_;
};

// A stored row as a test wants to look at it.
struct StoredRow {
  uint64_t project_id = 0;
  int64_t timestamp = 0;
  int64_t received_at = 0;
  uint64_t visitor_id = 0;
  uint64_t session_id = 0;
  uint16_t visit_seq = 0;
  uint32_t visit_gap_ms = 0;
  int8_t visit_bounce = 0;
  uint32_t p = 0;
  uint64_t o = 0;
  bool has_revenue = false;
  int64_t revenue_micros = 0;
  uint64_t hash = 0;  // event::event_hash() of its columns
  Texts texts;
  std::vector<std::pair<std::string, std::string>> properties;  // all of them, the numbers last
  std::vector<std::pair<std::string, std::string>> numbers;     // the numeric ones again, as text

  // The text of a column, or of a property; "" when there is none.
  std::string_view text(std::string_view column) const;
  std::string_view property(std::string_view key) const;
};

// Reads what Block::append_native() wrote, by the format's rules and not by the writer's code.
// Errors: kCorrupt.
Result<std::vector<StoredRow>> read_native(std::string_view bytes);
Result<std::vector<StoredRow>> rows_of(const Block& block);

}  // namespace weir::store::testing
