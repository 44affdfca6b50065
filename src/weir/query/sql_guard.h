#pragma once

#include <cstddef>
#include <string_view>

#include "weir/base/bytes.h"
#include "weir/base/result.h"

namespace weir::query {

inline constexpr size_t kSqlBytesMax = 64 * KiB;

// Judges a person's statement by ClickHouse's own parse of it (Store::explain_ast()), which quoting, comments and
// letter case cannot deceive: SELECT, EXPLAIN, DESCRIBE and SHOW TABLES over the public views, of node kinds that are
// known, without functions and table functions that reach outside of the tables.
//
// It is one of three fences. What a reader may see is enforced by ClickHouse's grants and row policies; what the
// server's process can open at all, by Landlock. This one exists because ClickHouse lets every user call the function
// `file`, and because some table functions show a table's index without asking the row policies.
//
// Errors: kForbidden, whose message names what is refused.
Result<> judge_ast(std::string_view ast);
// The output format that the statement itself names (`FORMAT CSV`), or empty.
std::string_view format_in_ast(std::string_view ast);

}  // namespace weir::query
