#include "weir/enrich/own_sites.h"

namespace weir::enrich {

OwnSites::OwnSites(const settings::Snapshot& snapshot) {
  for (const settings::Project& project : snapshot.projects()) {
    if (project.hostnames.empty()) continue;
    Sites& sites = projects_[project.id];
    sites.foreign = project.foreign_hostnames;
    for (std::string_view name : project.hostnames) {
      const bool wildcard = name.starts_with("*.");
      sites.names.emplace_back(name.substr(wildcard ? 2 : 0));
      sites.wildcard.push_back(wildcard);
    }
  }
}

std::span<const std::string> OwnSites::of(ProjectId project) const {
  if (projects_.empty()) return {};
  auto found = projects_.find(project);
  return found == projects_.end() ? std::span<const std::string>() : std::span(found->second.names);
}

bool OwnSites::is_unwanted(ProjectId project, std::string_view hostname) const {
  if (projects_.empty() || hostname.empty()) return false;
  auto found = projects_.find(project);
  if (found == projects_.end() || found->second.foreign == settings::ForeignHostnames::keep) return false;
  const Sites& sites = found->second;
  for (size_t i = 0; i < sites.names.size(); ++i) {
    const std::string& name = sites.names[i];
    if (!sites.wildcard[i]) {
      if (hostname == name) return false;
    } else if (hostname.size() > name.size() + 1 && hostname.ends_with(name) &&
               hostname[hostname.size() - name.size() - 1] == '.') {
      return false;
    }
  }
  return true;
}

}  // namespace weir::enrich
