#include "weir/settings/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "weir/base/bytes.h"
#include "weir/settings/encoding.h"

namespace weir::settings {

namespace {
constexpr std::string_view kTitle = "weir-settings-snapshot 1 ";
constexpr std::string_view kTitleOfAnyVersion = "weir-settings-snapshot ";
}  // namespace

void sort(State& state) {
  std::sort(state.projects.begin(), state.projects.end(),
            [](const Project& a, const Project& b) { return a.name < b.name; });
  std::sort(state.names.begin(), state.names.end(),
            [](const OutsideName& a, const OutsideName& b) { return a.value < b.value; });
}

Result<> write_snapshot_file(FileSystem& files, const std::string& path, const State& state) {
  std::string body = encode(state) + "\n";
  return replace_file(files, path, fmt::format("{}{:08x} {}\n", kTitle, crc32c(body), body.size()) + body);
}

Result<State> read_snapshot_file(FileSystem& files, const std::string& path) {
  auto content = read_file(files, path);
  if (!content) return std::move(content).error();
  std::string_view all = *content;
  if (!all.starts_with(kTitle) && all.starts_with(kTitleOfAnyVersion)) {
    return Error{ErrorCode::kUnsupported, fmt::format("settings: {}: written by a later version", path)};
  }
  Error damaged{ErrorCode::kCorrupt, fmt::format("settings: {}: damaged", path)};
  size_t line_end = all.find('\n');
  if (!all.starts_with(kTitle) || line_end == std::string_view::npos) return damaged;
  std::string_view body = all.substr(line_end + 1);
  if (all.substr(0, line_end) != fmt::format("{}{:08x} {}", kTitle, crc32c(body), body.size())) return damaged;
  try {
    return decode(body);
  } catch (const std::exception& e) {
    return Error{ErrorCode::kCorrupt, fmt::format("settings: {}: {}", path, e.what())};
  }
}

}  // namespace weir::settings
