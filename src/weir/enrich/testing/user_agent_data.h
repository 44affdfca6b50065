#pragma once

#include <string>

#include "weir/enrich/packs.h"
#include "weir/enrich/testing/recorded.h"

// What tests, fuzz targets and benchmarks of user agents read. Each is empty where the file is absent.
namespace weir::enrich::testing {

// The package's rules, of the packs that weir comes with.
inline std::string regexes_yaml() { return content(find_shipped_packs("") + "/regexes.yaml"); }

// weir's own rules, of the source tree.
inline std::string overlay_yaml() { return content(WEIR_TESTS_DIR "/../data/user-agents/overlay.yaml"); }

// The text of $WEIR_TEST_DATA/data/ua/<name>, an .xz file.
inline std::string recorded_text(const std::string& name) {
  std::string path = recorded("ua/" + name);
  return path.empty() ? path : unpacked(path);
}

}  // namespace weir::enrich::testing
