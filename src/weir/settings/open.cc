#include "weir/settings/open.h"

#include "weir/base/files.h"
#include "weir/settings/sqlite/repository.h"

namespace weir::settings {

Result<std::unique_ptr<Repository>> open(const std::string& data_directory, Clock& clock, const Options& options) {
  if (options.kind != "sqlite") {
    return Error{ErrorCode::kUnsupported,
                 "settings: kind: `" + options.kind + "` is not built in this version; use `sqlite`"};
  }
  sqlite::OpenOptions of_sqlite;
  of_sqlite.rebuild = options.rebuild;
  return sqlite::open(real_files(), data_directory, clock, of_sqlite);
}

}  // namespace weir::settings
