#include "weir/journal/open.h"

#include <fmt/format.h>

#include "weir/journal/segmented/segmented_journal.h"

namespace weir::journal {

Result<std::unique_ptr<Journal>> open(FileSystem& files, Clock& clock, metrics::Registry& metrics,
                                      const std::string& directory, const Options& options) {
  if (options.kind == "segmented") return segmented::SegmentedJournal::open(files, clock, metrics, directory, options);
  return Error{ErrorCode::kUnsupported,
               fmt::format("journal: kind `{}` is not built into this version; use `segmented`", options.kind)};
}

}  // namespace weir::journal
