#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weir/base/files.h"
#include "weir/settings/settings.h"

namespace weir::settings {

// All that a repository keeps, as plain lists.
struct State {
  std::vector<Project> projects;
  std::vector<Key> keys;
  std::vector<OutsideName> names;
  std::vector<TrafficRule> rules;
  std::vector<ProjectId> retired;  // ids of deleted projects, never to be given out again
};

inline std::shared_ptr<const Snapshot> snapshot_of(const State& state) {
  return std::make_shared<const Snapshot>(state.projects, state.keys, state.names, state.rules);
}

// DATA/settings.snapshot: the last known state, so that collecting goes on when the database does not open.
//
//   weir-settings-snapshot 1 <CRC32C of the rest, 8 hexadecimal digits> <bytes of the rest>\n
//   {"projects":[{"id":"17","name":"website",...}],"keys":[...],"names":[...],"rules":[...],"retired":["9"]}\n
//
// Replaced as a whole: after a power cut it is the old or the new one. Errors: as replace_file().
Result<> write_snapshot_file(FileSystem& files, const std::string& path, const State& state);
// Errors: kNotFound, kCorrupt (damaged), kUnsupported (a later version), kUnavailable.
Result<State> read_snapshot_file(FileSystem& files, const std::string& path);

}  // namespace weir::settings
