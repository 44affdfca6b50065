#pragma once

#include <memory>
#include <string>
#include <utility>

#include "weir/base/files.h"
#include "weir/settings/settings.h"

namespace weir::settings {

inline std::shared_ptr<const Snapshot> snapshot_of(State state) {
  return std::make_shared<const Snapshot>(std::move(state));
}
// What tells one of a list from the others, whatever else of it changes.
inline std::string key_of(const User& user) { return to_string(user.id); }
inline std::string key_of(const Project& project) { return to_string(project.id); }
inline std::string key_of(const OutsideName& name) { return name.value; }
template <class T>
std::string key_of(const T& one) {
  return one.id;
}

// Puts the lists into the order they are kept in.
void sort(State& state);

// DATA/settings.snapshot: the last known state, so that collecting goes on when the database does not open.
//
//   weir-settings-snapshot 1 <CRC32C of the rest, 8 hexadecimal digits> <bytes of the rest>\n
//   {"projects":[{"id":"17","name":"website",...}],"keys":[...],"names":[...],"rules":[...],"items":[...],"users":[...],
//   "invitations":[...],"shares":[...],"policy":{...},"retired":["9"]}\n
//
// Replaced as a whole: after a power cut it is the old or the new one. Errors: as replace_file().
Result<> write_snapshot_file(FileSystem& files, const std::string& path, const State& state);
// Errors: kNotFound, kCorrupt (damaged), kUnsupported (a later version), kUnavailable.
Result<State> read_snapshot_file(FileSystem& files, const std::string& path);

}  // namespace weir::settings
