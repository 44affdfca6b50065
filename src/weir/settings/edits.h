#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "weir/settings/settings.h"

// What the changes of repository.cc and repository_people.cc share.
namespace weir::settings {

inline Error not_found(std::string_view what, std::string_view value) {
  return {ErrorCode::kNotFound, fmt::format("settings: {}: `{}`: no such {}", what, value, what)};
}
inline Error taken(std::string_view what, std::string_view value) {
  return {ErrorCode::kConflict, fmt::format("settings: {}: `{}`: exists already", what, value)};
}
inline Error too_many(std::string_view what, size_t most) {
  return {ErrorCode::kTooLarge, fmt::format("settings: more than {} {}", most, what)};
}

inline Project* find(State& state, ProjectId id) {
  auto found = std::find_if(state.projects.begin(), state.projects.end(), [&](const Project& p) { return p.id == id; });
  return found == state.projects.end() ? nullptr : &*found;
}
inline const Project* find(const State& state, std::string_view name) {
  auto found =
      std::find_if(state.projects.begin(), state.projects.end(), [&](const Project& p) { return p.name == name; });
  return found == state.projects.end() ? nullptr : &*found;
}
// Empty, or why a thing cannot be of that project.
inline Result<> check_known(State& state, std::optional<ProjectId> project) {
  if (!project || find(state, *project) != nullptr) return {};
  return not_found("project", to_string(*project));
}

// Removes the one of that id. Errors: kNotFound.
template <class T>
Result<> remove(std::vector<T>& list, std::string_view what, std::string_view id) {
  if (std::erase_if(list, [&](const T& one) { return one.id == id; }) == 0) return not_found(what, id);
  return {};
}

}  // namespace weir::settings
