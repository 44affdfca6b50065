#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace weir::enrich::testing {

// What tests, fuzz targets and benchmarks of user agents read. Each answers nothing where the file is absent.

std::optional<std::string> read_text(const std::string& path);

// The unpacked text of $WEIR_TEST_DATA/data/ua/<name>, an .xz file.
std::optional<std::string> recorded_text(std::string_view name);

#ifdef WEIR_TESTS_DIR
// weir's own overlay, from the source tree.
inline std::optional<std::string> overlay_yaml() {
  return read_text(WEIR_TESTS_DIR "/../data/user-agents/overlay.yaml");
}

// The package's rules: the file that $WEIR_UAP_CORE names, else where the build keeps its packs.
inline std::optional<std::string> regexes_yaml() {
  const char* named = std::getenv("WEIR_UAP_CORE");
  return read_text(named != nullptr ? named : WEIR_TESTS_DIR "/../build/packs/regexes.yaml");
}
#endif

}  // namespace weir::enrich::testing
