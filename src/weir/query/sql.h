#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/ids.h"
#include "weir/base/result.h"
#include "weir/store/store.h"

namespace weir::query {

// A person's SQL statement and who asks.
struct SqlRequest {
  std::string format = "JSONCompact";  // one of ClickHouse's output formats, unless the statement names one
  const std::vector<ProjectId>* projects = nullptr;  // what the asker may see; null: all projects
  std::chrono::milliseconds timeout{60'000};
  store::Parameters parameters = {};
  // Asked about once a second: whether nobody wants the answer any more; true ends the statement.
  std::function<bool()> abandoned = {};
};

// Judges a person's statement and runs it over the public views of database weir. The answer's bytes go to `sink` piece
// by piece (false ends the statement); returns the answer's content type. Blocking, thread-safe.
// Errors: kTooLarge (longer than kSqlBytesMax; the answer above its limits), kForbidden (refused, with what), kBadInput
// (not SQL, or a sink that wanted no more), kTimeout, kOverloaded, kUnavailable.
Result<std::string> run_sql(store::Store& store, std::string_view sql, const SqlRequest& request,
                            const std::function<bool(std::string_view)>& sink);

}  // namespace weir::query
