#include "weir/store/engine/library.h"

#include <fmt/format.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

#include "weir/base/files.h"

namespace weir::store::engine {

namespace {
std::string program_directory() {
  char path[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  return size <= 0 ? "." : parent_directory(std::string(path, static_cast<size_t>(size)));
}
bool readable(const std::string& path) { return access(path.c_str(), R_OK) == 0; }
}  // namespace

Result<std::string> find_library(const std::string& configured) {
  auto only = [](const std::string& path, std::string_view named_by) -> Result<std::string> {
    if (readable(path)) return path;
    return Error{ErrorCode::kNotFound, fmt::format("store: {}: cannot read {}", named_by, path)};
  };
  if (!configured.empty()) return only(configured, "store.library");
  const char* environment = std::getenv("WEIR_LIBCHDB");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  if (environment != nullptr && *environment != '\0') return only(environment, "WEIR_LIBCHDB");

  constexpr std::string_view kPackage = "/engine/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so";
  std::string directory = program_directory();
  std::string installed = directory + "/../lib/weir/libchdb.so";
  if (readable(installed)) return installed;
  for (std::string at = directory; at != "/" && at != "."; at = parent_directory(at)) {
    for (std::string path : {fmt::format("{}{}", at, kPackage), fmt::format("{}/build{}", at, kPackage)})
      if (readable(path)) return path;
  }
  return Error{ErrorCode::kNotFound,
               fmt::format("store: the ClickHouse library is neither {} nor in build{}", installed, kPackage)};
}

std::string engine_program() {
#ifdef WEIR_SANITIZED
  const char* other = std::getenv("WEIR_ENGINE_PROGRAM");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  return other == nullptr ? "" : other;
#else
  return "/proc/self/exe";
#endif
}

}  // namespace weir::store::engine
