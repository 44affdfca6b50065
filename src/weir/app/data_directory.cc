#include "weir/app/data_directory.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace weir::app {

namespace {
// Names that only weir puts into a data directory.
constexpr std::string_view kOurs[] = {"journal",           "clickhouse", "settings.db", "outcomes",
                                      "settings.snapshot", "secrets",    "imports",     "dedup"};
// What a first start that was cut short, or a file system, leaves in an empty one.
constexpr std::string_view kHarmless[] = {"LOCK", "VERSION.new", "tmp", "lost+found"};

Error refused(ErrorCode code, std::string message) { return {code, std::move(message)}; }

// Refuses a directory that is somebody else's or only part of ours, before anything in it is touched.
Result<> look_inside(FileSystem& files, const std::string& path) {
  auto names = files.list(path);
  if (!names) return refused(ErrorCode::kForbidden, fmt::format("no permission to use the data directory {}", path));
  for (const std::string& name : *names)
    if (name == "VERSION") return {};
  for (const std::string& name : *names) {
    if (std::find(std::begin(kOurs), std::end(kOurs), name) != std::end(kOurs))
      return refused(ErrorCode::kConflict,
                     fmt::format("{} holds weir's data but no file VERSION: a copy or restore is incomplete; complete "
                                 "it, or write \"1\" into {}/VERSION if this is all there was",
                                 path, path));
    if (std::find(std::begin(kHarmless), std::end(kHarmless), name) == std::end(kHarmless))
      return refused(
          ErrorCode::kConflict,
          fmt::format("{} is not empty and not weir's (it holds \"{}\"); give an empty or new directory with --data",
                      path, name));
  }
  return {};
}

// Creates the directory with its parents and makes sure that we alone may use it.
Result<> make_private(FileSystem& files, const std::string& path) {
  std::error_code error;
  bool made = std::filesystem::create_directories(path, error);
  if (error)
    return refused(
        error == std::errc::permission_denied ? ErrorCode::kForbidden : ErrorCode::kUnavailable,
        fmt::format("cannot create the data directory {}: {}; give another one with --data", path, error.message()));
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return refused(ErrorCode::kUnavailable,
                   fmt::format("cannot look at {}: {}", path, std::generic_category().message(errno)));
  if (!S_ISDIR(info.st_mode)) return refused(ErrorCode::kConflict, fmt::format("{} is not a directory", path));
  if (info.st_uid != ::geteuid())
    return refused(ErrorCode::kForbidden,
                   fmt::format("the data directory {} belongs to user {}, weir runs as user {}: run it as that user or "
                               "change the owner with chown -R",
                               path, info.st_uid, ::geteuid()));
  if (!made)
    if (auto looked = look_inside(files, path); !looked) return looked;
  if ((info.st_mode & 0777) != 0700 && ::chmod(path.c_str(), 0700) != 0)
    return refused(ErrorCode::kForbidden,
                   fmt::format("cannot make {} private: {}", path, std::generic_category().message(errno)));
  if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0)
    return refused(ErrorCode::kForbidden, fmt::format("no permission to use the data directory {}", path));
  if (made) return files.sync_directory(parent_directory(path));
  return {};
}

Result<int> read_version(FileSystem& files, const std::string& path) {
  auto text = read_file(files, path, 64);
  if (!text) return std::move(text).error();
  int version = 0;
  auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), version);
  if (error != std::errc() || version < 1)
    return Error{ErrorCode::kCorrupt, fmt::format("{} is damaged: expected the number of the data format", path)};
  return version;
}
}  // namespace

Result<DataDirectory> DataDirectory::open(FileSystem& files, const std::string& path, bool new_journal) {
  if (auto made = make_private(files, path); !made) return std::move(made).error();
  auto lock = files.lock(path + "/LOCK");
  if (!lock) {
    if (lock.error().code == ErrorCode::kConflict)
      return Error{
          ErrorCode::kConflict,
          fmt::format("another weir uses this data directory: {}; stop it, or give another directory with --data",
                      lock.error().message)};
    return Error{ErrorCode::kForbidden, std::move(lock).error().message};
  }

  std::string version_path = path + "/VERSION";
  bool created = !files.exists(version_path);
  if (created) {
    if (auto written = replace_file(files, version_path, fmt::format("{}\n", kDataVersion)); !written)
      return std::move(written).error();
  } else {
    auto version = read_version(files, version_path);
    if (!version) return std::move(version).error();
    if (*version > kDataVersion)
      return Error{ErrorCode::kUnsupported,
                   fmt::format("{} was written by a later weir (data format {}, this one knows {}); use that version",
                               path, *version, kDataVersion)};
    // The journal is made before the store, so that a first start that was killed does not look like this.
    if (files.exists(path + "/clickhouse") && !files.exists(path + "/journal") && !new_journal)
      return Error{
          ErrorCode::kConflict,
          fmt::format(
              "{} has a store but its journal is missing (a file system that is not mounted?); bring {}/journal "
              "back, or begin a new journal with --serve.new_journal true",
              path, path)};
  }

  DataDirectory directory(path, std::move(*lock), created);
  for (const std::string& part : {directory.imports(), directory.packs(), directory.secrets(), directory.temporary()})
    if (auto made = files.make_directory(part); !made) return std::move(made).error();
  return directory;
}

}  // namespace weir::app
