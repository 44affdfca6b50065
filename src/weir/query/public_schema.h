#pragma once

#include <string>

#include "weir/base/result.h"
#include "weir/store/store.h"

namespace weir::query {

// What a person's SQL sees: the views of database weir and their columns, with types as the store has them and a line
// on each: [{"name":"events","note":"...","columns":[{"name":"path","type":"LowCardinality(String)","note":"..."}]}].
// Blocking, thread-safe. Errors: those of Store::query().
Result<std::string> public_schema(store::Store& store);

}  // namespace weir::query
