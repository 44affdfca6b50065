#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weir/base/ids.h"
#include "weir/settings/settings.h"

namespace weir::enrich {

// The projects' own sites (settings::Project::hostnames), ready to be held against events. Immutable; make new ones
// when the settings' snapshot changed.
class OwnSites {
 public:
  // Copies what it needs.
  explicit OwnSites(const settings::Snapshot& snapshot);

  // The host names at and below which a referrer is the project's own: those of its settings, wildcards without their
  // `*.`.
  std::span<const std::string> of(ProjectId project) const;
  // Whether the project has its events of this page's host labelled. An event that names no host is of none.
  bool is_unwanted(ProjectId project, std::string_view hostname) const;

 private:
  struct Sites {
    std::vector<std::string> names;
    std::vector<bool> wildcard;  // of each: whether it stood behind `*.`
    settings::ForeignHostnames foreign = settings::ForeignHostnames::keep;
  };
  std::unordered_map<ProjectId, Sites> projects_;  // of those that have any
};

}  // namespace weir::enrich
