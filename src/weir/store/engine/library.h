#pragma once

#include <string>

#include "weir/base/result.h"

namespace weir::store::engine {

// The path of the private ClickHouse's library: `configured` if not empty, else $WEIR_LIBCHDB, else
// ../lib/weir/libchdb.so beside the running program, else engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so in one
// of the program's parent directories or in `build` of one of them.
// Errors: kNotFound (says where it was looked for).
Result<std::string> find_library(const std::string& configured);

// The program whose process the library runs in: this one. In one that a sanitizer watches it cannot run; there
// $WEIR_ENGINE_PROGRAM names another build of weir, and without it this is empty.
std::string engine_program();

}  // namespace weir::store::engine
